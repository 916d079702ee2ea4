"""What differs between TensorFlow, JAX and PyTorch, behind one set of names.

This folder is the only place that asks which backend runs. The choice is made
once, when Keras is imported; set the `KERAS_BACKEND` variable before that.
"""

import keras

from keras_led.backend.symbolic import NEEDS_SIZES
from keras_led.backend.symbolic import STAND_INS
from keras_led.backend.symbolic import in_symbolic_scope
from keras_led.backend.symbolic import is_stand_in

name = keras.backend.backend()

if name == "tensorflow":
    from keras_led.backend.stateful_training import TrainingState
    from keras_led.backend.tensorflow import CAN_JIT
    from keras_led.backend.tensorflow import CHANGES_WITHOUT_DATA
    from keras_led.backend.tensorflow import JIT_BY_DEFAULT
    from keras_led.backend.tensorflow import KEYS_FIRST
    from keras_led.backend.tensorflow import argmax
    from keras_led.backend.tensorflow import block_layout
    from keras_led.backend.tensorflow import contiguous
    from keras_led.backend.tensorflow import custom_gradient
    from keras_led.backend.tensorflow import device_kind
    from keras_led.backend.tensorflow import fold_in
    from keras_led.backend.tensorflow import is_concrete
    from keras_led.backend.tensorflow import jit
    from keras_led.backend.tensorflow import keep_at_random
    from keras_led.backend.tensorflow import mean_over_replicas
    from keras_led.backend.tensorflow import random_state
    from keras_led.backend.tensorflow import read_slice
    from keras_led.backend.tensorflow import register_pytree
    from keras_led.backend.tensorflow import remat
    from keras_led.backend.tensorflow import replica
    from keras_led.backend.tensorflow import set_random_seed
    from keras_led.backend.tensorflow import set_random_state
    from keras_led.backend.tensorflow import share_of_sum
    from keras_led.backend.tensorflow import train_step
    from keras_led.backend.tensorflow import transpose
    from keras_led.backend.tensorflow import uniform
    from keras_led.backend.tensorflow import write_slice
    from keras_led.backend.tensorflow_attention import attend
    from keras_led.backend.tensorflow_attention import attend_gradients
    from keras_led.backend.tensorflow_attention import key_spans
    from keras_led.backend.tensorflow_attention import map_operands
    from keras_led.backend.tensorflow_attention import scores
    from keras_led.backend.tensorflow_attention import spans
    from keras_led.backend.tensorflow_attention import take_keys
    from keras_led.backend.tensorflow_attention import times
    from keras_led.backend.tensorflow_attention import times_transposed
    from keras_led.backend.tensorflow_graphs import shapes_may_vary
    from keras_led.backend.tensorflow_loops import cond
    from keras_led.backend.tensorflow_loops import recomputed_cond
    from keras_led.backend.tensorflow_loops import replace_slices
    from keras_led.backend.tensorflow_loops import scan
    from keras_led.backend.tensorflow_loops import while_loop
    from keras_led.backend.tensorflow_norm import layer_norm
    from keras_led.backend.tensorflow_products import columns_of_chunk
    from keras_led.backend.tensorflow_products import gelu
    from keras_led.backend.tensorflow_products import linear
    from keras_led.backend.tensorflow_products import look_up
    from keras_led.backend.tensorflow_products import map_rows
    from keras_led.backend.tensorflow_products import scale_rows
    from keras_led.backend.tensorflow_products import table_product
    from keras_led.backend.tensorflow_products import write_rows
