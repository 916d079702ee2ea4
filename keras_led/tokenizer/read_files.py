"""Finding and reading the files of a saved tokenizer."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_led.argument_checks import check_list
from keras_led.files.hub import read_json
from keras_led.files.hub import resolve
from keras_led.files.reading import reading
from keras_led.tokenizer.special_tokens import ADDITIONAL_NAMES
from keras_led.tokenizer.special_tokens import SPECIAL_TOKEN_NAMES
from keras_led.tokenizer.write_files import ADDED_TOKENS_NAME
from keras_led.tokenizer.write_files import CONFIG_NAME
from keras_led.tokenizer.write_files import MERGES_NAME
from keras_led.tokenizer.write_files import SPECIAL_TOKENS_NAME
from keras_led.tokenizer.write_files import TOKENIZER_NAME
from keras_led.tokenizer.write_files import VOCAB_NAME
from keras_led.typing import StrPath

# What a vocabulary is refused with, be it for the settings that lie beside it.
RULE = "make a tokenizer with the files beside it"
# Where a vocabulary comes from.
_SOURCES = ("vocab_file", "merges_file", "tokenizer_file", "vocab", "merges")
# Keys that describe how and where a file was written, not the tokenizer. A
# path among them must not be followed: it comes from somebody else's machine.
_NOT_KEPT = (
    "auto_map",
    "backend",
    "files_loaded",
    "init_inputs",
    "is_local",
    "local_files_only",
    "merges",
    "merges_file",
    "name_or_path",
    "special_tokens_map_file",
    "tokenizer_class",
    "tokenizer_file",
    "tokenizer_object",
    "vocab",
    "vocab_file",
)


def read_pretrained(
    name_or_path: StrPath,
    known_settings: Iterable[str],
    hub_options: dict[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Reads the constructor arguments of a saved tokenizer.

    Args:
        name_or_path: str or path: directory, `tokenizer.json`, or hub id.
        known_settings: names of the constructor arguments that a
            `tokenizer_config.json` may hold.
        hub_options: dict of the options of `keras_led.files.hub.resolve`.

    Returns:
        Pair of the dict of constructor arguments, and the dict of those keys
        of `tokenizer_config.json` that mean nothing to us.

    Raises:
        FileNotFoundError: If there is no tokenizer under this name.
        ValueError: If a file is damaged; the message names it.
    """
    path = Path(os.path.expanduser(os.fspath(name_or_path)))
    if path.is_file():
        return {"tokenizer_file": path}, {}

    def find(names, required=False):
        return resolve(name_or_path, names, required=required, **hub_options)

    def read(name):
        found = find(name)
        return {} if found is None else read_json(found)

    settings, unknown = {}, {}
    for key, value in read(CONFIG_NAME).items():
        if key in known_settings:
            settings[key] = value
        elif key not in _NOT_KEPT:
            unknown[key] = value
    if "added_tokens_decoder" not in settings:
        # Older than that key, or of transformers 5: then this file, where it
        # exists, is newer than the names in tokenizer_config.json.
        settings.update(
            {
                key: value
                for key, value in read(SPECIAL_TOKENS_NAME).items()
                if key in known_settings
            }
        )
    main = find([TOKENIZER_NAME, VOCAB_NAME], required=True)
    if main.name == TOKENIZER_NAME:
        settings["tokenizer_file"] = main
    else:
        settings["vocab_file"] = main
        settings["merges_file"] = find(MERGES_NAME, required=True)
    with reading(main, RULE):  # pyright: ignore[reportArgumentType]
        _merge_additional(settings)
        if "added_tokens_decoder" not in settings:
            settings["added_tokens_decoder"] = _added_tokens(
                read(ADDED_TOKENS_NAME), settings
            )
    return settings, unknown


def merge_arguments(
    settings: dict[str, Any], arguments: dict[str, Any]
) -> dict[str, Any]:
    """Lets the arguments of a caller win over the files of a tokenizer.

    Args:
        settings: dict of constructor arguments, from `read_pretrained`.
        arguments: dict of constructor arguments. A vocabulary among them
            takes the place of that of the files; `None` is none.

    Returns:
        dict of constructor arguments.
    """
    given = {
        name: arguments[name]
        for name in _SOURCES
        if arguments.get(name) is not None
    }
    unused = _SOURCES if given else ()
    return {
        **{k: v for k, v in settings.items() if k not in unused},
        **{k: v for k, v in arguments.items() if k not in _SOURCES},
        **given,
    }


def _merge_additional(settings):
    """Brings both names of the additional special tokens into one list."""
    values = []
    for key in ADDITIONAL_NAMES:
        found = settings.pop(key, None) or []
        # transformers 4 writes {} or {name: token}, transformers 5 a list.
        found = found.values() if isinstance(found, dict) else found
        found = check_list(key, found, "tokens")
        values += [value for value in found if value not in values]
    settings["additional_special_tokens"] = values


def _added_tokens(ids, settings):
    """Reads `added_tokens.json`, which has ids but no other fields."""
    named = [settings.get(name) for name in SPECIAL_TOKEN_NAMES]
    special = {
        value["content"] if isinstance(value, dict) else value
        for value in (*named, *settings["additional_special_tokens"])
    }
    return {
        index: {
            "content": content,
            "lstrip": content == settings.get("mask_token", "<mask>"),
            "normalized": content not in special,
            "special": content in special,
        }
        for content, index in ids.items()
    }
