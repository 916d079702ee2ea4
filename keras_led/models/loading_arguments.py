"""Keywords of Hugging Face's `from_pretrained`, as scripts have them.

What asks for what happens anyway is accepted. Anything else is an error that
says what to do here.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any

from keras_led import backend
from keras_led.checkpoints.checkpoint import WEIGHT_FILES

if TYPE_CHECKING:
    from keras_led.config import LEDConfig

SAFETENSORS = tuple(name for name in WEIGHT_FILES if "safetensors" in name)

_ANY_FLAG = (None, False, True)
_DEVICES = (
    "Keras places the model: leave it out, and choose the device with "
    "`keras.device`, `keras.distribution` or CUDA_VISIBLE_DEVICES."
)
_QUANTIZE = 'Call `model.quantize("int8")` after loading.'
_STREAMS = "Weights are read one by one and need no room on the disk."
# Names, with the values that ask for what happens anyway, and what to do.
_THEIRS = {
    "attn_implementation": (
        (None, "eager", "sdpa"),
        "There is one attention, with the numbers of 'eager': leave it out.",
    ),
    "device_mesh": ((None,), _DEVICES),
    "force_download": ((None, False), "Remove the checkpoint from the cache."),
    "from_flax": ((None, False), "Convert the checkpoint to safetensors."),
    "from_pt": (_ANY_FLAG, ""),
    "from_tf": (_ANY_FLAG, ""),
    "generation_config": (
        (None,),
        "Set `model.generation_config` after loading.",
    ),
    "load_in_4bit": ((None, False), 'Call `model.quantize("int4")` instead.'),
    "load_in_8bit": ((None, False), _QUANTIZE),
    "low_cpu_mem_usage": (_ANY_FLAG, ""),
    "max_memory": ((None,), _DEVICES),
    "offload_folder": ((None,), _STREAMS),
    "offload_state_dict": ((None, False), _STREAMS),
    "output_loading_info": (
        (None, False),
        "What does not fit is an error or a warning that lists it.",
    ),
    "proxies": ((None,), "Set the environment variable HTTPS_PROXY."),
    "quantization_config": ((None,), _QUANTIZE),
    "resume_download": (_ANY_FLAG, ""),
    "state_dict": ((None,), "Load the checkpoint, then assign the weights."),
    "tp_plan": ((None,), _DEVICES),
    "trust_remote_code": (_ANY_FLAG, ""),
    "variant": (
        (None,),
        "Name the file: weight_files=('model.fp16.safetensors',).",
    ),
    "weights_only": ((None, True), "Pickled code is never run."),
}


def check_their_arguments(options: dict[str, Any]) -> dict[str, Any]:
    """Removes Hugging Face's keywords from a dict that ask for nothing here.

    Args:
        options: dict of keywords of `from_pretrained`.

    Returns:
        A dict of the others.

    Raises:
        ValueError: If one of them asks for what is not offered.
    """
    rest = dict(options)
    accepted = {name: rule[0] for name, rule in _THEIRS.items()}
    remedies = {name: rule[1] for name, rule in _THEIRS.items()}
    kind = backend.device_kind()
    accepted["device_map"] = (None, "auto", kind, f"{kind}:0", {"": kind})
    remedies["device_map"] = _DEVICES
    for name in accepted.keys() & options.keys():
        value = rest.pop(name)
        if value not in accepted[name]:
            raise ValueError(
                f"`from_pretrained` of keras_led does not offer `{name}`. "
                f"Received: {name}={value!r}. {remedies[name]}"
            )
    return rest


def read_dtype(dtype: Any, torch_dtype: str | None, config: "LEDConfig") -> Any:
    """Finds the dtype of a model among the forms that scripts have.

    Args:
        dtype: str, Keras dtype policy, `torch.dtype` or `None`; "auto" is
            that of the checkpoint.
        torch_dtype: the old name of `dtype`, or `None`.
        config: `LEDConfig` of the checkpoint.

    Returns:
        str, Keras dtype policy or `None`.

    Raises:
        TypeError: If both names are given.
    """
    if dtype is not None and torch_dtype is not None:
        raise TypeError(
            "`torch_dtype` is the old name of `dtype`: pass one of them. "
            f"Received: dtype={dtype!r}, torch_dtype={torch_dtype!r}."
        )
    dtype = torch_dtype if dtype is None else dtype
    if isinstance(dtype, str) and dtype == "auto":
        extras = config.extras
        dtype = extras.get("dtype") or extras.get("torch_dtype")
    text = str(dtype)
    return text.removeprefix("torch.") if text.startswith("torch.") else dtype


def read_weight_files(
    weight_files: Iterable[str], use_safetensors: bool | None
) -> list[str]:
    """Names of weight files, those of safetensors alone or left out.

    Args:
        weight_files: iterable of str.
        use_safetensors: bool, `True` for safetensors only, `False` to leave
            them out, or `None` for all.

    Returns:
        List of str.
    """
    return [
        name
        for name in weight_files
        if use_safetensors is None
        or (name.endswith(SAFETENSORS)) == use_safetensors
    ]
