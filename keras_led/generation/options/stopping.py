"""Stopping criteria in Python: they look at the tokens after each step."""

import time
from collections.abc import Callable
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_led.generation.tensor_ops import ops
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


class MaxTime:
    """Stops every sequence once a time has passed.

    Args:
        seconds: float, counted from the making of the criterion.
        clock: callable that returns the time in seconds.
    """

    deadline: float

    def __init__(
        self, seconds: float, clock: Callable[[], float] = time.monotonic
    ):
        self.clock = clock
        self.deadline = clock() + seconds

    def __call__(self, input_ids: Tensor, scores: Any) -> Any:
        return self.clock() > self.deadline


class StopStrings:
    """Stops a sequence whose last token completes one of some strings.

    The string may begin in earlier tokens and end inside the last one.

    Args:
        tokenizer: offers `decode(ids, skip_special_tokens=False)`.
        strings: str or list of str.
    """

    strings: list[str]
    window: int

    def __init__(self, tokenizer: "LEDTokenizer", strings: str | list[str]):
        self.tokenizer = tokenizer
        self.strings = [strings] if isinstance(strings, str) else strings
        # A token is at least one byte long, but for special tokens and the
        # parts of a character: twice the bytes leave room for them.
        longest = max(len(text.encode()) for text in self.strings)
        self.window = 2 * longest + 2

    def __call__(self, input_ids: Tensor, scores: Any) -> Any:
        rows = ops.convert_to_numpy(input_ids)[:, -self.window :]
        return np.array([self._completes(row.tolist()) for row in rows])

    def _completes(self, ids):
        text = self.tokenizer.decode(ids, skip_special_tokens=False)
        before = self.tokenizer.decode(ids[:-1], skip_special_tokens=False)
        for string in self.strings:
            # The match has to end after what was there before.
            first = max(0, len(before) - len(string) + 1)
            if text.find(string, first) >= 0:
                return True
        return False


def build_criteria(
    options: dict[str, Any],
    user_criteria: Iterable[Callable[..., Any]] = (),
    tokenizer: "LEDTokenizer | None" = None,
) -> list[Callable[..., Any]]:
    """Collects the criteria of one call.

    Args:
        options: dict from `GenerationConfig.resolve`.
        user_criteria: callables `(input_ids, scores)` that return a bool, or
            one bool for each row.
        tokenizer: needed for `stop_strings`.

    Returns:
        List of callables.

    Raises:
        TypeError: If a criterion cannot be called.
        ValueError: If `stop_strings` comes without a tokenizer.
    """
    criteria = []
    if options["max_time"] is not None:
        criteria.append(MaxTime(options["max_time"]))
    if options["stop_strings"] is not None:
        if tokenizer is None:
            raise ValueError(
                "`stop_strings` needs the tokenizer. "
                f"Received: stop_strings={options['stop_strings']!r}, "
                "tokenizer=None. Pass tokenizer=."
            )
        criteria.append(StopStrings(tokenizer, options["stop_strings"]))
    for criterion in user_criteria:
        if not callable(criterion):
            raise TypeError(
                "Each of `stopping_criteria` must be callable. "
                f"Received: {criterion!r}."
            )
        criteria.append(criterion)
    return criteria


def any_stops(
    criteria: list[Callable[..., Any]],
    input_ids: Tensor,
    scores: tuple[Tensor, ...] | None,
) -> np.ndarray:
    """Asks every criterion about every row.

    Args:
        criteria: list of callables.
        input_ids: int32 tensor `(rows, length)`, with the newest token.
        scores: tuple of the scores so far, or `None` when not kept.

    Returns:
        Numpy bool array `(rows,)`.
    """
    stops = np.zeros(input_ids.shape[0], "bool")
    for criterion in criteria:
        answer = criterion(input_ids, scores)
        if not isinstance(answer, (bool, np.bool_, np.ndarray)):
            answer = ops.convert_to_numpy(answer)
        answer = np.asarray(answer, "bool")
        if answer.shape not in ((), stops.shape):
            raise ValueError(
                "Each of `stopping_criteria` must return a bool, or one for "
                f"each of the {len(stops)} rows. "
                f"Received: shape={answer.shape}."
            )
        stops |= answer
    return stops
