"""The bare model: encoder and decoder without a head."""

from typing import TYPE_CHECKING
from typing import Any

import keras
from keras import ops

from keras_led.layers.decoder import LEDDecoder
from keras_led.layers.encoder import LEDEncoder
from keras_led.layers.resizing import resize_embedding
from keras_led.losses.labels import shift_tokens_right
from keras_led.models.base import LEDPreTrainedModel
from keras_led.models.call_checks import check_embeds
from keras_led.models.call_checks import check_rank
from keras_led.models.call_checks import check_same_rows
from keras_led.models.call_checks import check_shape
from keras_led.models.decoder_model import decode_tokens
from keras_led.models.embedding import token_table
from keras_led.models.encoder_model import encode_document
from keras_led.models.inputs import takes_inputs
from keras_led.outputs import LEDEncoderBaseModelOutput
from keras_led.outputs import LEDSeq2SeqModelOutput
from keras_led.typing import ArrayLike
from keras_led.typing import PastKeyValues
from keras_led.typing import Shape
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.config import LEDConfig

# Call arguments of a model that the encoder reads, by their names there.
ENCODER_ARGUMENTS = {
    "input_ids": "input_ids",
    "attention_mask": "attention_mask",
    "global_attention_mask": "global_attention_mask",
    "head_mask": "head_mask",
    "inputs_embeds": "inputs_embeds",
    "output_attentions": "output_attentions",
    "output_hidden_states": "output_hidden_states",
    "training": "training",
}
# Likewise for the decoder.
DECODER_ARGUMENTS = {
    "decoder_input_ids": "input_ids",
    "decoder_attention_mask": "attention_mask",
    "attention_mask": "encoder_attention_mask",
    "decoder_head_mask": "head_mask",
    "cross_attn_head_mask": "cross_attn_head_mask",
    "past_key_values": "past_key_values",
    "decoder_inputs_embeds": "inputs_embeds",
    "use_cache": "use_cache",
    "output_attentions": "output_attentions",
    "output_hidden_states": "output_hidden_states",
    "training": "training",
}


