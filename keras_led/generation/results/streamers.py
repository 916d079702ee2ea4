"""Text as it is written, piece by piece."""

import contextlib
import queue
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

import numpy as np

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


class TextPieces:
    """Turns tokens that come one by one into pieces of text.

    The pieces, joined, are the decoded text. A piece ends at white space: a
    token may complete a character or a word of earlier tokens.

    Args:
        tokenizer: offers `decode(ids, **options)`.
        **options: of `decode`, for example `skip_special_tokens=True`.
    """

    ids: list[int]
    shown: int

    def __init__(self, tokenizer: "LEDTokenizer", **options: Any):
        self.tokenizer = tokenizer
        self.options = options
        self.ids = []
        self.shown = 0

    def add(self, ids: Any) -> str:
        """Takes new tokens; returns the text that is final now."""
        self.ids += [int(token) for token in ids]
        text = self.tokenizer.decode(self.ids, **self.options)
        space = max(text.rfind(" "), text.rfind("\n"))
        return self._show(text[: space + 1])

    def finish(self) -> str:
        """Returns the rest of the text."""
        return self._show(self.tokenizer.decode(self.ids, **self.options))

    def _show(self, text):
        piece = text[self.shown :]
        self.shown = max(self.shown, len(text))
        return piece


class TextStreamer:
    """Writes the text of one document to standard output as it comes.

    Pass it to `generate` as `streamer`. A subclass may take the text
    elsewhere by overriding `on_finalized_text`.

    Args:
        tokenizer: offers `decode(ids, **options)`.
        skip_prompt: bool, leave out the tokens the output begins with.
        **options: of `decode`, for example `skip_special_tokens=True`.
    """

    pieces: TextPieces

    def __init__(
        self,
        tokenizer: "LEDTokenizer",
        skip_prompt: bool = False,
        **options: Any,
    ):
        self.pieces = TextPieces(tokenizer, **options)
        self.skip_prompt = skip_prompt
        self._is_prompt = True

    def put(self, value: Any) -> None:
        """Takes the prompt `(1, P)` first, then one token `(1,)` a step.

        Raises:
            ValueError: If there is more than one document.
        """
        value = np.asarray(value)
        if value.shape[0] > 1:
            raise ValueError(
                "`TextStreamer` shows one document. "
                f"Received: {value.shape[0]} rows. Pass one at a time."
            )
        is_prompt, self._is_prompt = self._is_prompt, False
        if not (is_prompt and self.skip_prompt):
            piece = self.pieces.add(value.reshape(-1))
            self.on_finalized_text(piece, stream_end=False)

    def end(self) -> None:
        """Shows the rest, and makes ready for another document."""
        self.on_finalized_text(self.pieces.finish(), stream_end=True)
        self.pieces = TextPieces(self.pieces.tokenizer, **self.pieces.options)
        self._is_prompt = True

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Writes a piece of text, and a line break at the end."""
        sys.stdout.write(text + ("\n" if stream_end else ""))
        sys.stdout.flush()


class TextIteratorStreamer(TextStreamer):
    """Hands the text to an iterator, for `generate` in another thread.

    In the same thread, `model.stream` does without one.

    Args:
        tokenizer: offers `decode(ids, **options)`.
        skip_prompt: bool, leave out the tokens the output begins with.
        timeout: float, seconds to wait for a piece, or `None` for ever.
        **options: of `decode`.
    """

    pieces: TextPieces

    def __init__(
        self,
        tokenizer: "LEDTokenizer",
        skip_prompt: bool = False,
        timeout: float | None = None,
        **options: Any,
    ):
        super().__init__(tokenizer, skip_prompt, **options)
        self.timeout = timeout
        self._queue = queue.Queue()

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Queues a piece of text, and the end."""
        self._queue.put(text)
        if stream_end:
            self._queue.put(None)

    def fail(self, error: BaseException) -> None:
        """Queues what `generate` raised, so that nobody waits for more."""
        self.pieces = TextPieces(self.pieces.tokenizer, **self.pieces.options)
        self._is_prompt = True
        self._queue.put(error)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        """Returns the next piece.

        Raises:
            StopIteration: After the last one.
            RuntimeError: If `generate` ended in an error.
        """
        piece = self._queue.get(timeout=self.timeout)
        if isinstance(piece, BaseException):
            raise RuntimeError(
                "`generate` ended in an error, so that the text is not whole. "
                f"Received: {type(piece).__name__}: {piece}"
            ) from piece
        if piece is None:
            raise StopIteration
        return piece


@contextlib.contextmanager
def ended_after_an_error(streamer: Any) -> Iterator[None]:
    """Lets a streamer know when what runs inside raises.

    Args:
        streamer: object with `end`, and perhaps `fail`, which takes the
            error; or `None`.
    """
    try:
        yield
    except BaseException as error:
        # The streamer may be what failed: the first error is the one to see.
        with contextlib.suppress(Exception):
            if hasattr(streamer, "fail"):
                streamer.fail(error)
            elif streamer is not None:
                streamer.end()
        raise
