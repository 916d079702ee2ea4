"""Writes down the public API, so that a change of it is seen.

    python tests/public_api.py        # after a change on purpose

Writes `tests/public_api.txt`: each public name of the package and of its
public modules, with the signature of functions and of methods of its own.
"""

import importlib
import inspect
from pathlib import Path

LISTING = Path(__file__).with_suffix(".txt")
MODULES = (
    "keras_led",
    "keras_led.checkpoints",
    "keras_led.data",
    "keras_led.generation",
    "keras_led.hub",
    "keras_led.serving",
    "keras_led.training",
    "keras_led.visualize",
)


def public_names(module):
    """Names that a user may import from a module, sorted."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(listed)
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and getattr(value, "__module__", "keras_led").startswith("keras_led")
    )


def signature(function):
    """The parameters of a function as text, without annotations."""
    found = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in found.parameters.values()
    ]
    text = str(
        found.replace(
            parameters=parameters, return_annotation=inspect.Signature.empty
        )
    )
    # Objects print where they lie in memory.
    return text.split(" at 0x")[0] if " at 0x" in text else text


def methods(cls):
    """Public methods that a class has from this package, by name."""
    for name, _ in sorted(inspect.getmembers(cls)):
        if name.startswith("_"):
            continue
        owner = next(base for base in cls.__mro__ if name in vars(base))
        if owner.__module__.startswith("keras_led"):
            yield name, getattr(cls, name)


def describe():
    """Lines that list the public API."""
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in public_names(module):
            value = getattr(module, name)
            full = f"{module_name}.{name}"
            if inspect.isclass(value):
                yield full + signature(value.__init__)
                for method, function in methods(value):
                    if callable(function):
                        yield f"    {method}{signature(function)}"
                    else:
                        yield f"    {method}"
            elif callable(value):
                yield full + signature(value)
            else:
                yield full


if __name__ == "__main__":
    LISTING.write_text("\n".join(describe()) + "\n", encoding="utf-8")
