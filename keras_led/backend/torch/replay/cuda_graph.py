"""Operations on a GPU that are all started at once, as a CUDA graph.

A step of decoding is some 1,500 kernels, most of them done sooner than Python
and PyTorch start the next one. CUDA keeps a list of them and of where their
tensors lie in memory, a graph, and starts them all itself.
"""

import contextlib
import threading
import warnings
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils import _pytree

from keras_led.typing import Tensor

# Bytes of the output above which a GPU has enough to do without a graph.
LARGE_OUTPUT = 2**25

_of_thread = threading.local()


def takes(leaves: list[Tensor]) -> bool:
    """Whether work on these, a list of tensors, is for graphs."""
    return any(leaf.is_cuda for leaf in leaves)


def run_loop(
    runs: Callable[..., Any],
    step: Callable[..., Any],
    state: list[Tensor],
    constants: list[Tensor],
) -> list[Tensor]:
    """Runs `step` as long as `runs` says, by a graph of this loop alone.

    The graph refers to the tensors where they are: none outlives the loop, and
    what the steps only read is not copied.

    Args:
        runs: Callable from the state to a bool.
        step: Callable from state and `constants` to the next state, which is
            nothing but operations on tensors.
        state: List of tensors, for which `runs` is true.
        constants: List of tensors and static values.

    Returns:
        The last state, a list of tensors.
    """
    replay = None
    with own_stream():
        state = _copies(state)

        def advance():
            found = step(state, constants)
            # All are there before the first is overwritten.
            found = [x.clone() if _is_one_of(x, state) else x for x in found]
            for own, x in zip(state, found, strict=True):
                own.copy_(x)

        advance()  # once without a graph, for libraries that start up
        while runs(state):
            replay = replay or capture(advance)
            replay()
    return state


class KeptGraph:
    """A function that is called again and again, each time by the same graph.

    The graph keeps the memory that the function works in. Where the output is
    large, so is that, and the function runs without a graph.

    Args:
        function: Callable from a list of tensors and another one of static
            values to a pytree of tensors, which is nothing but operations on
            tensors.
    """

    def __init__(self, function: Callable[..., Any]):
        self._function = function
        self._lock = threading.Lock()
        self._replay = None

    def __call__(self, operands: list[Tensor], static: list[Any]) -> Any:
        """`function(operands, static)`; the lists are of the same kind always.

        The output is the caller's own.
        """
        with self._lock, own_stream() as stream:
            if self._replay is None:
                output = self._function(operands, static)
                if _size(output) <= LARGE_OUTPUT:
                    self._prepare(operands, static)
                return output
            # Another thread's stream may still be at the last call.
            stream.wait_event(self._done)
            for own, x in zip(self._operands, operands, strict=True):
                own.copy_(x)
            self._replay()
            output = _pytree.tree_map_only(
                torch.Tensor, torch.clone, self._output
            )
            self._done.record(stream)
            return output

    def _prepare(self, operands, static):
        self._operands = _copies(operands)
        self._output = None

        def run():
            self._output = self._function(self._operands, static)

        self._done = torch.cuda.Event()
        self._replay = capture(run)


def capture(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a graph of what a function starts on the current stream.

    Args:
        function: Callable without arguments and result. It does not run now.

    Returns:
        Callable likewise, which starts the same again. It may be `function`
        itself: then a warning says why.
    """
    graph = torch.cuda.CUDAGraph()
    try:
        # Other threads may use the GPU meanwhile.
        graph.capture_begin(capture_error_mode="thread_local")
        try:
            function()
        finally:
            graph.capture_end()
    except RuntimeError as error:
        warnings.warn(
            "PyTorch could not make a CUDA graph of recorded operations, which "
            "so take several times as long, with the same result: "
            f"{error}",
            stacklevel=2,
        )
        return function
    return graph.replay


@contextlib.contextmanager
def own_stream() -> Iterator[Any]:
    """Context with a stream of this thread's, in which graphs can be made.

    It begins after all work that the stream outside has to do, which goes on
    after what this one then has.
    """
    outer = torch.cuda.current_stream()
    streams = _of_thread.__dict__.setdefault("streams", {})
    if outer.device not in streams:
        streams[outer.device] = torch.cuda.Stream(outer.device)
    stream = streams[outer.device]
    stream.wait_stream(outer)
    with torch.cuda.stream(stream):
        yield stream
    outer.wait_stream(stream)


def _copies(tensors):
    """Copies, row by row, whatever the layout of the tensors."""
    return [x.clone(memory_format=torch.contiguous_format) for x in tensors]


def _is_one_of(x, tensors):
    start = x.untyped_storage().data_ptr()
    return any(start == y.untyped_storage().data_ptr() for y in tensors)


def _size(output):
    leaves = _pytree.tree_leaves(output)
    return sum(x.nbytes for x in leaves if torch.is_tensor(x))
