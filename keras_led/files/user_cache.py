"""Where the package keeps what can be made again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Folder in the user's cache, which `XDG_CACHE_HOME` says the place of."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "keras_led"
