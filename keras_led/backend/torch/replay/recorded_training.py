"""Training steps that are recorded, then replayed without Python.

Forward pass, loss, backward pass and optimizer are some 4,000 small operations,
and reaching each of them through Keras and autograd takes longer than the
operations of a small model or of a GPU.
"""

import contextlib
import warnings
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

import numpy as np
import torch
from keras import ops
from torch.utils import _pytree

from keras_led.backend.torch.replay import cuda_graph
from keras_led.backend.torch.replay import recorder
from keras_led.backend.torch.replay.fold_constants import fold_constants
from keras_led.backend.torch.replay.recorded_noise import RecordedNoise
from keras_led.backend.torch.replay.recording_rules import has_hooks
from keras_led.backend.torch.replay.recording_rules import python_state
from keras_led.backend.torch.replay.share_operations import drop_detached
from keras_led.backend.torch.replay.share_operations import share_operations
from keras_led.backend.torch.replay.tape import Tape

if TYPE_CHECKING:
    import keras

# Steps of one kind before the one that is recorded: libraries start up in the
# first, and the optimizer makes its variables.
RECORD_STEPS_AFTER = 2


class RecordedTraining:
    """The training step of a model, recorded once for each kind of batch.

    Args:
        model: Compiled Keras model of which `why_not_recorded` is `None`.
    """

    def __init__(self, model: "keras.Model"):
        self._model = model
        self._layers = list(model._flatten_layers())
        configs = {id(x.config): x.config for x in self._layers if _has(x)}
        owners = [layer for layer in self._layers[1:] if layer._layers]
        self._owners = [*owners, *configs.values(), model.optimizer]
        self._variables = _variables_of(model)
        self._state = self._rate = None
        self._runs = Counter()
        self._steps = {}

    def __call__(self, batch: Any) -> Any:
        """What `model.train_step(batch)` does and returns."""
        model = self._model
        leaves, structure = _pytree.tree_flatten(batch)
        hooked = has_hooks(self._layers, self._variables)
        if hooked or not all(map(is_plain_data, leaves)):
            return model.train_step(batch)
        self._forget_others()
        slots = model._count_slots(batch)
        updates = _updates_weights(model.optimizer)
        key = (structure, slots, updates, *map(_signature, leaves))
        if key in self._steps:
            step = self._steps[key]
            return step(leaves) if step else model.train_step(batch)
        self._runs[key] += 1
        if self._runs[key] <= RECORD_STEPS_AFTER or self._is_full():
            return model.train_step(batch)
        self._steps[key], logs = record_step(model, leaves, structure, slots)
        return logs

    def _forget_others(self):
        """Drops what was recorded when Python's numbers were others."""
        optimizer = self._model.optimizer
        variables = (*self._variables, *optimizer.variables)
        state, rate = (
            python_state(self._owners, variables),
            optimizer._learning_rate,
        )
        if state != self._state or rate is not self._rate:
            self._state, self._rate = state, rate
            self._runs.clear()
            self._steps.clear()

    def _is_full(self):
        """Whether to record no more kinds: to drop one would be to record."""
        on_gpu = torch.cuda.is_available()
        capacity = recorder.GRAPH_CAPACITY if on_gpu else recorder.CAPACITY
        return len(self._steps) >= capacity


class _RecordedStep:
    """A step for batches of one kind.

    Args:
        run: Callable from a list of tensors and another one to a list.
        optimizer: The optimizer of the model.
        noise: `RecordedNoise`.
        structure: Of what the step returns.
    """

    def __init__(self, run, optimizer, noise, structure):
        self._run = run
        self._optimizer = optimizer
        self._noise = noise
        self._structure = structure

    def __call__(self, leaves):
        inputs = [*_tensors(leaves), *_given_rate(self._optimizer)]
        inputs += self._noise.draw()
        # Without the way of each operation through autograd.
        with torch.inference_mode():
            found = self._run(inputs, [])
        logs = [x.clone() for x in found]  # which others may compute with
        return _pytree.tree_unflatten(logs, self._structure)


