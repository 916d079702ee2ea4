"""Greedy search and multinomial sampling: one token a row and step."""

import dataclasses
from collections.abc import Callable
from typing import Any
from typing import NamedTuple

from keras_led.generation.tensor_ops import backend
from keras_led.generation.tensor_ops import ops
from keras_led.typing import Tensor


class TokenState(NamedTuple):
    """State of the loop between two tokens.

    Attributes:
        tokens: int32 tensor `(R, L)`, filled with the padding token.
        length: int32 scalar, tokens written so far.
        unfinished: bool tensor `(R,)`.
        running: bool scalar, `False` once all rows have finished.
    """

    tokens: Any
    length: Any
    unfinished: Any
    running: Any


@dataclasses.dataclass(frozen=True)
class TokenSearch:
    """Takes the best token of each row, or draws one.

    Args:
        max_length: int, `L`.
        fill: int, token written after the end of a row.
        pads: bool, whether finished rows get `fill` from then on.
        do_sample: bool, draw instead of taking the best.
        uniform: callable that draws, as `backend.uniform`; `None` for that.
    """

    max_length: int
    fill: int
    pads: bool
    do_sample: bool = False
    uniform: Any = None

    # Scores are logits: no log-softmax before the processors.
    normalizes = False

    def begin(self, prompt: Tensor) -> TokenState:
        """Returns the state after the prompt `(R, P)`."""
        return TokenState(
            tokens=_widen(prompt, self.max_length, self.fill),
            length=ops.convert_to_tensor(prompt.shape[1], dtype="int32"),
            unfinished=ops.ones_like(prompt[:, 0], dtype="bool"),
            running=ops.convert_to_tensor(True),
        )

    def rows(self, state: TokenState) -> Tensor:
        """The tokens of every row, `(R, L)`."""
        return state.tokens

    def propose(
        self, state: TokenState, scores: Tensor, seed: Tensor | None
    ) -> Tensor:
        """Chooses the next token of each row.

        Args:
            state: `TokenState`.
            scores: float32 tensor `(R, V)`.
            seed: tensor `(2,)`, used only when sampling.

        Returns:
            int32 tensor `(R, L)`: the tokens with the new one written.
        """
        if self.do_sample:
            scores = scores + gumbel(seed, scores, self.uniform)
        return self.write(state, backend.argmax(scores))

    def write(self, state: TokenState, token: Tensor) -> Tensor:
        """Writes the next token `(R,)` of each row that goes on."""
        if self.pads:
            token = ops.where(state.unfinished, token, self.fill)
        return write_column(state.tokens, state.length, token)

    def candidates(self, proposal: Tensor) -> Tensor:
        """The sequences whose end is to be looked for, `(R, L)`."""
        return proposal

    def commit(
        self, state: TokenState, proposal: Tensor, stops: Tensor
    ) -> tuple[TokenState, None]:
        """Moves on by one token.

        Args:
            state: `TokenState`.
            proposal: what `propose` returned.
            stops: bool tensor `(R,)`, whether a row ends with its new token.

        Returns:
            Pair of the new `TokenState` and `None`: no row moves.
        """
        unfinished = ops.logical_and(state.unfinished, ops.logical_not(stops))
        state = TokenState(
            tokens=proposal,
            length=state.length + 1,
            unfinished=unfinished,
            running=ops.any(unfinished),
        )
        return state, None

    def result(self, state: TokenState) -> dict[str, Tensor]:
        """Returns what the loop found, as a dict of tensors."""
        return {"sequences": state.tokens, "length": state.length}


def gumbel(
    seed: Tensor,
    scores: Tensor,
    uniform: Callable[..., Tensor] | None = None,
) -> Tensor:
    """Gumbel noise of the shape of `scores`.

    The best of `scores + noise` is a draw from `softmax(scores)`; the best
    `k` are draws without replacement, in the order of drawing.

    Source: Kool et al., 2019, https://arxiv.org/abs/1903.06059
    """
    noise = (uniform or backend.uniform)(seed, ops.shape(scores))
    # The smallest float32 step below 1 is 6e-8; 0 has to be kept from log.
    noise = ops.maximum(ops.cast(noise, "float32"), 1e-20)
    return -ops.log(-ops.log(noise))


def write_column(
    tokens: Tensor, position: int | Tensor, column: Tensor
) -> Tensor:
    """Writes `column` `(...)` into `tokens` `(..., L)` at `position`."""
    here = ops.equal(ops.arange(tokens.shape[-1], dtype="int32"), position)
    return ops.where(here, column[..., None], tokens)


def read_column(tokens: Tensor, position: int | Tensor) -> Tensor:
    """Reads `(R,)` from `tokens` `(R, L)`; the last one beyond the end."""
    last = tokens.shape[1] - 1
    return ops.take(tokens, ops.minimum(position, last), axis=1)


def _widen(prompt, length, fill):
    """Extends `(R, P)` to `(R, length)` with `fill`."""
    missing = length - prompt.shape[1]
    return ops.pad(prompt, ((0, 0), (0, missing)), constant_values=fill)
