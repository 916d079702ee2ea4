"""Two ONNX graphs as the branches of one, with each weight once.

The layout of `decoder_model_merged.onnx`, as Optimum and transformers.js read
it: `use_cache_branch` chooses between the first call of a decoder and the
others.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    import onnx

CHOICE = "use_cache_branch"


def merge_branches(first: Path, following: Path, path: Path) -> None:
    """Writes a file that runs `following` or `first`.

    Its inputs are those of both, and `use_cache_branch`, bool `(1,)`: `True`
    runs `following`. An output that `following` lacks is then empty, of the
    size 0 in each dimension that is not fixed.

    Args:
        first: `pathlib.Path` of an ONNX file with all the outputs.
        following: `pathlib.Path` of an ONNX file.
        path: `pathlib.Path` of the file to write.
    """
    import onnx
    from onnx import TensorProto
    from onnx import helper

    models = {"first": onnx.load(first), "next": onnx.load(following)}
    weights = _Weights()
    branches, inputs = {}, {}
    for name, model in models.items():
        graph = model.graph
        inputs |= {value.name: value for value in graph.input}
        _rename(graph, weights.names_of(graph, name))
        branches[name] = graph
    outputs = list(branches["first"].output)
    given = {value.name for value in branches["next"].output}
    missing = [value for value in outputs if value.name not in given]
    branches["next"].node.extend(map(_empty, missing))
    branches["next"].output.extend(missing)
    for name, graph in branches.items():
        branches[name] = _as_branch(graph, outputs, name)
    choose = helper.make_node(
        "If",
        [CHOICE],
        [value.name for value in outputs],
        name="first_or_next",
        then_branch=branches["next"],
        else_branch=branches["first"],
    )
    graph = helper.make_graph(
        [choose],
        "decoder",
        [
            *inputs.values(),
            helper.make_tensor_value_info(CHOICE, TensorProto.BOOL, [1]),
        ],
        outputs,
        weights.tensors,
    )
    merged = helper.make_model(
        graph,
        opset_imports=list(
            {
                imported.domain: imported
                for model in models.values()
                for imported in model.opset_import
            }.values()
        ),
        ir_version=models["first"].ir_version,
    )
    onnx.save(merged, path)


class _Weights:
    """The weights of several graphs, equal ones once."""

    def __init__(self):
        self.tensors = []
        self._names = {}

    def names_of(self, graph: "onnx.GraphProto", prefix: str) -> dict[str, str]:
        """Collects the weights of a graph; dict of old to new names."""
        renamed = {}
        for tensor in graph.initializer:
            old, tensor.name = tensor.name, ""
            content = hashlib.sha256(tensor.SerializeToString()).digest()
            if content not in self._names:
                self._names[content] = f"{prefix}/{old}"
                tensor.name = self._names[content]
                self.tensors.append(tensor)
            renamed[old] = self._names[content]
        return renamed


def _rename(graph: Any, weights: dict[str, str]) -> None:
    """Lets a graph, and all graphs in it, read the weights by new names."""
    for node in graph.node:
        for i, name in enumerate(node.input):
            node.input[i] = weights.get(name, name)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _rename(inner, weights)


def _empty(value: Any) -> Any:
    """A node that gives an output its name and no entries."""
    import onnx
    from onnx import helper

    kind = value.type.tensor_type
    shape = [
        size.dim_value if size.HasField("dim_value") else 0
        for size in kind.shape.dim
    ]
    tensor = helper.make_tensor("", kind.elem_type, shape, [])
    assert isinstance(tensor, onnx.TensorProto)  # noqa: S101
    return helper.make_node("Constant", [], [value.name], value=tensor)


def _as_branch(graph: Any, outputs: list[Any], prefix: str) -> Any:
    """The nodes of a graph, with outputs of names of their own."""
    from onnx import helper

    ours = [
        helper.make_node("Identity", [value.name], [f"{prefix}/{value.name}"])
        for value in outputs
    ]
    values = []
    for value in outputs:
        copy = type(value)()
        copy.CopyFrom(value)
        copy.name = f"{prefix}/{value.name}"
        values.append(copy)
    return helper.make_graph([*graph.node, *ours], prefix, [], values)
