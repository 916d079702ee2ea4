"""LED with a head that marks where an answer starts and ends."""

import keras

from keras_led.layers.initializers import dense
from keras_led.losses.model_losses import span_loss
from keras_led.models.base import LEDPreTrainedModel
from keras_led.models.call_checks import check_array
from keras_led.models.call_checks import check_integers
from keras_led.models.call_checks import check_same_rows
from keras_led.models.call_checks import takes_dict
from keras_led.models.led import LEDModel
from keras_led.outputs import LEDSeq2SeqQuestionAnsweringModelOutput


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

    def __init__(self, config, **kwargs):
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

    def build(self, input_shape=None):
        if not self.built:
            self.qa_outputs.build((None, None, self.config.d_model))
        self.built = True

    @takes_dict
    def call(
        self,
        input_ids=None,
        attention_mask=None,
        decoder_input_ids=None,
        decoder_attention_mask=None,
        head_mask=None,
        decoder_head_mask=None,
        cross_attn_head_mask=None,
        encoder_outputs=None,
        global_attention_mask=None,
        start_positions=None,
        end_positions=None,
        inputs_embeds=None,
        decoder_inputs_embeds=None,
        use_cache=None,
        output_attentions=None,
        output_hidden_states=None,
        return_dict=None,
        training=False,
    ):
        with_loss = start_positions is not None and end_positions is not None
        output = self.led(
            input_ids=input_ids,
            attention_mask=attention_mask,
            decoder_input_ids=decoder_input_ids,
            decoder_attention_mask=decoder_attention_mask,
            head_mask=head_mask,
            decoder_head_mask=decoder_head_mask,
            cross_attn_head_mask=cross_attn_head_mask,
            encoder_outputs=encoder_outputs,
            global_attention_mask=global_attention_mask,
            inputs_embeds=inputs_embeds,
            decoder_inputs_embeds=decoder_inputs_embeds,
            use_cache=False if with_loss else use_cache,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            return_dict=True,
            training=training,
        )
        fields = dict(output)
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
        output = LEDSeq2SeqQuestionAnsweringModelOutput(
            fields,
            loss=loss,
            start_logits=start_logits,
            end_logits=end_logits,
        )
        if return_dict is None:
            return_dict = self.config.return_dict
        return output if return_dict else output.to_tuple()

    def targets_as_inputs(self, y, x):
        if y is None or "start_positions" in x:
            return {}
        if isinstance(y, dict):
            return dict(y)
        start_positions, end_positions = y
        return {
            "start_positions": start_positions,
            "end_positions": end_positions,
        }

    def predictions(self, output):
        return (output.start_logits, output.end_logits)
