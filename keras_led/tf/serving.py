"""What a TFLED model writes to a SavedModel: signatures and their outputs."""

from typing import TYPE_CHECKING
from typing import Any

import tensorflow as tf

from keras_led.formats.forward_saved_model import write_saved_model
from keras_led.typing import StrPath
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.outputs import ModelOutput

_INPUTS = (
    "input_ids",
    "attention_mask",
    "decoder_input_ids",
    "decoder_attention_mask",
    "global_attention_mask",
)


class ServingMixin:
    """`serving`, `serving_output`, `input_signature` and `dummy_inputs`."""

    @property
    def input_signature(self) -> dict[str, Any]:
        """Dict of the inputs of `serving`: int32, any batch and length."""
        return {
            name: tf.TensorSpec((None, None), tf.int32, name=name)
            for name in _INPUTS
        }

    @property
    def dummy_inputs(self) -> dict[str, Any]:
        """Dict of the smallest inputs of the `input_signature`: ones."""
        return {
            name: tf.ones([1, 2], spec.dtype)
            for name, spec in self.input_signature.items()
        }

    def eager_serving(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Runs the model for a signature.

        Args:
            inputs: dict of tensors, as `input_signature` says.

        Returns:
            Dict of tensors: the fields of `serving_output`. Where a field is
            a tuple, its tensors are numbered: `past_key_values_0_2` holds the
            keys of the document in layer 0.
        """
        output = self.serving_output(self(inputs))  # pyright: ignore[reportCallIssue]
        return dict(
            pair
            for name, value in output.items()
            for pair in _flatten(name, value)
        )

    @property
    def serving(self) -> Any:
        """`eager_serving` as a `tf.function` with the `input_signature`."""
        return self._signature(tf.int32)

    def serving_output(self, output: "ModelOutput") -> "ModelOutput":
        """Prepares an output for a signature, which takes tensors only.

        Args:
            output: What a call returned.

        Returns:
            An object of the same class: without the fields that the config
            does not ask for, and with the layers of a field stacked, layer
            first, where they have one shape. `past_key_values` and encoder
            attentions of different windows stay tuples.
        """
        config, fields = self.config, {}
        for name, value in output.items():
            if name == "past_key_values":
                asked = config.use_cache
            elif name.endswith("hidden_states"):
                asked = config.output_hidden_states
            elif name.endswith("attentions"):
                asked = config.output_attentions
            else:
                asked = True
            if not asked:
                continue
            same = name != "encoder_attentions" or (
                len(set(config.attention_windows)) == 1
            )
            if isinstance(value, tuple) and name != "past_key_values" and same:
                value = tf.stack(value)
            fields[name] = value
        return type(output)(fields)

    def save_saved_model(
        self, directory: StrPath, signatures: Any = None
    ) -> None:
        """Writes a SavedModel that needs TensorFlow only.

        Args:
            directory: str or path.
            signatures: `tf.function`, concrete function or dict of them; by
                default `serving_default` with int32 and `int64_serving` with
                int64 inputs.
        """
        if signatures is None:
            signatures = {
                "serving_default": self.serving,
                "int64_serving": self._signature(tf.int64),
            }
        module = tf.Module()
        module.weights = [variable.value for variable in self.variables]
        write_saved_model(module, directory, signatures)

    def _signature(self, dtype):
        spec = {
            name: tf.TensorSpec(spec.shape, dtype, name=name)
            for name, spec in self.input_signature.items()
        }
        return tf.function(
            self.eager_serving, input_signature=[spec], autograph=False
        )


def _flatten(name, value):
    """Yields (name, tensor) of a tensor or a nest of tuples."""
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _flatten(f"{name}_{index}", item)
    else:
        yield name, value
