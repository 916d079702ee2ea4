"""Encoder and decoder of a TFLED model, callable by themselves."""

import keras

from keras_led.models.decoding import LEDDecoderModel
from keras_led.models.encoding import LEDEncoderModel
from keras_led.models.inputs import takes_inputs
from keras_led.outputs import LEDDecoderModelOutput
from keras_led.tf.inputs import ListInputsMixin
from keras_led.tf.outputs import TFLEDEncoderBaseModelOutput
from keras_led.tf.outputs import to_tensorflow_output


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
        input_ids=None,
        inputs_embeds=None,
        attention_mask=None,
        global_attention_mask=None,
        head_mask=None,
        output_attentions=None,
        output_hidden_states=None,
        return_dict=None,
        training=False,
    ): ...

    def finish(self, output, return_dict):
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
    ): ...

    def compute_outputs(self, encoder_head_mask=None, **inputs):
        return super().compute_outputs(
            cross_attn_head_mask=encoder_head_mask, **inputs
        )

    def finish(self, output, return_dict):
        return to_tensorflow_output(LEDDecoderModelOutput, output, return_dict)
