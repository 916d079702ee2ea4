"""What both TFLED models add to the Keras models they are."""

import math
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

from keras_led import backend
from keras_led.config import LEDConfig
from keras_led.models.led import ENCODER_ARGUMENTS
from keras_led.tf.fitting import TFFittingMixin
from keras_led.tf.inputs import ListInputsMixin
from keras_led.tf.outputs import to_tensorflow_output
from keras_led.tf.parts import TFLEDDecoder
from keras_led.tf.parts import TFLEDEncoder
from keras_led.tf.prepare_dataset import DatasetMixin
from keras_led.tf.pretrained import TFPretrainedMixin
from keras_led.tf.serving import ServingMixin

if TYPE_CHECKING:
    import keras

    from keras_led.outputs import ModelOutput


class TFLEDPreTrainedModel(
    ListInputsMixin,
    TFFittingMixin,
    TFPretrainedMixin,
    ServingMixin,
    DatasetMixin,
):
    """Base of the TFLED models, put before the Keras model in their bases.

    A TFLED model takes its inputs by position, by name, or as a dict or list
    in the first argument, in the order of TensorFlow's LED.
    """

    config_class = LEDConfig
    base_model_prefix = "led"
    main_input_name = "input_ids"
    framework = "tf"
    encoder_class = TFLEDEncoder
    decoder_class = TFLEDDecoder
    # Class of what a call returns.
    output_class: type

    def __init__(self, config: LEDConfig, **kwargs: Any):
        name = type(self).__name__.replace("TFLED", "tfled_")
        snake = "".join(
            f"_{letter.lower()}" if letter.isupper() else letter
            for letter in name
        )
        kwargs.setdefault("name", snake.replace("__", "_"))
        super().__init__(config, **kwargs)  # pyright: ignore[reportCallIssue]
        if getattr(self.config, "tf_legacy_loss", False):
            raise ValueError(
                "`config.tf_legacy_loss` must be `False`: the loss is the "
                "mean over the labels that count. Received: "
                "tf_legacy_loss=True. Pass `hf_compute_loss` of your own in a "
                "subclass, or a `loss` to `compile`."
            )

    @classmethod
    def from_config(
        cls,
        config: LEDConfig | dict[str, Any],
        custom_objects: dict[str, Any] | None = None,
    ) -> Self:
        """Makes a model of an `LEDConfig`, or of what `get_config` returned."""
        if isinstance(config, LEDConfig):
            return cls(config)
        return super().from_config(config, custom_objects)

    def build_in_name_scope(self) -> None:
        """Does nothing: all weights exist once the model is made."""

    def get_lm_head(self) -> "keras.layers.Layer | None":
        """The layer that turns hidden states to logits; `None` without one."""
        return self.get_output_embeddings()

    def get_bias(self) -> dict[str, Any] | None:
        """Dict of the biases of the head by name; `None` without a head."""
        return None

    def set_bias(self, value: dict[str, Any]) -> None:
        """Sets what `get_bias` returns.

        Args:
            value: dict of name to array.

        Raises:
            AttributeError: If the model has no head.
        """
        raise AttributeError(
            f"`{type(self).__name__}` has no bias to set. Received: "
            f"{', '.join(value)}. Use `TFLEDForConditionalGeneration`."
        )

    def num_parameters(self, only_trainable: bool = False) -> int:
        """Number of weights, counted one by one.

        Args:
            only_trainable: bool, whether to leave out what does not train.

        Returns:
            int.
        """
        variables = self.trainable_weights if only_trainable else self.weights
        return sum(math.prod(variable.shape) for variable in variables)

    def complete_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Reads the config for what was left open, and may run the encoder.

        Inside a graph the number of global tokens cannot be read, and the
        encoder's attentions have a column for each slot. Where they are asked
        for, there are as many slots as tokens, so that none is left out.

        Args:
            inputs: dict of call arguments.

        Returns:
            Dict of call arguments, with `encoder_outputs` where it ran.
        """
        inputs = dict(inputs)
        for name in ("use_cache", "output_attentions", "output_hidden_states"):
            if inputs.get(name) is None:
                inputs[name] = getattr(self.config, name)
        mask = inputs.get("global_attention_mask")
        if (
            inputs["output_attentions"]
            and mask is not None
            and inputs.get("encoder_outputs") is None
            and not backend.is_concrete(mask)
        ):
            names = ENCODER_ARGUMENTS.keys() & inputs.keys()
            inputs["encoder_outputs"] = self.encode(
                max_global_tokens=self.config.max_encoder_position_embeddings,
                **{name: inputs[name] for name in names},
            )
        return inputs

    def finish(self, output: "ModelOutput", return_dict: bool) -> Any:
        return to_tensorflow_output(self.output_class, output, return_dict)