def record_step(
    model: "keras.Model", leaves: list[Any], structure: Any, slots: int
) -> tuple[Callable[..., Any] | None, Any]:
    """Trains on a batch, and writes down what is done.

    Args:
        model: Compiled Keras model.
        leaves: List of arrays and `None`s, of the batch.
        structure: Where they are in it.
        slots: int, see `_count_slots`.

    Returns:
        Pair of the step, a callable from the leaves of another batch to the
        logs, `None` where it cannot be recorded; and the logs of this one.
    """
    tensors, rate = _tensors(leaves), _given_rate(model.optimizer)
    variables = (*_variables_of(model), *model.optimizer.variables)
    weights = [variable.value for variable in variables]
    # Of the number of steps Python reads what `_updates_weights` has read.
    count = model.optimizer._iterations.value
    varying = [weight for weight in weights if weight is not count]
    tape = Tape([*tensors, *rate], varying, goes_on=True)
    noise = RecordedNoise(tape)
    given = iter(tensors)
    batch = [None if leaf is None else next(given) for leaf in leaves]
    with (
        recorder.recording(),
        torch.autograd.set_multithreading_enabled(False),
        _rate_from(model.optimizer, rate),
        model._slots_given(slots),
        noise.active(),
        tape,
    ):
        logs = model.train_step(_pytree.tree_unflatten(batch, structure))
    found, logs_structure = _pytree.tree_flatten(logs)
    graph = tape.finish(found)
    model.zero_grad()
    if tape.problem is not None:
        _warn(tape.problem)
        return None, logs
    drop_detached(graph)
    fold_constants(graph, weights)
    share_operations(graph, weights)
    graph.graph.eliminate_dead_code()
    graph.recompile()

    def run(operands, static):
        del static
        return list(graph(*operands))

    if cuda_graph.takes(tensors):
        run = cuda_graph.KeptGraph(run)
    return _RecordedStep(run, model.optimizer, noise, logs_structure), logs


def is_plain_data(leaf: Any) -> bool:
    """Whether a leaf of a batch is `None`, or integers or bools on the host."""
    if isinstance(leaf, np.ndarray):
        return leaf.dtype.kind in "iub"
    if not torch.is_tensor(leaf) or leaf.device.type != "cpu":
        return leaf is None
    return not leaf.is_floating_point() and not leaf.is_complex()


def _variables_of(model):
    return [*model.variables, *model.metrics_variables]


def _tensors(leaves):
    # One tensor may stand at two places: each is an input of its own.
    given = (ops.convert_to_tensor(x) for x in leaves if x is not None)
    return [x.detach() for x in given]


def _signature(leaf):
    return leaf if leaf is None else (tuple(leaf.shape), str(leaf.dtype))


def _updates_weights(optimizer):
    """Whether the next step does more than to add its gradients up."""
    steps = optimizer.gradient_accumulation_steps
    return not steps or (int(optimizer._iterations.value) + 1) % steps == 0


def _given_rate(optimizer):
    """A list of the learning rate, empty where it is a variable."""
    if _is_variable(optimizer._learning_rate):
        return []
    rate = ops.convert_to_tensor(optimizer.learning_rate, "float32")
    return [rate.detach()]


@contextlib.contextmanager
def _rate_from(optimizer, rate):
    """Has an optimizer take its rate from a list, instead of a schedule.

    What a schedule does is Python's, before each run.
    """
    schedule = optimizer._learning_rate
    if rate:
        optimizer._learning_rate = lambda: rate[0]
    try:
        yield
    finally:
        if rate:
            optimizer._learning_rate = schedule


def _is_variable(rate):
    return hasattr(rate, "assign")


def _has(layer):
    return hasattr(layer, "config")


def _warn(problem):
    warnings.warn(
        "PyTorch could not record the training step and runs it operation by "
        f"operation, about twice as slow on small models, with the same "
        f"result: {problem}",
        stacklevel=2,
    )
