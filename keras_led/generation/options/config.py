"""The options of `generate`."""

import copy
import dataclasses
import difflib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import ClassVar
from typing import Self

from keras_led.files.atomic import write_json
from keras_led.files.hub import read_json
from keras_led.files.hub import resolve
from keras_led.files.reading import reading
from keras_led.generation.options.checks import check_option
from keras_led.generation.options.checks import check_together
from keras_led.generation.options.defaults import DEFAULTS
from keras_led.generation.options.defaults import NOT_OFFERED
from keras_led.generation.options.defaults import check_offered
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.config import LEDConfig

GENERATION_CONFIG_NAME = "generation_config.json"
CONFIG_NAME = "config.json"

# Read from a model's config.json too: released LED checkpoints keep their
# generation options there. Output flags mean `call` there, not `generate`.
_NOT_FROM_MODEL = ("output_attentions", "output_hidden_states")


@dataclasses.dataclass(init=False, repr=False, eq=False)
class GenerationConfig:
    """Options of `generate`, as plain Python values.

    `None` means "not set": the value then comes from the model's own
    `generation_config`, and failing that from Hugging Face's defaults. Each
    value is checked when it is set. Names and meanings are Hugging Face's.

    Args:
        max_length: int, longest output in tokens, prompt included.
        max_new_tokens: int, most tokens to generate; wins over `max_length`.
        min_length: int, no end before this many tokens, prompt included.
        min_new_tokens: int, no end before this many new tokens.
        early_stopping: `True`, `False` or `"never"`, when beam search ends.
        max_time: float, seconds after which generation stops.
        stop_strings: str or list of str that end a sequence.
        do_sample: bool, draw tokens instead of taking the best.
        num_beams: int, beams per document.
        use_cache: bool, keep keys and values of earlier tokens.
        penalty_alpha: float in [0, 1], contrastive search with `top_k` > 1.
        temperature: float > 0, divides the scores before sampling.
        top_k: int, candidates kept for sampling; 0 keeps all.
        top_p: float in (0, 1], probability mass kept for sampling.
        min_p: float in [0, 1], least probability relative to the best token.
        typical_p: float in (0, 1], mass kept by local typicality.
        epsilon_cutoff: float in [0, 1), least probability; 0 is off.
        eta_cutoff: float in [0, 1), entropy-dependent cutoff; 0 is off.
        repetition_penalty: float > 0, above 1 punishes tokens used already.
        encoder_repetition_penalty: float > 0, above 1 favours tokens of the
            document.
        length_penalty: float, exponent of the length by which beam search
            divides scores.
        no_repeat_ngram_size: int, n-grams of this size occur once; 0 is off.
        encoder_no_repeat_ngram_size: int, n-grams of this size of the document
            do not occur; 0 is off.
        bad_words_ids: list of lists of ids that must not occur.
        sequence_bias: dict from id tuples to a bias of their last token, or a
            list of such pairs.
        suppress_tokens: list of ids that never occur.
        begin_suppress_tokens: list of ids that do not come first.
        forced_bos_token_id: int, id after the start token.
        forced_eos_token_id: int or list of int, id at `max_length`.
        renormalize_logits: bool, log-softmax after all processors.
        remove_invalid_values: bool, replace NaN and infinite scores.
        exponential_decay_length_penalty: pair of an int (new tokens after
            which it starts) and a float (growth factor of the end's score).
        num_return_sequences: int, sequences per document.
        output_attentions: bool, return attentions.
        output_hidden_states: bool, return hidden states.
        output_scores: bool, return processed scores of each step.
        output_logits: bool, return raw logits of each step.
        return_dict_in_generate: bool, return an output object.
        pad_token_id: int, fills finished sequences; -1 is no token.
        bos_token_id: int, start token when `decoder_start_token_id` is unset.
        eos_token_id: int or list of int, ends a sequence; -1 never does.
        decoder_start_token_id: int, or a list with one per document.
        prompt_lookup_num_tokens: int, most tokens copied from the document
            and verified in one step of greedy search.
        max_matching_ngram_size: int, longest n-gram used for the look-up.
        extras: dict, the keys of a file that are not options here. They are
            written back.

    Raises:
        TypeError: If an option is unknown or of a wrong type.
        ValueError: If a value is out of range.

    Example:

    >>> config = GenerationConfig(num_beams=4, max_new_tokens=128)
    >>> config.num_beams, config.top_k
    (4, None)
    """

    max_length: int | None = None
    max_new_tokens: int | None = None
    min_length: int | None = None
    min_new_tokens: int | None = None
    early_stopping: bool | str | None = None
    max_time: float | None = None
    stop_strings: str | list[str] | None = None
    do_sample: bool | None = None
    num_beams: int | None = None
    use_cache: bool | None = None
    penalty_alpha: float | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical_p: float | None = None
    epsilon_cutoff: float | None = None
    eta_cutoff: float | None = None
    repetition_penalty: float | None = None
    encoder_repetition_penalty: float | None = None
    length_penalty: float | None = None
    no_repeat_ngram_size: int | None = None
    encoder_no_repeat_ngram_size: int | None = None
    bad_words_ids: list[list[int]] | None = None
    sequence_bias: list[list[Any]] | None = None
    suppress_tokens: list[int] | None = None
    begin_suppress_tokens: list[int] | None = None
    forced_bos_token_id: int | None = None
    forced_eos_token_id: int | list[int] | None = None
    renormalize_logits: bool | None = None
    remove_invalid_values: bool | None = None
    exponential_decay_length_penalty: list[Any] | None = None
    num_return_sequences: int | None = None
    output_attentions: bool | None = None
    output_hidden_states: bool | None = None
    output_scores: bool | None = None
    output_logits: bool | None = None
    return_dict_in_generate: bool | None = None
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    decoder_start_token_id: int | list[int] | None = None
    prompt_lookup_num_tokens: int | None = None
    max_matching_ngram_size: int | None = None

    def __init__(self, *, extras: dict[str, Any] | None = None, **options: Any):
        object.__setattr__(self, "extras", copy.deepcopy(dict(extras or {})))
        for name in FIELDS:
            object.__setattr__(self, name, None)
        self.update(**options)

    def update(self, **options: Any) -> None:
        """Sets several options at once, or none of them.

        Args:
            **options: fields; `None` unsets one.

        Raises:
            TypeError: If a name is unknown or a value of a wrong type.
            ValueError: If a value is out of range.
        """
        checked, extras = {}, {}
        for name, value in options.items():
            if name in NOT_OFFERED:
                check_offered({name: value})
                extras[name] = value
            elif name in FIELDS:
                checked[name] = check_option(name, value)
            else:
                raise TypeError(
                    f"{name!r} is not a generation option.{_nearest(name)}"
                )
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        self.extras.update(extras)

    def resolve(
        self, base: "GenerationConfig | None" = None, **options: Any
    ) -> dict[str, Any]:
        """Returns all options with every default filled in.

        Args:
            base: `GenerationConfig`, consulted for options not set here.
            **options: fields that win over both; `None` unsets one.

        Returns:
            Dict of every field to its value; `None` where an option is off.

        Raises:
            TypeError: If a name is unknown or a value of a wrong type.
            ValueError: If a value is out of range, two options contradict
                each other, or an option is not offered.
        """
        merged = GenerationConfig(extras=base.extras if base else None)
        merged.extras.update(self.extras)
        for name in FIELDS:
            value = getattr(self, name)
            if value is None and base is not None:
                value = getattr(base, name)
            object.__setattr__(merged, name, copy.deepcopy(value))
        merged.update(**options)
        check_offered(merged.extras)
        result = {name: getattr(merged, name) for name in FIELDS}
        for name, default in DEFAULTS.items():
            if result[name] is None:
                result[name] = default
        if options.get("top_k", 0) is None:
            result["top_k"] = 0  # Hugging Face: an explicit None keeps all.
        check_together(result)
        return result

    def copy(self, **options: Any) -> "GenerationConfig":
        """Returns an independent copy, with `options` changed."""
        duplicate = copy.deepcopy(self)
        duplicate.update(**options)
        return duplicate

    def __setattr__(self, name: str, value: Any) -> None:
        self.update(**{name: value})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GenerationConfig):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__: ClassVar[None] = None  # pyright: ignore

    def __repr__(self) -> str:
        return f"GenerationConfig {self.to_json_string()}"

    def to_dict(self) -> dict[str, Any]:
        """Returns the content of `generation_config.json`: what is set."""
        content = copy.deepcopy(self.extras)
        for name in FIELDS:
            value = getattr(self, name)
            if value is not None:
                content[name] = copy.deepcopy(value)
        return content

    def to_json_string(self) -> str:
        """Returns the content of `generation_config.json`, as text."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True)

    @classmethod
    def from_dict(cls, content: dict[str, Any], **overrides: Any) -> Self:
        """Makes a config from the content of a `generation_config.json`.

        Args:
            content: dict. Keys that are no options here become `extras`.
            **overrides: options that replace those of `content`.

        Returns:
            A `GenerationConfig`.

        Raises:
            TypeError: If an override is unknown or a value of a wrong type.
            ValueError: If a value is out of range.
        """
        options = {k: v for k, v in content.items() if k in FIELDS}
        extras = {k: v for k, v in content.items() if k not in FIELDS}
        return cls(extras=extras, **{**options, **overrides})

    @classmethod
    def from_model_config(cls, config: "LEDConfig | dict[str, Any]") -> Self:
        """Takes the generation options that a model's config holds.

        Args:
            config: `LEDConfig`, or the content of a `config.json` as a dict.

        Returns:
            A `GenerationConfig` with those options set.

        Raises:
            TypeError: If a value has a wrong type.
            ValueError: If a value is out of range.
        """
        content = options_of(config)
        extras = {k: content.pop(k) for k in NOT_OFFERED if k in content}
        return cls(**content, extras=extras)

    @classmethod
    def from_pretrained(cls, name_or_path: StrPath, **overrides: Any) -> Self:
        """Reads the generation options of a checkpoint.

        They are in `generation_config.json`; a checkpoint without one keeps
        them in `config.json`.

        Args:
            name_or_path: str or path: a directory, a JSON file, or a Hugging
                Face hub id.
            **overrides: options that replace those of the file; also
                `revision`, `token`, `cache_dir`, `local_files_only` and
                `subfolder`, as in `keras_led.files.hub.resolve`.

        Returns:
            A `GenerationConfig`.

        Raises:
            FileNotFoundError: If there is no such checkpoint or file.
            ConnectionError: If the hub cannot be reached.
            TypeError: If an override is unknown or a value of a wrong type.
            ValueError: If the file is damaged or a value is out of range.
        """
        hub = {name: overrides.pop(name) for name in _HUB if name in overrides}
        path = Path(os.path.expanduser(os.fspath(name_or_path)))
        if not path.is_file():
            names = [GENERATION_CONFIG_NAME, CONFIG_NAME]
            path = resolve(name_or_path, names, **hub)
        content = read_json(path)  # pyright: ignore[reportArgumentType]
        with reading(path, "hold options of `generate`"):  # pyright: ignore[reportArgumentType]
            if path.name == CONFIG_NAME:
                config = cls.from_model_config(content)
            else:
                config = cls.from_dict(content)
        config.update(**overrides)
        return config

    def save_pretrained(self, directory: StrPath) -> None:
        """Writes `generation_config.json`, whole or not at all.

        Args:
            directory: str or path, made when missing.
        """
        path = Path(directory) / GENERATION_CONFIG_NAME
        write_json(path, self.to_dict())


def options_of(config: "LEDConfig | dict[str, Any]") -> dict[str, Any]:
    """The generation options that a model's config holds.

    Args:
        config: `LEDConfig`, or the content of a `config.json` as a dict.

    Returns:
        Dict of names to values as they stand there, those of `None` left out.
    """
    if not isinstance(config, dict):
        config = {**config.extras, **vars(config)}
    return {
        name: copy.deepcopy(config[name])
        for name in (*FIELDS, *NOT_OFFERED)
        if name not in _NOT_FROM_MODEL and config.get(name) is not None
    }


FIELDS = tuple(field.name for field in dataclasses.fields(GenerationConfig))
_HUB = (
    "revision",
    "token",
    "cache_dir",
    "local_files_only",
    "subfolder",
)


def _nearest(name):
    """Returns ` Did you mean …?`, or nothing when no name is close."""
    close = difflib.get_close_matches(name, FIELDS, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
