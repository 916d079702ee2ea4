"""One document spread over many devices along its length."""

from typing import Any

import keras

from keras_led import backend
from keras_led.backend.shard_layout import DocumentShards

POSITION_TABLE = "encoder/embed_positions/embeddings"


class SequenceParallel(keras.distribution.ModelParallel):
    """Spreads each document over the devices of one axis of a mesh.

    A Keras distribution like any other: make the model in its scope, and call
    `fit`, `evaluate`, `predict`, `generate` or `summarize` there as ever. Each
    device runs the encoder on its part of the tokens, and keeps those keys
    and values of the document that the decoder reads. To its neighbors it
    sends the keys and values of half a window, whatever the length; global
    tokens, and the context of the decoder's queries, go to all.

    Any length will do: padding is added to one that the devices do not divide.
    The numbers are those of one device, but for the rounding of sums and the
    noise of dropout.

    On JAX, where the devices divide the rows of the encoder's position table,
    it lies in shards too, so that its gradient need not be added up.

    On PyTorch the devices of the mesh are ranks of processes, which
    `torch.distributed.init_process_group` has made a group of; all of them run
    the same program on the same batches. What a call returns, and the gradient
    of every weight after `backward`, is whole in each. A call in only some of
    them waits for the others.

    Args:
        device_mesh: `keras.distribution.DeviceMesh` with these axes. On
            PyTorch: of ranks, `DeviceMesh((1, n), ["data", "sequence"],
            range(n))`, with no other axis longer than 1.
        layout_map: `keras.distribution.LayoutMap` on this mesh, such as
            `keras_led.training.layout_map` makes for a third axis; by default
            all weights but the position table are whole on every device. On
            PyTorch they always are.
        batch_axis: str, the axis that the documents of a batch are spread
            over; of length 1 where each batch is on all devices.
        sequence_axis: str, the axis that their tokens are spread over.
        auto_shard_dataset: bool, see `keras.distribution.ModelParallel`.

    Raises:
        NotImplementedError: If the backend is TensorFlow.
        RuntimeError: If PyTorch's processes have formed no group.
        TypeError: If `device_mesh` is no mesh.
        ValueError: If an axis is none of the mesh's, or both are the same, or
            the layouts are for another mesh; or if PyTorch cannot do it so.

    Source:
        Li et al., 2021, https://arxiv.org/abs/2105.13120, for the name. With
        windows no ring is needed: the neighbors' keys are all that are seen.
    """

    def __init__(
        self,
        device_mesh: keras.distribution.DeviceMesh,
        layout_map: keras.distribution.LayoutMap | None = None,
        batch_axis: str = "data",
        sequence_axis: str = "sequence",
        auto_shard_dataset: bool = True,
    ):
        if not backend.SHARDS_DOCUMENTS:
            raise NotImplementedError(
                "`SequenceParallel` spreads documents over devices of JAX, or "
                "over processes of PyTorch. "
                f"Received: the backend {backend.name!r}. Set KERAS_BACKEND="
                "jax or torch; or share out batches by `tf.distribute`, and "
                "save memory by `gradient_checkpointing_enable`."
            )
        _check_mesh(device_mesh, batch_axis, sequence_axis)
        if layout_map is None:
            layout_map = keras.distribution.LayoutMap(device_mesh)
        elif getattr(layout_map, "device_mesh", None) is not device_mesh:
            raise ValueError(
                "`layout_map` must be a `LayoutMap` on `device_mesh`. "
                f"Received: layout_map={layout_map!r}. Make it with the same "
                "`DeviceMesh` object."
            )
        super().__init__(
            layout_map=layout_map,
            batch_dim_name=batch_axis,
            auto_shard_dataset=auto_shard_dataset,
        )
        self.sequence_axis = sequence_axis
        self._document_shards = backend.make_shards(
            device_mesh, layout_map, batch_axis, sequence_axis
        )

    @property
    def document_shards(self) -> DocumentShards:
        """What the layers ask for: the two axes and their sizes."""
        return self._document_shards

    def get_variable_layout(
        self, variable: Any
    ) -> keras.distribution.TensorLayout:
        """The layout of a weight; see `keras.distribution.ModelParallel`."""
        layout = super().get_variable_layout(variable)
        if not f"/{variable.path}".endswith(f"/{POSITION_TABLE}"):
            return layout
        rows, *others = layout.axes
        if rows is not None or variable.shape[0] % self.document_shards.size:
            return layout
        return keras.distribution.TensorLayout(
            (self.sequence_axis, *others), self.device_mesh
        )


def _check_mesh(device_mesh, batch_axis, sequence_axis):
    if not isinstance(device_mesh, keras.distribution.DeviceMesh):
        raise TypeError(
            "`device_mesh` must be a `keras.distribution.DeviceMesh`. "
            f"Received: a {type(device_mesh).__name__}."
        )
    names = list(device_mesh.axis_names)
    for argument, axis in (
        ("batch_axis", batch_axis),
        ("sequence_axis", sequence_axis),
    ):
        if axis not in names:
            raise ValueError(
                f"`{argument}` must be an axis of the mesh, one of {names}. "
                f"Received: {argument}={axis!r}. All devices for one document "
                f"are DeviceMesh((1, n), [{batch_axis!r}, {sequence_axis!r}])."
            )
    if batch_axis == sequence_axis:
        raise ValueError(
            "`batch_axis` and `sequence_axis` must be two axes of the mesh. "
            f"Received: {batch_axis!r} for both. An axis may have the length 1."
        )
