"""`TFLEDForConditionalGeneration`, with the API of `transformers` 4."""

from typing import Any

import keras
from keras import ops

from keras_led.layers.resizing import replace_variable
from keras_led.models.call_checks import check_shape
from keras_led.models.conditional_generation import LEDForConditionalGeneration
from keras_led.models.inputs import takes_inputs
from keras_led.outputs import LEDSeq2SeqLMOutput
from keras_led.tf.base import TFLEDPreTrainedModel
from keras_led.tf.generating import TFGenerationMixin
from keras_led.tf.losses import padded_language_modeling_loss
from keras_led.tf.outputs import TFLEDSeq2SeqLMOutput
from keras_led.typing import ArrayLike
from keras_led.typing import PastKeyValues
from keras_led.typing import Tensor


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
        labels: Tensor | None = None,
        training: bool = False,
        cross_attn_head_mask: Tensor | None = None,
    ) -> TFLEDSeq2SeqLMOutput | tuple[Any, ...]: ...

    def compute_outputs(
        self, labels: Tensor | None = None, **inputs: Any
    ) -> LEDSeq2SeqLMOutput:
        if labels is not None:
            inputs = self._with_labels_shifted(labels, inputs)
        output = super().compute_outputs(**self.complete_inputs(inputs))
        if labels is not None:
            check_shape("labels", labels, output.logits.shape[:2])
            output.loss = self.hf_compute_loss(labels, output.logits)
        return output

    def hf_compute_loss(self, labels: Tensor, logits: Tensor) -> Tensor:
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

    def get_output_embeddings(self) -> keras.layers.Layer:
        if self.config.tie_word_embeddings:
            return self.get_input_embeddings()
        return super().get_output_embeddings()

    def set_output_embeddings(
        self, value: keras.layers.Embedding | ArrayLike
    ) -> None:
        """Copies a table of shape `(V, D)` to the output projection.

        Args:
            value: A built `keras.layers.Embedding`, or an array.
        """
        if self.config.tie_word_embeddings:
            self.set_input_embeddings(value)
        else:
            table = getattr(value, "embeddings", value)
            self.lm_head.kernel.assign(ops.transpose(table))

    def get_bias(self) -> dict[str, Any]:
        """`{"final_logits_bias": tf.Variable of shape (1, V)}`."""
        return {"final_logits_bias": self.final_logits_bias.value}

    def set_bias(self, value: dict[str, Any]) -> None:
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
