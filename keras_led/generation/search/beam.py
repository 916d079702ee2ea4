"""Beam search and beam sampling, exactly as Hugging Face's.

Letters: `B` documents, `K` beams, `M` candidates looked at per document and
step, `L` size of the token buffer, `P` prompt length, `V` vocabulary.

Source: transformers 5.23, `generation/utils.py`, `_beam_search`.
"""

import dataclasses
from typing import Any
from typing import NamedTuple

from keras_led.generation.search.greedy_and_sampling import gumbel
from keras_led.generation.search.greedy_and_sampling import write_column
from keras_led.generation.tensor_ops import ops
from keras_led.typing import Tensor

# A score no real hypothesis reaches: sums of log-probabilities of 1,024
# tokens stay above -1e5. Finite, so that differences stay numbers.
UNREACHABLE = -1e9


class BeamState(NamedTuple):
    """State of beam search between two tokens.

    Attributes:
        tokens: int32 tensor `(B, K, L)`, running hypotheses, best first.
        length: int32 scalar, tokens written so far.
        scores: float32 tensor `(B, K)`, sums of log-probabilities.
        ancestors: int32 tensor `(B, K, L - P)`, row `b * K + k` that each
            token was computed from; -1 where there is none.
        done_tokens: int32 tensor `(B, K, L)`, finished pool, best first.
        done_scores: float32 tensor `(B, K)`, with the length penalty.
        done_ancestors: int32 tensor `(B, K, L - P)`.
        done: bool tensor `(B, K)`, whether a place of the pool is taken.
        improvable: bool tensor `(B, 1)`, `False` once a document's pool
            accepts nothing more.
        running: bool scalar.
    """

    tokens: Any
    length: Any
    scores: Any
    ancestors: Any
    done_tokens: Any
    done_scores: Any
    done_ancestors: Any
    done: Any
    improvable: Any
    running: Any


class BeamProposal(NamedTuple):
    """The `M` best continuations of each document.

    Attributes:
        tokens: int32 tensor `(B, M, L)`.
        scores: float32 tensor `(B, M)`, sums of log-probabilities.
        ancestors: int32 tensor `(B, M, L - P)`.
        rows: int32 tensor `(B, M)`, row that each one continues.
    """

    tokens: Any
    scores: Any
    ancestors: Any
    rows: Any


