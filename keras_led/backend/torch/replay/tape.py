"""Operations of PyTorch, written down while they run.

`make_fx` of PyTorch does the same, but puts functions of its own into
`torch.nn.Module` and the modules of Python meanwhile, which every thread then
runs. A dispatch mode belongs to its thread.
"""

import contextlib
import operator
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from keras_led.typing import Tensor

_aten = torch.ops.aten

# Numbers of a tensor that a function may have made of Python's.
LARGEST_CONSTANT = 8


def record(
    function: Callable[..., Any],
    inputs: list[Tensor],
    weights: Sequence[Tensor] = (),
) -> torch.fx.GraphModule:
    """Runs a function once and makes a graph of what it does.

    Args:
        function: Callable from tensors to a list of tensors, which does
            nothing but operations on tensors. What else it reads is constant.
        inputs: List of its arguments, each an object of its own.
        weights: List of other tensors that it reads and that may change.

    Returns:
        `torch.fx.GraphModule`, callable from the inputs to a tuple.

    Raises:
        RuntimeError: If the function reads a number of what may change into
            Python.
    """
    tape = Tape(inputs, weights)
    with tape:
        outputs = function(*inputs)
    return tape.finish(outputs)


class Tape(TorchDispatchMode):
    """Adds each operation that runs in this thread to a graph.

    Args:
        inputs: As of `record`.
        weights: As of `record`.
        goes_on: bool, whether what no graph can hold runs all the same, for a
            function that must not stop halfway. Tensors that are neither
            inputs nor weights are of that kind then, but for small ones.

    Attributes:
        problem: str, what no graph can hold, or `None`.
    """

    problem: str | None

    def __init__(
        self,
        inputs: Sequence[Tensor],
        weights: Sequence[Tensor],
        goes_on: bool = False,
    ):
        super().__init__()
        self.problem = None
        self._goes_on = goes_on
        self._graph = torch.fx.Graph()
        self._root = torch.nn.Module()  # holds the constants
        self._nodes = WeakTensorKeyDictionary()
        self._varying = set()
        self._weights = {id(weight) for weight in weights}
        self._is_paused = False
        self._inputs = []
        for x in inputs:
            self.add_input(x)

    def add_input(self, x: Tensor) -> None:
        """Makes a tensor one more argument of the graph."""
        before = self._inputs[-1] if self._inputs else self._graph._root
        with self._graph.inserting_after(before):
            node = self._graph.placeholder(f"input_{len(self._inputs)}")
        self._inputs.append(node)
        self._nodes[x] = node
        self._varying.add(node)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Lets operations run that the graph will not hold."""
        self._is_paused = True
        try:
            yield
        finally:
            self._is_paused = False

    def finish(self, outputs: list[Tensor]) -> torch.fx.GraphModule:
        """The graph, callable from the inputs to a tuple of `outputs`."""
        self._graph.output(tuple(self._node_of(x) for x in outputs))
        return torch.fx.GraphModule(self._root, self._graph)

    def _node_of(self, x):
        """The node of a tensor; anything else as it is."""
        if not torch.is_tensor(x):
            return x
        if x not in self._nodes:
            name = f"constant_{len(self._nodes)}_{len(self._graph.nodes)}"
            if isinstance(x, torch.nn.Parameter):
                self._root.register_parameter(name, x)
            else:
                self._root.register_buffer(name, x)
            node = self._nodes[x] = self._graph.get_attr(name)
            if id(x) in self._weights:
                self._varying.add(node)
            elif self._goes_on and x.numel() > LARGEST_CONSTANT:
                self._refuse(
                    f"a tensor of shape {tuple(x.shape)} is neither an input "
                    "nor a weight."
                )
        return self._nodes[x]

    def _refuse(self, problem):
        if not self._goes_on:
            raise RuntimeError(problem)
        self.problem = self.problem or problem

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        del types
        if self._is_paused:
            return function(*args, **(kwargs or {}))
        if function is _aten.lift_fresh.default:
            # A number of Python's: the graph may write to a copy of it alone.
            function = _aten.lift_fresh_copy.default
        given = args, kwargs or {}
        nodes = _pytree.tree_map(self._node_of, given)
        varies = any(
            isinstance(x, torch.fx.Node) and x in self._varying
            for x in _pytree.tree_leaves(nodes)
        )
        if torch.Tag.data_dependent_output in function.tags:
            if varies:
                self._refuse(
                    f"`{function}` reads a number of a tensor into Python."
                )
            return function(*args, **given[1])
        found = function(*args, **given[1])
        self._keep(found, self._graph.call_function(function, *nodes), varies)
        return found

    def _keep(self, found, node, varies):
        if varies:
            self._varying.add(node)
        if torch.is_tensor(found):
            self._nodes[found] = node
        elif isinstance(found, (tuple, list)):
            for index, x in enumerate(found):
                item = self._graph.call_function(
                    operator.getitem, (node, index)
                )
                self._keep(x, item, varies)
