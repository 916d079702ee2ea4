"""Files of one save read together, also beside a process that saves."""

import os
import random
import time
from collections.abc import Callable
from typing import Any

from keras_led.files.pending import current_files
from keras_led.typing import StrPath
from keras_led.typing import T

# Each attempt fails only if a save ends while the files are opened.
_ATTEMPTS = 500
_LONGEST_PAUSE = 0.01  # seconds


def read_together(
    name_or_path: StrPath,
    read: Callable[[], T],
    *,
    subfolder: str = "",
    discard: Callable[..., Any] | None = None,
) -> T:
    """Reads files that must be of one save.

    Another process may save into the directory meanwhile. Then what was read
    is thrown away, and read again.

    Args:
        name_or_path: str or path of a directory; anything else, such as a hub
            id, is read once.
        read: callable without arguments that reads what is small and opens
            what is large: an open file stays what it is. It may be called
            more than once.
        subfolder: str, folder of the directory that holds the files.
        discard: callable that takes a result which is not used, or `None`.

    Returns:
        What `read` returns.

    Raises:
        OSError: If the directory changes all the time.
    """
    directory = os.path.join(os.path.expanduser(name_or_path), subfolder)
    for _ in range(_ATTEMPTS):
        before = _state(directory)
        try:
            result = read()
        except Exception:
            # Maybe since half of it was of another save.
            if _state(directory) == before:
                raise
        else:
            if _state(directory) == before:
                return result
            if discard is not None:
                discard(result)
        time.sleep(random.uniform(0, _LONGEST_PAUSE))
    raise OSError(
        f"{name_or_path} must hold still while it is read. Received: a "
        f"directory whose files were replaced during {_ATTEMPTS} attempts. "
        "Wait for the process that saves into it."
    )


def _state(directory):
    """What tells one save from another: a new file is another inode."""
    return {
        name: (found.st_ino, found.st_size, found.st_mtime_ns)
        for name, found in current_files(directory).items()
    }
