"""The model that is measured, the shape of led-base, and its inputs."""

LED_BASE = {
    "vocab_size": 50265,
    "d_model": 768,
    "encoder_layers": 6,
    "decoder_layers": 6,
    "encoder_attention_heads": 12,
    "decoder_attention_heads": 12,
    "encoder_ffn_dim": 3072,
    "decoder_ffn_dim": 3072,
    "max_encoder_position_embeddings": 16384,
    "max_decoder_position_embeddings": 1024,
    "attention_window": [1024] * 6,
}
# Of each document, the first ones, as in summarization.
GLOBAL_TOKENS = 1


def config_of(layers=6, positions=16384):
    """Arguments of an `LEDConfig` of led-base shape.

    Args:
        layers: int, of the encoder and of the decoder each.
        positions: int, longest document in tokens.

    Returns:
        Dict.
    """
    return {
        **LED_BASE,
        "encoder_layers": layers,
        "decoder_layers": layers,
        "attention_window": [1024] * layers,
        "max_encoder_position_embeddings": positions,
    }


def narrow_config(positions):
    """Arguments of an `LEDConfig` of a small LED for very long documents.

    Args:
        positions: int, longest document in tokens.

    Returns:
        Dict: `d_model` 64, 4 heads, 2+2 layers, a window of 256.
    """
    return {
        **config_of(2, positions),
        "d_model": 64,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 256,
        "decoder_ffn_dim": 256,
        "attention_window": [256] * 2,
    }


def make_inputs(tokens, batch=1):
    """Random ids without padding, and global attention on the first token.

    Args:
        tokens: int, length of each document.
        batch: int, documents.

    Returns:
        Dict of the three call arguments to int32 arrays of shape
        `(batch, tokens)`.
    """
    import numpy as np

    random = np.random.default_rng(0)
    shape = (batch, tokens)
    ids = random.integers(5, LED_BASE["vocab_size"], shape).astype("int32")
    wide = np.zeros(shape, "int32")
    wide[:, :GLOBAL_TOKENS] = 1
    return {
        "input_ids": ids,
        "attention_mask": np.ones(shape, "int32"),
        "global_attention_mask": wide,
    }


def make_batch(tokens, targets):
    """A document and its target, random tokens.

    Args:
        tokens: int, length of the document.
        targets: int, length of the target.

    Returns:
        Dict of call arguments to int32 arrays.
    """
    import numpy as np

    random = np.random.default_rng(1)
    labels = random.integers(5, LED_BASE["vocab_size"], (1, targets))
    return {**make_inputs(tokens), "labels": labels.astype("int32")}
