"""Gradient checkpointing: layers that the backward pass computes once more.

A training step then holds the hidden states between the layers and the
intermediates of one layer. `docs/performance.md` says what it costs.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from keras_led import backend

if TYPE_CHECKING:
    from keras_led.layers.decoder_layer import DecoderLayer
    from keras_led.layers.encoder_layer import EncoderLayer


def recomputed_encoder_layer(
    layer: "EncoderLayer", options: dict[str, Any]
) -> Callable[..., Any]:
    """Makes a function of the hidden states that stores nothing else.

    Args:
        layer: `EncoderLayer`.
        options: dict of its other call arguments.

    Returns:
        Callable from `(B, L, D)` to what the layer returns.
    """

    def run(hidden_states):
        outputs = layer(hidden_states, **options)
        return tuple(output for output in outputs if output is not None)

    def run_and_fill(hidden_states):
        outputs = backend.remat(run)(hidden_states)
        return (*outputs, *(None,) * (3 - len(outputs)))

    return run_and_fill


def recomputed_decoder_layer(
    layer: "DecoderLayer", options: dict[str, Any]
) -> Callable[..., Any]:
    """Makes a function of hidden states and document that stores only them.

    The document is an argument, not a captured value: TensorFlow gives
    captured values no gradient.

    Args:
        layer: `DecoderLayer`.
        options: dict of its other call arguments.

    Returns:
        Callable from `(R, T, D)` and `(B, S, D)` to the layer's hidden states,
        `(R, T, D)`.
    """

    def run(hidden_states, encoder_hidden_states):
        cross_cache = layer.cross_keys_and_values(encoder_hidden_states)
        return layer(hidden_states, cross_cache=cross_cache, **options)[0]

    return backend.remat(run)
