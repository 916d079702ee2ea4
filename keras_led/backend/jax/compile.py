"""How JAX compiles, and the options of XLA that it is told on a CPU."""

import contextlib
import contextvars
import functools
from collections.abc import Callable
from typing import Any

import jax
import keras

# XLA hands products and sums to a library that is good at few rows, as in
# decoding, and slow at many: projecting a document of 4,096 tokens to keys and
# values took 0.78 s with it, 0.51 s without, and the gradient of a layer
# normalization of so many rows 80 ms and 12 ms.
LARGE_PRODUCTS = {"xla_cpu_experimental_ynn_fusion_type": ""}

# Whole registers of a processor with AVX-512, where XLA takes half of them: the
# encoder of led-base, 4,096 tokens, took 1.29 s so and 1.33 s without. Other
# processors have none so wide.
WIDE_VECTORS = {"xla_cpu_prefer_vector_width": 512}

_takes_no_gradient = contextvars.ContextVar("takes_no_gradient", default=False)
_large_products = contextvars.ContextVar("large_products", default=False)


def in_inference() -> bool:
    """Whether what is being traced is what `jit` compiles."""
    return _takes_no_gradient.get()


def for_large_products() -> bool:
    """Whether what is being traced is compiled with `LARGE_PRODUCTS`."""
    return _large_products.get()


def without_gradients() -> contextlib.AbstractContextManager[None]:
    return _set(_takes_no_gradient, True)


def jit(
    function: Callable[..., Any],
    model: Any,
    large_products: bool = False,
    recordable: bool = False,
) -> Callable[..., Any]:

    del recordable

    def stateless(values, *args):
        mapping = zip(model.variables, values, strict=True)
        with (
            _set(_takes_no_gradient, True),
            _set(_large_products, large_products),
            keras.StatelessScope(state_mapping=mapping),
        ):
            return function(*args)

    options = _options(large_products)
    compiled = jax.jit(stateless, compiler_options=options)

    def call(*args):
        return compiled(_values(model), *args)

    return call


@contextlib.contextmanager
def _set(variable, value):
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def _values(model):
    """The current values of a model's variables, a list."""
    try:
        return [variable.value for variable in model.variables]
    except TypeError as error:  # Keras looks for an initializer
        raise RuntimeError(
            f"The weights of {model.name!r} are in a step of `fit`: on JAX, "
            "nothing else can use the model while it trains. Received: a call "
            "from another thread. Wait for the end of `fit`, or call from a "
            "callback, in `on_epoch_end`."
        ) from error


def train_step(model: Any) -> Callable[..., Any] | None:
    placed = keras.distribution.distribution() is not None
    flax = keras.config.is_nnx_enabled()
    if placed or flax or model.run_eagerly or not model.jit_compile:
        return None

    def step(*args):
        with _set(_large_products, True):
            return model.train_step(*args)

    options = _options(large_products=True)
    return jax.jit(step, donate_argnums=0, compiler_options=options)


@functools.cache
def _options(large_products):
    """Those that this version of XLA knows."""
    wished = [WIDE_VECTORS, *([LARGE_PRODUCTS] if large_products else [])]
    known = {}
    for option in wished:
        try:
            jax.jit(lambda: 0, compiler_options=option)()
        except jax.errors.JaxRuntimeError:  # "No such compile option"
            continue
        known |= option
    return known
