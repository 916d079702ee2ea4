"""Operations of PyTorch, written down while they run.

`make_fx` of PyTorch does the same, but puts functions of its own into
`torch.nn.Module` and the modules of Python meanwhile, which every thread then
runs. A dispatch mode belongs to its thread.
"""

import operator
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from keras_led.typing import Tensor

_aten = torch.ops.aten


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
    tape = _Tape(inputs, weights)
    with tape:
        outputs = function(*inputs)
    tape.graph.output(tuple(tape.node_of(x) for x in outputs))
    return torch.fx.GraphModule(tape.root, tape.graph)


class _Tape(TorchDispatchMode):
    """Adds each operation that runs in this thread to a graph."""

    def __init__(self, inputs, weights):
        super().__init__()
        self.graph = torch.fx.Graph()
        self.root = torch.nn.Module()  # holds the constants
        self._nodes = WeakTensorKeyDictionary()
        self._varying = set()
        self._weights = {id(weight) for weight in weights}
        for number, x in enumerate(inputs):
            node = self.graph.placeholder(f"input_{number}")
            self._nodes[x] = node
            self._varying.add(node)

    def node_of(self, x):
        """The node of a tensor; anything else as it is."""
        if not torch.is_tensor(x):
            return x
        if x not in self._nodes:
            name = f"constant_{len(self._nodes)}_{len(self.graph.nodes)}"
            if isinstance(x, torch.nn.Parameter):
                self.root.register_parameter(name, x)
            else:
                self.root.register_buffer(name, x)
            node = self._nodes[x] = self.graph.get_attr(name)
            if id(x) in self._weights:
                self._varying.add(node)
        return self._nodes[x]

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        del types
        if function is _aten.lift_fresh.default:
            # A number of Python's: the graph may write to a copy of it alone.
            function = _aten.lift_fresh_copy.default
        given = args, kwargs or {}
        nodes = _pytree.tree_map(self.node_of, given)
        varies = any(
            isinstance(x, torch.fx.Node) and x in self._varying
            for x in _pytree.tree_leaves(nodes)
        )
        if torch.Tag.data_dependent_output in function.tags:
            if varies:
                raise RuntimeError(
                    f"`{function}` reads a number of a tensor into Python."
                )
            return function(*args, **given[1])
        found = function(*args, **given[1])
        self._keep(found, self.graph.call_function(function, *nodes), varies)
        return found

    def _keep(self, found, node, varies):
        if varies:
            self._varying.add(node)
        if torch.is_tensor(found):
            self._nodes[found] = node
        elif isinstance(found, (tuple, list)):
            for index, x in enumerate(found):
                item = self.graph.call_function(operator.getitem, (node, index))
                self._keep(x, item, varies)
