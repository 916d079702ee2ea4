"""LED with a head that marks where an answer starts and ends."""

from typing import TYPE_CHECKING
from typing import Any

import keras

from keras_led.layers.initializers import dense
from keras_led.losses.model_losses import span_loss
from keras_led.models.base import LEDPreTrainedModel
from keras_led.models.call_checks import check_array
from keras_led.models.call_checks import check_integers
from keras_led.models.call_checks import check_same_rows
from keras_led.models.inputs import takes_inputs
from keras_led.models.led import LEDModel
from keras_led.outputs import LEDSeq2SeqQuestionAnsweringModelOutput
from keras_led.typing import Shape
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.config import LEDConfig


@keras.saving.register_keras_serializable(package="keras_led")
class LEDForQuestionAnswering(LEDPreTrainedModel):
    """LED that gives the logits of an answer's start and end.

    The logits belong to decoder positions. By default the decoder reads the
    document shifted right, so logit `i` stands on document token `i - 1`.

    Args:
        config: `LEDConfig`; `num_labels` is taken as 2.
        **kwargs: Arguments of `LEDPreTrainedModel`.

    Call arguments: those of `LEDModel` but `past_key_values`, and
        start_positions: Int tensor of shape `(B,)`. Positions past the end
            do not count, negative ones count as 0.
        end_positions: Int tensor of shape `(B,)`, likewise.

    Returns:
        `LEDSeq2SeqQuestionAnsweringModelOutput`, or a tuple.

    Raises:
        ValueError: If an argument has a wrong shape or value.
        TypeError: If an argument is unknown or ids are no integers.

    Source:
        `LEDForQuestionAnswering` in transformers 5.23.
    """

    target_inputs = ("start_positions", "end_positions")
    answer_fields = ("start_logits", "end_logits")

    def __init__(self, config: "LEDConfig", **kwargs: Any):
        super().__init__(config, **kwargs)
        self.config.num_labels = 2
        with keras.name_scope(self.name):
            self.led = LEDModel(
                self.config,
                max_global_tokens=self.max_global_tokens,
                name="led",
                dtype=self.dtype_policy,
            )
        self.qa_outputs = dense(
            2, self.config.init_std, "qa_outputs", self.dtype_policy
        )
        self.build()

    def build(self, input_shape: Shape | None = None) -> None:
        if not self.built:
            self.qa_outputs.build((None, None, self.config.d_model))
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
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> LEDSeq2SeqQuestionAnsweringModelOutput | tuple[Any, ...]: ...

    def compute_outputs(
        self,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        **inputs: Any,
    ) -> LEDSeq2SeqQuestionAnsweringModelOutput:
        """What a call returns.

        Args:
            start_positions: Int tensor of shape `(B,)`, or `None`.
            end_positions: Int tensor of shape `(B,)`, or `None`.
            **inputs: The other call arguments, but for `return_dict`.

        Returns:
            `LEDSeq2SeqQuestionAnsweringModelOutput`.
        """
        with_loss = start_positions is not None and end_positions is not None
        if with_loss:
            inputs["use_cache"] = False
        fields = dict(self.led.compute_outputs(**inputs))
        logits = self.qa_outputs(fields.pop("last_hidden_state"))
        start_logits, end_logits = logits[..., 0], logits[..., 1]
        loss = None
        if with_loss:
            for name, positions in (
                ("start_positions", start_positions),
                ("end_positions", end_positions),
            ):
                check_array(name, positions)
                check_integers(name, positions)
                check_same_rows(name, positions, {"input_ids": logits})
            loss = span_loss(
                start_logits, end_logits, start_positions, end_positions
            )
        return LEDSeq2SeqQuestionAnsweringModelOutput(
            fields,
            loss=loss,
            start_logits=start_logits,
            end_logits=end_logits,
        )

    def targets_as_inputs(self, y: Any, x: dict[str, Any]) -> dict[str, Any]:
        if y is None or "start_positions" in x:
            return {}
        if isinstance(y, dict):
            return dict(y)
        start_positions, end_positions = y
        return {
            "start_positions": start_positions,
            "end_positions": end_positions,
        }

    def predictions(self, output: Any) -> Any:
        return (output.start_logits, output.end_logits)
