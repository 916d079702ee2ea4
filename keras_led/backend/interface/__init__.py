"""What a backend must offer: every name once, and why backends differ.

The folders `tensorflow/`, `jax/` and `torch/` define these names, with the same
arguments, in files of the same names as here. Axis letters are those of
CONTRIBUTING.md.

A name that ends in an underscore may write over its first argument, which
must not be read any more: PyTorch without gradients works in its memory, the
others return a new tensor.
"""

import importlib

FILES = (
    "runtime",
    "tensors",
    "compile",
    "training_state",
    "optimizers",
    "shards",
    "loops",
    "attention",
    "products",
    "norm",
)


def names(file: str) -> list[str]:
    """Returns the names that one file of every backend must define.

    Args:
        file: str, one of `FILES`.

    Returns:
        List of str: its constants, which stand here as annotations, functions
        and classes.
    """
    module = importlib.import_module(f"{__name__}.{file}")
    defined = [
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__
    ]
    return [*vars(module).get("__annotations__", {}), *defined]
