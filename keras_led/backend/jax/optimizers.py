"""XLA compiles the whole step of training, the optimizer with it."""

import contextlib
from typing import Any


def updated_at_once(optimizer: Any) -> contextlib.AbstractContextManager[None]:
    del optimizer
    return contextlib.nullcontext()
