"""Operations of PyTorch that are recorded, then replayed without Python.

A step of decoding is some 1,500 small operations, and reaching each of them
through Keras takes as long as the matrix products between. So a step that has
run often enough is recorded as a flat list of operations of PyTorch's own.
"""

import contextlib
import contextvars
import threading
import warnings
from collections import Counter
from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

import torch
from torch.utils import _pytree

from keras_led.backend.torch.replay import cuda_graph
from keras_led.backend.torch.replay import tape
from keras_led.backend.torch.replay.fold_constants import fold_constants
from keras_led.typing import Tensor

if TYPE_CHECKING:
    import keras


# Recording takes as long as about 50 steps and saves half of each further one.
RECORD_AFTER = 24
# Of a function that is called once for a batch of documents.
RECORD_CALLS_AFTER = 1
# Recordings kept for one function: one for each set of shapes.
CAPACITY = 16
# Those of them that are CUDA graphs, which keep the memory that they work in.
GRAPH_CAPACITY = 4

_ACTIVE = contextvars.ContextVar("keras_led_recordings", default=None)
_RECORDING = contextvars.ContextVar("keras_led_recording", default=False)


def active() -> "Recordings | None":
    """The `Recordings` of the function that runs, or `None`."""
    return _ACTIVE.get()


def is_recording() -> bool:
    """Whether what runs is being recorded: it may not read numbers."""
    return _RECORDING.get()


@contextlib.contextmanager
def recording() -> Iterator[None]:
    """Says that what runs within is being recorded."""
    token = _RECORDING.set(True)
    try:
        yield
    finally:
        _RECORDING.reset(token)


class Recordings:
    """The recorded steps of one function, which several threads may run.

    Args:
        model: The Keras model whose variables the steps read.
    """

    def __init__(self, model: "keras.Model"):
        self._model = model
        self._steps = OrderedDict()
        self._runs = Counter()
        self._underway = set()
        self._lock = threading.Lock()  # of the three; never held for long

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Lets the loops within find their recorded steps here."""
        token = _ACTIVE.set(self)  # pyright: ignore[reportArgumentType]
        try:
            yield
        finally:
            _ACTIVE.reset(token)

    def find(
        self,
        body: Callable[..., Any],
        state: list[Tensor],
        constants: list[Tensor],
        after: int | None = None,
        finish: Callable[..., Any] | None = None,
    ) -> Any:
        """Returns the step for these shapes, recording it when due, or `None`.

        Args:
            body: Callable from `state` and `constants` to a pytree of tensors
                and `None`s.
            state: List of tensors.
            constants: List of tensors and of static values.
            after: int, runs before it is recorded; by default `RECORD_AFTER`.
            finish: `KeptGraph`, to be made of the recording, or `None`.
        """
        after = RECORD_AFTER if after is None else after
        weights = [variable.value for variable in self._model.variables]
        key = tuple(_signature(leaf) for leaf in (*state, *constants))
        # A weight that was put in the place of another has another id; those
        # of a recording are kept with it, so that no id is given twice.
        key += tuple(id(weight) for weight in weights)
        with self._lock:
            if key in self._steps:
                self._steps.move_to_end(key)
                return self._steps[key][1]
            self._runs[key] += 1
            if self._runs[key] <= after or key in self._underway:
                return None  # another thread may be recording it
            self._underway.add(key)
        try:
            step = _record_or_warn(body, state, constants, weights, finish)
            with self._lock:
                self._keep(key, weights, step, finish)
        finally:
            with self._lock:
                self._underway.discard(key)
        return step

    def _keep(self, key, weights, step, finish):
        del self._runs[key]
        self._steps[key] = weights, step
        capacity = CAPACITY if finish is None else GRAPH_CAPACITY
        if len(self._steps) > capacity:
            self._steps.popitem(last=False)

    def call(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """`function(*args)`, by its recording once there is one.

        Args:
            function: Callable from pytrees of tensors and static values to a
                pytree of tensors and `None`s. It reads no other tensor than
                these and weights of the model.
            args: Tuple of its arguments.
        """
        leaves, structure = _pytree.tree_flatten(args)

        def body(leaves, static):
            del static
            return function(*_pytree.tree_unflatten(leaves, structure))

        step = self.find(
            body,
            leaves,
            [structure],
            RECORD_CALLS_AFTER,
            cuda_graph.KeptGraph if cuda_graph.takes(leaves) else None,
        )
        return function(*args) if step is None else step(leaves, [structure])


def _signature(leaf):
    if torch.is_tensor(leaf):
        return tuple(leaf.shape), leaf.dtype, leaf.device
    return leaf


def _record_or_warn(body, state, constants, weights, finish):
    """The recorded step, finished; `None`, with a warning, if there is none."""
    try:
        step = _record(body, state, constants, weights)
        return step if finish is None else finish(step)
    except RuntimeError as error:
        warnings.warn(
            "PyTorch could not record this step and runs it operation by "
            f"operation: about twice as slow, same result: {error}",
            stacklevel=3,
        )
        return None


def _record(body, state, constants, weights):
    """Records one step as a function of the same two lists."""
    tensors = [torch.is_tensor(leaf) for leaf in constants]
    outputs = []

    def chosen(values):
        return [x for x, kept in zip(values, tensors, strict=True) if kept]

    def of_tensors(*leaves):
        given = iter(leaves[len(state) :])
        output = body(
            list(leaves[: len(state)]),
            [
                next(given) if kept else leaf
                for leaf, kept in zip(constants, tensors, strict=True)
            ],
        )
        leaves, structure = _pytree.tree_flatten(output)
        outputs[:] = [structure, [torch.is_tensor(leaf) for leaf in leaves]]
        return [leaf for leaf in leaves if torch.is_tensor(leaf)]

    # A recording tells its arguments apart as objects: one tensor that stands
    # at two places (a buffer and its first contents) must be two.
    arguments = [x.detach() for x in (*state, *chosen(constants))]
    with recording():
        graph = tape.record(of_tensors, arguments, weights)
    fold_constants(graph, weights)
    graph.graph.eliminate_dead_code()
    graph.recompile()
    structure, kept = outputs

    def step(state, constants):
        found = iter(graph(*state, *chosen(constants)))
        leaves = [next(found) if tensor else None for tensor in kept]
        return _pytree.tree_unflatten(leaves, structure)

    return step
