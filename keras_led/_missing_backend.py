"""What to install where Keras finds no backend."""

import os
from importlib.util import find_spec

BACKENDS = ("tensorflow", "jax", "torch")


def missing_backend(error: ModuleNotFoundError) -> ImportError | None:
    """Explains an import that failed for want of the backend.

    Args:
        error: `ModuleNotFoundError`.

    Returns:
        `ImportError`, or `None` if something else is missing.
    """
    missing = error.name
    if missing not in BACKENDS:
        return None
    installed = [name for name in BACKENDS if find_spec(name) is not None]
    if not installed:
        return ImportError(
            "Keras needs TensorFlow, JAX or PyTorch, and none is installed. "
            "Run one of: pip install 'keras-led[tensorflow]', pip install "
            "'keras-led[jax]', pip install 'keras-led[torch]'."
        )
    by = "" if "KERAS_BACKEND" in os.environ else ", its default"
    return ImportError(
        f"Keras is to run on {missing}{by}, which is not installed; "
        f"{' and '.join(installed)} can be imported. Set KERAS_BACKEND="
        f"{installed[0]} before Python starts, or run: pip install "
        f"'keras-led[{missing}]'."
    )
