"""OpenVINO's model files of the forward pass."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led.formats.forward_pass import trace
from keras_led.formats.forward_saved_model import write_saved_model
from keras_led.formats.packages import load_openvino

if TYPE_CHECKING:
    from keras_led.formats.forward_pass import ForwardModule

SIGNATURE = "serving_default"


def write_openvino(
    module: "ForwardModule",
    function: Callable[..., Any],
    inputs: dict[str, Any],
    path: Path,
) -> None:
    """Writes a `.xml` file, and its weights, float32, into a `.bin` beside it.

    Args:
        module: `ForwardModule`.
        function: what to write, one of the module's.
        inputs: dict of the `TensorSpec`s of its inputs.
        path: `pathlib.Path` of the `.xml` file.

    Raises:
        ImportError: If openvino is not installed.
    """
    openvino = load_openvino()
    traced = trace(function, inputs)
    with tempfile.TemporaryDirectory() as folder:
        write_saved_model(module, folder, {SIGNATURE: traced})
        # `convert_model` would report to OpenVINO's makers, from forks of this
        # process; reading does neither.
        converted = openvino.Core().read_model(folder)
        # Here already: the weights lie in the folder.
        openvino.save_model(converted, str(path), compress_to_fp16=False)
