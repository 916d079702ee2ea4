"""One backend tokenizer for calls with different options, and threads."""

import threading
from typing import TYPE_CHECKING
from typing import Any

from keras_led.tokenizer.byte_level_bpe import require_tokenizers

if TYPE_CHECKING:
    import tokenizers


class SharedBackend:
    """A `tokenizers.Tokenizer` whose options change from call to call.

    The library keeps truncation, prefix spaces and the like as state of the
    tokenizer. Here the state comes with each call, and a lock keeps a second
    thread from changing it meanwhile. The state is a dict of `sep` and `cls`,
    (token, id) each, without which no special tokens are written;
    `trim_offsets`, `add_prefix_space` and `split_special_tokens`, bool; and
    `truncation`, the arguments of `enable_truncation` or `None`.

    Args:
        tokenizer: `tokenizers.Tokenizer`.
    """

    def __init__(self, tokenizer: "tokenizers.Tokenizer"):
        self.tokenizer = tokenizer
        self._lock = threading.RLock()
        self._state = {}

    def encode(
        self,
        rows: list[Any],
        state: dict[str, Any],
        is_pretokenized: bool = False,
        add_special_tokens: bool = False,
    ) -> "list[tokenizers.Encoding]":
        """Encodes rows under a state.

        Args:
            rows: list of texts or tuples of two.
            state: dict, see the class.
            is_pretokenized: bool, whether the texts are lists of words.
            add_special_tokens: bool.

        Returns:
            List of `tokenizers.Encoding`.
        """
        with self._lock:
            self.configure(state)
            return self.tokenizer.encode_batch(
                rows,
                is_pretokenized=is_pretokenized,
                add_special_tokens=add_special_tokens,
            )

    def finish(
        self,
        encoding: "tokenizers.Encoding",
        state: dict[str, Any],
        add_special_tokens: bool = False,
    ) -> "tokenizers.Encoding":
        """Cuts the encoding of a text, and writes special tokens, as `encode`.

        Args:
            encoding: `tokenizers.Encoding`, uncut, its offsets not trimmed.
            state: dict, see the class.
            add_special_tokens: bool.

        Returns:
            Another `tokenizers.Encoding`.
        """
        with self._lock:
            self.configure(state)
            return self.tokenizer.post_process(
                encoding, None, add_special_tokens
            )

    def configure(self, state: dict[str, Any]) -> None:
        """Brings the tokenizer into a state.

        Args:
            state: dict, see the class.
        """
        tokenizers = require_tokenizers()
        with self._lock:
            if state == self._state:
                return
            self.tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(
                add_prefix_space=state["add_prefix_space"],
                trim_offsets=state["trim_offsets"],
            )
            self.tokenizer.post_processor = _post_processor(state)
            self.tokenizer.encode_special_tokens = state["split_special_tokens"]
            self.tokenizer.no_truncation()
            if state["truncation"] is not None:
                self.tokenizer.enable_truncation(**state["truncation"])
            self._state = state

    def __getstate__(self) -> dict[str, Any]:
        return {"tokenizer": self.tokenizer}

    def __setstate__(self, content: dict[str, Any]) -> None:
        self.__init__(content["tokenizer"])


def _post_processor(state):
    """What writes the special tokens around a text."""
    processors = require_tokenizers().processors
    trim_offsets = state["trim_offsets"]
    if None in (*state["sep"], *state["cls"]):
        return processors.ByteLevel(trim_offsets=trim_offsets)
    return processors.RobertaProcessing(
        state["sep"],
        state["cls"],
        trim_offsets=trim_offsets,
        add_prefix_space=state["add_prefix_space"],
    )
