"""The rules that the values of an `LEDConfig` keep."""

import math
import numbers
import warnings
from typing import Any

from keras_led.argument_checks import wrong

# Hugging Face's names; `keras_led.layers` maps each to a function.
ACTIVATION_NAMES = (
    "gelu",
    "gelu_10",
    "gelu_accurate",
    "gelu_fast",
    "gelu_new",
    "gelu_python",
    "gelu_pytorch_tanh",
    "leaky_relu",
    "linear",
    "mish",
    "quick_gelu",
    "relu",
    "relu2",
    "relu6",
    "sigmoid",
    "silu",
    "swish",
    "tanh",
)

PROBLEM_TYPES = (
    "regression",
    "single_label_classification",
    "multi_label_classification",
)

_SIZES = (
    "vocab_size",
    "max_encoder_position_embeddings",
    "max_decoder_position_embeddings",
    "encoder_layers",
    "encoder_ffn_dim",
    "encoder_attention_heads",
    "decoder_layers",
    "decoder_ffn_dim",
    "decoder_attention_heads",
    "d_model",
)
# No model comes near it; without a limit a damaged file keeps us listing
# weights for hours.
_MAX_LAYERS = 10_000
# Of a file, which made 4 GB of names out of one number.
_MAX_UNNAMED_LABELS = 100_000
_RATES = (
    "dropout",
    "attention_dropout",
    "activation_dropout",
    "classifier_dropout",
    "encoder_layerdrop",
    "decoder_layerdrop",
)
_FLAGS = (
    "use_cache",
    "is_encoder_decoder",
    "tie_word_embeddings",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
)