@keras.saving.register_keras_serializable(package="keras_led")
class LEDModel(LEDPreTrainedModel):
    """Longformer encoder-decoder: hidden states of the decoder.

    Args:
        config: `LEDConfig`; the model keeps a copy.
        **kwargs: Arguments of `LEDPreTrainedModel`.

    Call arguments:
        input_ids: Int tensor of shape `(B, S)`, the document; or a dict of
            call arguments.
        attention_mask: Tensor of shape `(B, S)`; 1 is a token, 0 padding.
            `None` means ones.
        decoder_input_ids: Int tensor of shape `(B, T)`. By default the
            document itself, shifted right.
        decoder_attention_mask: Tensor of shape `(B, T)`, or with
            `past_key_values` `(B, T_past + T)`; 1 is a token, 0 padding.
        head_mask: Float tensor of shape `(encoder_layers, N)` that multiplies
            the attention weights of each head.
        decoder_head_mask: Likewise, `(decoder_layers, N)`.
        cross_attn_head_mask: Likewise, for the attention over the document.
        encoder_outputs: What a former call or `get_encoder()` returned (or a
            tuple of it), instead of the document. It is not written to.
        global_attention_mask: Tensor of shape `(B, S)`; 1 is a token with
            global attention.
        past_key_values: As a former call returned it; then pass only the new
            decoder tokens.
        inputs_embeds: Float tensor of shape `(B, S, D)`, instead of ids.
        decoder_inputs_embeds: Float tensor of shape `(B, T, D)`, likewise.
        use_cache: bool, whether to return `past_key_values`.
        output_attentions: bool, whether to return attention weights.
        output_hidden_states: bool, whether to return all hidden states.
        return_dict: bool, `False` for a tuple.
        training: bool, whether to drop out.

    The last five default to the config's values.

    Returns:
        `LEDSeq2SeqModelOutput`, or a tuple.

    Raises:
        ValueError: If an argument has a wrong shape or value.
        TypeError: If an argument is unknown or ids are no integers.

    Source:
        Beltagy et al., 2020, section 7; `LEDModel` in transformers 5.23.
    """

    target_inputs = ()  # The bare model knows no labels.
    export_inputs = (*LEDPreTrainedModel.export_inputs, "decoder_input_ids")
    answer_fields = ("last_hidden_state", "encoder_last_hidden_state")

    def __init__(self, config: "LEDConfig", **kwargs: Any):
        super().__init__(config, **kwargs)
        config = self.config
        # Slots for the global tokens of the step that is traced or recorded.
        self._slots_of_step: int | None = None
        self.shared = token_table(config, "shared", self.dtype_policy)
        self.encoder = LEDEncoder(config, dtype=self.dtype_policy)
        self.decoder = LEDDecoder(config, dtype=self.dtype_policy)
        if not config.tie_word_embeddings:
            self.encoder_embed_tokens, self.decoder_embed_tokens = (
                token_table(config, "embed_tokens", self.dtype_policy)
                for _ in range(2)
            )
        self.build()

    def build(self, input_shape: Shape | None = None) -> None:
        if self.built:
            return
        self.shared.build((None, None))
        self.encoder.build()
        self.decoder.build()
        if not self.config.tie_word_embeddings:
            # Checkpoints hold it, but nothing reads it.
            self.shared.trainable = False
            with keras.name_scope("encoder"):
                self.encoder_embed_tokens.build((None, None))
            with keras.name_scope("decoder"):
                self.decoder_embed_tokens.build((None, None))
        self.built = True

    def get_base_model(self) -> "LEDModel":
        return self

    def token_tables(
        self,
    ) -> tuple[keras.layers.Embedding, keras.layers.Embedding]:
        """Tuple of the embedding layers of the encoder and of the decoder."""
        if self.config.tie_word_embeddings:
            return self.shared, self.shared
        return self.encoder_embed_tokens, self.decoder_embed_tokens

    def set_token_tables(self, table: ArrayLike) -> None:
        """Copies an array of shape `(V, D)` to every table of tokens."""
        table = ops.convert_to_numpy(table)
        check_shape("embeddings", table, self.shared.embeddings.shape)
        for layer in {id(x): x for x in self._all_tables()}.values():
            layer.embeddings.assign(table)

    def resize_tables(self, rows: int, mean_resizing: bool) -> None:
        """Changes the number of rows of every table of tokens."""
        for layer in {id(x): x for x in self._all_tables()}.values():
            resize_embedding(layer, rows, mean_resizing, self.config.init_std)

    def _all_tables(self):
        return (self.shared, *self.token_tables())

    def encode(
        self,
        input_ids: Tensor | None = None,
        max_global_tokens: float | None = None,
        **options: Any,
    ) -> LEDEncoderBaseModelOutput:
        """Runs the encoder; see `encode_document` for the arguments."""
        if max_global_tokens is None:
            max_global_tokens = self.max_global_tokens
            if self._slots_of_step is not None:
                max_global_tokens = self._slots_of_step
                options["global_tokens_fit"] = True
        return encode_document(
            self.token_tables()[0],
            self.encoder,
            input_ids,
            max_global_tokens=max_global_tokens,
            **options,
        )

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
        past_key_values: PastKeyValues | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> LEDSeq2SeqModelOutput | tuple[Any, ...]: ...

    def compute_outputs(self, **inputs: Any) -> LEDSeq2SeqModelOutput:
        """What a call returns.

        Args:
            **inputs: Call arguments, but for `return_dict`.

        Returns:
            `LEDSeq2SeqModelOutput`.
        """
        given = {name: x for name, x in inputs.items() if x is not None}
        documents = {
            name: given.get(name) for name in ("input_ids", "inputs_embeds")
        }
        names = ("decoder_input_ids", "decoder_inputs_embeds")
        if not given.keys() & set(names):
            given["decoder_input_ids"] = self.decoder_inputs_from(
                given.get("input_ids")
            )
        for name in names:
            check_same_rows(name, given.get(name), documents)
        if "encoder_outputs" in given:
            encoded = as_encoder_output(
                given["encoder_outputs"], self.config.d_model
            )
        elif "past_key_values" in given and not given.keys() & set(documents):
            encoded = LEDEncoderBaseModelOutput()  # all is in the cache
        else:
            encoded = self.encode(**_renamed(given, ENCODER_ARGUMENTS))
        decoded = decode_tokens(
            self.token_tables()[1],
            self.decoder,
            encoder_hidden_states=encoded.last_hidden_state,
            **_renamed(given, DECODER_ARGUMENTS),
        )
        return LEDSeq2SeqModelOutput(
            last_hidden_state=decoded.last_hidden_state,
            past_key_values=decoded.past_key_values,
            decoder_hidden_states=decoded.hidden_states,
            decoder_attentions=decoded.attentions,
            cross_attentions=decoded.cross_attentions,
            encoder_last_hidden_state=encoded.last_hidden_state,
            encoder_hidden_states=encoded.hidden_states,
            encoder_attentions=encoded.attentions,
            encoder_global_attentions=encoded.global_attentions,
        )

    def decoder_inputs_from(self, input_ids: Tensor | None) -> Tensor:
        """The document shifted right, which the decoder reads by default."""
        if input_ids is None:
            raise ValueError(
                "One of `decoder_input_ids` and `decoder_inputs_embeds` must "
                "be given where there are no `input_ids` to make them from. "
                "Received: none of the three."
            )
        check_rank("input_ids", input_ids, 2, "(batch, length)")
        return shift_tokens_right(
            input_ids,
            self.config.pad_token_id,
            self.config.decoder_start_token_id,
        )

    def predictions(self, output: Any) -> Any:
        return output.last_hidden_state


def as_encoder_output(
    encoder_outputs: Any, d_model: int
) -> LEDEncoderBaseModelOutput:
    """Brings the forms of `encoder_outputs` that users pass to one.

    Args:
        encoder_outputs: Mapping such as `LEDEncoderBaseModelOutput`, a tuple
            or list in the order of its fields, or the last hidden state.
        d_model: int, `D`.

    Returns:
        `LEDEncoderBaseModelOutput`, a new one.

    Raises:
        ValueError: If the hidden state has not the shape `(B, S, D)`.
        TypeError: If it is no tensor.
    """
    fields = LEDEncoderBaseModelOutput.fields
    if isinstance(encoder_outputs, dict):
        named = {name: encoder_outputs.get(name) for name in fields}
        output = LEDEncoderBaseModelOutput(named)
    elif isinstance(encoder_outputs, (tuple, list)):
        output = LEDEncoderBaseModelOutput(
            zip(fields, encoder_outputs, strict=False)
        )
    else:
        output = LEDEncoderBaseModelOutput(last_hidden_state=encoder_outputs)
    hidden = output.last_hidden_state
    if not hasattr(hidden, "shape"):
        raise TypeError(
            "`encoder_outputs` must start with hidden states, a tensor of "
            "shape (batch, length, d_model). "
            f"Received: a {type(encoder_outputs).__name__} that starts with "
            f"a {type(hidden).__name__}."
        )
    check_embeds("encoder_outputs", hidden, d_model)
    return output


def _renamed(inputs, names):
    """The entries of `inputs` that `names` has, by their names there."""
    return {
        names[name]: value for name, value in inputs.items() if name in names
    }
