"""What JAX's `fit`, `evaluate` and `predict` leave behind when they fail.

Keras takes the values of all variables away while steps run, and hands them on
from step to step. A step gives its memory to the next: from the moment it
starts, nothing but its result holds the weights.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator

# By the parts of a state: of predict, evaluate and fit.
_PARTS = {
    2: ("trainable", "non_trainable"),
    3: ("trainable", "non_trainable", "metrics"),
    4: ("trainable", "non_trainable", "optimizer", "metrics"),
}


class TrainingState:
    """Put before `keras.Model`: whatever happens, the variables have values.

    It keeps hold of the last state that is whole.
    """

    @contextlib.contextmanager
    def state_kept(self) -> Iterator[None]:
        """Gives the variables their values back at the end, and before."""
        self.jax_state_sync()
        try:
            yield
        finally:
            self.jax_state_sync()
            # Keras leaves it after an error, to be taken for the state later.
            self._hold(None)

    def _get_jax_state(self, purge_model_variables=False, **parts):
        state = super()._get_jax_state(**parts)
        self._remember(state)
        if purge_model_variables:
            self._purge_model_variables(**parts)
        return state

    def _make_function(self, step_function, *args, **kwargs):
        def step(state, data):
            with interrupt_comes_later():
                logs, state = step_function(state, data)
                self._remember(state)
            return logs, state

        return super()._make_function(step, *args, **kwargs)

    def _remember(self, state):
        names = [f"{part}_variables" for part in _PARTS[len(state)]]
        self._hold(dict(zip(names, state, strict=True)))
        self._jax_state_synced = False

    def _hold(self, state):
        # Not by Keras' own way to set attributes, which looks at every array.
        object.__setattr__(self, "_jax_state", state)


@contextlib.contextmanager
def interrupt_comes_later() -> Iterator[None]:
    """Holds Ctrl-C back until the end of the block."""
    handler = signal.getsignal(signal.SIGINT)
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not callable(handler):
        yield  # Python raises `KeyboardInterrupt` in the main thread alone.
        return
    caught = []
    signal.signal(signal.SIGINT, lambda *details: caught.append(details))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if caught:
            handler(*caught[0])
