"""How PyTorch runs a function for inference."""

import functools
from collections.abc import Callable
from typing import Any

import torch

from keras_led.backend.torch import workspace
from keras_led.backend.torch.replay.recorder import Recordings


def jit(
    function: Callable[..., Any],
    model: Any,
    large_products: bool = False,
    recordable: bool = False,
) -> Callable[..., Any]:
    del large_products
    workspace.keep_freed_memory()
    recordings = Recordings(model)
    # On a CPU the blocks of a document differ, and Python chooses.
    recordable = recordable and torch.cuda.is_available()

    @functools.wraps(function)
    def call(*args):
        with torch.no_grad(), recordings.active(), workspace.shared():
            if recordable:
                return recordings.call(function, args)
            return function(*args)

    return call


def train_step(model: Any) -> Callable[..., Any] | None:
    return None
