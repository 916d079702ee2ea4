"""The configuration of an LED model."""

import copy
import dataclasses
import difflib
import json
import os
from pathlib import Path

from keras_led.config_checks import check_architectures
from keras_led.config_checks import check_settings
from keras_led.config_checks import labels_from_file
from keras_led.config_checks import replace_labels
from keras_led.config_generation import GENERATION_OPTIONS
from keras_led.config_generation import take_generation_options
from keras_led.files.atomic import write_json
from keras_led.files.hub import read_json
from keras_led.files.hub import resolve
from keras_led.files.reading import reading

CONFIG_NAME = "config.json"

ALIASES = {
    "hidden_size": "d_model",
    "num_attention_heads": "encoder_attention_heads",
    "num_hidden_layers": "encoder_layers",
    "attention_probs_dropout_prob": "attention_dropout",
    "initializer_range": "init_std",
}

# Keys of any Hugging Face config.json that the library itself writes.
_COMMON_EXTRAS = (
    "architectures",
    "dtype",
    "torch_dtype",
    "transformers_version",
)


@dataclasses.dataclass(init=False, repr=False, eq=False)
class LEDConfig:
    """Sizes and options of an LED model, as plain Python values.

    Every value is checked when the config is made and whenever an attribute is
    set, each alone and all together. A model copies the config it is given and
    never writes to it. The names and defaults are Hugging Face's; so is the
    `config.json` that `save_pretrained` writes.

    Args:
        vocab_size: int, number of tokens.
        max_encoder_position_embeddings: int, longest document, in tokens.
        max_decoder_position_embeddings: int, longest summary, in tokens.
        encoder_layers: int. Alias: `num_hidden_layers`.
        encoder_ffn_dim: int, inner size of the encoder's feed-forward block.
        encoder_attention_heads: int, divides `d_model`. Alias:
            `num_attention_heads`.
        decoder_layers: int.
        decoder_ffn_dim: int, inner size of the decoder's feed-forward block.
        decoder_attention_heads: int, divides `d_model`.
        encoder_layerdrop: float in [0, 1), probability to skip a layer in
            training.
        decoder_layerdrop: float in [0, 1), probability to skip a layer in
            training.
        use_cache: bool, whether decoding keeps keys and values.
        is_encoder_decoder: bool, `True` for every LED.
        activation_function: str, one of `config_checks.ACTIVATION_NAMES`.
        d_model: int, hidden size. Alias: `hidden_size`.
        dropout: float in [0, 1), after embeddings, attention, feed-forward.
        attention_dropout: float in [0, 1), of the attention weights. Alias:
            `attention_probs_dropout_prob`.
        activation_dropout: float in [0, 1), inside the feed-forward block.
        classifier_dropout: float in [0, 1), in the classification head.
        init_std: float, standard deviation of fresh weights. Alias:
            `initializer_range`.
        decoder_start_token_id: int, first token of every decoder input.
        pad_token_id: int, or `None`.
        bos_token_id: int, or `None`.
        eos_token_id: int, list of int, or `None`.
        attention_window: int, or list of one int per encoder layer: tokens on
            both sides together, even. Kept as given.
        tie_word_embeddings: bool, whether the two embedding tables and the
            output projection are one table.
        id2label: dict from int to str, names of the classes.
        label2id: dict from str to int. Defaults to the inverse of `id2label`.
        problem_type: str, one of `config_checks.PROBLEM_TYPES`, or `None` to
            find out from the labels.
        output_attentions: bool, default of the call argument.
        output_hidden_states: bool, default of the call argument.
        return_dict: bool, default of the call argument.
        num_labels: int, number of classes; short for an `id2label` of
            `LABEL_0`, `LABEL_1` and so on.
        extras: dict, the keys of a `config.json` that LED does not use. They
            can be read as attributes and are written back.
        **values: also options of `generate`, which go to `extras`; from there
            they reach the model's `generation_config`.

    Raises:
        TypeError: If an argument is unknown, given twice, or of a wrong type.
        ValueError: If a value is out of range or does not fit another one.

    Example:

    >>> config = LEDConfig(d_model=64, encoder_attention_heads=4,
    ...                    decoder_attention_heads=4, attention_window=32)
    >>> config.hidden_size
    64
    """

    vocab_size: int = 50265
    max_encoder_position_embeddings: int = 16384
    max_decoder_position_embeddings: int = 1024
    encoder_layers: int = 12
    encoder_ffn_dim: int = 4096
    encoder_attention_heads: int = 16
    decoder_layers: int = 12
    decoder_ffn_dim: int = 4096
    decoder_attention_heads: int = 16
    encoder_layerdrop: float = 0.0
    decoder_layerdrop: float = 0.0
    use_cache: bool = True
    is_encoder_decoder: bool = True
    activation_function: str = "gelu"
    d_model: int = 1024
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    classifier_dropout: float = 0.0
    init_std: float = 0.02
    decoder_start_token_id: int = 2
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    attention_window: int | list[int] = 512
    tie_word_embeddings: bool = True
    id2label: dict[int, str] | None = None
    label2id: dict[str, int] | None = None
    problem_type: str | None = None
    output_attentions: bool = False
    output_hidden_states: bool = False
    return_dict: bool = True

    model_type = "led"

    def __init__(self, *, extras=None, **values):
        extras = {**(extras or {}), **take_generation_options(values)}
        settings = _defaults()
        settings.update(_canonical(values))
        object.__setattr__(self, "extras", copy.deepcopy(extras))
        self._assign(settings)

    # ---- reading and setting ----------------------------------------------

    @property
    def attention_windows(self):
        """Tuple with the attention window of each encoder layer, in tokens."""
        if isinstance(self.attention_window, int):
            return (self.attention_window,) * self.encoder_layers
        return tuple(self.attention_window)

    @property
    def num_labels(self):
        """int, number of classes; setting it renames them `LABEL_i`."""
        return len(self.id2label)

    @num_labels.setter
    def num_labels(self, value):
        self.update(num_labels=value)

    def update(self, **values):
        """Sets several values at once, checked together.

        Args:
            **values: constructor arguments.

        Raises:
            TypeError: If a name is unknown or a value of a wrong type.
            ValueError: If a value is out of range or does not fit another
                one. The config is then left as it was.
        """
        options = take_generation_options(values)
        settings = {name: getattr(self, name) for name in _field_names()}
        replace_labels(settings, _canonical(values))
        self._assign(settings)
        self.extras.update(options)

    def copy(self, **values):
        """Returns an independent copy.

        Args:
            **values: constructor arguments to change in the copy.
        """
        duplicate = copy.deepcopy(self)
        duplicate.update(**values)
        return duplicate

    def _assign(self, settings):
        """Stores all fields, once all of them have passed the checks."""
        for name, value in check_settings(settings).items():
            object.__setattr__(self, name, value)

    def __getattr__(self, name):
        extras = self.__dict__.get("extras", {})
        if name in ALIASES:
            return getattr(self, ALIASES[name])
        if name in extras:
            return extras[name]
        raise AttributeError(f"LEDConfig has no attribute {name!r}.")

    def __setattr__(self, name, value):
        if name in _field_names() or name in ALIASES:
            self.update(**{name: value})
        elif isinstance(getattr(type(self), name, None), property):
            object.__setattr__(self, name, value)
        elif name in (*self.extras, *_COMMON_EXTRAS, *GENERATION_OPTIONS):
            self.extras[name] = value
        else:
            raise AttributeError(
                f"LEDConfig has no attribute {name!r}.{_remedy(name)}"
            )

    def __eq__(self, other):
        if not isinstance(other, LEDConfig):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None

    def __repr__(self):
        return f"LEDConfig {self.to_json_string()}"

    # ---- dicts and files --------------------------------------------------

    def to_dict(self):
        """Returns the content of `config.json`, as an independent dict."""
        content = copy.deepcopy(self.extras)
        for name in _field_names():
            content[name] = copy.deepcopy(getattr(self, name))
        if not isinstance(self.attention_window, int):
            content["attention_window"] = list(self.attention_window)
        # Hugging Face reads the number of layers from this key when present.
        content["num_hidden_layers"] = self.encoder_layers
        content["model_type"] = self.model_type
        return content

    def to_json_string(self):
        """Returns the content of `config.json`, as text."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True)

    @classmethod
    def from_dict(cls, content, **overrides):
        """Makes a config from the content of a `config.json`.

        Args:
            content: dict. Keys that LED does not use become `extras`. Where a
                key and its alias are both present, the key counts.
            **overrides: constructor arguments that replace values of
                `content`.

        Returns:
            An `LEDConfig`.

        Raises:
            TypeError: If an override is unknown or a value of a wrong type.
            ValueError: If a value is out of range, `model_type` is not
                `"led"`, or there are many classes without names.
        """
        content = copy.deepcopy(dict(content))
        model_type = content.pop("model_type", "led")
        if model_type != "led":
            raise ValueError(
                "`model_type` of an LED config must be 'led'. Received: "
                f"model_type={model_type!r}. Checkpoints of other families "
                "have to be converted first: `keras-led convert`."
            )
        values = {}
        for name in _field_names():
            if name in content:
                values[name] = content.pop(name)
        for alias, name in ALIASES.items():
            if alias in content:
                values.setdefault(name, content.pop(alias))
                content.pop(alias, None)
        check_architectures(content.get("architectures"))
        labels_from_file(values, content.pop("num_labels", None))
        content.update(take_generation_options(overrides))
        replace_labels(values, _canonical(overrides))
        return cls(**values, extras=content)

    @classmethod
    def from_pretrained(
        cls,
        name_or_path,
        *,
        revision=None,
        token=None,
        cache_dir=None,
        local_files_only=False,
        subfolder="",
        **overrides,
    ):
        """Reads `config.json` of a checkpoint.

        Args:
            name_or_path: str or path: a directory, a JSON file, or a Hugging
                Face hub id.
            revision: str, branch, tag or commit on the hub.
            token: str or bool, hub access token.
            cache_dir: str or path of the download cache.
            local_files_only: bool. If `True`, only the cache is looked at.
            subfolder: str, folder of the checkpoint that holds the file.
            **overrides: constructor arguments that replace values of the file.

        Returns:
            An `LEDConfig`.

        Raises:
            FileNotFoundError: If there is no such checkpoint or file.
            ConnectionError: If the hub cannot be reached.
            ValueError: If the file is damaged or describes no LED.
        """
        path = Path(os.path.expanduser(os.fspath(name_or_path)))
        if not path.is_file():
            path = resolve(
                name_or_path,
                CONFIG_NAME,
                revision=revision,
                token=token,
                cache_dir=cache_dir,
                local_files_only=local_files_only,
                subfolder=subfolder,
            )
        content = read_json(path)
        try:
            return cls.from_dict(content, **overrides)
        except Exception:
            # The file's fault, unless it is sound without the arguments.
            with reading(path, "describe an LED"):
                cls.from_dict(content)
            raise

    def save_pretrained(self, directory):
        """Writes `config.json`, whole or not at all.

        Args:
            directory: str or path, made when missing.
        """
        content = self.to_dict()
        # Where another program found the checkpoint it began with: a path of
        # its machine tells a reader nothing, or too much.
        if os.path.isabs(str(content.get("_name_or_path", ""))):
            del content["_name_or_path"]
        write_json(Path(directory) / CONFIG_NAME, content)


def _field_names():
    return tuple(field.name for field in dataclasses.fields(LEDConfig))


def _defaults():
    return {f.name: f.default for f in dataclasses.fields(LEDConfig)}


def _remedy(name):
    """What to do instead of an unknown name, for the end of a message."""
    if name == "gradient_checkpointing":
        return " Call `model.gradient_checkpointing_enable()`."
    known = [*_field_names(), *ALIASES, "num_labels", *GENERATION_OPTIONS]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{hint} Keys that LED does not use go into `extras`."


def _canonical(values):
    """Replaces aliases by field names; refuses what is unknown or double."""
    result = {}
    for name, value in values.items():
        target = ALIASES.get(name, name)
        if target not in _field_names() and target != "num_labels":
            raise TypeError(
                f"LEDConfig got an unknown argument {name!r}.{_remedy(name)}"
            )
        if target in result:
            raise TypeError(
                f"LEDConfig got {target!r} twice: {name!r} means the same. "
                "Pass one of them."
            )
        result[target] = value
    return result
