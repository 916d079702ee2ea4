"""Warnings that are worth saying once."""

import warnings

NO_GLOBAL_ATTENTION = (
    "`generate` got no `global_attention_mask`: no token attends globally, and "
    "LED usually writes poor summaries then. Pass a mask that is 1 at the "
    "first token, or use `summarize`."
)

_said = set()


def warn_once(message: str, stacklevel: int = 3) -> None:
    """Warns the first time in this process, and is silent afterwards.

    Args:
        message: str, also what tells one notice from another.
        stacklevel: int, as in `warnings.warn`.
    """
    if message not in _said:
        _said.add(message)
        warnings.warn(message, stacklevel=stacklevel)
