"""Pictures: where attention goes, and where a summary comes from.

The figures need matplotlib: `pip install "keras-led[plots]"`. The page of
`write_page` needs nothing.
"""

from typing import TYPE_CHECKING

from keras_led._lazy_names import lazy_names as _lazy_names

if TYPE_CHECKING:
    from keras_led.visualize.curves import plot_history
    from keras_led.visualize.page import write_page
    from keras_led.visualize.pattern import attention_matrix
    from keras_led.visualize.pattern import plot_attention_pattern
    from keras_led.visualize.summary_sources import SummarySources
    from keras_led.visualize.summary_sources import find_sources
    from keras_led.visualize.summary_sources import plot_sources

__all__ = [
    "SummarySources",
    "attention_matrix",
    "find_sources",
    "plot_attention_pattern",
    "plot_history",
    "plot_sources",
    "write_page",
]

__getattr__ = _lazy_names(
    __name__,
    {
        "SummarySources": "summary_sources",
        "attention_matrix": "pattern",
        "find_sources": "summary_sources",
        "plot_attention_pattern": "pattern",
        "plot_history": "curves",
        "plot_sources": "summary_sources",
        "write_page": "page",
    },
)
