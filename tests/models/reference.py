"""The LED encoder in numpy float64, from Hugging Face weights.

For what the peer cannot run: windows of two tokens, and windows per layer
that do not divide each other.
"""

import math

import numpy as np

from tests.attention.reference import encoder_self_attention

PROJECTIONS = (
    "query",
    "key",
    "value",
    "query_global",
    "key_global",
    "value_global",
)


def layer_norm(x, weights, name):
    x = x - x.mean(axis=-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5)
    return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(weights, name):
    return weights[f"{name}.weight"].T, weights[f"{name}.bias"]


def dense(x, weights, name):
    kernel, bias = linear(weights, name)
    return x @ kernel + bias


gelu = np.vectorize(lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))))


def encoder(weights, config, input_ids, attention_mask, global_attention_mask):
    """Hidden states after the embeddings and after each layer.

    Args:
        weights: dict of Hugging Face name, as of `LEDModel`, to array.
        config: dict of config keywords.
        input_ids: int array `(B, L)`.
        attention_mask: int array `(B, L)` of 0 and 1, or `None`.
        global_attention_mask: int array `(B, L)`, or `None`.

    Returns:
        List of arrays `(B, L, D)`.
    """
    if attention_mask is None:
        attention_mask = np.ones_like(input_ids)
    if global_attention_mask is None:
        global_attention_mask = np.zeros_like(input_ids)
    code = attention_mask * (global_attention_mask + 1)
    x = weights["shared.weight"][input_ids].astype("float64")
    positions = weights["encoder.embed_positions.weight"]
    x = x + positions[: input_ids.shape[1]]
    states = [layer_norm(x, weights, "encoder.layernorm_embedding")]
    for i, window in enumerate(config["attention_window"]):
        name = f"encoder.layers.{i}"
        inner = f"{name}.self_attn.longformer_self_attn"
        attended = encoder_self_attention(
            states[-1],
            {key: linear(weights, f"{inner}.{key}") for key in PROJECTIONS},
            config["encoder_attention_heads"],
            window,
            code >= 1,
            code > 1,
        )
        x = states[-1] + dense(attended, weights, f"{name}.self_attn.output")
        x = layer_norm(x, weights, f"{name}.self_attn_layer_norm")
        hidden = gelu(dense(x, weights, f"{name}.fc1"))
        x = x + dense(hidden, weights, f"{name}.fc2")
        states.append(layer_norm(x, weights, f"{name}.final_layer_norm"))
    return states
