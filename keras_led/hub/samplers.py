"""How `compile(sampler=...)` says what the compiled loop of LED is to do."""

from typing import Any

import keras
import keras_hub

from keras_led.argument_checks import did_you_mean
from keras_led.generation.options.generation_config import FIELDS
from keras_led.generation.options.generation_config import GenerationConfig

# Options of `generate` that ask for another output than one text a document.
_OTHER_OUTPUTS = (
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "output_logits",
    "return_dict_in_generate",
)
OPTIONS = tuple(name for name in FIELDS if name not in _OTHER_OUTPUTS)

# What a sampler of KerasHub replaces in the settings of a checkpoint: how the
# next token is chosen. What may be written at all stays as it is.
_SEARCH: dict[str, Any] = {
    "do_sample": False,
    "num_beams": 1,
    "temperature": 1.0,
    "top_k": 0,
    "top_p": 1.0,
    "min_p": None,
    "typical_p": None,
    "epsilon_cutoff": None,
    "eta_cutoff": None,
    "penalty_alpha": None,
    "prompt_lookup_num_tokens": None,
}
# The names that `compile` takes, beside "auto".
NAMES = {
    "greedy": keras_hub.samplers.GreedySampler,
    "random": keras_hub.samplers.RandomSampler,
    "top_k": keras_hub.samplers.TopKSampler,
    "top_p": keras_hub.samplers.TopPSampler,
    "beam": keras_hub.samplers.BeamSampler,
    "contrastive": keras_hub.samplers.ContrastiveSampler,
}


@keras.saving.register_keras_serializable(package="keras_led")
class LEDSampler(keras_hub.samplers.Sampler):
    """Every option of LED's own `generate`, as a sampler.

    What is left out is as in the checkpoint's generation settings.

    Args:
        seed: int, for sampling; batch `n` of the calls after `compile` gets
            `(n, seed)`. By default drawn anew for each.
        **options: options of `keras_led.GenerationConfig`, such as
            `num_beams`, `length_penalty`, `no_repeat_ngram_size`,
            `do_sample`, `temperature`, `max_new_tokens`; not those that ask
            for several texts a document, or for other outputs than texts.

    Raises:
        TypeError: If an option is unknown or of a wrong type.
        ValueError: If a value is out of range.

    Example:
        >>> sampler = keras_led.hub.LEDSampler(num_beams=4, length_penalty=2.0)
        >>> sampler.options
        {'num_beams': 4, 'length_penalty': 2.0}
    """

    def __init__(self, seed: int | None = None, **options: Any):
        super().__init__()
        for name in options:
            if name not in OPTIONS:
                hint = did_you_mean(name, OPTIONS)
                raise TypeError(
                    f"`LEDSampler` has no option {name!r}.{hint} Its options "
                    f"are {', '.join(OPTIONS)}."
                )
        GenerationConfig(**options)  # may raise
        self.seed = seed
        self.options = dict(options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            "`LEDSampler` must be the sampler of an `LEDSeq2SeqLM`, whose "
            "compiled loop reads its options. Received: a call from another "
            "model. Use a sampler of `keras_hub.samplers` there."
        )

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, **self.options}


def get_sampler(sampler: Any) -> Any:
    """The sampler that `compile` was given.

    Args:
        sampler: `"auto"`, one of `NAMES`, or a sampler object.

    Returns:
        A sampler object.

    Raises:
        ValueError: If the name is unknown, or the sampler cannot work here.
        TypeError: If it is no sampler.
    """
    if isinstance(sampler, str):
        if sampler == "auto":
            return LEDSampler()
        if sampler not in NAMES:
            hint = did_you_mean(sampler, NAMES)
            raise ValueError(
                f"`sampler` must be 'auto', {', '.join(map(repr, NAMES))}, a "
                "sampler of `keras_hub.samplers`, or `keras_led.hub."
                f"LEDSampler(...)`. Received: sampler={sampler!r}.{hint}"
            )
        return NAMES[sampler]()
    if isinstance(sampler, type) or not callable(sampler):
        raise TypeError(
            "`sampler` must be a name or an instance of "
            "`keras_hub.samplers.Sampler`. Received: "
            f"sampler={sampler!r}."
        )
    options_of_sampler(sampler)  # may raise
    return sampler


def options_of_sampler(sampler: Any) -> dict[str, Any] | None:
    """What a sampler asks of `generate`.

    Args:
        sampler: sampler object.

    Returns:
        Dict of options; `None` for a class that is not known here, which runs
        in KerasHub's loop.

    Raises:
        ValueError: If the sampler is known to have no counterpart.
    """
    if isinstance(sampler, LEDSampler):
        return dict(sampler.options)
    read = _READERS.get(type(sampler))
    if read is None:
        return None
    return {**_SEARCH, **read(sampler)}


def _greedy(sampler):
    del sampler  # The temperature changes no maximum.
    return {}


def _random(sampler):
    return {"do_sample": True, "temperature": _temperature(sampler)}


def _top_k(sampler):
    return {**_random(sampler), "top_k": sampler.k}


def _top_p(sampler):
    return {**_random(sampler), "top_p": sampler.p, "top_k": sampler.k or 0}


def _beam(sampler):
    _refuse_temperature(sampler, "num_beams=..., do_sample=True")
    if sampler.return_all_beams:
        raise ValueError(
            "`return_all_beams` must be `False`: `LEDSeq2SeqLM.generate` "
            "writes one text a document. Received: return_all_beams=True. "
            "Call `lm.backbone.led.generate(num_beams=..., "
            "num_return_sequences=...)`."
        )
    return {"num_beams": sampler.num_beams}


def _contrastive(sampler):
    _refuse_temperature(sampler, "penalty_alpha=..., top_k=...")
    return {"penalty_alpha": sampler.alpha, "top_k": sampler.k}


def _speculative(sampler):
    raise ValueError(
        "`sampler` must do without a second model: LED has no draft model. "
        f"Received: sampler=a {type(sampler).__name__}. Use "
        "`keras_led.hub.LEDSampler(prompt_lookup_num_tokens=10)`, which "
        "verifies tokens copied from the document."
    )


def _temperature(sampler):
    temperature = float(sampler.temperature)
    if not temperature > 0:
        raise ValueError(
            "`temperature` of a sampler must be above 0. "
            f"Received: temperature={sampler.temperature!r}."
        )
    return temperature


def _refuse_temperature(sampler, options):
    if sampler.temperature != 1.0:
        raise ValueError(
            f"`temperature` must be 1.0 in a {type(sampler).__name__}: the "
            "search compares the probabilities as the model gives them. "
            f"Received: temperature={sampler.temperature}. Use "
            f"`keras_led.hub.LEDSampler({options}, temperature=...)` where "
            "tokens are to be drawn."
        )


# By class and not by `isinstance`: a subclass does something else.
_READERS = {
    keras_hub.samplers.GreedySampler: _greedy,
    keras_hub.samplers.RandomSampler: _random,
    keras_hub.samplers.TopKSampler: _top_k,
    keras_hub.samplers.TopPSampler: _top_p,
    keras_hub.samplers.BeamSampler: _beam,
    keras_hub.samplers.ContrastiveSampler: _contrastive,
}
if hasattr(keras_hub.samplers, "SpeculativeSampler"):
    _READERS[keras_hub.samplers.SpeculativeSampler] = _speculative
