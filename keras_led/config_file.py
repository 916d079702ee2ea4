"""What the configs of a checkpoint share: copies, JSON text, files."""

import copy
import json
import os
from pathlib import Path
from typing import Any
from typing import ClassVar
from typing import Self

from keras_led.files.atomic import write_json
from keras_led.files.hub import resolve
from keras_led.typing import StrPath


class ConfigFile:
    """Base of a config that stands in a JSON file of a checkpoint.

    A subclass sets `_file_name` and has `update` and `to_dict`.
    """

    _file_name: str

    def copy(self, **values: Any) -> Self:
        """Returns an independent copy.

        Args:
            **values: constructor arguments to change in the copy.
        """
        duplicate = copy.deepcopy(self)
        duplicate.update(**values)
        return duplicate

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__: ClassVar[None] = None  # pyright: ignore[reportIncompatibleMethodOverride]

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"

    def to_json_string(self) -> str:
        """Returns the content of the file, as text."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True)

    def save_pretrained(self, directory: StrPath) -> None:
        """Writes the file of the config, whole or not at all.

        Args:
            directory: str or path, made when missing.
        """
        content = self.to_dict()
        # Where another program found the checkpoint it began with: a path of
        # its machine tells a reader nothing, or too much.
        if os.path.isabs(str(content.get("_name_or_path", ""))):
            del content["_name_or_path"]
        write_json(Path(directory) / self._file_name, content)


def find_config(
    name_or_path: StrPath, file_names: str | list[str], **hub: Any
) -> Path:
    """Finds the file of a config.

    Args:
        name_or_path: str or path: a directory, a JSON file, or a hub id.
        file_names: str, or list of str with the preferred one first.
        **hub: as in `files.hub.resolve`.

    Returns:
        `pathlib.Path`.
    """
    path = Path(os.path.expanduser(os.fspath(name_or_path)))
    if path.is_file():
        return path
    return resolve(name_or_path, file_names, **hub)  # pyright: ignore[reportReturnType]
