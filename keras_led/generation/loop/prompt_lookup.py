"""Prompt-lookup decoding: greedy search that guesses from the document.

A summary often copies phrases. The last tokens written are looked up in the
document; what follows there is a draft of the next tokens, and one pass of the
decoder tells how much of it greedy search would have written. The tokens are
those of greedy search; only the number of passes differs.

Source: Saxena, 2023, https://github.com/apoorvumang/prompt-lookup-decoding
"""

from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led.generation.loop.decoding_loop import DecodingLoop
from keras_led.generation.processors.ngrams import find_successors
from keras_led.generation.processors.ngrams import last_tokens
from keras_led.generation.search.greedy_and_sampling import TokenState
from keras_led.generation.search.greedy_and_sampling import read_column
from keras_led.typing import AnyLED

if TYPE_CHECKING:
    from keras_led.generation.inputs.strategy import Plan
    from keras_led.generation.processors.chain import ProcessorChain
    from keras_led.generation.search.greedy_and_sampling import TokenSearch


class PromptLookupLoop(DecodingLoop):
    """`DecodingLoop` that verifies several tokens in one pass."""

    draft_length: int
    ngram_size: int

    def __init__(
        self,
        model: AnyLED,
        search: "TokenSearch",
        chain: "ProcessorChain",
        plan: "Plan",
        vocab_size: int,
    ):
        super().__init__(model, search, chain, plan, vocab_size)
        options = plan.options
        longest = self.max_length - 1
        self.draft_length = min(options["prompt_lookup_num_tokens"], longest)
        self.ngram_size = min(options["max_matching_ngram_size"], longest)

    def enter(
        self, inputs: dict[str, Any], decoding: Any
    ) -> tuple[tuple[Any, ...], Any]:
        (state, cache), decoding = super().enter(inputs, decoding)
        passes = ops.convert_to_tensor(0, dtype="int32")
        return (state, cache, passes), decoding

    def step(
        self, carry: tuple[Any, ...], constants: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        """Some more tokens for every document; see `DecodingLoop.step`."""
        state, cache, passes = carry
        inputs, decoding, prepared = constants
        decoding = decoding._replace(self_cache=cache)
        draft = self._draft(inputs, state)
        logits, first, decoding = self._verify(inputs, state, draft, decoding)
        state = self._accept(state, draft, logits, first, prepared)
        return state, decoding.self_cache, passes + 1

    def leave(self, carry: tuple[Any, ...]) -> dict[str, Any]:
        """The search's result, and `passes`: how often the decoder ran."""
        return {**super().leave(carry), "passes": carry[2]}

    def _draft(self, inputs, state):
        """Finds what may come next.

        Returns:
            int32 tensor `(B, N)`, `N` the draft's length: what follows the
            first occurrence of the longest matching n-gram; 0 where nothing
            does.
        """
        ids = inputs["ids"]
        given = ops.arange(ids.shape[1], dtype="int32") < inputs["width"]
        start = ops.full_like(ids[:, 0], ids.shape[1])
        for size in range(1, min(self.ngram_size, ids.shape[1] - 1) + 1):
            suffix = last_tokens(state.tokens, state.length, size)
            after = ops.logical_and(find_successors(ids, suffix), given)
            after = ops.logical_and(after, state.length >= size)
            place = ops.cast(ops.argmax(after, axis=1), "int32")
            # A longer match replaces a shorter one.
            start = ops.where(ops.any(after, axis=1), place, start)
        padded = ops.pad(
            ops.where(given, ids, 0), ((0, 0), (0, self.draft_length))
        )
        offset = ops.arange(self.draft_length, dtype="int32")
        return ops.take_along_axis(padded, start[:, None] + offset, axis=1)

    def _verify(self, inputs, state, draft, decoding):
        """Reads the last token and the draft in one pass.

        Near the end of the buffer the pass begins earlier and reads tokens
        again that are in the cache already, with the same result: so the
        block always fits.

        Returns:
            Logits `(B, N + 1, V)`, the place of the token after the first of
            them, and the new decoding state.
        """
        size = min(self.draft_length + 1, self.max_length)
        place = ops.arange(self.max_length, dtype="int32") - state.length
        drafted = ops.take(
            draft, ops.clip(place, 0, self.draft_length - 1), axis=1
        )
        tokens = ops.where(place >= 0, drafted, state.tokens)  # (B, L)
        first = ops.minimum(state.length - 1, self.max_length - size)
        block = first + ops.arange(size, dtype="int32")
        outputs, decoding = self.read(
            inputs, ops.take(tokens, block, axis=1), decoding, first
        )
        return ops.cast(outputs.logits, "float32"), first + 1, decoding

    def _accept(self, state, draft, logits, first, prepared):
        """Writes greedy tokens for as long as the draft foresaw them.

        With several documents the shortest agreement counts for all.
        """
        alive = ops.convert_to_tensor(True)
        for index in range(self.draft_length + 1):
            row = ops.clip(state.length - first, 0, logits.shape[1] - 1)
            scores = self.chain.process(
                ops.take(logits, row, axis=1),
                state.tokens,
                state.length,
                prepared,
            )
            proposal = self.search.propose(state, scores, None)  # pyright: ignore[reportArgumentType]
            stops = self.find_stops(state, proposal)
            newest = read_column(proposal, state.length)
            after, _ = self.search.commit(state, proposal, stops)  # pyright: ignore[reportArgumentType]
            finished = ops.logical_not(state.unfinished)
            state = TokenState(
                *(
                    ops.where(alive, new, old)
                    for new, old in zip(after, state, strict=True)
                )
            )
            if index < self.draft_length:
                foreseen = ops.equal(newest, draft[:, index])
                agreed = ops.all(ops.logical_or(foreseen, finished))
                alive = ops.logical_and(alive, agreed)
                alive = ops.logical_and(alive, state.running)
        return state