@dataclasses.dataclass(frozen=True)
class BeamSearch:
    """Keeps the `K` best hypotheses of each document.

    Args:
        num_beams: int, `K`.
        max_length: int, `L`.
        prompt_length: int, `P`.
        num_eos_tokens: int, number of ids that end a sequence.
        fill: int, token after the end of a sequence.
        early_stopping: `True`, `False` or `"never"`.
        length_penalty: float.
        num_return_sequences: int, at most `K`.
        do_sample: bool, draw the candidates instead of taking the best.
        length_limit: int or int32 scalar tensor, at most `L`: the length at
            which hypotheses end; `None` for `L`.
        uniform: callable that draws, as `backend.uniform`; `None` for that.
    """

    num_beams: int
    max_length: int
    prompt_length: int
    num_eos_tokens: int
    fill: int
    early_stopping: Any
    length_penalty: float
    num_return_sequences: int
    do_sample: bool = False
    length_limit: Any = None
    uniform: Any = None

    # Scores are sums of log-probabilities.
    normalizes = True

    @property
    def num_candidates(self) -> int:
        """int, `M`: enough to go on when each beam's best tokens end it."""
        return max(2, 1 + self.num_eos_tokens) * self.num_beams

    def begin(self, prompt: Tensor) -> BeamState:
        """Returns the state after the prompt `(B * K, P)`."""
        beams, size = self.num_beams, self.max_length
        tokens = ops.pad(
            prompt,
            ((0, 0), (0, size - self.prompt_length)),
            constant_values=self.fill,
        )
        tokens = ops.reshape(tokens, (-1, beams, size))
        # All beams are equal: only the first may be continued at first.
        first = ops.cast(ops.arange(beams) > 0, "float32") * UNREACHABLE
        zeros = ops.cast(ops.zeros_like(tokens[:, :, 0]), "float32")
        none = ops.full_like(tokens[:, :, self.prompt_length :], -1)
        return BeamState(
            tokens=tokens,
            length=ops.convert_to_tensor(self.prompt_length, dtype="int32"),
            scores=zeros + first,
            ancestors=none,
            done_tokens=tokens,
            done_scores=zeros + UNREACHABLE,
            done_ancestors=none,
            done=ops.zeros_like(tokens[:, :, 0], dtype="bool"),
            improvable=ops.ones_like(tokens[:, :1, 0], dtype="bool"),
            running=ops.convert_to_tensor(True),
        )

    def rows(self, state: BeamState) -> Tensor:
        """The tokens of every beam, `(B * K, L)`."""
        return ops.reshape(state.tokens, (-1, self.max_length))

    def propose(
        self, state: BeamState, scores: Tensor, seed: Tensor | None
    ) -> BeamProposal:
        """Finds the `M` best continuations over all beams and tokens.

        Args:
            state: `BeamState`.
            scores: float32 tensor `(B * K, V)`, log-probabilities.
            seed: tensor `(2,)`, used only when sampling.

        Returns:
            `BeamProposal`.
        """
        beams, vocab_size = self.num_beams, scores.shape[-1]
        total = ops.reshape(scores, (-1, beams, vocab_size))
        total = total + state.scores[:, :, None]
        total = ops.reshape(total, (-1, beams * vocab_size))
        count = min(self.num_candidates, beams * vocab_size)
        if self.do_sample:
            _, index = ops.top_k(
                total + gumbel(seed, total, self.uniform), count
            )
            best = ops.take_along_axis(total, index, axis=1)
        else:
            best, index = ops.top_k(total, count)
        index = ops.cast(index, "int32")
        beam = index // vocab_size  # (B, M)
        documents = ops.arange(ops.shape(beam)[0], dtype="int32")
        rows = beam + documents[:, None] * beams
        place = state.length - self.prompt_length
        return BeamProposal(
            tokens=write_column(
                _pick(state.tokens, beam), state.length, index % vocab_size
            ),
            scores=best,
            ancestors=write_column(_pick(state.ancestors, beam), place, rows),
            rows=rows,
        )

    def candidates(self, proposal: BeamProposal) -> Tensor:
        """The sequences whose end is to be looked for, `(B * M, L)`."""
        return ops.reshape(proposal.tokens, (-1, self.max_length))

    def commit(
        self, state: BeamState, proposal: BeamProposal, stops: Tensor
    ) -> tuple[BeamState, Tensor]:
        """Moves on by one token.

        Args:
            state: `BeamState`.
            proposal: `BeamProposal`.
            stops: bool tensor `(B * M,)`, whether a candidate has finished.

        Returns:
            Pair of the new `BeamState` and an int32 tensor `(B * K,)`: the
            row whose cache each running beam goes on with.
        """
        stops = ops.reshape(stops, ops.shape(proposal.rows))
        length = state.length + 1
        scores = proposal.scores + ops.where(stops, UNREACHABLE, 0.0)
        _, index = ops.top_k(scores, self.num_beams)
        running_scores = ops.take_along_axis(scores, index, axis=1)
        pool = self._collect(state, proposal, stops)
        improvable = self._improvable(state, length, running_scores, pool)
        running = ops.logical_and(
            ops.any(improvable), ops.logical_not(ops.all(stops))
        )
        if self.early_stopping is True:
            full = ops.all(pool["done"])
            running = ops.logical_and(running, ops.logical_not(full))
        state = BeamState(
            tokens=_pick(proposal.tokens, index),
            length=length,
            scores=running_scores,
            ancestors=_pick(proposal.ancestors, index),
            improvable=improvable,
            running=running,
            **pool,
        )
        rows = ops.take_along_axis(proposal.rows, index, axis=1)
        return state, ops.reshape(rows, (-1,))

    def _collect(self, state, proposal, stops):
        """Merges the finished candidates into the pool; fields of the state."""
        generated = ops.cast(state.length + 1 - self.prompt_length, "float32")
        scores = proposal.scores / ops.power(generated, self.length_penalty)
        # Only the first K candidates may finish; the others are there to
        # keep K beams running.
        rank = ops.arange(stops.shape[1])[None, :]
        enters = ops.logical_and(stops, rank < self.num_beams)
        accepts = state.improvable
        if self.early_stopping is True:
            full = ops.all(state.done, axis=-1, keepdims=True)
            accepts = ops.logical_and(accepts, ops.logical_not(full))
        scores = scores + ops.where(accepts, 0.0, UNREACHABLE)
        scores = scores + ops.where(enters, 0.0, UNREACHABLE)
        scores = ops.concatenate([state.done_scores, scores], axis=1)
        best, index = ops.top_k(scores, self.num_beams)
        done = ops.concatenate([state.done, enters], axis=1)
        return {
            "done_tokens": _pick_merged(
                state.done_tokens, proposal.tokens, index
            ),
            "done_scores": best,
            "done_ancestors": _pick_merged(
                state.done_ancestors, proposal.ancestors, index
            ),
            "done": ops.take_along_axis(done, index, axis=1),
        }

    def _improvable(self, state, length, running_scores, pool):
        """Whether the best running beam could still enter the pool."""
        if self.early_stopping == "never" and self.length_penalty > 0.0:
            limit = self.max_length
            if self.length_limit is not None:
                limit = self.length_limit
            length = ops.convert_to_tensor(limit, dtype="int32")
        size = ops.cast(length - self.prompt_length, "float32")
        best = running_scores[:, :1] / ops.power(size, self.length_penalty)
        worst = ops.min(pool["done_scores"], axis=1, keepdims=True)
        worst = ops.where(pool["done"], worst, UNREACHABLE)
        better = ops.any(best > worst, axis=-1, keepdims=True)
        return ops.logical_and(state.improvable, better)

    def result(self, state: BeamState) -> dict[str, Tensor]:
        """Returns what the loop found, as a dict of tensors."""
        count, size = self.num_return_sequences, self.max_length
        return {
            "sequences": ops.reshape(state.done_tokens[:, :count], (-1, size)),
            "sequences_scores": ops.reshape(
                state.done_scores[:, :count], (-1,)
            ),
            "beam_indices": ops.reshape(
                state.done_ancestors[:, :count],
                (-1, size - self.prompt_length),
            ),
            "length": state.length,
        }


def _pick(tensor, index):
    """Gathers `(B, N, X)` by `(B, M)` along the second axis."""
    return ops.take_along_axis(tensor, index[:, :, None], axis=1)


def _pick_merged(old, new, index):
    """`_pick` from the concatenation of two tensors."""
    return _pick(ops.concatenate([old, new], axis=1), index)
