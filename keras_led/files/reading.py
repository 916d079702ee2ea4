"""The border around everything that reads a file: errors name the file."""

import contextlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator

from keras_led.typing import StrPath

# What damaged content makes parsers, and our own checks, raise.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
_LONGEST_REASON = 600


@contextlib.contextmanager
def reading(path: StrPath, rule: str) -> Iterator[None]:
    """Turns what a damaged file raises into a `ValueError` that names it.

    Errors of the system, such as a missing file, a missing permission or no
    file descriptor left, are no damage and pass as they are.

    Args:
        path: str or path of the file that the block reads or checks.
        rule: str, what must hold: "hold a JSON object".

    Raises:
        ValueError: If the block raises what damaged content raises.
    """
    try:
        yield
    except OSError as error:
        # `gzip` and h5py raise it for content; then there is no number.
        if error.errno is not None:
            raise
        raise damaged(path, rule, error) from error
    except _DAMAGE as error:
        if isinstance(error, ValueError) and os.fspath(path) in str(error):
            raise
        raise damaged(path, rule, error) from error


def damaged(
    path: StrPath, rule: str, error: BaseException | str
) -> OSError | ValueError:
    """Makes the error for a file that breaks a rule.

    Args:
        path: str or path of the file.
        rule: str, see `reading`.
        error: the exception, or str, that says why.

    Returns:
        The `ValueError` to raise; see `system_error` for the exception.
    """
    return system_error(path) or ValueError(
        f"{os.fspath(path)} must {rule}: {_reason(error)} "
        "Repair the file, or copy or download it again."
    )


def system_error(path: StrPath) -> OSError | None:
    """Tells whether a file cannot be opened at all.

    Libraries say of a file for which there was no descriptor left that it is
    not there, or damaged.

    Args:
        path: str or path.

    Returns:
        The `OSError` that opening it raises, or `None`.
    """
    try:
        if os.path.isfile(path):
            os.close(os.open(path, os.O_RDONLY))
    except OSError as error:
        return error
    return None


def shortened(text):
    """Leaves out the middle of a reason, whose values may fill the file.

    Args:
        text: str.

    Returns:
        str.
    """
    if len(text) <= _LONGEST_REASON:
        return text
    half = _LONGEST_REASON // 2
    return f"{text[:half]} … {text[-half:]}"


def _reason(error):
    text = str(error).strip()
    if isinstance(error, MemoryError):
        return "it needs more memory than there is."
    if isinstance(error, RecursionError):
        return "it is nested too deeply."
    if not isinstance(error, str | TypeError | ValueError | OSError):
        text = f"{type(error).__name__}: {text}" if text else ""
    text = text or type(error).__name__
    text = shortened(text)
    return text if text.endswith((".", "!", "?")) else f"{text}."
