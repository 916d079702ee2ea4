"""What a recorded step need not do, or not twice."""

import torch

from keras_led.backend.torch.replay.fold_constants import is_written_to
from keras_led.typing import Tensor

_aten = torch.ops.aten


def drop_detached(graph: torch.fx.GraphModule) -> None:
    """Takes tensors themselves for what is detached from their history.

    A recording has no history, and the memory is the same.
    """
    for node in list(graph.graph.nodes):
        if node.target in (_aten.detach.default, _aten.alias.default):
            node.replace_all_uses_with(node.args[0])
            graph.graph.erase_node(node)


def share_operations(
    graph: torch.fx.GraphModule, weights: list[Tensor]
) -> None:
    """Lets layers share what each makes of the masks of the batch anew.

    What follows from weights stays: where the backward pass computes such a
    tensor once more, the step shall not hold the first one until then.

    Args:
        graph: `torch.fx.GraphModule` of ATen operations; changed in place.
        weights: List of the tensors that may change between runs.
    """
    changing = {weight.untyped_storage().data_ptr() for weight in weights}
    of_weights, seen = set(), {}
    for node in list(graph.graph.nodes):
        if node.op == "get_attr":
            value = getattr(graph, node.target)
            if value.untyped_storage().data_ptr() in changing:
                of_weights.add(node)
        elif any(x in of_weights for x in node.all_input_nodes):
            of_weights.add(node)
        elif _is_function(node):
            key = (node.target, str(node.args), str(node.kwargs))
            first = seen.setdefault(key, node)
            if first is not node:
                node.replace_all_uses_with(first)
                graph.graph.erase_node(node)


def _is_function(node):
    """Whether equal operands make the node's one tensor equal."""
    if not isinstance(node.target, torch._ops.OpOverload):
        return False
    schema = node.target._schema
    if torch.Tag.nondeterministic_seeded in node.target.tags:
        return False
    if len(schema.returns) != 1 or str(schema.returns[0].type) != "Tensor":
        return False
    related = (node, *node.all_input_nodes)
    return not schema.is_mutable and not any(map(is_written_to, related))
