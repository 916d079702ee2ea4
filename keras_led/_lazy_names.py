"""Names of a package that are imported when they are first asked for."""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from keras_led._missing_backend import missing_backend


def lazy_names(package: str, homes: dict[str, str]) -> Callable[[str], Any]:
    """Returns the `__getattr__` of a package.

    Args:
        package: str, its full name.
        homes: dict from a name to the module of the package that defines it.
    """

    def find(name: str) -> Any:
        if name not in homes:
            text = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(text)
        value = getattr(import_part(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return find


def import_part(module: str) -> ModuleType:
    """Imports a module, by its full name.

    Raises:
        ImportError: If Keras lacks its backend; it says what to install.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        explained = missing_backend(error)
        if explained is None:
            raise
        raise explained from error
