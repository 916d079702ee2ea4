"""Packages that run files of other formats, which may not be installed."""

from types import ModuleType


def load_onnxruntime() -> ModuleType:
    """The `onnxruntime` package.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            "ONNX files are run and quantized by the onnxruntime package, "
            "which is not installed. Run: pip install 'keras-led[onnx]'"
        ) from error
    return onnxruntime


def load_openvino() -> ModuleType:
    """The `openvino` package.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        import openvino
    except ImportError as error:
        raise ImportError(
            "OpenVINO files are written and run by the openvino package, "
            "which is not installed. Run: pip install 'keras-led[openvino]'"
        ) from error
    return openvino
