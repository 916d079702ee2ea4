"""`TFLEDModel`: the bare model with the API of `transformers` 4."""

import keras

from keras_led.models.inputs import takes_inputs
from keras_led.models.led import LEDModel
from keras_led.tf.base import TFLEDPreTrainedModel
from keras_led.tf.outputs import TFLEDSeq2SeqModelOutput


@keras.saving.register_keras_serializable(package="keras_led")
class TFLEDModel(TFLEDPreTrainedModel, LEDModel):
    """Longformer encoder-decoder with the call of TensorFlow's LED.

    Args:
        config: `LEDConfig`; the model keeps a copy.
        **kwargs: Arguments of `LEDPreTrainedModel`.

    Call arguments: those of `LEDModel`, in the order of TensorFlow's LED,
    `cross_attn_head_mask` last. The first may also be a dict of them, or a
    list in their order.

    Returns:
        `TFLEDSeq2SeqModelOutput`, or a tuple without the encoder's global
        attentions.

    Raises:
        ValueError: If an argument has a wrong shape or value.
        TypeError: If an argument is unknown or ids are no integers.

    Source:
        `TFLEDModel` in transformers 4.57.
    """

    output_class = TFLEDSeq2SeqModelOutput

    @takes_inputs
    def call(
        self,
        input_ids=None,
        attention_mask=None,
        decoder_input_ids=None,
        decoder_attention_mask=None,
        head_mask=None,
        decoder_head_mask=None,
        encoder_outputs=None,
        global_attention_mask=None,
        past_key_values=None,
        inputs_embeds=None,
        decoder_inputs_embeds=None,
        use_cache=None,
        output_attentions=None,
        output_hidden_states=None,
        return_dict=None,
        training=False,
        cross_attn_head_mask=None,
    ): ...

    def compute_outputs(self, **inputs):
        return super().compute_outputs(**self.complete_inputs(inputs))
