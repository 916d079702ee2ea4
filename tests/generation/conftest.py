"""Settings of all generation tests."""

import keras
import pytest


@pytest.fixture(autouse=True, scope="package")
def fast_compilation():
    """Lets JAX compile the many tiny loops without its costly passes."""
    if keras.backend.backend() != "jax":
        yield
        return
    import jax

    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(autouse=True)
def notices_said():
    """Keeps the once-per-process notices out of tests of other things."""
    from keras_led.generation.options import notices

    class Said(set):
        def __contains__(self, message):
            return True

    before = notices._said
    notices._said = Said()
    yield
    notices._said = before
