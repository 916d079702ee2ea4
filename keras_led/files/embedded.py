"""Checkpoints that the package carries."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "pretrained"

# The checkpoint that commands take where none is named.
DEFAULT_CHECKPOINT = "led-tiny"


def embedded_names() -> list[str]:
    """Names of the checkpoints in the package, a sorted list of str."""
    return sorted(path.parent.name for path in FOLDER.glob("*/config.json"))


def find_embedded(name: str) -> Path | None:
    """Finds a checkpoint that the package carries.

    Args:
        name: str, such as `"led-tiny"`.

    Returns:
        `pathlib.Path` of its directory, or `None` where there is none of this
        name.
    """
    return FOLDER / name if name in embedded_names() else None
