"""Constants of a recording, put where the operations want them once."""

import operator

import torch

from keras_led.typing import Tensor

# Numbers above which what follows from constants is computed each time. Most
# are scalars of a formula; the largest are masks of the vocabulary.
LARGEST = 2**20

_aten = torch.ops.aten
# What makes a tensor of Python's numbers.
_FACTORIES = {
    _aten.arange.default,
    _aten.arange.start,
    _aten.arange.start_step,
    _aten.full.default,
    _aten.ones.default,
    _aten.scalar_tensor.default,
    _aten.zeros.default,
}


def fold_constants(graph: torch.fx.GraphModule, weights: list[Tensor]) -> None:
    """Computes tensors that follow from constants alone, once.

    Each is copied from the CPU otherwise whenever the recording runs, and a
    CUDA graph cannot hold such a copy.

    Args:
        graph: `torch.fx.GraphModule` of ATen operations; changed in place.
        weights: List of tensors that may change: what is computed of them
            stays in the recording.
    """
    changing = {weight.untyped_storage().data_ptr() for weight in weights}
    known = {}
    for node in list(graph.graph.nodes):
        if node.op == "get_attr":
            value = getattr(graph, node.target)
            if value.untyped_storage().data_ptr() not in changing:
                known[node] = value
        elif _is_fixed(node, known) and not is_written_to(node):
            arguments = torch.fx.node.map_arg(
                (node.args, node.kwargs), known.__getitem__
            )
            value = node.target(*arguments[0], **arguments[1])
            if value.numel() <= LARGEST:
                known[node] = value
    for number, (node, value) in enumerate(known.items()):
        if node.op == "get_attr":
            continue
        name = f"_folded_constant{number}"
        graph.register_buffer(name, value)
        with graph.graph.inserting_before(node):
            constant = graph.graph.get_attr(name)
        node.replace_all_uses_with(constant)


def _is_fixed(node, known):
    """Whether a node makes one new tensor of known ones, always the same."""
    if not isinstance(node.target, torch._ops.OpOverload):
        return False
    inputs = node.all_input_nodes
    if not inputs and node.target not in _FACTORIES:
        return False
    if any(x not in known for x in inputs):
        return False
    schema = node.target._schema
    random = torch.Tag.nondeterministic_seeded in node.target.tags
    plain = len(schema.returns) == 1 and str(schema.returns[0].type) == "Tensor"
    return plain and not random and not schema.is_mutable


def is_written_to(node: torch.fx.Node) -> bool:
    """Whether an operation changes the node's memory, be it through a view."""
    for user in node.users:
        if user.target is operator.getitem and is_written_to(user):
            return True
        schema = getattr(user.target, "_schema", None)
        if schema is None:
            continue
        if schema.is_mutable:
            return True
        views = any(x.alias_info is not None for x in schema.returns)
        if views and is_written_to(user):
            return True
    return False
