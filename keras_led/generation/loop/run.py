"""From a checked request to the tokens and outputs of `generate`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_led import backend
from keras_led.generation.loop.compiled import compiled
from keras_led.generation.loop.contrastive import ContrastiveLoop
from keras_led.generation.loop.decoding_loop import DecodingLoop
from keras_led.generation.loop.encode import encode
from keras_led.generation.loop.prompt_lookup import PromptLookupLoop
from keras_led.generation.loop.step_by_step import StepByStep
from keras_led.generation.loop.step_by_step import collect_outputs
from keras_led.generation.processors.chain import build_chain
from keras_led.generation.results import generate_outputs as output_classes
from keras_led.generation.results.streamers import TextPieces
from keras_led.generation.search.choose_search import make_search
from keras_led.generation.search.choose_search import trim
from keras_led.typing import AnyLED

if TYPE_CHECKING:
    from keras_led.generation.inputs.arguments import Request
    from keras_led.generation.inputs.strategy import Plan
    from keras_led.generation.processors.chain import ProcessorChain
    from keras_led.generation.search.beam import BeamSearch
    from keras_led.generation.search.greedy_and_sampling import TokenSearch
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer

LOOPS = {"contrastive": ContrastiveLoop, "lookup": PromptLookupLoop}
# Options that a loop reads itself, and so belong to its key.
STATIC_OPTIONS = (
    "penalty_alpha",
    "prompt_lookup_num_tokens",
    "max_matching_ngram_size",
)


def run_request(model: AnyLED, request: "Request") -> Any:
    """Generates what a request asks for.

    Args:
        model: the model.
        request: `Request`.

    Returns:
        Sequences or an output object; see `GenerationMixin.generate`.
    """
    plan = request.plan
    loop, key, inputs, document, encoder_outputs = prepare(model, request)
    if request.has_hooks or loop.chain.has_hooks:
        result, shown = run_steps(loop, key, inputs, request)
    else:
        run = compiled(model, ("run", *key), lambda: loop.run)
        result, shown = run(inputs), {}
    fields = trim(plan, result)
    if not plan.options["return_dict_in_generate"]:
        return fields["sequences"]
    fields.update(shown)
    fields.update(_encoder_fields(plan, encoder_outputs))
    if plan.mode == "beam":
        return output_classes.GenerateBeamEncoderDecoderOutput(**fields)
    output = output_classes.GenerateEncoderDecoderOutput(**fields)
    if request.returns_past:
        hidden = document["hidden"][:, : request.documents.length]
        read = fields["sequences"].shape[1] - 1
        output.make_past = lambda: model.past_key_values(
            result["cache"], read, hidden, plan.rows
        )
    return output


def prepare(
    model: AnyLED, request: "Request"
) -> tuple[DecodingLoop, tuple[Any, ...], dict[str, Any], dict[str, Any], Any]:
    """Reads the documents and puts the loop together.

    Args:
        model: the model.
        request: `Request`.

    Returns:
        The loop, the key of its compiled functions, its inputs, those of its
        start, and the encoder's output.
    """
    plan = request.plan
    chain = build_chain(plan, request.processors, request.prefix_function)
    search = make_search(plan)
    loop = make_loop(model, search, chain, plan)
    loop.past_length = request.past_length
    loop.returns_cache = request.returns_past
    encoded, encoder_outputs = encode(model, request)
    inputs = {**encoded, **_own_inputs(request)}
    key = (search, chain.key(), plan.eos_token_ids, loop.use_cache)
    key += (plan.rows, plan.prompt_length, plan.max_length)
    key += (plan.mode, tuple(sorted(inputs)))
    key += (loop.past_length, loop.returns_cache)
    key += tuple(plan.options[name] for name in STATIC_OPTIONS)
    document = {"hidden": inputs.pop("hidden"), "mask": inputs["mask"]}
    if request.past is not None:
        document["past"] = request.past
    start = compiled(
        model,
        ("start", plan.rows, plan.max_length, loop.use_cache, len(document)),
        lambda: loop.start,
        large_products=True,
        recordable=True,
    )
    inputs["decoding"] = start(document)
    return loop, key, inputs, document, encoder_outputs


def make_loop(
    model: AnyLED,
    search: "TokenSearch | BeamSearch",
    chain: "ProcessorChain",
    plan: "Plan",
) -> DecodingLoop:
    """Makes the `DecodingLoop` that a plan asks for."""
    make = LOOPS.get(plan.mode, DecodingLoop)
    return make(model, search, chain, plan, model.config.vocab_size)


def stream_request(
    model: AnyLED, request: "Request", tokenizer: "LEDTokenizer"
) -> Iterator[str]:
    """Generates for one document, yielding text.

    Args:
        model: the model.
        request: `Request` for one sequence.
        tokenizer: decodes the tokens.

    Returns:
        Iterator of str.

    Raises:
        ValueError: If the request is not for one sequence, token by token.
    """
    plan = request.plan
    if plan.mode != "token" or request.documents.size * plan.rows != 1:
        raise ValueError(
            "`stream` writes one sequence token by token: one document, one "
            "beam, one returned sequence. Received: "
            f"{request.documents.size} documents, {plan.mode} search with "
            f"{plan.rows} rows."
        )

    def pieces():
        loop, key, inputs, *_ = prepare(model, request)
        flags = {"output_attentions": False, "output_hidden_states": False}
        by_step = StepByStep(loop, key, request.criteria, flags)
        text = TextPieces(tokenizer, skip_special_tokens=True)
        for step in by_step.steps(inputs):
            piece = text.add(step.tokens)
            if piece:
                yield piece
        rest = text.finish()
        if rest:
            yield rest

    return pieces()


def run_steps(
    loop: DecodingLoop,
    key: tuple[Any, ...],
    inputs: dict[str, Any],
    request: "Request",
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Decodes step by step, feeding streamer and progress bar.

    Returns:
        Pair of the search's result and a dict of per-step output fields.
    """
    plan = request.plan
    options, names = plan.options, []
    if options["return_dict_in_generate"]:
        names += ["scores"] if options["output_scores"] else []
        names += ["logits"] if options["output_logits"] else []
        if options["output_attentions"]:
            names += ["decoder_attentions", "cross_attentions"]
        if options["output_hidden_states"]:
            names += ["decoder_hidden_states"]
    flags = {
        "output_attentions": "decoder_attentions" in names,
        "output_hidden_states": "decoder_hidden_states" in names,
    }
    if plan.mode == "contrastive":
        found = loop.steps(inputs, key)
    else:
        keep_scores = "scores" in names
        by_step = StepByStep(loop, key, request.criteria, flags, keep_scores)
        found = by_step.steps(inputs)
    streamer, bar = request.streamer, None
    if request.progress:
        bar = keras.utils.Progbar(
            plan.max_length - plan.prompt_length, unit_name="token"
        )
    if streamer is not None:
        streamer.put(np.repeat(request.prompt, plan.rows, axis=0))
    steps = []
    for step in found:
        if streamer is not None:
            streamer.put(step.tokens)
        if bar is not None:
            bar.add(1)
        steps = [*steps, step] if names else [step]
    if streamer is not None:
        streamer.end()
    if bar is not None:
        bar.update(bar.target, finalize=True)
    result = loop.search.result(steps[-1].state)
    if request.returns_past:
        result["cache"] = by_step.cache
    width = request.documents.length
    return result, collect_outputs(steps, plan, width, names)


def _own_inputs(request):
    """Tensors of the request beside the encoded documents."""
    arrays = {"prompt": request.prompt, **request.head_masks}
    if request.prompt_mask is not None:
        arrays["prompt_mask"] = request.prompt_mask
    if request.plan.options["do_sample"]:
        arrays["seed"] = backend.same_everywhere(request.seed)
    return {k: ops.convert_to_tensor(v) for k, v in arrays.items()}


def _encoder_fields(plan, encoder_outputs):
    """The encoder's attentions and hidden states, when asked for."""
    fields = {}
    for flag, name in (
        ("output_attentions", "attentions"),
        ("output_hidden_states", "hidden_states"),
    ):
        if plan.options[flag] and encoder_outputs is not None:
            fields[f"encoder_{name}"] = getattr(encoder_outputs, name, None)
    return fields
