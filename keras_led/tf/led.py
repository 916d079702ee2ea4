"""`TFLEDModel`: the bare model with the API of `transformers` 4."""

from typing import Any

import keras

from keras_led.models.inputs import takes_inputs
from keras_led.models.led import LEDModel
from keras_led.outputs import LEDSeq2SeqModelOutput
from keras_led.tf.base import TFLEDPreTrainedModel
from keras_led.tf.outputs import TFLEDSeq2SeqModelOutput
from keras_led.typing import PastKeyValues
from keras_led.typing import Tensor


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
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        global_attention_mask: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
        cross_attn_head_mask: Tensor | None = None,
    ) -> TFLEDSeq2SeqModelOutput | tuple[Any, ...]: ...

    def compute_outputs(self, **inputs: Any) -> LEDSeq2SeqModelOutput:
        return super().compute_outputs(**self.complete_inputs(inputs))
