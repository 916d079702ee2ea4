"""From the decoder's hidden states to logits and the loss."""

import contextlib

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


class LanguageModelingMixin:
    """The vocabulary projection, its loss, and how `fit` uses both.

    A training step on the model's own loss, without metrics, holds the logits
    of some hundred tokens at a time and not those of all.
    """

    _label_smoothing = 0.0
    # Of the step that `fit` or `evaluate` is in:
    _step_label_smoothing = 0.0
    _loss_alone = False

    def compile(self, *args, label_smoothing=0.0, **kwargs):
        """Configures training; see `keras.Model.compile`.

        Args:
            *args: as in Keras.
            label_smoothing: float in `[0, 1)`, for the model's own loss in
                `fit` and `evaluate`: the share of each target that is spread
                over all tokens alike.
            **kwargs: as in Keras.

        Raises:
            ValueError: If `label_smoothing` is out of range, or stands beside
                a `loss`.
        """
        if not 0.0 <= label_smoothing < 1.0:
            raise ValueError(
                "`label_smoothing` must be in [0, 1). "
                f"Received: label_smoothing={label_smoothing}."
            )
        super().compile(*args, **kwargs)
        if label_smoothing and self._compile_loss is not None:
            raise ValueError(
                "`label_smoothing` is for the loss of the model itself. "
                f"Received: label_smoothing={label_smoothing} beside a "
                "`loss`. Give it to that loss."
            )
        self._label_smoothing = label_smoothing

    def get_compile_config(self):
        config = super().get_compile_config()
        if config and self._label_smoothing:
            config["label_smoothing"] = self._label_smoothing
        return config

    def inputs_without_targets(self, x):
        labels = x.get("labels")
        if labels is not None:
            shifted = self.prepare_decoder_input_ids_from_labels(labels)
            if x.get("decoder_inputs_embeds") is None:
                x = {"decoder_input_ids": shifted, **x}
        return super().inputs_without_targets(x)

    def train_step(self, *args, **kwargs):
        unseen = self._compile_loss is None and self._compile_metrics is None
        with self._own_loss(alone=unseen):
            return super().train_step(*args, **kwargs)

    def test_step(self, *args, **kwargs):
        with self._own_loss(alone=False):
            return super().test_step(*args, **kwargs)

    @contextlib.contextmanager
    def _own_loss(self, alone):
        self._step_label_smoothing = self._label_smoothing
        self._loss_alone = alone
        try:
            yield
        finally:
            self._step_label_smoothing = 0.0
            self._loss_alone = False

    def check_values(self, inputs):
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

    def logits_and_loss(self, hidden_states, labels=None, table=None):
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

    def logits(self, hidden_states, table=None):
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
            logits = self.led.shared(hidden_states, reverse=True)
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
