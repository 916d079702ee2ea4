"""Contrastive search: probable tokens that do not repeat the context.

Letters: `B` documents, `K` candidates (`top_k`), `R = B * K` rows, `D` hidden
dim, `L` size of the token buffer, `P` prompt length.

Source: Su et al., 2022, https://arxiv.org/abs/2202.06417, equation 5; the
order of the steps is that of transformers 4.57, `TFGenerationMixin`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from keras import ops

from keras_led.backend import argmax
from keras_led.generation.loop.compiled import compiled
from keras_led.generation.loop.decoding_loop import DecodingLoop
from keras_led.generation.loop.step_by_step import Step
from keras_led.typing import AnyLED

if TYPE_CHECKING:
    from keras_led.generation.inputs.strategy import Plan
    from keras_led.generation.processors.chain import ProcessorChain
    from keras_led.generation.search.greedy_and_sampling import TokenSearch

# Below any cosine, so that places without a token never are the maximum.
NO_SIMILARITY = -2.0


class Seen(NamedTuple):
    """What contrastive search knows of the tokens so far.

    Attributes:
        logits: float32 tensor `(B, V)`, of the next token.
        context: float32 tensor `(B, L, D)`, each token's hidden state,
            scaled to length 1.
        present: bool tensor `(B, L)`, whether a place holds a token that is
            no padding.
    """

    logits: Any
    context: Any
    present: Any


class ContrastiveLoop(DecodingLoop):
    """`DecodingLoop` whose rows are the candidates for the next token."""

    alpha: float

    def __init__(
        self,
        model: AnyLED,
        search: "TokenSearch",
        chain: "ProcessorChain",
        plan: "Plan",
        vocab_size: int,
    ):
        super().__init__(model, search, chain, plan, vocab_size)
        self.alpha = plan.options["penalty_alpha"]
        # Processors see one sequence a document, not the candidates.
        self.sequences = 1

    def steps(
        self, inputs: dict[str, Any], key: tuple[Any, ...]
    ) -> Iterator[Step]:
        """Yields a `Step` for each token, with its scores and logits.

        Args:
            inputs: dict of tensors.
            key: hashable, keys the compiled pieces.
        """
        begin = compiled(
            self.model, ("contrastive-begin", *key), lambda: self._begin
        )
        step = compiled(
            self.model, ("contrastive-step", *key), lambda: self._write
        )
        (state, seen, _), decoding, prepared = begin(inputs)
        running = True
        while running:
            length, logits = int(state.length), seen.logits
            state, seen, decoding, scores = step(
                inputs, state, seen, decoding, prepared
            )
            tokens = ops.convert_to_numpy(state.tokens)[:, length]
            yield Step(length, tokens, scores, logits, {}, state)
            running = bool(state.running)

    def _begin(self, inputs):
        carry, decoding = self.enter(inputs, self.start(inputs))
        return carry, decoding, self.prepare(inputs)

    def step(
        self, carry: tuple[Any, ...], constants: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        """One more token for every document; see `DecodingLoop.step`."""
        state, seen, cache = carry
        inputs, decoding, prepared = constants
        decoding = decoding._replace(self_cache=cache)
        state, seen, decoding, _ = self._write(
            inputs, state, seen, decoding, prepared
        )
        return state, seen, decoding.self_cache

    def _write(self, inputs, state, seen, decoding, prepared):
        """Writes one token; returns what goes on, and the scores `(B, V)`."""
        scores = self.chain.process(
            seen.logits, state.tokens, state.length, prepared
        )
        probability = ops.softmax(scores, axis=-1)
        probability, tokens = ops.top_k(probability, self.rows)  # (B, K)
        outputs, decoding = self.read(
            inputs,
            ops.reshape(ops.cast(tokens, "int32"), (-1, 1)),
            decoding,
            state.length,
            output_hidden_states=True,
        )
        hidden = _unit(outputs.decoder_hidden_states[-1][:, 0])
        choice = self._find_best(seen, probability, hidden)
        state, seen, rows = self._take(
            state, seen, tokens, hidden, outputs.logits[:, 0], choice
        )
        return state, seen, decoding.reorder(rows), scores

    def enter(
        self, inputs: dict[str, Any], decoding: Any
    ) -> tuple[tuple[Any, ...], Any]:
        """Reads the whole prompt; all candidates' rows are equal."""
        prompt = ops.repeat(inputs["prompt"], self.rows, axis=0)
        outputs, decoding = self.read(
            inputs, prompt, decoding, 0, output_hidden_states=True
        )
        hidden = outputs.decoder_hidden_states[-1][:: self.rows]
        missing = self.max_length - self.prompt_length
        if "prompt_mask" in inputs:
            present = ops.cast(inputs["prompt_mask"], "bool")
        else:
            present = ops.ones_like(inputs["prompt"], dtype="bool")
        seen = Seen(
            logits=ops.cast(outputs.logits[:: self.rows, -1], "float32"),
            context=ops.pad(_unit(hidden), ((0, 0), (0, missing), (0, 0))),
            present=ops.pad(
                present, ((0, 0), (0, missing)), constant_values=False
            ),
        )
        state = self.search.begin(inputs["prompt"])
        return (state, seen, decoding.self_cache), decoding

    def _find_best(self, seen, probability, hidden):
        """Index of the best candidate of each document, `(B,)`."""
        hidden = ops.reshape(hidden, (-1, self.rows, hidden.shape[-1]))
        cosine = ops.einsum("bkd,bld->bkl", hidden, seen.context)
        cosine = ops.where(seen.present[:, None], cosine, NO_SIMILARITY)
        gain = (1.0 - self.alpha) * probability
        gain = gain - self.alpha * ops.max(cosine, axis=-1)
        return argmax(gain)

    def _take(self, state, seen, tokens, hidden, logits, choice):
        """Takes the chosen candidates over into the state.

        Returns:
            The new state, the new `Seen`, and the row `(R,)` that each row's
            cache goes on with: the chosen one of its document.
        """
        documents = ops.arange(ops.shape(choice)[0], dtype="int32")
        chosen = documents * self.rows + choice  # (B,)
        token = ops.take(ops.reshape(tokens, (-1,)), chosen, axis=0)
        place = state.length
        proposal = self.search.write(state, ops.cast(token, "int32"))
        stops = self.find_stops(state, proposal)
        state, _ = self.search.commit(state, proposal, stops)
        here = ops.arange(self.max_length, dtype="int32") == place  # (L,)
        newest = ops.take(hidden, chosen, axis=0)[:, None]  # (B, 1, D)
        seen = Seen(
            logits=ops.take(ops.cast(logits, "float32"), chosen, axis=0),
            context=ops.where(here[None, :, None], newest, seen.context),
            present=ops.logical_or(seen.present, here[None, :]),
        )
        return state, seen, ops.repeat(chosen, self.rows, axis=0)


def _unit(hidden):
    """Scales hidden states to length 1, in float32."""
    hidden = ops.cast(hidden, "float32")
    size = ops.sqrt(ops.sum(hidden * hidden, axis=-1, keepdims=True))
    return hidden / ops.maximum(size, 1e-12)
