"""What the configs of a checkpoint share: copies, JSON text, files."""

import copy
import json
import os
from pathlib import Path

from keras_led.files.atomic import write_json
from keras_led.files.hub import resolve


class ConfigFile:
    """Base of a config that stands in a JSON file of a checkpoint.

    A subclass sets `_file_name` and has `update` and `to_dict`.
    """

    _file_name = None

    def copy(self, **values):
        """Returns an independent copy.

        Args:
            **values: constructor arguments to change in the copy.
        """
        duplicate = copy.deepcopy(self)
        duplicate.update(**values)
        return duplicate

    def __eq__(self, other):
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None

    def __repr__(self):
        return f"{type(self).__name__} {self.to_json_string()}"

    def to_json_string(self):
        """Returns the content of the file, as text."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True)

    def save_pretrained(self, directory):
        """Writes the file of the config, whole or not at all.

        Args:
            directory: str or path, made when missing.
        """
        write_json(Path(directory) / self._file_name, self.to_dict())


def find_config(name_or_path, file_names, **hub):
    """Finds the file of a config.

    Args:
        name_or_path: str or path: a directory, a JSON file, or a hub id.
        file_names: str, or list of str with the preferred one first.
        **hub: as in `files.hub.resolve`.

    Returns:
        `pathlib.Path`.
    """
    path = Path(os.path.expanduser(os.fspath(name_or_path)))
    return path if path.is_file() else resolve(name_or_path, file_names, **hub)
