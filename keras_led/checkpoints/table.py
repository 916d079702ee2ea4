"""Every weight of an LED model with its shape, from the config alone."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_led.config import LEDConfig

HEAD_OF_ARCHITECTURE = {
    "LEDModel": None,
    "LEDForConditionalGeneration": "generation",
    "LEDForSequenceClassification": "classification",
    "LEDForQuestionAnswering": "question_answering",
}


def weight_shapes(
    config: "LEDConfig", head: str | None = None
) -> dict[str, tuple[int, ...]]:
    """Lists the weights of a model in the order of its layers.

    Args:
        config: `LEDConfig`.
        head: `None` for the bare model, or `"generation"`,
            `"classification"`, `"question_answering"`.

    Returns:
        Dict of the name of each weight (see `names.py`) to its Keras shape, a
        tuple of int. Of tied tables only `shared/embeddings` is listed.

    Raises:
        ValueError: If `head` is none of the above.
    """
    if head not in HEAD_OF_ARCHITECTURE.values():
        raise ValueError(
            "`head` must be one of "
            f"{list(HEAD_OF_ARCHITECTURE.values())}. Received: head={head!r}."
        )
    vocabulary = (config.vocab_size, config.d_model)
    shapes = {"shared/embeddings": vocabulary}
    for side in ("encoder", "decoder"):
        if not config.tie_word_embeddings:
            shapes[f"{side}/embed_tokens/embeddings"] = vocabulary
        shapes.update(_side(config, side))
    shapes.update(_head(config, head))
    return shapes


def _side(config, side):
    """The encoder or the decoder."""
    dim = config.d_model
    positions = getattr(config, f"max_{side}_position_embeddings")
    inner = getattr(config, f"{side}_ffn_dim")
    shapes = {f"{side}/embed_positions/embeddings": (positions, dim)}
    shapes.update(_norm(f"{side}/layernorm_embedding", dim))  # pyright: ignore[reportArgumentType, reportCallIssue]
    for index in range(getattr(config, f"{side}_layers")):
        layer = f"{side}/layers.{index}"
        if side == "encoder":
            shapes.update(_encoder_attention(layer, dim))
        else:
            shapes.update(_decoder_attention(layer, dim))
        shapes.update(_dense(f"{layer}/fc1", dim, inner))
        shapes.update(_dense(f"{layer}/fc2", inner, dim))
        shapes.update(_norm(f"{layer}/final_layer_norm", dim))  # pyright: ignore[reportArgumentType, reportCallIssue]
    return shapes


def _encoder_attention(layer, dim):
    shapes = {}
    for reach in ("", "_global"):
        for part in ("query", "key", "value"):
            owner = f"{layer}/self_attn/longformer_self_attn/{part}{reach}"
            shapes.update(_dense(owner, dim, dim))
    shapes.update(_dense(f"{layer}/self_attn/output", dim, dim))
    shapes.update(_norm(f"{layer}/self_attn_layer_norm", dim))
    return shapes


def _decoder_attention(layer, dim):
    shapes = {}
    for block in ("self_attn", "encoder_attn"):
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes.update(_dense(f"{layer}/{block}/{part}", dim, dim))
        shapes.update(_norm(f"{layer}/{block}_layer_norm", dim))
    return shapes


def _head(config, head):
    dim = config.d_model
    if head == "generation":
        shapes = {"final_logits_bias": (1, config.vocab_size)}
        if not config.tie_word_embeddings:
            shapes["lm_head/kernel"] = (dim, config.vocab_size)
        return shapes
    if head == "classification":
        return {
            **_dense("classification_head/dense", dim, dim),
            **_dense("classification_head/out_proj", dim, config.num_labels),
        }
    if head == "question_answering":
        return _dense("qa_outputs", dim, 2)
    return {}


def _dense(owner, inputs, outputs):
    return {f"{owner}/kernel": (inputs, outputs), f"{owner}/bias": (outputs,)}


def _norm(owner, dim):
    return {f"{owner}/gamma": (dim,), f"{owner}/beta": (dim,)}
