"""Where in the document each token of a summary comes from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_led.argument_checks import check_list
from keras_led.typing import GeneratingLED
from keras_led.visualize.axes import make_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


class SummarySources(NamedTuple):
    """A summary, its document, and the weights between them.

    Attributes:
        document: str.
        offsets: int array `(S, 2)`: characters `[start, end)` of each token
            that the model read; an empty span for special tokens.
        tokens: list of `T` str, the text of each token of the summary.
        weights: float32 array `(T, S)`: what the decoder gave to each token
            of the document when it chose a token of the summary, mean of the
            heads and layers; 0 for special tokens, other entries of a row sum
            to 1.
    """

    document: str
    offsets: np.ndarray
    tokens: list[str]
    weights: np.ndarray


def find_sources(
    model: GeneratingLED,
    document: str,
    tokenizer: "LEDTokenizer",
    summary: str | None = None,
    layers: Sequence[int] | None = None,
    **options: Any,
) -> SummarySources:
    """Summarizes a document and keeps what the decoder looked at.

    The weights come from one pass over the finished summary, so that beams
    cost nothing, and only one layer's weights over the document are large.

    Args:
        model: `LEDForConditionalGeneration`.
        document: str; cut to what the model reads.
        tokenizer: `LEDTokenizer`.
        summary: str, a text to explain, or `None` for the model's own.
        layers: list of int, decoder layers to look at, or `None` for all.
        **options: arguments of `generate`.

    Returns:
        `SummarySources`.

    Raises:
        TypeError: If `document` is not a string, or `layers` is one.
        ValueError: If `document` is empty.
    """
    if not isinstance(document, str):
        raise TypeError(
            f"`document` must be a str. Received: {type(document).__name__}."
        )
    if not document.strip():
        raise ValueError("`document` must hold some text. Received: ''.")
    if layers is not None:
        layers = check_list("layers", layers, "int")
    encoding = tokenizer(
        [document],
        truncation=True,
        max_length=model.config.max_encoder_position_embeddings,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        return_tensors="np",
    )
    mask = encoding["attention_mask"].astype("int32")
    global_mask = np.zeros_like(mask)
    global_mask[:, 0] = 1
    inputs = {"attention_mask": mask, "global_attention_mask": global_mask}
    ids = encoding["input_ids"].astype("int32")
    encoded = model.get_encoder()(input_ids=ids, **inputs)
    if summary is None:
        found = model.generate(
            input_ids=ids, encoder_outputs=encoded, **inputs, **options
        )
        text = ops.convert_to_numpy(found)[0].tolist()
    else:
        start = model.config.decoder_start_token_id
        text = [start, *tokenizer(summary)["input_ids"]]
    # The position that read a token is the one that wrote the next.
    outputs = model(
        encoder_outputs=encoded,
        attention_mask=mask,
        decoder_input_ids=np.array([text[:-1]], "int32"),
        output_attentions=True,
        use_cache=False,
    )
    special = np.asarray(encoding["special_tokens_mask"][0]) != 0
    weights = _mean(outputs.cross_attentions, layers, special)
    kept = [
        index
        for index, token in enumerate(text[1:])
        if token not in tokenizer.all_special_ids
    ]
    return SummarySources(
        document=document,
        offsets=np.asarray(encoding["offset_mapping"][0]),
        tokens=[tokenizer.decode([text[1 + index]]) for index in kept],
        weights=weights[kept],
    )


def plot_sources(
    sources: SummarySources, bins: int = 200, ax: "Axes | None" = None
) -> "Axes":
    """Draws which passage each token of a summary came from.

    Args:
        sources: `SummarySources`.
        bins: int, columns of the picture; a longer document is pooled.
        ax: matplotlib `Axes`, or `None` for a new figure.

    Returns:
        The matplotlib `Axes`.

    Raises:
        ImportError: If matplotlib is missing.
    """
    rows, length = sources.weights.shape
    ax = make_axes(ax, 9, max(2.5, 1.2 + 0.22 * rows))
    size = min(length, bins)
    place = np.arange(length) * size // length
    pooled = np.zeros((rows, size))
    np.add.at(pooled, (slice(None), place), sources.weights)  # pyright: ignore[reportArgumentType]
    image = ax.imshow(
        pooled,
        aspect="auto",
        extent=(0, length, rows, 0),
        interpolation="nearest",
        cmap="magma",
        vmin=0,
    )
    ax.set_yticks(
        np.arange(rows) + 0.5, [repr(t)[1:-1] for t in sources.tokens]
    )
    ax.set_xlabel("document, position in tokens")
    ax.figure.colorbar(image, ax=ax, label="share of the attention")
    return ax


def _mean(layers_weights, layers, special):
    """Mean of heads and layers `(T, S)`, without the special tokens."""
    chosen = range(len(layers_weights)) if layers is None else layers
    total = sum(
        ops.convert_to_numpy(layers_weights[layer][0]).mean(axis=0)
        for layer in chosen
    )
    total = np.where(special[: total.shape[1]], 0, total)
    sums = total.sum(axis=1, keepdims=True)
    return (total / np.where(sums == 0, 1, sums)).astype("float32")
