"""How PyTorch runs a function for inference."""

import contextlib
import functools
import warnings
from collections.abc import Callable
from typing import Any

import torch

from keras_led.backend.torch import workspace
from keras_led.backend.torch.replay.recorded_training import RecordedTraining
from keras_led.backend.torch.replay.recorder import Recordings
from keras_led.backend.torch.replay.recording_rules import why_not_recorded
from keras_led.backend.torch.shards import document_shards


def without_gradients() -> contextlib.AbstractContextManager[None]:
    return torch.no_grad()


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
        # A recording has no messages between processes.
        records = contextlib.nullcontext()
        if document_shards() is None:
            records = recordings.active()
        with torch.no_grad(), records, workspace.shared():
            if recordable and document_shards() is None:
                return recordings.call(function, args)
            return function(*args)

    return call


def train_step(model: Any) -> Callable[..., Any] | None:
    workspace.keep_freed_memory()
    if not model._step_is_compiled or model.steps_per_execution > 1:
        return None
    reason = why_not_recorded(model)
    if reason is not None:
        warnings.warn(
            "`jit_compile=True` does not speed up this training on PyTorch, "
            f"whose step cannot be recorded: {reason}. It runs operation by "
            "operation, with the same result.",
            stacklevel=2,
        )
        return None
    return RecordedTraining(model)
