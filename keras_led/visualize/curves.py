"""Training curves."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from keras_led.argument_checks import check_list
from keras_led.visualize.axes import make_row_of_axes

if TYPE_CHECKING:
    import keras
    from matplotlib.axes import Axes


def plot_history(
    history: "keras.callbacks.History | dict[str, Any]",
    names: Sequence[str] = ("loss",),
    ax: "Axes | None" = None,
) -> "Axes":
    """Draws metrics against epochs, training and validation side by side.

    Args:
        history: `keras.callbacks.History`, or its dict of lists of float.
        names: names of metrics, without `val_`.
        ax: matplotlib `Axes` for all metrics, or `None` for a new figure, in
            which each has axes of its own.

    Returns:
        The matplotlib `Axes`, of a new figure the first;
        `ax.figure.savefig(path)` keeps the picture.

    Raises:
        ImportError: If matplotlib is missing.
        TypeError: If `names` is a str.
        ValueError: If the history does not have a metric.
    """
    names = check_list("names", names, "str")
    values = getattr(history, "history", history)
    for name in names:
        if name not in values and f"val_{name}" not in values:
            raise ValueError(
                "`names` must name metrics of the history, "
                f"{sorted(values)}. Received: {name!r}."
            )
    all_axes = make_row_of_axes(ax, len(names), 6, 4)
    for index, (name, ax) in enumerate(zip(names, all_axes, strict=True)):
        for key, style in ((name, "-"), (f"val_{name}", "--")):
            if key in values:
                epochs = range(1, len(values[key]) + 1)
                # A line of one point would not show.
                ax.plot(
                    epochs,
                    values[key],
                    style,
                    marker=".",
                    color=f"C{index}",
                    label=key,
                )
        ax.set_xlabel("epoch")
        ax.set_ylabel(name if all_axes.count(ax) == 1 else "")
        ax.locator_params(axis="x", integer=True)
        ax.legend()
    return all_axes[0]
