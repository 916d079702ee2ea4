"""From token ids to their rows of the token table, once they are checked."""

from typing import TYPE_CHECKING
from typing import Any

import keras
from keras import ops

from keras_led.layers.initializers import Normal
from keras_led.layers.lookup import look_up
from keras_led.models.call_checks import check_document_length
from keras_led.models.call_checks import check_embeds
from keras_led.models.call_checks import check_ids
from keras_led.models.call_checks import check_ids_or_embeds
from keras_led.models.call_checks import check_length
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.config import LEDConfig
    from keras_led.layers.decoder import LEDDecoder
    from keras_led.layers.encoder import LEDEncoder


def token_table(
    config: "LEDConfig", name: str, dtype: Any
) -> keras.layers.ReversibleEmbedding:
    """Makes the layer of the rows of all tokens, not built yet.

    Args:
        config: `LEDConfig`.
        name: str, name of the layer.
        dtype: Keras dtype policy.

    Returns:
        `keras.layers.ReversibleEmbedding`: the language modeling head reads
        it backwards.
    """
    return keras.layers.ReversibleEmbedding(
        config.vocab_size,
        config.d_model,
        embeddings_initializer=Normal(config.init_std, config.pad_token_id),
        name=name,
        dtype=dtype,
    )


def read_quantized(
    embedding: keras.layers.ReversibleEmbedding, hidden_states: Tensor
) -> Tensor:
    """Logits by a quantized table, with the gradient of the same as floats.

    Keras rounds the rows that it multiplies by the table, and leaves them
    without a gradient: adapters of a quantized model would not learn.

    Args:
        embedding: The quantized table of `V` tokens.
        hidden_states: Float tensor of shape `(B, T, D)`.

    Returns:
        Float tensor of shape `(B, T, V)`.
    """

    @ops.custom_gradient
    def project(rows):
        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            table = embedding(ops.arange(embedding.input_dim, dtype="int32"))
            return ops.matmul(upstream, ops.cast(table, upstream.dtype))

        return embedding(rows, reverse=True), gradient

    return project(hidden_states)


def embed_document(
    embedding: keras.layers.Embedding,
    encoder: "LEDEncoder",
    input_ids: Tensor | None = None,
    inputs_embeds: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Checks and looks up what the encoder reads.

    Args:
        embedding: The `keras.layers.Embedding` of the tokens.
        encoder: `LEDEncoder`.
        input_ids: Int tensor of shape `(B, S)`.
        inputs_embeds: Float tensor of shape `(B, S, D)`, instead of ids.

    Returns:
        Pair of the embeddings `(B, S, D)` and the table, as `look_up` does;
        `None` for the table where embeddings were given.

    Raises:
        ValueError: If an argument has a wrong shape or value.
        TypeError: If `input_ids` does not hold integers.
    """
    name, length = _checked(
        embedding, input_ids=input_ids, inputs_embeds=inputs_embeds
    )
    check_document_length(name, length, encoder.max_positions)
    if inputs_embeds is not None:
        return inputs_embeds, None
    return look_up(embedding, input_ids)


def embed_decoder_tokens(
    embedding: keras.layers.Embedding,
    decoder: "LEDDecoder",
    input_ids: Tensor | None = None,
    inputs_embeds: Tensor | None = None,
    past: int | Tensor = 0,
    table: Any = None,
) -> tuple[Tensor, Tensor | None]:
    """Checks and looks up what the decoder reads.

    Args:
        embedding: The `keras.layers.Embedding` of the tokens.
        decoder: `LEDDecoder`.
        input_ids: Int tensor of shape `(B, T)`.
        inputs_embeds: Float tensor of shape `(B, T, D)`, instead of ids.
        past: int, how many tokens precede, or `None` if unknown.
        table: See `look_up`.

    Returns:
        Pair of the embeddings `(B, T, D)` and the table, as `look_up` does.

    Raises:
        ValueError: If an argument has a wrong shape or value.
        TypeError: If `input_ids` does not hold integers.
    """
    name, length = _checked(
        embedding,
        decoder_input_ids=input_ids,
        decoder_inputs_embeds=inputs_embeds,
    )
    if length is not None and past is not None:
        check_length(
            name,
            length + past,
            decoder.max_positions,
            "max_decoder_position_embeddings",
            "Without `decoder_input_ids` or `labels` the decoder reads the "
            "document itself: pass shorter `decoder_input_ids`, truncate, or "
            "extend the table.",
        )
    if inputs_embeds is not None:
        return inputs_embeds, table
    return look_up(embedding, input_ids, table)


def _checked(embedding, **arguments):
    """Checks ids and embeddings, of which one is `None`.

    Returns:
        Pair of the name of the one given and its length in tokens, `None` if
        unknown.
    """
    (ids_name, ids), (embeds_name, embeds) = arguments.items()
    check_ids_or_embeds(ids_name, ids, embeds_name, embeds)
    if embeds is None:
        check_ids(ids_name, ids, embedding.input_dim)
        return ids_name, ids.shape[1]
    check_embeds(embeds_name, embeds, embedding.output_dim)
    return embeds_name, embeds.shape[1]
