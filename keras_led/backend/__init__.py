"""What differs between TensorFlow, JAX and PyTorch, behind one set of names.

This folder is the only place that asks which backend runs. The choice is made
once, when Keras is imported; set the `KERAS_BACKEND` variable before that.
`interface/` says what each name is and why the backends differ.
"""

import importlib
from typing import TYPE_CHECKING

from keras_led._missing_backend import missing_backend as _missing_backend

try:
    import keras
except ModuleNotFoundError as error:
    _explained = _missing_backend(error)
    if _explained is None:
        raise
    raise _explained from error

from keras_led.backend import interface
from keras_led.backend.symbolic import NEEDS_SIZES
from keras_led.backend.symbolic import STAND_INS
from keras_led.backend.symbolic import in_symbolic_scope
from keras_led.backend.symbolic import is_stand_in
from keras_led.backend_pytrees import take_waiting as _take_waiting

name: str = keras.backend.backend()

if name not in ("tensorflow", "jax", "torch"):
    raise ImportError(
        "keras_led runs on the Keras backends 'tensorflow', 'jax' and "
        f"'torch'. Received: KERAS_BACKEND={name!r}. Set the KERAS_BACKEND "
        "environment variable to one of them before Keras is imported."
    )

if TYPE_CHECKING:
    from keras_led.backend.interface.attention import *
    from keras_led.backend.interface.compile import *
    from keras_led.backend.interface.loops import *
    from keras_led.backend.interface.norm import *
    from keras_led.backend.interface.optimizers import *
    from keras_led.backend.interface.products import *
    from keras_led.backend.interface.runtime import *
    from keras_led.backend.interface.shards import *
    from keras_led.backend.interface.tensors import *
    from keras_led.backend.interface.training_state import *
else:
    for _file in interface.FILES:
        _module = importlib.import_module(f"{__name__}.{name}.{_file}")
        for _name in interface.names(_file):
            globals()[_name] = getattr(_module, _name)

for _class in _take_waiting():
    globals()["register_pytree"](_class)
