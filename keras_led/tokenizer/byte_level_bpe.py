"""The byte-level BPE under the tokenizer, from the `tokenizers` library.

Every text is a sequence of UTF-8 bytes, and each of the 256 bytes has a
printable character that stands for it ("Ġ" for the space), so no text is
outside the vocabulary and decoding gives back exactly what was encoded.
"""

import json
import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from typing import Any

from keras_led.files.hub import read_json
from keras_led.typing import StrPath

if TYPE_CHECKING:
    import tokenizers

# Ids that a vocabulary may leave out: 32 MB, where a single id of 2**31 - 1
# makes the library ask for 64 GB, and the process is aborted.
_MOST_GAPS = 1_000_000
# Those that take time by the length of the text alone: LED's files have none,
# and a pattern may take hours on a line.
_NORMALIZERS = (
    "BertNormalizer",
    "Lowercase",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Nmt",
    "Sequence",
    "Strip",
    "StripAccents",
)


def require_tokenizers() -> ModuleType:
    """Imports the `tokenizers` library.

    Returns:
        The module.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        import tokenizers
    except ImportError as error:
        raise ImportError(
            "LEDTokenizer needs the `tokenizers` library. Install it with "
            "`pip install tokenizers`."
        ) from error
    return tokenizers


def read_vocabulary(source: Any) -> dict[str, int]:
    """Reads and checks a vocabulary.

    Args:
        source: path of a `vocab.json`, or dict from token (str) to id (int).

    Returns:
        dict from token to id.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is not such a dict, is empty, or uses an id twice.
    """
    if isinstance(source, dict):
        where, vocabulary = "`vocab`", source
    else:
        where = os.fspath(source)
        vocabulary = read_json(_existing(where, "vocab_file"))
    for token, index in vocabulary.items():
        if type(index) is not int or index < 0 or not isinstance(token, str):
            raise ValueError(
                f"{where} must map tokens to ids, integers from 0. Received: "
                f"{token!r}: {index!r}."
            )
    if not vocabulary:
        raise ValueError(f"{where} must hold at least one token; it is empty.")
    _check_ids(vocabulary, where)
    return vocabulary


def read_merges(source: Any) -> list[tuple[str, str]]:
    """Reads a list of merges, the strongest first.

    Args:
        source: path of a `merges.txt`, whose lines hold two tokens and whose
            first line may be a `#version` comment; or list of pairs of str,
            or of str "left right".

    Returns:
        List of (left, right).

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If a line does not hold two tokens.
    """
    if isinstance(source, list | tuple):
        where, lines = "`merges`", list(source)
    else:
        where = os.fspath(source)
        path = Path(_existing(where, "merges_file"))
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{where} must be a UTF-8 text file, but it cannot be read: "
                f"{error}. It may be damaged; copy or download it again."
            ) from error
        if lines[0].startswith("#version"):
            lines[0] = ""
    merges = []
    for number, line in enumerate(lines, start=1):
        pair = line.split() if isinstance(line, str) else line
        if len(pair) == 2 and all(pair):
            merges.append((pair[0], pair[1]))
        elif pair:
            raise ValueError(
                f"{where} must hold two tokens a line. Received: {line!r} in "
                f"line {number}. It may be damaged; copy or download it again."
            )
    return merges


def build_backend(
    vocabulary: dict[str, int],
    merges: list[tuple[str, str]],
    names: tuple[str, str] = ("`vocab`", "`merges`"),
) -> "tokenizers.Tokenizer":
    """Makes a byte-level BPE tokenizer without any special treatment yet.

    Args:
        vocabulary: dict from token to id, checked.
        merges: list of (left, right).
        names: pair of str, what to call the two in an error message.

    Returns:
        A `tokenizers.Tokenizer`.

    Raises:
        ValueError: If a merge uses or makes a token that is not in the
            vocabulary.
    """
    tokenizers = require_tokenizers()
    for left, right in merges:
        for token in (left, right, left + right):
            if token not in vocabulary:
                raise ValueError(
                    f"{names[1]} must belong to {names[0]}. Received: the "
                    f"merge {left!r} {right!r}, but {token!r} is not in the "
                    "vocabulary. Check that both files come from one model."
                )
    backend = tokenizers.Tokenizer(
        tokenizers.models.BPE(
            vocab=vocabulary,
            merges=merges,
            continuing_subword_prefix="",
            end_of_word_suffix="",
        )
    )
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(
        add_prefix_space=False
    )
    backend.decoder = tokenizers.decoders.ByteLevel()
    return backend


def load_backend(path: StrPath) -> "tokenizers.Tokenizer":
    """Reads a `tokenizer.json`.

    Args:
        path: str or path of the file.

    Returns:
        A `tokenizers.Tokenizer`.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is damaged, or holds no byte-level BPE tokenizer.
    """
    tokenizers = require_tokenizers()
    path = _existing(os.fspath(path), "tokenizer_file")
    try:
        backend = tokenizers.Tokenizer.from_file(path)
    except BaseException as error:
        # The library raises bare Exception, and PanicException, which is no
        # Exception, where a damaged file breaks a Rust assumption.
        if not is_library_error(error):
            raise
        raise ValueError(
            f"{path} must be a tokenizer.json of the tokenizers library, but "
            f"it cannot be read: {error}. It may be damaged; copy or download "
            "it again."
        ) from error
    model = type(backend.model).__name__
    pre_tokenizer = type(backend.pre_tokenizer).__name__
    if model != "BPE" or pre_tokenizer != "ByteLevel":
        raise ValueError(
            f"{path} must hold a byte-level BPE tokenizer, as LED's is. "
            f"Received: model={model}, pre_tokenizer={pre_tokenizer}. It "
            "belongs to another kind of model."
        )
    _check_normalizer(backend, path)
    _check_ids(backend.get_vocab(), path)
    backend.decoder = tokenizers.decoders.ByteLevel()
    return backend


def _check_ids(vocabulary, where):
    """Refuses an id of two tokens, and ids far beyond their number.

    For the latter the library would write a list of gigabytes; of the former
    it takes now one token, now the other.
    """
    seen = {}
    for token, index in vocabulary.items():
        if index in seen:
            raise ValueError(
                f"{where} must give each token an id of its own. Received: "
                f"id {index} for {seen[index]!r} and {token!r}."
            )
        seen[index] = token
    largest = max(vocabulary, key=vocabulary.get)
    limit = len(vocabulary) + _MOST_GAPS
    if vocabulary[largest] >= limit:
        raise ValueError(
            f"{where} must have ids below {limit:,}, for its "
            f"{len(vocabulary):,} tokens. Received: "
            f"{largest!r}: {vocabulary[largest]}."
        )


def _check_normalizer(backend, path):
    """Refuses patterns, on which a text may take hours without an end."""
    if backend.normalizer is None:
        return
    level = [json.loads(backend.to_str())["normalizer"]]
    while level:
        for found in level:
            if found["type"] not in _NORMALIZERS:
                raise ValueError(
                    f"{path} must change a text by {', '.join(_NORMALIZERS)} "
                    f"only, if at all. Received: normalizer={found['type']}."
                )
        level = [x for found in level for x in found.get("normalizers", ())]


def make_backend(
    vocab: Any, merges: Any, tokenizer_file: StrPath | None
) -> "tokenizers.Tokenizer":
    """Makes a tokenizer from the one source that is given.

    Args:
        vocab: path of a `vocab.json`, dict from token to id, or `None`.
        merges: path of a `merges.txt`, list of pairs, or `None`.
        tokenizer_file: path of a `tokenizer.json`, or `None`.

    Returns:
        A `tokenizers.Tokenizer` that neither cuts nor pads.

    Raises:
        ValueError: If the source is not whole, or there are two.
    """
    if tokenizer_file is not None:
        if vocab is not None or merges is not None:
            raise ValueError(
                "`tokenizer_file` must come alone: it holds vocabulary and "
                f"merges. Received: tokenizer_file={tokenizer_file} beside "
                "them."
            )
        backend = load_backend(tokenizer_file)
        backend.no_truncation()
        backend.no_padding()
        return backend
    missing = {"vocab_file": vocab, "merges_file": merges}
    for name, value in missing.items():
        if value is None:
            raise ValueError(
                f"`{name}` must be given. Received: {name}=None. Pass both "
                "`vocab_file` and `merges_file`, or `tokenizer_file`; or use "
                "`LEDTokenizer.from_pretrained` or `LEDTokenizer.train`."
            )
    names = (
        "`vocab`" if isinstance(vocab, dict) else str(vocab),
        "`merges`" if isinstance(merges, list | tuple) else str(merges),
    )
    return build_backend(read_vocabulary(vocab), read_merges(merges), names)


def let_unknown_bytes_show(
    backend: "tokenizers.Tokenizer", unk_token: str | None
) -> None:
    """Lets a byte that the vocabulary lacks become `<unk>`, not nothing.

    Args:
        backend: `tokenizers.Tokenizer`.
        unk_token: str, or `None`, which changes nothing; neither does a token
            that is not in the vocabulary itself.
    """
    if (
        unk_token is not None
        and backend.model.token_to_id(unk_token) is not None
    ):
        backend.model.unk_token = unk_token


def is_library_error(error: BaseException) -> bool:
    """Tells errors of the Rust code from those of Python code inside it."""
    name = type(error).__name__
    return type(error) is Exception or name == "PanicException"


def model_files(
    backend: "tokenizers.Tokenizer",
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Reads vocabulary and merges out of a tokenizer.

    Args:
        backend: `tokenizers.Tokenizer`.

    Returns:
        Pair of the dict from token to id, without added tokens, and the list
        of (left, right) merges.
    """
    model = json.loads(backend.to_str())["model"]
    return dict(model["vocab"]), read_merges(model["merges"])


def _existing(path, argument):
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"`{argument}` must be an existing file. Received: "
            f"{argument}={path}."
        )
    return path
