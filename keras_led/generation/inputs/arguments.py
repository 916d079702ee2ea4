"""One call of `generate`: arguments in, a checked request out."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_led.argument_checks import did_you_mean
from keras_led.generation.inputs.document_batch import read_array
from keras_led.generation.inputs.document_batch import read_documents
from keras_led.generation.inputs.past import read_past
from keras_led.generation.inputs.prompt import read_prompt
from keras_led.generation.inputs.strategy import make_plan
from keras_led.generation.options.defaults import NOT_OFFERED
from keras_led.generation.options.generation_config import FIELDS
from keras_led.generation.options.generation_config import GenerationConfig
from keras_led.generation.options.stopping import build_criteria
from keras_led.generation.tensor_ops import backend

if TYPE_CHECKING:
    from keras_led.config import LEDConfig

# Arguments of `generate` that are not generation options.
MODEL_ARGUMENTS = (
    "input_ids",
    "attention_mask",
    "global_attention_mask",
    "inputs_embeds",
    "encoder_outputs",
    "decoder_input_ids",
    "decoder_attention_mask",
    "head_mask",
    "decoder_head_mask",
    "cross_attn_head_mask",
    "past_key_values",
)
# Those that a document is made of.
SOURCES = ("input_ids", "inputs_embeds", "encoder_outputs")
CALL_ARGUMENTS = (
    "generation_config",
    "logits_processor",
    "stopping_criteria",
    "prefix_allowed_tokens_fn",
    "streamer",
    "tokenizer",
    "seed",
    "progress",
)


# Options that ask for an output of each step.
SCORES = ("output_scores", "output_logits")
LAYERS = ("output_attentions", "output_hidden_states")


@dataclasses.dataclass
class Request:
    """Everything that one call needs, checked.

    Attributes:
        plan: `Plan`.
        documents: `DocumentBatch`.
        prompt: numpy int32 array `(B, P)`.
        prompt_mask: numpy int32 array `(B, P)`, or `None`.
        past: keys and values of the first tokens of the prompt; see
            `read_past`.
        head_masks: dict of the decoder's head masks that were given.
        head_mask: the encoder's head mask, or `None`.
        processors: list of the user's processors.
        prefix_function: `prefix_allowed_tokens_fn`, or `None`.
        criteria: list of stopping criteria.
        streamer: object with `put` and `end`, or `None`.
        seed: numpy uint32 array `(2,)`.
        progress: bool.
    """

    plan: Any
    documents: Any
    prompt: Any
    prompt_mask: Any
    past: Any
    head_masks: dict[str, Any]
    head_mask: Any
    processors: list[Any]
    prefix_function: Any
    criteria: list[Any]
    streamer: Any
    seed: Any
    progress: bool

    @property
    def past_length(self) -> int:
        """int, tokens of the prompt whose keys and values are given."""
        return 0 if self.past is None else self.past[0][0].shape[2]

    @property
    def returns_past(self) -> bool:
        """Whether the output has `past_key_values`."""
        options = self.plan.options
        shown = options["return_dict_in_generate"] and options["use_cache"]
        return shown and self.plan.mode == "token"

    def wants(self, *names: str) -> bool:
        """Whether one of these per-step outputs is to be returned."""
        options = self.plan.options
        shown = options["return_dict_in_generate"]
        return shown and any(options[name] for name in names)

    @property
    def has_hooks(self) -> bool:
        """Whether Python has to run between the steps."""
        return bool(self.wants(*SCORES, *LAYERS) or self.has_callbacks)

    @property
    def has_callbacks(self) -> bool:
        """Whether it is the caller's Python that runs there."""
        return bool(
            self.prefix_function
            or self.criteria
            or self.streamer
            or self.progress
        )


def read_request(
    config: "LEDConfig", base: GenerationConfig, arguments: Mapping[str, Any]
) -> Request:
    """Checks the arguments of `generate`, before any long work.

    Args:
        config: `LEDConfig` of the model.
        base: `GenerationConfig` of the model.
        arguments: dict of all arguments of the call.

    Returns:
        `Request`.

    Raises:
        TypeError: If an argument is unknown or of a wrong type.
        ValueError: If a value does not fit.
    """
    arguments = _spread(arguments)
    _check_names(arguments)
    _check_concrete(arguments)
    options = {k: v for k, v in arguments.items() if k in FIELDS}
    options.update({k: v for k, v in arguments.items() if k in NOT_OFFERED})
    own = arguments.get("generation_config")
    own = GenerationConfig() if own is None else own
    if not isinstance(own, GenerationConfig):
        raise TypeError(
            "`generation_config` must be a `GenerationConfig`. "
            f"Received: {type(own).__name__}."
        )
    resolved = own.resolve(base, **options)
    if all(arguments.get(name) is None for name in SOURCES):
        arguments["input_ids"] = _start_documents(resolved, arguments)
    eos = resolved["eos_token_id"]
    eos = eos if isinstance(eos, list) else [eos]
    documents = read_documents(
        config,
        resolved["pad_token_id"],
        eos,
        **{name: arguments.get(name) for name in MODEL_ARGUMENTS[:5]},
    )
    prompt, prompt_mask = read_prompt(
        resolved,
        documents.size,
        config.vocab_size,
        arguments.get("decoder_input_ids"),
        arguments.get("decoder_attention_mask"),
    )
    explicit = set(options) | {k for k in FIELDS if getattr(own, k) is not None}
    plan = make_plan(
        resolved,
        prompt.shape[1],
        config.max_decoder_position_embeddings,
        config.vocab_size,
        explicit,
    )
    request = Request(
        plan=plan,
        documents=documents,
        prompt=prompt,
        prompt_mask=prompt_mask,
        past=read_past(
            arguments.get("past_key_values"), config, plan, documents.size
        ),
        head_masks=_head_masks(config, arguments),
        head_mask=_head_mask(
            "head_mask",
            arguments,
            (config.encoder_layers, config.encoder_attention_heads),
        ),
        processors=list(arguments.get("logits_processor") or ()),
        prefix_function=arguments.get("prefix_allowed_tokens_fn"),
        criteria=build_criteria(
            resolved,
            arguments.get("stopping_criteria") or (),
            arguments.get("tokenizer"),
        ),
        streamer=arguments.get("streamer"),
        seed=read_seed(arguments.get("seed")),
        progress=bool(arguments.get("progress")),
    )
    _check_request(request)
    return request


