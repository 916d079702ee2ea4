"""The list of processors that one call of `generate` applies, in order."""

import itertools
import math
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from keras_led.generation.processors import scores as processors
from keras_led.generation.processors import warpers
from keras_led.generation.processors.ngrams import BadWords
from keras_led.generation.processors.ngrams import EncoderNoRepeatNGram
from keras_led.generation.processors.ngrams import NoRepeatNGram
from keras_led.generation.processors.ngrams import SequenceBias
from keras_led.generation.processors.python_hooks import PrefixHook
from keras_led.generation.processors.python_hooks import ProcessorHook
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.generation.inputs.strategy import Plan
    from keras_led.generation.processors.scores import Documents
    from keras_led.generation.processors.scores import LogitsProcessor


class ProcessorChain:
    """Processors and hooks, applied one after the other.

    Args:
        stages: list of `LogitsProcessor`s and hooks.
        built_in: bool, whether all are of this package. A user's may do more
            than operations on tensors.
    """

    stages: tuple[Any, ...]

    def __init__(self, stages: Iterable[Any], built_in: bool = True):
        self.stages = tuple(stages)
        self.built_in = built_in

    @property
    def has_hooks(self) -> bool:
        """Whether Python code has to run between two steps."""
        return not all(
            isinstance(stage, processors.LogitsProcessor)
            for stage in self.stages
        )

    def key(self) -> tuple[Any, ...]:
        """Hashable that tells chains with different compiled parts apart."""
        return tuple(
            stage
            if isinstance(stage, processors.LogitsProcessor)
            else type(stage)
            for stage in self.stages
        )

    def segments(self) -> list[Any]:
        """Splits the chain where hooks stand.

        Returns:
            List of `ProcessorChain`s without hooks, and of hooks.
        """
        result = []
        grouped = itertools.groupby(
            self.stages, lambda s: isinstance(s, processors.LogitsProcessor)
        )
        for compiled, stages in grouped:
            result += [ProcessorChain(stages)] if compiled else list(stages)
        return result

    def prepare(self, documents: "Documents") -> tuple[Any, ...]:
        """Prepares every stage; see `LogitsProcessor.prepare`."""
        return tuple(stage.prepare(documents) for stage in self.stages)

    def process(
        self,
        scores: Tensor,
        tokens: Tensor,
        length: Tensor,
        prepared: tuple[Any, ...],
    ) -> Tensor:
        """Applies every stage; see `LogitsProcessor.process`."""
        for stage, extra in zip(self.stages, prepared, strict=True):
            scores = stage.process(scores, tokens, length, extra)
        return scores


def build_chain(
    plan: "Plan",
    user_processors: "Sequence[Callable[..., Any] | LogitsProcessor]" = (),
    prefix_function: Callable[..., Any] | None = None,
) -> ProcessorChain:
    """Orders the processors as Hugging Face does.

    Args:
        plan: `Plan`.
        user_processors: callables or `LogitsProcessor`s. One of the type of a
            built-in processor takes its place; the others come after the
            built-in ones and before the warpers of sampling.
        prefix_function: `prefix_allowed_tokens_fn`, or `None`.

    Returns:
        `ProcessorChain`.
    """
    stages = _content_stages(plan) + _length_stages(plan)
    if prefix_function is not None:
        stages.append(PrefixHook(prefix_function, plan.rows))
    stages += _forced_stages(plan)
    for processor in user_processors:
        types = [type(stage) for stage in stages]
        if not isinstance(processor, processors.LogitsProcessor):
            stages.append(ProcessorHook(processor))
        elif type(processor) in types:
            stages[types.index(type(processor))] = processor
        else:
            stages.append(processor)
    if plan.options["do_sample"]:
        stages += _sampling_stages(plan)
    if plan.options["renormalize_logits"]:
        stages.append(processors.Renormalize())
    return ProcessorChain(stages, built_in=not user_processors)


