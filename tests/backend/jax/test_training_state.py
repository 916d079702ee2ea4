"""JAX's training keeps hold of the last state that is whole."""

import signal

import keras
import pytest

if keras.backend.backend() != "jax":
    pytest.skip("variables of others keep values", allow_module_level=True)

from keras_led.backend.jax.training_state import TrainingState
from keras_led.backend.jax.training_state import interrupt_comes_later


class Trainer:
    """As much of Keras' trainer as takes part."""

    _jax_state_synced = True

    def _make_function(self, step):
        return lambda state, data: step(state, next(data))


class Kept(TrainingState, Trainer):
    pass


def test_an_interrupt_in_a_step_comes_when_its_result_is_safe():
    def step(state, data):
        signal.raise_signal(signal.SIGINT)
        return {}, tuple(part + data for part in state)

    trainer = Kept()
    function = trainer._make_function(step)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        function(([1], [2]), iter([[7]]))
    assert trainer._jax_state == {
        "trainable_variables": [1, 7],
        "non_trainable_variables": [2, 7],
    }
    assert not trainer._jax_state_synced
    assert signal.getsignal(signal.SIGINT) is handler


def test_data_that_raises_is_no_step():
    trainer = Kept()
    function = trainer._make_function(lambda state, data: ({}, state))
    with pytest.raises(StopIteration):
        function(([1], [2]), iter([]))
    assert trainer._jax_state_synced


def test_other_errors_pass_with_the_interrupt_behind_them():
    def fail():
        with interrupt_comes_later():
            signal.raise_signal(signal.SIGINT)
            raise ValueError("the step failed")

    with pytest.raises(KeyboardInterrupt) as caught:
        fail()
    assert isinstance(caught.value.__context__, ValueError)
