"""The encoder and the forward pass of any LED model, as functions to write."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any

import tensorflow as tf

from keras_led.formats.graph_checks import require_ids
from keras_led.formats.graph_checks import require_mask
from keras_led.typing import AnyLED
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.config import LEDConfig

IDS = tf.TensorSpec([None, None], "int32")
DOCUMENT = ("input_ids", "attention_mask", "global_attention_mask")
# What the encoder reads and nothing behind it does.
_ENCODER_ALONE = ("global_attention_mask", "head_mask", "inputs_embeds")


class ForwardModule(tf.Module):
    """What is written of a model: its weights, and functions that read them.

    Args:
        model: an LED model, with any head.
        max_global_tokens: int, or infinity for as many slots as a batch
            needs; `None` for the model's, and a second program for more.
        one_shape: bool, write no second program: the answer for a document
            with more global tokens than slots is NaN.
    """

    weights: list[Any]
    max_global_tokens: float

    def __init__(
        self,
        model: AnyLED,
        max_global_tokens: float | None = None,
        one_shape: bool = False,
    ):
        super().__init__(name="led")
        # What a file has to keep; the model itself stays behind.
        self.weights = [variable.value for variable in model.variables]
        # Out of sight: a tracked model would be saved beside its weights.
        self._model = lambda: model
        self.max_global_tokens = max_global_tokens or model.max_global_tokens
        self.one_shape = one_shape

    def encode(self, **inputs: Tensor) -> dict[str, Tensor]:
        """Document to the encoder's hidden states, float32 `(B, L, D)`."""
        hidden = self._encode(**self._checked(inputs))
        return {"last_hidden_state": tf.cast(hidden, "float32")}

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        """Call arguments to the model's answers, float32."""
        model = self._model()
        target = ("decoder_input_ids", "decoder_inputs_embeds")
        reads_document = not any(name in inputs for name in target)
        inputs = self._checked(inputs, decoder_reads_it=reads_document)
        document = {
            name: inputs[name]
            for name in ("input_ids", "attention_mask", *_ENCODER_ALONE)
            if name in inputs
        }
        rest = {k: v for k, v in inputs.items() if k not in _ENCODER_ALONE}
        outputs = model(
            **rest,
            encoder_outputs=(self._encode(**document),),
            use_cache=False,
            output_attentions=False,
            output_hidden_states=False,
            return_dict=True,
            training=False,
        )
        return {
            name: tf.cast(outputs[name], "float32")
            for name in model.answer_fields
        }

    def _encode(self, max_global_tokens=None, **inputs):
        inputs.setdefault("global_tokens_fit", self.one_shape)
        inputs.update(output_attentions=False, output_hidden_states=False)
        hidden = (
            self._model()
            .get_base_model()
            .encode(
                max_global_tokens=max_global_tokens or self.max_global_tokens,
                **inputs,
            )
            .last_hidden_state
        )
        mask = inputs.get("global_attention_mask")
        if not self.one_shape or mask is None:
            return hidden
        wanted = tf.math.count_nonzero(mask, axis=1, dtype="int32")
        fits = wanted <= self.max_global_tokens
        nan = tf.constant(float("nan"), hidden.dtype)
        return tf.where(fits[:, None, None], hidden, nan)

    def _checked(self, inputs, decoder_reads_it=False):
        """Returns `inputs` once they are found to be what the model reads.

        Args:
            inputs: dict of tensors.
            decoder_reads_it: bool, whether the decoder reads the document.
        """
        config, inputs = self._model().config, dict(inputs)
        limits = {
            "input_ids": longest_document(config, decoder_reads_it),
            "decoder_input_ids": config.max_decoder_position_embeddings,
        }
        for name, limit in limits.items():
            if name in inputs:
                inputs[name] = require_ids(
                    name, inputs[name], limit, config.vocab_size
                )
        if "input_ids" in inputs and "attention_mask" in inputs:
            inputs["attention_mask"] = require_mask(
                "attention_mask", inputs["attention_mask"], inputs["input_ids"]
            )
        return inputs


def longest_document(
    config: "LEDConfig", decoder_reads_it: bool = False
) -> int:
    """int, tokens of the longest document that a model reads."""
    longest = config.max_encoder_position_embeddings
    if decoder_reads_it:
        longest = min(longest, config.max_decoder_position_embeddings)
    return longest


def trace(function: Callable[..., Any], inputs: dict[str, Any]) -> Any:
    """Traces a function of named tensors, each with its `TensorSpec`."""
    specs = {
        name: tf.TensorSpec(spec.shape, spec.dtype, name)
        for name, spec in inputs.items()
    }
    graph = tf.function(lambda **tensors: function(**tensors), autograph=False)
    return graph.get_concrete_function(**specs)


def specs(
    names: Iterable[str],
    batch: int | None = None,
    length: int | None = None,
    target_length: int | None = None,
    dtype: Any = "int32",
) -> dict[str, Any]:
    """Dict of the `TensorSpec` of each input: ids or masks, `(B, L)`."""
    sizes = {"decoder_input_ids": target_length}
    return {
        name: tf.TensorSpec([batch, sizes.get(name, length)], dtype, name)
        for name in names
    }
