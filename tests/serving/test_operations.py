"""The operations of everything that is written for other runtimes.

The lists are short on purpose. An operation that is new here must have kernels
for CPU and GPU, must not need XLA, and should be known to tf2onnx and OpenVINO.
"""

import pytest

from keras_led.backend import name as backend_name

# Known to tf2onnx, with our translation of Erfc, and to OpenVINO.
PLAIN = """
    Abs AddV2 All Any ArgMax BatchMatMulV2 BiasAdd BroadcastTo Cast ConcatV2
    Const Cumsum EnsureShape Equal Erfc Exp ExpandDims Fill FloorDiv FloorMod
    GatherNd GatherV2 Greater GreaterEqual Identity IdentityN If IsNan Less
    LessEqual Log LogSoftmax LogicalAnd LogicalNot LogicalOr MatMul Max Maximum
    Mean Min Minimum Mul Neg NoOp NotEqual OnesLike Pack Pad PadV2 Placeholder
    Pow Prod Range RealDiv Reshape Rsqrt Select SelectV2 Shape Size Slice
    Softmax SquaredDifference Squeeze StatelessIf StatelessWhile StopGradient
    StridedSlice Sub Sum Tanh TensorListFromTensor TensorListGetItem
    TensorListReserve TensorListSetItem TensorListStack TensorScatterUpdate
    Tile TopKV2 Transpose Unpack While ZerosLike
""".split()
# Functions, weights and their file: both read a model after these are gone.
FILE = """
    Assert AssignVariableOp DisableCopyOnRead MergeV2Checkpoints PartitionedCall
    ReadVariableOp RestoreV2 SaveV2 ShardedFilename StatefulPartitionedCall
    StaticRegexFullMatch StringJoin VarHandleOp
""".split()
# Draws: both know RandomUniform alone, whose seed is no input.
SAMPLING = """
    BitwiseXor RandomUniformInt RightShift StatelessRandomGetKeyCounter
    StatelessRandomUniformV2
""".split()
# The tokenizer: TensorFlow's and tensorflow-text's, on the CPU everywhere.
TEXT = """
    Add ArgMin Bincount DenseBincount HashTableV2 LookupTableExportV2
    LookupTableFindV2 LookupTableImportV2 MutableHashTableV2
    RaggedGather RaggedRange RaggedTensorToTensor ReduceJoin RegexReplace
    RegexSplitWithOffsets StaticRegexReplace StringLength StringSplit
    StringSplitV2 Substr UnicodeDecode UnicodeEncode UnicodeTranscode Unique
    UnsortedSegmentJoin UnsortedSegmentMin UnsortedSegmentSum Where
""".split()


def operations(path):
    """The operations of a SavedModel, also those inside its functions."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    content = (path / "saved_model.pb").read_bytes()
    found = set()
    for part in SavedModel.FromString(content).meta_graphs:
        library = part.graph_def.library.function
        nodes = [node for f in library for node in f.node_def]
        found |= {node.op for node in [*part.graph_def.node, *nodes]}
        # A call of a function by its name.
        found -= {function.signature.name for function in library}
    return found


def test_ids_and_beams(exported):
    found = operations(exported)
    assert found <= {*PLAIN, *FILE, *TEXT}
    assert {"While", "TopKV2", "StringSplitV2"} <= found


def test_greedy_search(greedy):
    assert operations(greedy) <= {*PLAIN, *FILE, *TEXT}


def test_sampling(sampling):
    found = operations(sampling)
    assert found <= {*PLAIN, *FILE, *SAMPLING}
    assert "StatelessRandomUniformV2" in found


def test_signatures_of_tfled(pair, tmp_path):
    from keras_led import TFLEDForConditionalGeneration

    model = TFLEDForConditionalGeneration(pair[0].config)
    model.save_saved_model(tmp_path / "tfled")
    assert operations(tmp_path / "tfled") <= {*PLAIN, *FILE}


@pytest.mark.skipif(backend_name != "tensorflow", reason="writes SavedModels")
def test_an_operation_of_xla_would_be_found(tmp_path):
    import tensorflow as tf
    from keras import ops

    @tf.function(input_signature=[tf.TensorSpec([3, 2])])
    def update(x):
        return tf.cond(
            tf.reduce_all(x > 0),
            lambda: ops.slice_update(x, (1, 0), tf.ones([1, 2])),
            lambda: x,
        )

    module = tf.Module()
    module.update = update
    tf.saved_model.save(module, str(tmp_path))
    extra = operations(tmp_path) - {*PLAIN, *FILE}
    assert extra == {"XlaDynamicUpdateSlice"}
