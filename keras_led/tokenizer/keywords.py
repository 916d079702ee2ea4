"""Keyword arguments that no function knows."""

import difflib


def reject_unknown(function, unknown, known):
    """Raises when a caller passed keyword arguments that mean nothing.

    Args:
        function: str, name of the function, as the caller wrote it.
        unknown: dict of the keyword arguments left over.
        known: iterable of the names that `function` takes.

    Raises:
        TypeError: If `unknown` is not empty; it names the nearest known one.
    """
    if not unknown:
        return
    name = next(iter(unknown))
    close = difflib.get_close_matches(name, list(known), n=1)
    advice = f" Did you mean {close[0]!r}?" if close else ""
    raise TypeError(f"{function} got an unknown argument {name!r}.{advice}")
