"""The devices that each document is spread over along its length."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class DocumentShards:
    """Two axes of a device mesh: one of documents, one of their tokens.

    Attributes:
        mesh: Device mesh of the backend; PyTorch's is a `ProcessGroup`.
        axis: str, the axis of the mesh that tokens are spread over.
        size: int, shards of a document: devices on that axis.
        batch_axis: str, the axis that documents are spread over.
        batch_size: int, devices on that one.
    """

    mesh: Any
    axis: str
    size: int
    batch_axis: str
    batch_size: int
