"""The axes that a figure is drawn on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def make_row_of_axes(
    ax: "Axes | None", count: int, width: float, height: float
) -> "list[Axes]":
    """Returns `ax`, `count` times, or as many axes of a new figure.

    Args:
        ax: matplotlib `Axes`, or `None` for a new figure.
        count: int, how many axes, side by side.
        width: float, inches of each.
        height: float, inches of a new figure.

    Raises:
        ImportError: If matplotlib is missing.
    """
    if ax is not None:
        return [ax] * count
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "The figures of `keras_led.visualize` need matplotlib. Install "
            'it: pip install "keras-led[plots]".'
        ) from error
    # Not pyplot, which keeps every figure alive and may want a display.
    figure = Figure(figsize=(width * count, height), layout="constrained")
    return list(figure.subplots(1, count, squeeze=False)[0])


def make_axes(ax: "Axes | None", width: float, height: float) -> "Axes":
    """Returns `ax`, or the axes of a new figure of one.

    Args:
        ax: matplotlib `Axes`, or `None` for a new figure.
        width: float, inches of a new figure.
        height: float, inches of a new figure.

    Raises:
        ImportError: If matplotlib is missing.
    """
    (ax,) = make_row_of_axes(ax, 1, width, height)
    return ax
