"""How the weights of LED lie on the devices of `keras.distribution`."""

from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING:
    from keras_led.config import LEDConfig

EMBEDDING_AXES = ("hidden", "vocabulary", None)

# The first product of a block is cut by its outputs, heads or hidden units,
# the second by its inputs: between them the devices need nothing of each
# other, and one sum of the block's outputs follows.
# Source: Shoeybi et al., 2019, section 3, https://arxiv.org/abs/1909.08053
FIRST_PRODUCTS = (
    r".*/longformer_self_attn/(query|key|value)(_global)?",
    r".*/(self_attn|encoder_attn)/(q|k|v)_proj",
    r".*/layers_\d+/fc1",
)
SECOND_PRODUCTS = (
    r".*/self_attn/output",
    r".*/(self_attn|encoder_attn)/out_proj",
    r".*/layers_\d+/fc2",
)
TOKEN_TABLES = r".*/(shared|embed_tokens)/embeddings"


def layout_map(
    device_mesh: keras.distribution.DeviceMesh,
    config: "LEDConfig",
    model_axis: str = "model",
    embeddings: str = "hidden",
) -> keras.distribution.LayoutMap:
    """Spreads the weights of an LED model over one axis of a device mesh.

    For `keras.distribution.ModelParallel`, on JAX. Sharded are the projections
    of all attentions and the feed-forward layers, which keep whole heads on a
    device where the axis divides their number, and the tables of tokens and
    positions. Normalizations, the heads of classification and question
    answering, and adapters are whole on each device. The state of an
    optimizer lies as its weights do.

    Args:
        device_mesh: `keras.distribution.DeviceMesh`.
        config: `LEDConfig` of the model.
        model_axis: str, the axis of the mesh to shard on.
        embeddings: str, the axis of the tables that is sharded: "hidden", or
            "vocabulary" (of the token tables alone); `None` for none.

    Returns:
        `keras.distribution.LayoutMap`. Make the model while the distribution
        is set: a weight is laid out when it is made.

    Raises:
        ValueError: If an argument is none of the above, or if the number of
            devices on the axis does not divide a size that is sharded.
    """
    if model_axis not in device_mesh.axis_names:
        raise ValueError(
            "`model_axis` must be an axis of the mesh, one of "
            f"{list(device_mesh.axis_names)}. Received: "
            f"model_axis={model_axis!r}."
        )
    if embeddings not in EMBEDDING_AXES:
        raise ValueError(
            f"`embeddings` must be one of {list(EMBEDDING_AXES)}. "
            f"Received: embeddings={embeddings!r}."
        )
    axis_index = list(device_mesh.axis_names).index(model_axis)
    _check_sizes(config, device_mesh.shape[axis_index], embeddings)
    layouts = keras.distribution.LayoutMap(device_mesh)
    for path in FIRST_PRODUCTS:
        layouts[f"{path}/kernel"] = (None, model_axis)
        layouts[f"{path}/bias"] = (model_axis,)
    for path in SECOND_PRODUCTS:
        layouts[f"{path}/kernel"] = (model_axis, None)
    if embeddings == "hidden":
        layouts[TOKEN_TABLES] = (None, model_axis)
        layouts[r".*/embed_positions/embeddings"] = (None, model_axis)
        layouts[r".*/lm_head/kernel"] = (model_axis, None)
    elif embeddings == "vocabulary":
        layouts[TOKEN_TABLES] = (model_axis, None)
        layouts[r".*/lm_head/kernel"] = (None, model_axis)
        layouts[r".*/final_logits_bias"] = (None, model_axis)
    return layouts


def _check_sizes(config, devices, embeddings):
    names = ["d_model", "encoder_ffn_dim", "decoder_ffn_dim"]
    if embeddings == "vocabulary":
        names.append("vocab_size")
    sizes = {name: getattr(config, name) for name in names}
    uneven = {name: n for name, n in sizes.items() if n % devices}
    if uneven:
        received = ", ".join(f"{name}={n}" for name, n in uneven.items())
        advice = "Take another number of devices"
        if "vocab_size" in uneven:
            advice += ", embeddings='hidden', or `pad_to_multiple_of` in "
            advice += "`resize_token_embeddings`"
        raise ValueError(
            f"The {devices} devices of the model axis must divide each size "
            f"that is sharded on it. Received: {received}. {advice}."
        )
