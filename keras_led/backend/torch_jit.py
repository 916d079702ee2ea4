"""How PyTorch runs a function for inference."""

import functools

import torch

from keras_led.backend.torch_memory import keep_freed_memory
from keras_led.backend.torch_memory import shared_rooms
from keras_led.backend.torch_recording import Recordings


def jit(function, model, large_products=False, recordable=False):
    """Runs `function`, which reads the weights of `model`, without gradients.

    Args:
        function: Callable from tensors (or pytrees of them) to the same.
        model: The Keras model whose variables `function` reads.
        large_products: bool, a hint for XLA; ignored here.
        recordable: bool, whether `function` is nothing but operations on
            tensors, without a loop. A GPU is done with them before Python
            has reached the next: so there they are recorded, and replayed.

    Returns:
        A callable with the signature of `function`.
    """
    del large_products
    keep_freed_memory()
    recordings = Recordings(model)
    # On a CPU the blocks of a document differ, and Python chooses.
    recordable = recordable and torch.cuda.is_available()

    @functools.wraps(function)
    def call(*args):
        with torch.no_grad(), recordings.active(), shared_rooms():
            if recordable:
                return recordings.call(function, args)
            return function(*args)

    return call


def train_step(model):
    """`None`: Keras' own, which starts operation after operation."""