elif name == "jax":
    from keras_led.backend.jax import CAN_JIT
    from keras_led.backend.jax import CHANGES_WITHOUT_DATA
    from keras_led.backend.jax import JIT_BY_DEFAULT
    from keras_led.backend.jax import KEYS_FIRST
    from keras_led.backend.jax import argmax
    from keras_led.backend.jax import block_layout
    from keras_led.backend.jax import contiguous
    from keras_led.backend.jax import custom_gradient
    from keras_led.backend.jax import device_kind
    from keras_led.backend.jax import fold_in
    from keras_led.backend.jax import is_concrete
    from keras_led.backend.jax import keep_at_random
    from keras_led.backend.jax import mean_over_replicas
    from keras_led.backend.jax import random_state
    from keras_led.backend.jax import read_slice
    from keras_led.backend.jax import register_pytree
    from keras_led.backend.jax import remat
    from keras_led.backend.jax import replica
    from keras_led.backend.jax import set_random_seed
    from keras_led.backend.jax import set_random_state
    from keras_led.backend.jax import share_of_sum
    from keras_led.backend.jax import transpose
    from keras_led.backend.jax import uniform
    from keras_led.backend.jax import write_slice
    from keras_led.backend.jax_attention import attend
    from keras_led.backend.jax_attention import attend_gradients
    from keras_led.backend.jax_attention import key_spans
    from keras_led.backend.jax_attention import map_operands
    from keras_led.backend.jax_attention import scores
    from keras_led.backend.jax_attention import spans
    from keras_led.backend.jax_attention import take_keys
    from keras_led.backend.jax_attention import times
    from keras_led.backend.jax_attention import times_transposed
    from keras_led.backend.jax_jit import jit
    from keras_led.backend.jax_jit import train_step
    from keras_led.backend.jax_loops import cond
    from keras_led.backend.jax_loops import recomputed_cond
    from keras_led.backend.jax_loops import replace_slices
    from keras_led.backend.jax_loops import scan
    from keras_led.backend.jax_loops import shapes_may_vary
    from keras_led.backend.jax_loops import while_loop
    from keras_led.backend.jax_norm import layer_norm
    from keras_led.backend.jax_products import columns_of_chunk
    from keras_led.backend.jax_products import gelu
    from keras_led.backend.jax_products import linear
    from keras_led.backend.jax_products import look_up
    from keras_led.backend.jax_products import map_rows
    from keras_led.backend.jax_products import scale_rows
    from keras_led.backend.jax_products import table_product
    from keras_led.backend.jax_products import write_rows
    from keras_led.backend.jax_training import TrainingState
elif name == "torch":
    from keras_led.backend.stateful_training import TrainingState
    from keras_led.backend.torch import CAN_JIT
    from keras_led.backend.torch import CHANGES_WITHOUT_DATA
    from keras_led.backend.torch import JIT_BY_DEFAULT
    from keras_led.backend.torch import KEYS_FIRST
    from keras_led.backend.torch import argmax
    from keras_led.backend.torch import block_layout
    from keras_led.backend.torch import contiguous
    from keras_led.backend.torch import custom_gradient
    from keras_led.backend.torch import device_kind
    from keras_led.backend.torch import fold_in
    from keras_led.backend.torch import is_concrete
    from keras_led.backend.torch import keep_at_random
    from keras_led.backend.torch import mean_over_replicas
    from keras_led.backend.torch import random_state
    from keras_led.backend.torch import read_slice
    from keras_led.backend.torch import register_pytree
    from keras_led.backend.torch import remat
    from keras_led.backend.torch import replica
    from keras_led.backend.torch import set_random_seed
    from keras_led.backend.torch import set_random_state
    from keras_led.backend.torch import share_of_sum
    from keras_led.backend.torch import transpose
    from keras_led.backend.torch import uniform
    from keras_led.backend.torch import write_slice
    from keras_led.backend.torch_attention import attend
    from keras_led.backend.torch_attention import attend_gradients
    from keras_led.backend.torch_attention import key_spans
    from keras_led.backend.torch_attention import map_operands
    from keras_led.backend.torch_attention import scores
    from keras_led.backend.torch_attention import spans
    from keras_led.backend.torch_attention import take_keys
    from keras_led.backend.torch_attention import times
    from keras_led.backend.torch_attention import times_transposed
    from keras_led.backend.torch_jit import jit
    from keras_led.backend.torch_jit import train_step
    from keras_led.backend.torch_loops import cond
    from keras_led.backend.torch_loops import recomputed_cond
    from keras_led.backend.torch_loops import replace_slices
    from keras_led.backend.torch_loops import scan
    from keras_led.backend.torch_loops import shapes_may_vary
    from keras_led.backend.torch_loops import while_loop
    from keras_led.backend.torch_norm import layer_norm
    from keras_led.backend.torch_products import columns_of_chunk
    from keras_led.backend.torch_products import gelu
    from keras_led.backend.torch_products import linear
    from keras_led.backend.torch_products import look_up
    from keras_led.backend.torch_products import map_rows
    from keras_led.backend.torch_products import scale_rows
    from keras_led.backend.torch_products import table_product
    from keras_led.backend.torch_products import write_rows
else:
    raise ImportError(
        "keras_led runs on the Keras backends 'tensorflow', 'jax' and "
        f"'torch'. Received: KERAS_BACKEND={name!r}. Set the KERAS_BACKEND "
        "environment variable to one of them before Keras is imported."
    )
