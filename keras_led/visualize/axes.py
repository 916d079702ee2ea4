"""The axes that a figure is drawn on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def make_axes(ax: "Axes | None", width: float, height: float) -> "Axes":
    """Returns `ax`, or the axes of a new figure.

    Args:
        ax: matplotlib `Axes`, or `None` for a new figure.
        width: float, inches of a new figure.
        height: float, inches of a new figure.

    Raises:
        ImportError: If matplotlib is missing.
    """
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "The figures of `keras_led.visualize` need matplotlib. Install "
            'it: pip install "keras-led[plots]".'
        ) from error
    # Not pyplot, which keeps every figure alive and may want a display.
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure.add_subplot()
