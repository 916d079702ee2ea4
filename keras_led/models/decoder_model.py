"""From decoder tokens and a document to hidden states."""

from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import keras
from keras import ops

from keras_led import backend
from keras_led.layers.decoder import LEDDecoder
from keras_led.models.call_checks import check_same_rows
from keras_led.models.call_checks import check_shape
from keras_led.models.embedding import embed_decoder_tokens
from keras_led.models.inputs import takes_inputs
from keras_led.models.parts import LEDPartModel
from keras_led.typing import PastKeyValues
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.outputs import LEDDecoderModelOutput


class DecoderState(NamedTuple):
    """What the decoder keeps between the steps of a generation.

    Attributes:
        self_cache: Tuple of one pair of tensors `(R, N, max_length, H)` a
            layer, or `None` to decode without a cache.
        cross_cache: Tuple of one pair a layer, as
            `LEDDecoder.project_document` returns it: once for a document,
            however many beams read it.
        encoder_mask: Bool tensor of shape `(B, S)`, `True` is a real token,
            or `None` for all.
    """

    self_cache: Any
    cross_cache: Any
    encoder_mask: Any

    def reorder(self, beam_rows: Tensor) -> "DecoderState":
        """Lets each row go on from row `beam_rows[row]`, an int `(R,)`.

        Only the self cache moves: beams stay with their document.
        """
        moved = tuple(
            tuple(ops.take(slots, beam_rows, axis=0) for slots in pair)
            for pair in self.self_cache
        )
        return self._replace(self_cache=moved)


def decode_tokens(
    embedding: keras.layers.Embedding,
    decoder: LEDDecoder,
    input_ids: Tensor | None = None,
    attention_mask: Tensor | None = None,
    encoder_hidden_states: Tensor | None = None,
    encoder_attention_mask: Tensor | None = None,
    head_mask: Tensor | None = None,
    cross_attn_head_mask: Tensor | None = None,
    past_key_values: PastKeyValues | None = None,
    inputs_embeds: Tensor | None = None,
    use_cache: bool | None = None,
    output_attentions: bool | None = None,
    output_hidden_states: bool | None = None,
    training: bool = False,
) -> "LEDDecoderModelOutput":
    """Checks the inputs, embeds the tokens and runs the decoder.

    Args:
        embedding: The `keras.layers.Embedding` of the tokens.
        decoder: `LEDDecoder`.
        input_ids: Int tensor of shape `(B, T)`: only the new tokens where
            `past_key_values` is given.
        attention_mask: Tensor of shape `(B, T_past + T)`; 1 is a token.
        encoder_hidden_states: Float tensor of shape `(B, S, D)`.
        encoder_attention_mask: Tensor of shape `(B, S)`; 0 is padding.
        head_mask: Float tensor of shape `(layers, N)`, or `None` for ones.
        cross_attn_head_mask: Likewise, for the attention over the document.
        past_key_values: Tuple of one tuple of four tensors a layer, as a
            call with `use_cache=True` returns it.
        inputs_embeds: Float tensor of shape `(B, T, D)`, instead of ids.
        use_cache: bool, whether to return `past_key_values`, or `None` for
            the config's; none where processes have parts of the document.
        output_attentions: bool, or `None` for the config's.
        output_hidden_states: bool, or `None` for the config's.
        training: bool, whether to drop out.

    Returns:
        `LEDDecoderModelOutput`.

    Raises:
        ValueError: If an argument has a wrong shape or value.
        TypeError: If `input_ids` does not hold integers.
    """
    config = decoder.config
    if encoder_hidden_states is None and past_key_values is None:
        raise ValueError(
            "`encoder_hidden_states` must be given: LED's decoder always "
            "reads a document. Received: encoder_hidden_states=None. Pass the "
            "`last_hidden_state` that `get_encoder()` returned."
        )
    self_caches, cross_caches = _split_past(past_key_values, config)
    past = 0 if self_caches is None else self_caches[0][0].shape[2]
    inputs_embeds, _ = embed_decoder_tokens(
        embedding, decoder, input_ids, inputs_embeds, past
    )
    check_same_rows(
        "decoder_input_ids",
        inputs_embeds,
        {
            "encoder_hidden_states": encoder_hidden_states,
            "past_key_values": cross_caches and cross_caches[0][0],
        },
    )
    batch, length = inputs_embeds.shape[:2]
    if attention_mask is not None:
        if self_caches is not None and length is not None:
            length += past
        check_shape("decoder_attention_mask", attention_mask, (batch, length))
        attention_mask = ops.not_equal(attention_mask, 0)
    if encoder_attention_mask is not None:
        _check_document_mask(
            encoder_attention_mask, encoder_hidden_states, cross_caches
        )
        # Attended to unless 0, whatever the number: 2 means global to the
        # encoder, and nothing here.
        encoder_attention_mask = ops.not_equal(encoder_attention_mask, 0)
    heads = (config.decoder_layers, config.decoder_attention_heads)
    for name, mask in (
        ("decoder_head_mask", head_mask),
        ("cross_attn_head_mask", cross_attn_head_mask),
    ):
        if mask is not None:
            check_shape(name, mask, heads)
    if output_hidden_states is None:
        output_hidden_states = config.output_hidden_states
    if output_attentions is None:
        output_attentions = config.output_attentions
    output, self_caches, cross_caches = decoder(
        inputs_embeds,
        encoder_hidden_states=encoder_hidden_states,
        encoder_mask=encoder_attention_mask,
        decoder_mask=attention_mask,
        cross_caches=cross_caches,
        self_caches=self_caches,
        head_mask=head_mask,
        cross_attn_head_mask=cross_attn_head_mask,
        output_attentions=output_attentions,
        output_hidden_states=output_hidden_states,
        training=training,
    )
    use_cache = config.use_cache if use_cache is None else use_cache
    whole = not backend.keys_stay_apart()
    if use_cache and whole and None not in self_caches:
        output.past_key_values = tuple(
            (*own, *cross)
            for own, cross in zip(self_caches, cross_caches, strict=True)
        )
    return output


