"""`TFLEDForConditionalGeneration`, with the API of `transformers` 4."""

import keras
from keras import ops

from keras_led.layers.resizing import replace_variable
from keras_led.models.call_checks import check_shape
from keras_led.models.conditional_generation import LEDForConditionalGeneration
from keras_led.models.inputs import takes_inputs
from keras_led.tf.base import TFLEDPreTrainedModel
from keras_led.tf.generating import TFGenerationMixin
from keras_led.tf.losses import padded_language_modeling_loss
from keras_led.tf.outputs import TFLEDSeq2SeqLMOutput


@keras.saving.register_keras_serializable(package="keras_led")
class TFLEDForConditionalGeneration(
    TFGenerationMixin, TFLEDPreTrainedModel, LEDForConditionalGeneration
):
    """LED that generates, with the call of TensorFlow's LED.

    Args:
        config: `LEDConfig`; the model keeps a copy.
        **kwargs: Arguments of `LEDPreTrainedModel`.

    Call arguments: those of `LEDForConditionalGeneration`, in the order of
    TensorFlow's LED, `cross_attn_head_mask` last. The first may also be a
    dict of them, or a list in their order. Labels of -100 and of the padding
    token do not count in the loss.

    Returns:
        `TFLEDSeq2SeqLMOutput`, or a tuple without the encoder's global
        attentions. The loss has the shape `(1,)`.

    Raises:
        ValueError: If an argument has a wrong shape or value.
        TypeError: If an argument is unknown or ids are no integers.

    Source:
        `TFLEDForConditionalGeneration` in transformers 4.57, whose loss takes
        -100 for token 0.
    """

    output_class = TFLEDSeq2SeqLMOutput
    supports_xla_generation = True

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
        labels=None,
        training=False,
        cross_attn_head_mask=None,
    ): ...

    def compute_outputs(self, labels=None, **inputs):
        if labels is not None:
            inputs = self._with_labels_shifted(labels, inputs)
        output = super().compute_outputs(**self.complete_inputs(inputs))
        if labels is not None:
            check_shape("labels", labels, output.logits.shape[:2])
            output.loss = self.hf_compute_loss(labels, output.logits)
        return output

    def hf_compute_loss(self, labels, logits):
        """The loss of a call with labels; see the classes' documentation.

        Args:
            labels: Int tensor of shape `(B, T)`.
            logits: Float tensor of shape `(B, T, V)`.

        Returns:
            Float32 tensor of shape `(1,)`.
        """
        return padded_language_modeling_loss(
            logits,
            labels,
            self.config.pad_token_id,
            self._step_label_smoothing,
        )

    def get_output_embeddings(self):
        if self.config.tie_word_embeddings:
            return self.get_input_embeddings()
        return super().get_output_embeddings()

    def set_output_embeddings(self, value):
        """Copies a table of shape `(V, D)` to the output projection.

        Args:
            value: A built `keras.layers.Embedding`, or an array.
        """
        if self.config.tie_word_embeddings:
            self.set_input_embeddings(value)
        else:
            table = getattr(value, "embeddings", value)
            self.lm_head.kernel.assign(ops.transpose(table))

    def get_bias(self):
        """`{"final_logits_bias": tf.Variable of shape (1, V)}`."""
        return {"final_logits_bias": self.final_logits_bias.value}

    def set_bias(self, value):
        """Sets the bias of the logits, also to another number of tokens.

        Args:
            value: `{"final_logits_bias": array of shape (1, V)}`.

        Raises:
            ValueError: If the name or the rank is another.
        """
        if set(value) != {"final_logits_bias"}:
            raise ValueError(
                "`value` must be a dict with the one key 'final_logits_bias'. "
                f"Received: {', '.join(map(repr, value))}."
            )
        bias = ops.convert_to_numpy(value["final_logits_bias"])
        check_shape("final_logits_bias", bias, (1, None))
        if bias.shape == tuple(self.final_logits_bias.shape):
            self.final_logits_bias.assign(bias)
        else:
            self.final_logits_bias = replace_variable(
                self, self.final_logits_bias, bias
            )
