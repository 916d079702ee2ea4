"""Encoder and decoder of a TFLED model, callable by themselves."""

from typing import Any

import keras

from keras_led.models.decoding import LEDDecoderModel
from keras_led.models.encoding import LEDEncoderModel
from keras_led.outputs import LEDDecoderModelOutput
from keras_led.tf.inputs import call_names
from keras_led.tf.inputs import name_inputs
from keras_led.tf.inputs import takes_inputs
from keras_led.tf.outputs import TFLEDEncoderBaseModelOutput
from keras_led.tf.outputs import to_tensorflow_output
from keras_led.typing import PastKeyValues
from keras_led.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_led")
class TFLEDEncoder(LEDEncoderModel):
    """`LEDEncoderModel` with the call of TensorFlow's LED.

    Returns:
        `TFLEDEncoderBaseModelOutput`, or a tuple without the global
        attentions.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = name_inputs(args, kwargs, call_names(self))
        return super().__call__(*args, **kwargs)

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
    ) -> TFLEDEncoderBaseModelOutput | tuple[Any, ...]:
        output = super().call(
            input_ids=input_ids,
            attention_mask=attention_mask,
            global_attention_mask=global_attention_mask,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=True,
            training=training,
        )
        if return_dict is None:
            return_dict = self.encoder.config.return_dict
        return to_tensorflow_output(
            TFLEDEncoderBaseModelOutput, output, return_dict
        )


@keras.saving.register_keras_serializable(package="keras_led")
class TFLEDDecoder(LEDDecoderModel):
    """`LEDDecoderModel` with the call of TensorFlow's LED.

    `encoder_head_mask` is the head mask of the attention over the document.

    Returns:
        `LEDDecoderModelOutput`, or a tuple.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = name_inputs(args, kwargs, call_names(self))
        return super().__call__(*args, **kwargs)

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
    ) -> Any:
        output = super().call(
            input_ids=input_ids,
            attention_mask=attention_mask,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            head_mask=head_mask,
            cross_attn_head_mask=encoder_head_mask,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=True,
            training=training,
        )
        if return_dict is None:
            return_dict = self.decoder.config.return_dict
        return to_tensorflow_output(LEDDecoderModelOutput, output, return_dict)
