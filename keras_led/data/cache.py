"""Tokens that are kept between runs."""

import hashlib
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led.data.files import STANDARD_INPUT
from keras_led.data.rows import BadRows
from keras_led.data.sources import read_rows
from keras_led.data.sources import source_files
from keras_led.data.tokens import BLOCK
from keras_led.data.tokens import FORMAT
from keras_led.data.tokens import open_store
from keras_led.data.tokens import store_in_memory
from keras_led.data.tokens import store_on_disk
from keras_led.files import one_at_a_time
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.data.tasks import Task
    from keras_led.data.tokens import TokenStore
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


def load_store(
    task: "Task",
    source: Any,
    bad_rows: str = "stop",
    cache_dir: StrPath | None = None,
) -> "TokenStore":
    """Tokenizes a corpus, or takes the tokens of an earlier run.

    The cache knows a corpus by the content of its files (or objects), the
    tokenizer's vocabulary and settings, and the task's settings. Tokens that
    do not agree with their digest are damaged, and made anew.

    Args:
        task: `Task`.
        source: see `read_rows`.
        bad_rows: str, "stop" or "skip"; see `BadRows`.
        cache_dir: str or path of a folder for tokens, or `None` to keep them
            in memory and forget them. With a folder, the corpus is never in
            memory: text is read in chunks, tokens are mapped from files.

    Returns:
        `TokenStore`.

    Raises:
        ValueError: If rows cannot be used.
        TypeError: If `source` can be read only once, with a cache.
    """
    BadRows(bad_rows)
    if cache_dir is None:
        rows = read_rows(source, task.fields)
        return store_in_memory(task, rows, bad_rows)
    if source_files(source) is None and iter(source) is source:
        raise TypeError(
            "`rows` must be readable twice for `cache_dir`. Received: a "
            f"{type(source).__name__}. Pass files or a list."
        )
    directory = Path(cache_dir) / cache_key(task, source)
    store = open_store(directory)
    if store is None:
        with one_at_a_time(directory, lambda: _say_who_builds(directory)):
            # Another process may have built it meanwhile.
            store = open_store(directory)
            if store is None:
                rows = read_rows(source, task.fields)
                return store_on_disk(task, rows, directory, bad_rows)  # pyright: ignore[reportReturnType]
    facts = store.facts
    if facts["bad"]:
        bad = BadRows(bad_rows)
        bad.count, bad.shown = facts["bad"], facts["shown"]
        bad.finish(facts["rows"])
    return store


def _say_who_builds(directory):
    warnings.warn(
        f"Another process is tokenizing the same rows for {directory}. "
        "Waiting for it.",
        stacklevel=5,
    )


def cache_key(task: "Task", source: Any) -> str:
    """Names a corpus together with how it is tokenized.

    Args:
        task: `Task`.
        source: see `read_rows`.

    Returns:
        str of 32 hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=16)
    files = source_files(source)
    settings = {
        "format": FORMAT,
        "task": task.settings(),
        "tokenizer": tokenizer_digest(task.tokenizer),
    }
    digest.update(json.dumps(settings, sort_keys=True, default=str).encode())
    if files is None:
        for row in read_rows(source, task.fields):
            digest.update(repr(row.record).encode("utf-8", "replace") + b"\n")
        return digest.hexdigest()
    for file in files:
        if file == STANDARD_INPUT:
            raise ValueError(
                "`rows` must be files for `cache_dir`. Received: standard "
                "input, which can be read only once. Leave out the cache."
            )
        digest.update(str(file).encode("utf-8", "replace") + b"\n")
        with open(file, "rb") as content:
            while block := content.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()


def tokenizer_digest(tokenizer: "LEDTokenizer") -> str:
    """str that changes with anything that changes a tokenizer's ids."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(tokenizer.backend_tokenizer.to_str().encode("utf-8"))
    settings = json.dumps(tokenizer.settings(), sort_keys=True, default=str)
    digest.update(settings.encode("utf-8"))
    return digest.hexdigest()
