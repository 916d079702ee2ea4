"""From the decoder's hidden states to logits and the loss."""

from typing import Any

from keras import ops

from keras_led import backend
from keras_led.losses.in_chunks import chunked_language_modeling_loss
from keras_led.losses.model_losses import language_modeling_loss
from keras_led.models.call_checks import check_labels
from keras_led.models.call_checks import check_length
from keras_led.models.call_checks import check_rank
from keras_led.models.call_checks import check_same_rows
from keras_led.models.call_checks import check_shape
from keras_led.models.checked_runs import check_on_host
from keras_led.models.embedding import read_quantized
from keras_led.typing import Tensor


class LanguageModelingMixin:
    """The vocabulary projection and its loss.

    A training step on the model's own loss, without metrics, holds the logits
    of some hundred tokens at a time and not those of all.
    """

    smooths_labels = True

    def inputs_without_targets(self, x: dict[str, Any]) -> dict[str, Any]:
        labels = x.get("labels")
        if labels is not None:
            shifted = self.prepare_decoder_input_ids_from_labels(labels)
            if x.get("decoder_inputs_embeds") is None:
                x = {"decoder_input_ids": shifted, **x}
        return super().inputs_without_targets(x)

    def check_values(self, inputs: dict[str, Any]) -> None:
        super().check_values(inputs)
        check_on_host(check_labels, "labels", inputs, self.config.vocab_size)
        labels, tokens = inputs.get("labels"), inputs.get("decoder_input_ids")
        if hasattr(labels, "shape"):
            self._check_label_shape(labels, input_ids=inputs.get("input_ids"))
            if hasattr(tokens, "shape"):
                check_shape("labels", labels, tokens.shape)

    def _check_labels(self, labels, **documents):
        check_labels("labels", labels, self.config.vocab_size)
        self._check_label_shape(labels, **documents)

    def _check_label_shape(self, labels, **documents):
        check_rank("labels", labels, 2, "(batch, length)")
        check_same_rows("labels", labels, documents)
        check_length(
            "labels",
            labels.shape[1],
            self.config.max_decoder_position_embeddings,
            "max_decoder_position_embeddings",
            "Truncate the targets: by `max_target_tokens` in a dataset.",
        )

    def logits_and_loss(
        self,
        hidden_states: Tensor,
        labels: Tensor | None = None,
        table: Any = None,
    ) -> tuple[Tensor | None, Tensor | None]:
        """Projects hidden states, and compares with the labels.

        Args:
            hidden_states: Float tensor of shape `(B, T, D)`.
            labels: Int tensor of shape `(B, T)`, or `None`.
            table: Float tensor of shape `(V, D)`: of a model with tied weights,
                the token table as `look_up` handed it on.

        Returns:
            Pair of the logits `(B, T, V)`, `None` where only the loss is
            asked for, and the loss, `None` without labels.
        """
        if labels is None:
            return self.logits(hidden_states, table), None
        check_shape("labels", labels, hidden_states.shape[:2])
        smoothing = self._step_label_smoothing
        if self._loss_alone and self._projection_is_plain():
            loss = chunked_language_modeling_loss(
                hidden_states,
                ops.cast(self._projection_table(table), hidden_states.dtype),
                self.final_logits_bias,
                labels,
                smoothing,
            )
            return None, loss
        logits = self.logits(hidden_states, table)
        return logits, language_modeling_loss(logits, labels, smoothing)

    def logits(self, hidden_states: Tensor, table: Any = None) -> Tensor:
        """Projects hidden states to the vocabulary, `(B, T, D) -> (B, T, V)`.

        The projection is the token table read backwards, unless
        `config.tie_word_embeddings` is `False`; `table` as for
        `logits_and_loss`.
        """
        if self._reads_one_table():
            table = self._projection_table(table)
            table = ops.cast(table, hidden_states.dtype)
            logits = backend.table_product(hidden_states, table)
        elif self.config.tie_word_embeddings:
            logits = read_quantized(self.led.shared, hidden_states)
        else:
            logits = self.lm_head(hidden_states)
        return logits + ops.cast(self.final_logits_bias, logits.dtype)

    def _reads_one_table(self):
        """Whether encoder, decoder and projection read the same tensor."""
        tied = self.config.tie_word_embeddings
        return tied and self._projection_is_plain()

    def _projection_is_plain(self):
        # Quantized tables are read in ways of their own.
        return self.get_output_embeddings().quantization_mode is None

    def _projection_table(self, table=None):
        """The projection as a tensor of shape `(V, D)`."""
        if table is not None:
            return table
        if self.config.tie_word_embeddings:
            return ops.convert_to_tensor(self.led.shared.embeddings)
        return ops.transpose(self.lm_head.kernel)
