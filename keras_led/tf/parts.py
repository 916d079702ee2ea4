"""Encoder and decoder of a TFLED model, callable by themselves."""

from typing import TYPE_CHECKING
from typing import Any

import keras

from keras_led.models.decoder_model import LEDDecoderModel
from keras_led.models.encoder_model import LEDEncoderModel
from keras_led.models.inputs import takes_inputs
from keras_led.outputs import LEDDecoderModelOutput
from keras_led.tf.inputs import ListInputsMixin
from keras_led.tf.outputs import TFLEDEncoderBaseModelOutput
from keras_led.tf.outputs import to_tensorflow_output
from keras_led.typing import PastKeyValues
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.outputs import ModelOutput


@keras.saving.register_keras_serializable(package="keras_led")
class TFLEDEncoder(ListInputsMixin, LEDEncoderModel):
    """`LEDEncoderModel` with the call of TensorFlow's LED.

    Returns:
        `TFLEDEncoderBaseModelOutput`, or a tuple without the global
        attentions.
    """

    @takes_inputs
    def call(
        self,
        input_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        attention_mask: Tensor | None = None,
        global_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> TFLEDEncoderBaseModelOutput | tuple[Any, ...]: ...

    def finish(self, output: "ModelOutput", return_dict: bool) -> Any:
        return to_tensorflow_output(
            TFLEDEncoderBaseModelOutput, output, return_dict
        )


@keras.saving.register_keras_serializable(package="keras_led")
class TFLEDDecoder(ListInputsMixin, LEDDecoderModel):
    """`LEDDecoderModel` with the call of TensorFlow's LED.

    `encoder_head_mask` is the head mask of the attention over the document.

    Returns:
        `LEDDecoderModelOutput`, or a tuple.
    """

    @takes_inputs
    def call(
        self,
        input_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        encoder_head_mask: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> LEDDecoderModelOutput | tuple[Any, ...]: ...

    def compute_outputs(
        self, encoder_head_mask: Tensor | None = None, **inputs: Any
    ) -> LEDDecoderModelOutput:
        return super().compute_outputs(
            cross_attn_head_mask=encoder_head_mask, **inputs
        )

    def finish(self, output: "ModelOutput", return_dict: bool) -> Any:
        return to_tensorflow_output(LEDDecoderModelOutput, output, return_dict)