def _content_stages(plan):
    """What a text may say: biases, repetition, n-grams, bad words."""
    options, stages = plan.options, []
    if options["sequence_bias"]:
        pairs = [(tuple(ids), bias) for ids, bias in options["sequence_bias"]]
        stages.append(SequenceBias(tuple(pairs)))
    if options["encoder_repetition_penalty"] != 1.0:
        penalty = options["encoder_repetition_penalty"]
        stages.append(processors.EncoderRepetitionPenalty(penalty))
    if options["repetition_penalty"] != 1.0:
        penalty = options["repetition_penalty"]
        stages.append(processors.RepetitionPenalty(penalty))
    if options["no_repeat_ngram_size"]:
        stages.append(NoRepeatNGram(options["no_repeat_ngram_size"]))
    size = options["encoder_no_repeat_ngram_size"]
    # A longer n-gram than the output has room for never occurs in it, and
    # would take memory and steps by its size.
    if size and size <= plan.max_length:
        stages.append(EncoderNoRepeatNGram(size))
    words = [tuple(word) for word in options["bad_words_ids"] or ()]
    words = [w for w in words if w not in [(i,) for i in plan.eos_token_ids]]
    if words:
        stages.append(BadWords(tuple((word, -math.inf) for word in words)))
    return stages


def _length_stages(plan):
    """Where a text may not end yet."""
    options, eos, stages = plan.options, plan.possible_ends, []
    if options["min_length"] and eos:
        stages.append(processors.MinLength(options["min_length"], eos))
    if options["min_new_tokens"] and eos:
        shortest = plan.prompt_length + options["min_new_tokens"]
        stages.append(processors.MinNewTokens(shortest, eos))
    return stages


def _forced_stages(plan):
    """Tokens tied to a place, and the repairs around them."""
    options, eos, stages = plan.options, plan.possible_ends, []
    bos = options["forced_bos_token_id"]
    if bos is not None:
        stages.append(processors.ForcedBOS(bos))
    forced_eos = options["forced_eos_token_id"]
    if forced_eos is not None:
        ids = forced_eos if isinstance(forced_eos, list) else [forced_eos]
        stages.append(processors.ForcedEOS(plan.max_length, tuple(ids)))
    if options["remove_invalid_values"]:
        stages.append(processors.RemoveInvalid())
    decay = options["exponential_decay_length_penalty"]
    if decay and eos:
        start = plan.prompt_length + decay[0]
        stages.append(processors.ExponentialDecay(start, decay[1], eos))
    if options["suppress_tokens"]:
        ids = tuple(options["suppress_tokens"])
        stages.append(processors.SuppressTokens(ids))
    if options["begin_suppress_tokens"]:
        ids = tuple(options["begin_suppress_tokens"])
        begin = plan.prompt_length
        begin += 1 if begin == 1 and bos is not None else 0
        stages.append(processors.BeginSuppressTokens(ids, begin))
    return stages


def _sampling_stages(plan):
    """What narrows the distribution that tokens are drawn from."""
    options, stages = plan.options, []
    # A beam must be able to go on: one token more than there are ends.
    beams = options["num_beams"] > 1
    keep = max(2, len(plan.eos_token_ids) + 1) if beams else 1
    if options["temperature"] != 1.0:
        stages.append(warpers.Temperature(options["temperature"]))
    if options["top_k"]:
        stages.append(warpers.TopK(max(options["top_k"], keep)))
    if options["top_p"] < 1.0:
        stages.append(warpers.TopP(options["top_p"], keep))
    if options["min_p"] is not None:
        stages.append(warpers.MinP(options["min_p"], keep))
    if options["typical_p"] < 1.0:
        stages.append(warpers.Typical(options["typical_p"], keep))
    if options["epsilon_cutoff"] > 0.0:
        stages.append(warpers.EpsilonCutoff(options["epsilon_cutoff"], keep))
    if options["eta_cutoff"] > 0.0:
        stages.append(warpers.EtaCutoff(options["eta_cutoff"], keep))
    return stages