def read_seed(seed: Any) -> np.ndarray:
    """Turns a seed into two 32-bit numbers.

    Args:
        seed: int, pair of ints, or `None` to draw one from numpy's global
            generator, which `keras.utils.set_random_seed` seeds.

    Returns:
        numpy uint32 array `(2,)`.

    Raises:
        ValueError: If it is neither an int nor a pair of ints.
    """
    if seed is None:
        return np.random.randint(0, 2**31, size=2).astype("uint32")
    parts = np.asarray(read_array(seed) if np.ndim(seed) else seed)
    if parts.dtype.kind not in "iu" or parts.shape not in ((), (2,)):
        raise ValueError(
            f"`seed` must be an int or a pair of ints. Received: seed={seed!r}."
        )
    if parts.shape == ():
        value = int(parts)
        parts = np.array([value >> 32, value], "object")
    return np.array([int(part) & 0xFFFFFFFF for part in parts], "uint32")


def _start_documents(options, arguments):
    """Documents of the start token alone, `(B, 1)`, where none is given.

    As in Hugging Face. `B` is that of whatever else is given, or 1.
    """
    token = options["bos_token_id"]
    if token is None:
        return None
    others = [arguments.get(name) for name in MODEL_ARGUMENTS[:7]]
    sizes = [len(value) for value in others if value is not None]
    return np.full((sizes[0] if sizes else 1, 1), token)


def _spread(arguments):
    """Takes a dict given as first argument apart; drops what is `None`."""
    arguments = dict(arguments)
    inputs = arguments.pop("inputs", None)
    if inputs is not None:
        if arguments.get("input_ids") is not None:
            raise ValueError(
                "One of `inputs` and `input_ids` must be given: they are the "
                "same. Received: both."
            )
        arguments["input_ids"] = inputs
    first = arguments.get("input_ids")
    if isinstance(first, Mapping):
        arguments = {**arguments, "input_ids": None}
        arguments.update({k: v for k, v in first.items() if v is not None})
    return arguments


def _check_names(arguments):
    known = {*FIELDS, *NOT_OFFERED, *MODEL_ARGUMENTS, *CALL_ARGUMENTS}
    for name in arguments:
        if name not in known:
            hint = did_you_mean(name, known)
            raise TypeError(f"`generate` has no argument {name!r}.{hint}")


def _check_concrete(arguments):
    """Refuses tensors of a trace, whose values cannot be checked."""
    for name in MODEL_ARGUMENTS:
        value = arguments.get(name)
        if hasattr(value, "shape") and not backend.is_concrete(value):
            raise ValueError(
                "`generate` compiles its own loop and reads its arguments, "
                "which it cannot do inside a compiled function. Received: "
                f"{name} without values. Call it from outside."
            )


def _head_masks(config, arguments):
    shape = (config.decoder_layers, config.decoder_attention_heads)
    masks = {
        name: _head_mask(name, arguments, shape)
        for name in ("decoder_head_mask", "cross_attn_head_mask")
    }
    return {name: mask for name, mask in masks.items() if mask is not None}


def _head_mask(name, arguments, shape):
    value = arguments.get(name)
    if value is None:
        return None
    mask = read_array(value).astype("float32")
    if mask.shape != shape:
        raise ValueError(
            f"`{name}` must have the shape (layers, heads), {shape}. "
            f"Received: shape={mask.shape}."
        )
    return mask


def _check_request(request):
    """Refuses combinations that no strategy can serve."""
    plan, options = request.plan, request.plan.options
    if request.streamer is not None and plan.mode == "beam":
        raise ValueError(
            "`streamer` shows tokens as they come, which beam search cannot. "
            f"Received: num_beams={options['num_beams']}. Use num_beams=1."
        )
    special = plan.mode in ("contrastive", "lookup")
    outputs = LAYERS if plan.mode == "contrastive" else SCORES + LAYERS
    hooks = request.has_callbacks or request.wants(*outputs)
    hooks = hooks or any(
        not hasattr(processor, "process") for processor in request.processors
    )
    if special and hooks:
        name = (
            "penalty_alpha"
            if plan.mode == "contrastive"
            else "prompt_lookup_num_tokens"
        )
        raise ValueError(
            f"`{name}` works on several tokens at once: it takes no streamer, "
            "stopping criteria, prefix function or Python processors, and no "
            f"{', '.join(outputs)}. Received: {name}={options[name]}. "
            "Leave one of them out."
        )
    if special and not options["use_cache"]:
        raise ValueError(
            f"`use_cache` must be `True` for {plan.mode} search. "
            "Received: use_cache=False."
        )
    needs_ids = (
        options["encoder_no_repeat_ngram_size"]
        or options["encoder_repetition_penalty"] != 1.0
        or plan.mode == "lookup"
    )
    if needs_ids and request.documents.input_ids is None:
        raise ValueError(
            "`encoder_no_repeat_ngram_size`, `encoder_repetition_penalty` and "
            "`prompt_lookup_num_tokens` compare with the document's tokens. "
            "Received: input_ids=None. Pass input_ids too."
        )
