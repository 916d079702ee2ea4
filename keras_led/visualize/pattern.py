"""The pattern of an encoder layer: its window and its global tokens."""

from typing import TYPE_CHECKING

import numpy as np
from keras import ops

from keras_led.typing import ArrayLike
from keras_led.visualize.axes import make_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from keras_led.outputs import ModelOutput


def attention_matrix(
    outputs: "ModelOutput",
    global_attention_mask: ArrayLike,
    layer: int = 0,
    head: int | None = None,
    row: int = 0,
    bins: int = 256,
) -> np.ndarray:
    """Puts the weights of a layer into a matrix, queries by keys.

    Args:
        outputs: `LEDEncoderBaseModelOutput` of a call with
            `output_attentions=True`.
        global_attention_mask: int array `(B, L)` that the call was given.
        layer: int, the encoder layer.
        head: int, or `None` for the mean of all heads.
        row: int, which document of the batch.
        bins: int, longest side. A longer document is pooled: an entry is the
            weight that the mean query of a bin gives to all keys of another.

    Returns:
        float64 array `(min(L, bins), min(L, bins))`; rows of real tokens sum
        to 1.

    Raises:
        ValueError: If the output has no attentions, or has other global
            tokens than the mask.
    """
    if outputs.get("attentions") is None:
        raise ValueError(
            "`outputs` must hold attentions. Received: none. Call the encoder "
            "with output_attentions=True."
        )
    weights = _heads(outputs.attentions[layer], row, head)  # (L, G + W + 1)
    length = len(weights)
    mask = np.asarray(ops.convert_to_numpy(global_attention_mask))
    if mask.ndim != 2 or mask.shape[1] != length:
        raise ValueError(
            f"`global_attention_mask` must have shape (B, {length}). "
            f"Received: {mask.shape}."
        )
    positions = np.flatnonzero(mask[row])
    rows_of_global = outputs.get("global_attentions")
    slots = 0 if rows_of_global is None else rows_of_global[layer].shape[-1]
    if len(positions) > slots:
        raise ValueError(
            "`global_attention_mask` must be the one of the call. Received: "
            f"{len(positions)} global tokens, for outputs that have {slots}."
        )
    size = min(length, bins)
    place = np.arange(length) * size // length
    matrix = np.zeros((size, size))
    for slot, position in enumerate(positions):
        np.add.at(matrix, (place, place[position]), weights[:, slot])
    _add_window(matrix, weights[:, slots:], place)
    if len(positions):
        from_global = _heads(rows_of_global[layer], row, head)  # (L, G)
        for slot, position in enumerate(positions):
            np.add.at(matrix, (place[position], place), from_global[:, slot])
    return matrix / np.bincount(place, minlength=size)[:, None]


def plot_attention_pattern(
    outputs: "ModelOutput",
    global_attention_mask: ArrayLike,
    layer: int = 0,
    head: int | None = None,
    row: int = 0,
    bins: int = 256,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draws the weights of a layer as a picture, on a logarithmic scale.

    A triangle at the edge marks each global token, and its row and column are
    drawn at least 1/100 of the picture wide: they are one token, of thousands.

    Args:
        outputs: see `attention_matrix`, as are all but the last.
        global_attention_mask: int array `(B, L)`.
        layer: int.
        head: int, or `None` for the mean of all heads.
        row: int.
        bins: int, longest side of the picture.
        ax: matplotlib `Axes`, or `None` for a new figure.

    Returns:
        The matplotlib `Axes`.

    Raises:
        ImportError: If matplotlib is missing.
        ValueError: See `attention_matrix`.
    """
    matrix = attention_matrix(
        outputs, global_attention_mask, layer, head, row, bins
    )
    ax = make_axes(ax, 6, 5)
    from matplotlib.colors import LogNorm

    length = outputs.attentions[layer].shape[2]
    shown = np.ma.masked_less_equal(matrix, 0)
    top = float(matrix.max())
    look = {
        "norm": LogNorm(vmin=top / 1e4, vmax=top),
        "interpolation": "nearest",
    }
    image = ax.imshow(shown, extent=(0, length, length, 0), **look)
    ax.figure.colorbar(image, ax=ax, label="weight of a query")
    mask = np.asarray(ops.convert_to_numpy(global_attention_mask))[row]
    width = max(1, length / 100)
    for position in np.flatnonzero(mask).tolist():
        place = position * len(matrix) // length
        start = min(position, length - width)
        end = start + width
        column, line = shown[:, place, None], shown[place, None]
        ax.imshow(column, extent=(start, end, length, 0), **look)
        ax.imshow(line, extent=(0, length, end, start), **look)
        # At the edge, whatever the length: half there, half in the axes' units.
        edge = {"clip_on": False, "color": "C3", "markersize": 5}
        middle = start + width / 2
        ax.plot(middle, 1.015, "v", transform=ax.get_xaxis_transform(), **edge)
        ax.plot(1.015, middle, "<", transform=ax.get_yaxis_transform(), **edge)
    ax.set(xlim=(0, length), ylim=(length, 0))
    ax.set_xlabel("key, position in tokens")
    ax.set_ylabel("query, position in tokens")
    heads = "mean of the heads" if head is None else f"head {head}"
    ax.set_title(f"encoder layer {layer}, {heads}")
    return ax


def _heads(weights, row, head):
    """One head of one document, or the mean of them, as a numpy array."""
    weights = ops.convert_to_numpy(weights[row])
    weights = weights.mean(axis=0) if head is None else weights[head]
    return np.asarray(weights, "float64")


def _add_window(matrix, weights, place):
    """Adds weights `(L, W + 1)`, slot `W / 2` the query itself."""
    length, width = weights.shape
    for slot in range(width):
        shift = slot - width // 2
        queries = np.arange(max(0, -shift), length - max(0, shift))
        np.add.at(
            matrix,
            (place[queries], place[queries + shift]),
            weights[queries, slot],
        )
