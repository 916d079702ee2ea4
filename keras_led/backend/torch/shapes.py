"""The "meta" device, on which PyTorch is asked for shapes alone.

Keras builds models there. Tensors on it hold no numbers: where one has to be
read, any will do. What raises there makes Keras run the model in earnest, on a
batch of 83.
"""

from typing import Any

import torch


def shapes_only(x: Any) -> bool:
    """Whether `x` is a tensor without numbers."""
    return torch.is_tensor(x) and x.device.type == "meta"


def read_int(x: Any) -> int:
    """`int(x)` of an int or a scalar tensor; 0 of one without numbers."""
    return 0 if shapes_only(x) else int(x)