def check_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Checks all values of a config, each alone and then together.

    Args:
        settings: dict of field names to values; may also hold `num_labels`,
            which then makes `id2label` and `label2id`.

    Returns:
        Dict of the field names to plain Python values.

    Raises:
        TypeError: If a value has a wrong type.
        ValueError: If a value is out of range or does not fit another one.
    """
    settings = dict(settings)
    for name in _SIZES:
        settings[name] = _integer(name, settings[name], minimum=1)
    for name in ("encoder_layers", "decoder_layers"):
        if settings[name] > _MAX_LAYERS:
            raise ValueError(
                wrong(name, f"at most {_MAX_LAYERS}", settings[name])
            )
    for name in _RATES:
        settings[name] = _rate(name, settings[name])
    for name in _FLAGS:
        if not isinstance(settings[name], bool):
            raise TypeError(wrong(name, "`True` or `False`", settings[name]))
    settings["init_std"] = _number("init_std", settings["init_std"])
    if not 0 <= settings["init_std"] < math.inf:
        raise ValueError(
            wrong("init_std", ">= 0 and finite", settings["init_std"])
        )
    _check_tokens(settings)
    _check_choice("activation_function", settings, ACTIVATION_NAMES)
    if settings["problem_type"] is not None:
        _check_choice("problem_type", settings, PROBLEM_TYPES)
    _check_heads(settings)
    settings["attention_window"] = _window(
        settings["attention_window"], settings["encoder_layers"]
    )
    _set_labels(settings)
    return settings


def check_architectures(names: list[str] | None) -> None:
    """Checks the classes that a file says it was saved from.

    Args:
        names: list of str, or `None`.

    Raises:
        TypeError: If it is something else.
    """
    if names is not None and not (
        isinstance(names, list) and all(isinstance(n, str) for n in names)
    ):
        raise TypeError(wrong("architectures", "a list of names", names))


def labels_from_file(values: dict[str, Any], num_labels: int | None) -> None:
    """Settles a file that names both its classes and their number.

    Args:
        values: dict of field names to the values of the file; changed.
        num_labels: int, or `None` where the file does not say.
    """
    if values.get("id2label") is None:
        if num_labels is not None:
            values["num_labels"] = _integer("num_labels", num_labels, minimum=1)
            if num_labels > _MAX_UNNAMED_LABELS:
                raise ValueError(
                    wrong(
                        "num_labels",
                        f"at most {_MAX_UNNAMED_LABELS} without `id2label`",
                        num_labels,
                    )
                )
            values.pop("id2label", None)
            values.pop("label2id", None)
    elif num_labels is not None and num_labels != len(values["id2label"]):
        warnings.warn(
            f"The config has num_labels={num_labels}, but its `id2label` "
            f"names {len(values['id2label'])} classes. `id2label` counts.",
            stacklevel=3,
        )


def replace_labels(settings: dict[str, Any], changes: dict[str, Any]) -> None:
    """Puts new values over old ones; new classes replace all of the old.

    Args:
        settings: dict of field names to the old values; changed.
        changes: dict of field names, or `num_labels`, to the new values.
    """
    old = settings.get("id2label") or {}
    renamed = changes.get("id2label") is not None
    if renamed or changes.get("num_labels", len(old)) != len(old):
        for name in ("id2label", "label2id", "num_labels"):
            settings.pop(name, None)
    settings.update(changes)
    settings.setdefault("id2label", None)
    settings.setdefault("label2id", None)


def _integer(name, value, minimum):
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(wrong(name, "an int", value))
    if value < minimum:
        raise ValueError(wrong(name, f"at least {minimum}", value))
    return int(value)


def _number(name, value):
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(wrong(name, "a number", value))
    # An int stays one, so that a file is written back as it was.
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value)


def _rate(name, value):
    value = _number(name, value)
    if not 0 <= value < 1:
        raise ValueError(wrong(name, "a probability in [0, 1)", value))
    return value


def _check_choice(name, settings, choices):
    value = settings[name]
    if not isinstance(value, str):
        raise TypeError(wrong(name, "a str", value))
    if value not in choices:
        raise ValueError(wrong(name, f"one of {', '.join(choices)}", value))


def _check_tokens(settings):
    """Checks the ids of the special tokens."""
    start = settings["decoder_start_token_id"]
    settings["decoder_start_token_id"] = _integer(
        "decoder_start_token_id", start, minimum=0
    )
    for name in ("pad_token_id", "bos_token_id"):
        if settings[name] is not None:
            settings[name] = _integer(name, settings[name], minimum=0)
    # The model reads these two itself, wherever labels end or begin.
    for name in ("pad_token_id", "decoder_start_token_id"):
        token, size = settings[name], settings["vocab_size"]
        if token is not None and token >= size:
            raise ValueError(
                f"`{name}` must be below `vocab_size`. "
                f"Received: {name}={token}, vocab_size={size}. "
                "To change both, use `config.update`."
            )
    eos = settings["eos_token_id"]
    if isinstance(eos, list | tuple):
        if not eos:
            raise ValueError(
                wrong("eos_token_id", "an int or a list of some", eos)
            )
        settings["eos_token_id"] = [
            _integer("eos_token_id", token, minimum=0) for token in eos
        ]
    elif eos is not None:
        settings["eos_token_id"] = _integer("eos_token_id", eos, minimum=0)


def _check_heads(settings):
    d_model = settings["d_model"]
    for name in ("encoder_attention_heads", "decoder_attention_heads"):
        heads = settings[name]
        if d_model % heads:
            raise ValueError(
                f"`{name}` must divide `d_model`. Received: {name}={heads}, "
                f"d_model={d_model}. To change both, use `config.update`."
            )


def _window(window, layers):
    """Checks `attention_window`; a tuple becomes a list, as in JSON."""
    if not isinstance(window, list | tuple):
        return _one_window("attention_window", window)
    if len(window) != layers:
        raise ValueError(
            "`attention_window` must be an int, or a list of one int for each "
            f"of the {layers} encoder layers. Received: attention_window="
            f"{list(window)} of length {len(window)}, encoder_layers={layers}."
        )
    return [
        _one_window(f"attention_window[{index}]", value)
        for index, value in enumerate(window)
    ]


def _one_window(name, value):
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(wrong(name, "an int, or a list of ints", value))
    if value < 2 or value % 2:
        raise ValueError(
            f"`{name}` must be an even number of tokens, at least 2. "
            f"Received: {name}={value}. "
            f"Try {max(2, int(value) + 1)}."
        )
    return int(value)


def _set_labels(settings):
    """Makes `id2label` and `label2id` agree with each other."""
    names = settings["id2label"]
    num_labels = settings.pop("num_labels", None)
    if num_labels is not None:
        num_labels = _integer("num_labels", num_labels, minimum=1)
    inverse = settings["label2id"]
    if inverse is not None and not isinstance(inverse, dict):
        raise TypeError(wrong("label2id", "a dict of str to int", inverse))
    if inverse is not None:
        inverse = {name: _label_id(index) for name, index in inverse.items()}
    if names is None and inverse is not None:
        names = {i: name for name, i in inverse.items()}
    elif names is None:
        names = {i: f"LABEL_{i}" for i in range(num_labels or 2)}
    names = _label_names(names)
    if num_labels not in (None, len(names)):
        raise ValueError(
            "`num_labels` must be the number of classes in `id2label`, "
            f"{len(names)}. Received: num_labels={num_labels}. Pass one of "
            "them."
        )
    settings["id2label"] = names
    if inverse is None:
        inverse = {name: i for i, name in names.items()}
    settings["label2id"] = {
        str(name): _integer("label2id", i, minimum=0)
        for name, i in inverse.items()
    }
    unknown = set(settings["label2id"].values()) - set(names)
    if unknown:
        raise ValueError(
            f"`label2id` must use the ids of `id2label`, {sorted(names)}. "
            f"Received: label2id={inverse!r}."
        )


def _label_id(index):
    """A number that a file may hold as text."""
    text = isinstance(index, str) and index.isdecimal()
    return int(index) if text else index


def _label_names(names):
    """Checks `id2label`; the keys of a JSON file are text."""
    rule = "a dict of the ids 0, 1, 2 … to names"
    if not isinstance(names, dict):
        raise TypeError(wrong("id2label", rule, names))
    try:
        result = {int(index): str(name) for index, name in names.items()}
    except (TypeError, ValueError) as error:
        raise TypeError(wrong("id2label", rule, names)) from error
    if not result or sorted(result) != list(range(len(result))):
        raise ValueError(wrong("id2label", rule, names))
    return result
