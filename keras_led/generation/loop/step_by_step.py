"""Decoding one token at a time, with Python between the steps.

User processors, stopping criteria, streamers and per-step outputs need to see
each step. The pieces between them are compiled; the steps themselves are those
of `DecodingLoop.step`.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from keras import ops

from keras_led.generation.loop.compiled import compiled
from keras_led.generation.options.stopping import any_stops
from keras_led.generation.processors.chain import ProcessorChain

if TYPE_CHECKING:
    from keras_led.generation.inputs.strategy import Plan
    from keras_led.generation.loop.decoding_loop import DecodingLoop


class Step(NamedTuple):
    """What one step shows.

    Attributes:
        length: int, tokens of each row before the step.
        tokens: numpy int32 array `(R,)`, the newest token of each row.
        scores: float32 tensor `(R, V)`, processed.
        logits: float32 tensor `(R, V)`.
        outputs: the model's output with attentions and hidden states.
        state: the search's state after the step.
    """

    length: int
    tokens: Any
    scores: Any
    logits: Any
    outputs: Any
    state: Any


class StepByStep:
    """Runs a `DecodingLoop` step by step.

    Args:
        loop: `DecodingLoop`.
        key: hashable, keys the compiled pieces.
        criteria: list of stopping criteria.
        flags: dict of `output_attentions` and `output_hidden_states`.
        keep_scores: bool, whether criteria see the scores of all steps.
    """

    segments: list[Any]
    cache: Any

    def __init__(
        self,
        loop: "DecodingLoop",
        key: tuple[Any, ...],
        criteria: list[Callable[..., Any]],
        flags: dict[str, bool],
        keep_scores: bool = False,
    ):
        self.loop = loop
        self.key = key
        self.criteria = criteria
        self.flags = flags
        self.keep_scores = keep_scores
        self.segments = loop.chain.segments()
        self._functions = {}
        self.cache = None  # of the last step

    def _compiled(self, name, function):
        if name not in self._functions:
            key = (name, *self.key, tuple(sorted(self.flags.items())))
            self._functions[name] = compiled(
                self.loop.model, key, lambda: function
            )
        return self._functions[name]

    def steps(self, inputs: dict[str, Any]) -> Iterator[Step]:
        """Yields a `Step` for each token, until all sequences have ended."""
        begin = self._compiled("begin", self._begin)
        state, decoding, prepared = begin(inputs)
        kept = () if self.keep_scores else None
        first = True
        while True:
            length = int(state.length)
            read = self._compiled(
                "first" if first else "next",
                self._read_first if first else self._read_next,
            )
            logits, outputs, decoding = read(inputs, state, decoding)
            first = False
            scores = self._process(logits, state, prepared, length)
            if kept is not None:
                kept += (scores,)
            choose = self._compiled("choose", self._choose)
            proposal, candidates, stops = choose(inputs, state, scores)
            if self.criteria:
                asked = any_stops(
                    self.criteria, candidates[:, : length + 1], kept
                )
                stops = ops.convert_to_tensor(
                    ops.convert_to_numpy(stops) | asked
                )
            commit = self._compiled("commit", self.loop.commit)
            state, decoding = commit(state, decoding, proposal, stops)
            self.cache = decoding.self_cache
            tokens = ops.convert_to_numpy(self.loop.search.rows(state))
            yield Step(
                length, tokens[:, length], scores, logits, outputs, state
            )
            if not bool(state.running):
                return

    def _begin(self, inputs):
        loop = self.loop
        prepared = tuple(
            loop.prepare(inputs, segment)
            for segment in self.segments
            if isinstance(segment, ProcessorChain)
        )
        return loop.begin(inputs), loop.start(inputs), prepared

    def _read_first(self, inputs, state, decoding):
        """Reads the whole prompt, so that its outputs can be shown."""
        if not self.loop.use_cache:
            return self._read_next(inputs, state, decoding)
        tokens = self.loop.search.rows(state)
        first = self.loop.past_length
        prompt = tokens[:, first : self.loop.prompt_length]
        outputs, decoding = self.loop.read(
            inputs, prompt, decoding, first, **self.flags
        )
        logits = ops.cast(outputs.logits[:, -1], "float32")
        return logits, self._shown(outputs), decoding

    def _read_next(self, inputs, state, decoding):
        logits, outputs, decoding = self.loop.next_logits(
            inputs, state, decoding, **self.flags
        )
        return logits, self._shown(outputs), decoding

    def _shown(self, outputs):
        names = []
        if self.flags["output_attentions"]:
            names += ["decoder_attentions", "cross_attentions"]
        if self.flags["output_hidden_states"]:
            names += ["decoder_hidden_states"]
        return {name: outputs[name] for name in names}

    def _process(self, logits, state, prepared, length):
        """Applies processors and hooks in their order."""
        scores = self._compiled("normalize", self.loop.normalize)(logits)
        prepared = iter(prepared)
        tokens = self.loop.search.rows(state)
        for place, segment in enumerate(self.segments):
            if isinstance(segment, ProcessorChain):
                process = self._compiled(
                    ("process", place, segment.key()), segment.process
                )
                scores = process(scores, tokens, state.length, next(prepared))
            else:
                scores = segment(tokens[:, :length], scores)
        return scores

    def _choose(self, inputs, state, scores):
        proposal, stops = self.loop.choose(inputs, state, scores)
        return proposal, self.loop.search.candidates(proposal), stops


def collect_outputs(
    steps: list[Step], plan: "Plan", width: int, wanted: Iterable[str]
) -> dict[str, tuple[Any, ...]]:
    """Gathers the per-step outputs in Hugging Face's layout.

    Args:
        steps: list of `Step`s.
        plan: `Plan`.
        width: int, `S`, columns of the cross-attention to keep.
        wanted: names of the fields to gather.

    Returns:
        Dict of field name to a tuple with one entry a step.
    """
    cached = plan.options["use_cache"]
    fields = {name: [] for name in wanted}
    for step in steps:
        length = step.length
        for name in wanted:
            if name in ("scores", "logits"):
                fields[name].append(getattr(step, name))
                continue
            layers = step.outputs[name]
            if name == "decoder_hidden_states":
                cut = [
                    layer if cached else layer[:, :length] for layer in layers
                ]
            else:
                keys = length if name == "decoder_attentions" else width
                cut = [
                    (layer if cached else layer[:, :, :length])[..., :keys]
                    for layer in layers
                ]
            fields[name].append(tuple(cut))
    return {name: tuple(values) for name, values in fields.items()}
