"""How PyTorch runs a function for inference."""

import functools

import torch

from keras_led.backend.torch import workspace
from keras_led.backend.torch.replay.recorder import Recordings


def jit(function, model, large_products=False, recordable=False):
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


def train_step(model):
    return None
