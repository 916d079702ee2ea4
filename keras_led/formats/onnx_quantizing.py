"""Weights of an ONNX file as 8-bit integers."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_led.formats.packages import load_onnxruntime


def quantize(source: Path, path: Path) -> None:
    """Writes a file with 8-bit weights.

    The matrices of the projections are uint8, with one scale a column, and so
    are the tables of embeddings, with one scale a table; activations are
    quantized as they come (onnxruntime's dynamic quantization).

    Args:
        source: `pathlib.Path` of an ONNX file.
        path: `pathlib.Path` of the file to write.

    Raises:
        ImportError: If onnxruntime is not installed.
    """
    load_onnxruntime()
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization import quantize_dynamic

    logging.getLogger("root").addFilter(_not_of_preprocessing)
    try:
        quantize_dynamic(
            source,
            path,
            op_types_to_quantize=["MatMul", "Gather"],
            per_channel=True,
            # Signed ones overflow in silence on x86 without VNNI, which adds
            # pairs of products in 16 bits: led-tiny's hidden states were 6.9 %
            # off there (rms), and are 2.5 % off, at the same speed.
            weight_type=QuantType.QUInt8,
        )
    finally:
        logging.getLogger("root").removeFilter(_not_of_preprocessing)
    import onnx

    model: Any = onnx.load(path)
    nodes = in_order(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)


def in_order(nodes: Iterable[Any]) -> list[Any]:
    """Sorts nodes so that each stands behind those it reads.

    onnxruntime's quantizer does so too, but overlooks what the body of a loop
    reads from outside of it.

    Args:
        nodes: iterable of `onnx.NodeProto`.

    Returns:
        List of them.
    """
    makers, placed, ordered = {}, set(), []
    for node in nodes:
        makers |= {name: node for name in node.output}
    waiting = list(reversed(list(nodes)))
    while waiting:
        node = waiting[-1]
        missing = [
            makers[name]
            for name in _read_by(node)
            if name in makers and makers[name].output[0] not in placed
        ]
        if missing and node.output[0] not in placed:
            waiting += missing
            continue
        waiting.pop()
        if node.output[0] not in placed:
            placed.add(node.output[0])
            ordered.append(node)
    return ordered


def _read_by(node):
    """Names that a node reads, also inside its graphs."""
    read = list(node.input)
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                read += _read_by(inner)
    return read


def _not_of_preprocessing(record):
    """Drops the advice to preprocess: `write_onnx` has done what matters."""
    return "pre-processing before quantization" not in record.getMessage()