def _check_document_mask(attention_mask, encoder_hidden_states, cross_caches):
    """Raises unless the mask has the batch and length of the document."""
    if cross_caches is not None:
        key = cross_caches[0][0]  # (B, N, S, H)
        expected = (key.shape[0], key.shape[2])
    elif encoder_hidden_states is not None:
        expected = tuple(encoder_hidden_states.shape[:2])
    else:
        return
    check_shape("attention_mask", attention_mask, expected)


def _split_past(past_key_values, config):
    if past_key_values is None:
        return None, None
    if backend.keys_stay_apart():
        raise ValueError(
            "`past_key_values` must be None where processes have parts of a "
            "document (`SequenceParallel` on PyTorch). Received: some. Pass "
            "all `decoder_input_ids`, or call `generate`."
        )
    past_key_values = tuple(past_key_values)
    sizes = {len(layer) for layer in past_key_values}
    if len(past_key_values) != config.decoder_layers or sizes != {4}:
        raise ValueError(
            "`past_key_values` must hold one tuple of four tensors for each "
            f"of the {config.decoder_layers} decoder layers: keys and values "
            "of the decoder, then of the document. Received: "
            f"{len(past_key_values)} layers of {sorted(sizes)} tensors."
        )
    own = tuple(tuple(layer[:2]) for layer in past_key_values)
    cross = tuple(tuple(layer[2:]) for layer in past_key_values)
    return own, cross


@keras.saving.register_keras_serializable(package="keras_led")
class LEDDecoderModel(LEDPartModel):
    """The decoder of an LED model, with the Hugging Face call.

    It shares its layers with the model that `get_decoder` was called on.

    Args:
        embedding: The `keras.layers.Embedding` of the tokens.
        decoder: `LEDDecoder`.

    Call arguments are those of `decode_tokens`, and `return_dict`: bool,
    `False` for a tuple.

    Returns:
        `LEDDecoderModelOutput`, or a tuple.
    """

    stack_class = LEDDecoder

    def __init__(
        self,
        embedding: keras.layers.Embedding,
        decoder: LEDDecoder,
        **kwargs: Any,
    ):
        super().__init__(embedding, decoder, **kwargs)
        self.decoder = decoder
        self.built = True

    @takes_inputs
    def call(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> "LEDDecoderModelOutput | tuple[Any, ...]": ...

    def compute_outputs(self, **inputs: Any) -> "LEDDecoderModelOutput":
        """`decode_tokens` of this decoder."""
        return decode_tokens(self.embedding, self.decoder, **inputs)
