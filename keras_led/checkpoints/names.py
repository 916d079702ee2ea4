"""One name per weight, and what each file format calls it.

The name of a weight is its Keras path below the model, without the `led/` of
the models with a head: `encoder/layers.0/fc1/kernel`. So a model with a head
and the bare model have the same names, and a Keras model needs no table.

| Keras, TensorFlow | PyTorch | |
|---|---|---|
| `…/kernel` | `….weight` | `(in, out)` against `(out, in)` |
| `…/embeddings` | `….weight` | as it is |
| `…/gamma`, `…/beta` | `….weight`, `….bias` | as it is |
| `…/bias` | `….bias` | as it is |
| `final_logits_bias` | `final_logits_bias` | as it is |
"""

import os
import re
from collections.abc import Callable
from collections.abc import Collection

BODY = "led"
SHARED_TABLE = "shared/embeddings"
FINAL_LOGITS_BIAS = "final_logits_bias"

# The names under which a file may hold the tied embedding table, in the order
# in which they are looked for.
TIED_TABLES = (
    SHARED_TABLE,
    "encoder/embed_tokens/embeddings",
    "decoder/embed_tokens/embeddings",
    "lm_head/kernel",
)

HEADS = ("final_logits_bias", "lm_head", "classification_head", "qa_outputs")

_TABLE_OWNERS = ("shared", "embed_tokens", "embed_positions")
_NORM_OWNER = re.compile(r"layer_?norm(_embedding)?$")

# Modules of PyTorch that hold another one, anywhere in a name: torch.compile,
# FSDP, activation checkpointing, DeepSpeed.
_HOLDERS = re.compile(
    r"\b_(orig_mod|fsdp_wrapped_module|checkpoint_wrapped_module"
    r"|forward_module)\."
)
# What stands before the names of a model: `module.` of DistributedDataParallel,
# or the attribute of a LightningModule, such as `model.`.
_OUTER = (
    re.compile(rf"((?:\w+\.)*?){BODY}\.(?:encoder|decoder|shared)\."),
    re.compile(
        rf"((?:\w+\.)*?)(?:encoder|decoder|shared|{'|'.join(HEADS)})(?:\.|$)"
    ),
)


def is_transposed(name: str) -> bool:
    """Tells whether PyTorch stores a weight with its axes swapped.

    Args:
        name: str, name of the weight.

    Returns:
        bool.
    """
    return name.endswith("/kernel")


def is_head(name: str) -> bool:
    """Tells whether a weight belongs to a head, not to the bare model.

    Args:
        name: str, name of the weight.

    Returns:
        bool.
    """
    return name.split("/")[0] in HEADS


def from_variable(path: str) -> str:
    """Returns the name of a weight from the path of its Keras variable.

    Args:
        path: str, `variable.path`; its first part is the model's own name.

    Returns:
        str, such as `encoder/layers.0/fc1/kernel`.
    """
    name = path.split("/", 1)[-1].removeprefix(BODY + "/")
    # Keras layers are numbered with an underscore: PyTorch, as a backend,
    # allows no dot in a name.
    return re.sub(r"/layers_(\d+)/", r"/layers.\1/", name)


def from_torch(name: str) -> str | None:
    """Returns the name of a weight from its PyTorch name.

    Args:
        name: str, with or without the prefix `led.`.

    Returns:
        str, such as `encoder/layers.0/fc1/kernel`, or `None` when the name
        does not end as a weight does.
    """
    name = name.removeprefix(BODY + ".")
    if name == FINAL_LOGITS_BIAS:
        return name
    owner, _, leaf = name.rpartition(".")
    last = owner.rpartition(".")[2]
    if not owner or leaf not in ("weight", "bias") or "/" in name:
        return None
    if _NORM_OWNER.search(last):
        leaf = "gamma" if leaf == "weight" else "beta"
    elif leaf == "weight":
        leaf = "embeddings" if last in _TABLE_OWNERS else "kernel"
    # The dot before the number of a layer stays.
    return re.sub(r"\.(?!\d)", "/", f"{owner}.{leaf}")


def without_wrappers(tensors: Collection[str]) -> dict[str, str]:
    """Finds the names that tensors had before their model was wrapped.

    Args:
        tensors: collection of str, PyTorch names of all tensors of a file.

    Returns:
        Dict of the model's own names to those of the file, in their order.
    """
    inner = {name: _HOLDERS.sub("", name) for name in tensors}
    outer = _dotted(os.path.commonprefix(_outers(inner.values())))
    own = {new.removeprefix(outer): old for old, new in inner.items()}
    return own if len(own) == len(inner) else {name: name for name in tensors}


def outer_names(tensors: Collection[str]) -> list[str]:
    """Lists what stands before the names of models.

    Args:
        tensors: collection of str, PyTorch names.

    Returns:
        Sorted list of str, such as `["student.", "teacher."]`.
    """
    return sorted({_dotted(parts) for parts in _outers(tensors)} - {""})


def _outers(tensors):
    """Lists of the parts of what stands before each name of a model."""
    found = []
    for name in tensors:
        match = _OUTER[0].match(name) or _OUTER[1].match(name)
        if match:
            found.append(match[1].split(".")[:-1])
    return found


def _dotted(parts):
    return "".join(f"{part}." for part in parts)


def to_torch(name: str, prefix: str = BODY) -> str:
    """Returns the PyTorch name of a weight.

    Args:
        name: str, name of the weight.
        prefix: str, put before the weights of the bare model: `"led"` in a
            model with a head, `""` in the bare model.

    Returns:
        str, such as `led.encoder.layers.0.fc1.weight`.
    """
    if name == FINAL_LOGITS_BIAS:
        return name
    owner, _, leaf = name.rpartition("/")
    leaf = {"bias": "bias", "beta": "bias"}.get(leaf, "weight")
    full = f"{owner}/{leaf}".replace("/", ".")
    return full if is_head(name) or not prefix else f"{prefix}.{full}"


def from_tensorflow(name: str) -> str | None:
    """Returns the name of a weight from its name in a TensorFlow file.

    Args:
        name: str, such as
            `tfled_for_conditional_generation/led/encoder/…/kernel:0`. What
            stands before the last `led/` depends on how the model was saved
            and does not count.

    Returns:
        str, such as `encoder/layers.0/fc1/kernel`, or `None` when it is no
        name of a weight.
    """
    parts = name.removesuffix(":0").split("/")
    if parts[-1] == FINAL_LOGITS_BIAS:
        return FINAL_LOGITS_BIAS
    if len(parts) < 2:
        return None
    if parts[-2] in ("led.shared", "shared", "model.shared"):
        # Before transformers 4.30 the leaf was called `weight`.
        return SHARED_TABLE if parts[-1] in ("embeddings", "weight") else None
    if BODY in parts:
        last = len(parts) - 1 - parts[::-1].index(BODY)
        parts = parts[last + 1 :]
    return "/".join(parts)


def to_tensorflow(name: str) -> str:
    """Returns the TensorFlow name of a weight, without the model's name.

    Args:
        name: str, name of the weight.

    Returns:
        str, such as `led/encoder/layers.0/fc1/kernel:0`.
    """
    if name == SHARED_TABLE:
        return "led.shared/led.shared/embeddings:0"
    if is_head(name):
        return f"{name}:0"
    return f"{BODY}/{name}:0"


def converter(dialect: str) -> Callable[[str], str | None]:
    """Returns `from_torch` or `from_tensorflow`.

    Args:
        dialect: str, `"torch"` or `"tensorflow"`.
    """
    return {"torch": from_torch, "tensorflow": from_tensorflow}[dialect]
