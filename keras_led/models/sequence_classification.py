"""LED with a head that puts the whole document into a class."""

from typing import TYPE_CHECKING
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_led import backend
from keras_led.layers.classification_head import ClassificationHead
from keras_led.losses.model_losses import classification_loss
from keras_led.losses.model_losses import classification_problem
from keras_led.models.base import LEDPreTrainedModel
from keras_led.models.call_checks import check_array
from keras_led.models.call_checks import check_ids
from keras_led.models.call_checks import check_labels
from keras_led.models.call_checks import check_shape
from keras_led.models.checked_runs import check_on_host
from keras_led.models.inputs import takes_inputs
from keras_led.models.led import LEDModel
from keras_led.models.values import dtype_of
from keras_led.outputs import LEDSeq2SeqSequenceClassifierOutput
from keras_led.typing import Shape
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.config import LEDConfig

SINGLE_LABEL = "single_label_classification"


@keras.saving.register_keras_serializable(package="keras_led")
class LEDForSequenceClassification(LEDPreTrainedModel):
    """LED that gives the logits of a document's classes.

    The decoder reads the document too; its hidden state at the last `</s>`
    of each row goes through the head.

    Args:
        config: `LEDConfig`; `num_labels` is the number of classes.
        **kwargs: Arguments of `LEDPreTrainedModel`.

    Call arguments: those of `LEDModel` but `past_key_values` and
    `inputs_embeds`, and
        labels: Int tensor of shape `(B,)` for single-label classification;
            float tensor of shape `(B, num_labels)` for multi-label
            classification, or for regression.

    Returns:
        `LEDSeq2SeqSequenceClassifierOutput`, or a tuple.

    Raises:
        ValueError: If a row has no `</s>`, or an argument has a wrong shape
            or value.
        TypeError: If an argument is unknown or ids are no integers.

    Source:
        `LEDForSequenceClassification` in transformers 4.57, which asks for
        the same number of `</s>` in every row; here any number will do.
    """

    # Labels of several classes, or of a regression, are floats.
    integer_inputs = ("input_ids", "decoder_input_ids")

    def __init__(self, config: "LEDConfig", **kwargs: Any):
        super().__init__(config, **kwargs)
        with keras.name_scope(self.name):
            self.led = LEDModel(
                self.config,
                max_global_tokens=self.max_global_tokens,
                name="led",
                dtype=self.dtype_policy,
            )
        self.classification_head = ClassificationHead(
            self.config.d_model,
            self.config.num_labels,
            dropout=self.config.classifier_dropout,
            init_std=self.config.init_std,
            name="classification_head",
            dtype=self.dtype_policy,
        )
        self.build()

    def build(self, input_shape: Shape | None = None) -> None:
        if not self.built:
            self.classification_head.build()
        self.built = True

    @takes_inputs
    def call(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        global_attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> LEDSeq2SeqSequenceClassifierOutput | tuple[Any, ...]: ...

    def compute_outputs(
        self,
        input_ids: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> LEDSeq2SeqSequenceClassifierOutput:
        """What a call returns.

        Args:
            input_ids: Int tensor of shape `(B, S)`.
            labels: See the class; `None` for no loss.
            **inputs: The other call arguments, but for `return_dict`.

        Returns:
            `LEDSeq2SeqSequenceClassifierOutput`.
        """
        if input_ids is None:
            raise ValueError(
                "`input_ids` must be given: the class is read at their last "
                "`</s>`. Received: input_ids=None. `inputs_embeds` alone do "
                "not show where it is."
            )
        check_ids("input_ids", input_ids, self.config.vocab_size)
        last_eos = self._last_eos(input_ids)
        if labels is not None:
            inputs["use_cache"] = False
        if inputs.get("inputs_embeds") is None:
            inputs["input_ids"] = input_ids
        elif all(
            inputs.get(name) is None
            for name in ("decoder_input_ids", "decoder_inputs_embeds")
        ):
            inputs["decoder_input_ids"] = self.led.decoder_inputs_from(
                input_ids
            )
        fields = dict(self.led.compute_outputs(**inputs))
        hidden_states = fields.pop("last_hidden_state")
        if hidden_states.shape[1] != input_ids.shape[1]:
            raise ValueError(
                "`decoder_input_ids` must be as long as `input_ids`: the "
                "class is read at the last `</s>` of `input_ids`. Received: "
                f"{hidden_states.shape[1]} and {input_ids.shape[1]} tokens."
            )
        pooled = ops.take_along_axis(
            hidden_states, last_eos[:, None, None], axis=1
        )[:, 0]
        training = inputs.get("training", False)
        logits = self.classification_head(pooled, training=training)
        return LEDSeq2SeqSequenceClassifierOutput(
            fields, loss=self._loss(logits, labels), logits=logits
        )

    def check_values(self, inputs: dict[str, Any]) -> None:
        super().check_values(inputs)
        check_on_host(self._check_eos, "input_ids", inputs)
        if self._problem(inputs.get("labels")) == SINGLE_LABEL:
            check_on_host(
                check_labels, "labels", inputs, self.config.num_labels
            )

    def _check_eos(self, name, input_ids):
        """Raises if a row of a numpy array has no `</s>`."""
        eos_ids = self._eos_ids()
        has_eos = np.isin(input_ids, eos_ids).any(axis=1)  # pyright: ignore[reportArgumentType]
        if not has_eos.all():
            rows = ", ".join(map(str, np.flatnonzero(~has_eos)))
            raise ValueError(
                f"`{name}` must hold `</s>` (`config.eos_token_id`, {eos_ids}) "
                f"in every row. Received: none in row {rows}."
            )

    def _eos_ids(self):
        eos = self.config.eos_token_id
        return list(eos) if isinstance(eos, (list, tuple)) else [eos]

    def _last_eos(self, input_ids):
        """Position of the last `</s>` of each row, int32 `(B,)`."""
        if backend.is_concrete(input_ids):
            self._check_eos("input_ids", ops.convert_to_numpy(input_ids))
        is_eos = ops.zeros_like(input_ids, dtype="bool")
        for eos_id in self._eos_ids():
            is_eos = is_eos | ops.equal(input_ids, eos_id)
        positions = ops.arange(ops.shape(input_ids)[1], dtype="int32")
        return ops.max(ops.where(is_eos, positions[None], 0), axis=1)

    def _problem(self, labels):
        """Which loss fits the labels; `None` for what is no array."""
        if not hasattr(labels, "dtype"):
            return None
        config = self.config
        return classification_problem(
            dtype_of(labels), config.num_labels, config.problem_type
        )

    def _loss(self, logits, labels):
        if labels is None:
            return None
        check_array("labels", labels)
        if backend.in_symbolic_scope() and len(labels.shape) < 2:
            labels = ops.cast(labels, "int32")  # one number a row
        problem = self._problem(labels)
        num_labels = self.config.num_labels
        if problem == SINGLE_LABEL:
            check_labels("labels", labels, num_labels)
        expected = logits.shape
        if problem == SINGLE_LABEL or num_labels == 1:
            # One label a row; a column of them does as well.
            expected = expected[:1] + (1,) * (len(labels.shape) - 1)
        check_shape("labels", labels, expected)
        return classification_loss(logits, labels, problem)
