"""Registration with `optree`, which carries `keras.tree`."""

import optree

from keras_led.typing import D


def register(cls: type[D]) -> type[D]:
    """Makes `keras.tree` see into `cls`, an ordered dict of tensors."""
    optree.register_pytree_node(
        cls,
        lambda output: (tuple(output.values()), tuple(output), tuple(output)),
        lambda keys, values: cls(zip(keys, values, strict=True)),  # pyright: ignore[reportArgumentType, reportCallIssue]
        namespace="keras",
    )
    return cls
