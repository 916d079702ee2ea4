"""Writing a tokenizer: the files of transformers 4 and 5 at once."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from keras_led.files.atomic import staged_directory
from keras_led.tokenizer.byte_level_bpe import model_files
from keras_led.tokenizer.special_tokens import SPECIAL_TOKEN_NAMES
from keras_led.tokenizer.special_tokens import token_fields
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer

VOCAB_NAME = "vocab.json"
MERGES_NAME = "merges.txt"
TOKENIZER_NAME = "tokenizer.json"
CONFIG_NAME = "tokenizer_config.json"
SPECIAL_TOKENS_NAME = "special_tokens_map.json"
ADDED_TOKENS_NAME = "added_tokens.json"
FILE_NAMES = (
    VOCAB_NAME,
    MERGES_NAME,
    TOKENIZER_NAME,
    CONFIG_NAME,
    SPECIAL_TOKENS_NAME,
    ADDED_TOKENS_NAME,
)


def save_tokenizer(
    tokenizer: "LEDTokenizer",
    save_directory: StrPath,
    filename_prefix: str | None,
    legacy_format: bool | None,
) -> tuple[str, ...]:
    """Writes all files of a tokenizer, whole or not at all.

    Args:
        tokenizer: the tokenizer.
        save_directory: str or path; made when missing.
        filename_prefix: str, put before each name with a dash, or `None`.
        legacy_format: bool. `True` leaves out `tokenizer.json`, `False` leaves
            out `vocab.json` and `merges.txt`, `None` writes both.

    Returns:
        Tuple of str, the paths written.
    """
    contents = {
        CONFIG_NAME: _to_json(_config(tokenizer)),
        SPECIAL_TOKENS_NAME: _to_json(_special_tokens_map(tokenizer)),
    }
    obsolete = []
    vocabulary = _vocabulary_contents(tokenizer)
    added = {
        token: index
        for token, index in tokenizer.added_tokens_encoder.items()
        if tokenizer.backend_tokenizer.model.token_to_id(token) is None
    }
    # What is not written now must not stay from an earlier save: the next
    # reader would mix two tokenizers.
    for names, wanted in (
        (vocabulary, legacy_format is not False),
        ({TOKENIZER_NAME: None}, legacy_format is not True),
        ({ADDED_TOKENS_NAME: _to_json(added)}, bool(added)),
    ):
        if wanted:
            contents.update(names)  # pyright: ignore[reportArgumentType, reportCallIssue]
        else:
            obsolete += [_prefixed(filename_prefix, name) for name in names]
    if TOKENIZER_NAME in contents:
        contents[TOKENIZER_NAME] = tokenizer.backend_tokenizer.to_str(
            pretty=True
        )
    return _write(save_directory, filename_prefix, contents, obsolete)


def save_vocabulary(
    tokenizer: "LEDTokenizer",
    save_directory: StrPath,
    filename_prefix: str | None,
) -> tuple[str, ...]:
    """Writes `vocab.json` and `merges.txt`.

    Args:
        tokenizer: the tokenizer.
        save_directory: str or path of an existing directory.
        filename_prefix: str, put before each name with a dash, or `None`.

    Returns:
        Tuple of str, the two paths.

    Raises:
        NotADirectoryError: If `save_directory` is no directory.
    """
    if not os.path.isdir(save_directory):
        raise NotADirectoryError(
            "`save_directory` must be an existing directory. Received: "
            f"save_directory={os.fspath(save_directory)}."
        )
    contents = _vocabulary_contents(tokenizer)
    return _write(save_directory, filename_prefix, contents, ())


def _write(directory, prefix, contents, obsolete):
    names = [_prefixed(prefix, name) for name in contents]
    with staged_directory(
        directory, lambda name, new: name in obsolete
    ) as staging:
        for name, content in zip(names, contents.values(), strict=True):
            (staging / name).write_bytes(content.encode("utf-8"))
    return tuple(str(Path(directory) / name) for name in names)


def _prefixed(prefix, name):
    return f"{prefix}-{name}" if prefix else name


def _to_json(content):
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    return text + "\n"


def _vocabulary_contents(tokenizer):
    vocabulary, merges = model_files(tokenizer.backend_tokenizer)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    return {
        VOCAB_NAME: _to_json(vocabulary),
        MERGES_NAME: "\n".join(lines) + "\n",
    }


def _config(tokenizer):
    """Makes the content of `tokenizer_config.json`."""
    named = {name: getattr(tokenizer, name) for name in SPECIAL_TOKEN_NAMES}
    return {
        **tokenizer.unknown_settings,
        **tokenizer.settings(),
        **named,
        "additional_special_tokens": tokenizer.additional_special_tokens,
        "added_tokens_decoder": {
            str(index): token_fields(token)
            for index, token in tokenizer.added_tokens_decoder.items()
        },
        "tokenizer_class": "LEDTokenizer",
    }


def _special_tokens_map(tokenizer):
    added = {
        token.content: token
        for token in tokenizer.added_tokens_decoder.values()
    }

    def entry(content):
        # Plain text says all of a token that treats white space like others.
        token = added.get(content)
        if token is None or not (token.lstrip or token.rstrip):
            return content
        fields = token_fields(token)
        del fields["special"]
        return fields

    content = {}
    for name, value in tokenizer.special_tokens_map.items():
        several = isinstance(value, list)
        content[name] = [entry(v) for v in value] if several else entry(value)
    return content
