"""Encoder and decoder of a TFLED model, callable by themselves."""

import keras

from keras_led.models.decoder_model import LEDDecoderModel
from keras_led.models.encoder_model import LEDEncoderModel
from keras_led.outputs import LEDDecoderModelOutput
from keras_led.tf.inputs import call_names
from keras_led.tf.inputs import name_inputs
from keras_led.tf.inputs import takes_inputs
from keras_led.tf.outputs import TFLEDEncoderBaseModelOutput
from keras_led.tf.outputs import to_tensorflow_output


@keras.saving.register_keras_serializable(package="keras_led")
class TFLEDEncoder(LEDEncoderModel):
    """`LEDEncoderModel` with the call of TensorFlow's LED.

    Returns:
        `TFLEDEncoderBaseModelOutput`, or a tuple without the global
        attentions.
    """

    def __call__(self, *args, **kwargs):
        args, kwargs = name_inputs(args, kwargs, call_names(self))
        return super().__call__(*args, **kwargs)

    @takes_inputs
    def call(
        self,
        input_ids=None,
        inputs_embeds=None,
        attention_mask=None,
        global_attention_mask=None,
        head_mask=None,
        output_attentions=None,
        output_hidden_states=None,
        return_dict=None,
        training=False,
    ):
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

    def __call__(self, *args, **kwargs):
        args, kwargs = name_inputs(args, kwargs, call_names(self))
        return super().__call__(*args, **kwargs)

    @takes_inputs
    def call(
        self,
        input_ids=None,
        inputs_embeds=None,
        attention_mask=None,
        encoder_hidden_states=None,
        encoder_attention_mask=None,
        head_mask=None,
        encoder_head_mask=None,
        past_key_values=None,
        use_cache=None,
        output_attentions=None,
        output_hidden_states=None,
        return_dict=None,
        training=False,
    ):
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
