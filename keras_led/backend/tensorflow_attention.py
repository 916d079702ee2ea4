"""The products of windowed attention, as TensorFlow runs them fastest.

In a graph on a CPU, `query @ key^T`, times a number, plus a bias is one
operation if written so. With it, and a gather of the keys in place of a slice
joined to the global keys, two cores took a third less time for led-base's
attention to a window.
"""

import tensorflow as tf


def map_operands(function, x):
    """Query, key and value of the attention, by a function of hidden states.

    Args:
        function: Callable from `(B, T, D)`, the hidden states of some tokens,
            to a tuple of the three, `(B, N, T, H)`.
        x: Float tensor of shape `(B, L, D)`.

    Returns:
        Tuple of the three, `(B, N, L, H)`.
    """
    return function(x)


def spans(x, positions=None):
    """Prepares keys or values to be read slice by slice.

    Args:
        x: Float tensor of shape `(B, N, L, H)`.
        positions: Int32 tensor of shape `(B, G)`, of those that come before
            each slice, or `None`.

    Returns:
        Callable from int32 starts, `(blocks,)`, and the size of a slice, `S`,
        an int or int32 scalar, to a tuple of float tensors
        `(B, N, blocks, ..., H)`, whose rows are those at the positions and
        the slice, `G + S` in all. Of its options, `heads` says which to read,
        a pair of the first one, an int32 scalar tensor, and their int number,
        and `joined` asks for a single tensor.
    """
    table, before = x, None
    if positions is not None:
        before = positions[0]
        if x.shape[0] != 1:  # each document has others: they go in front
            table = tf.concat([take_keys(x, positions), x], axis=2)
            before = tf.range(tf.size(before))
    in_front = 0 if table is x else tf.size(before)

    def read(starts, size, heads=None, joined=False):
        del joined  # products read one tensor as fast
        rows = starts[:, None] + tf.range(size) + in_front
        if before is not None:
            shape = (tf.shape(starts)[0], tf.size(before))
            rows = tf.concat([tf.broadcast_to(before, shape), rows], axis=1)
        first, count = heads or (0, x.shape[1])
        chosen = table if heads is None else table[:, first : first + count]
        found = tf.gather(chosen, rows, axis=2)
        shape = (x.shape[0], count, starts.shape[0], None, x.shape[-1])
        found.set_shape(shape)
        return (found,)

    return read


# Of keys for `attend`, which reads them as it reads values.
key_spans = spans


def scores(query, key, bias, scale):
    """`scale * query @ key^T + bias`, in float32.

    Args:
        query: Float tensor of shape `(B, N, blocks, T, H)`.
        key: Float tensor of shape `(B, N, blocks, S, H)`.
        bias: Float32 tensor of shape `(B, 1, blocks, T, S)`.
        scale: float.

    Returns:
        Float32 tensor of shape `(B, N, blocks, T, S)`.
    """
    single = query.shape[2] == 1
    if single:  # the one operation knows four axes
        query, key, bias = (tf.squeeze(x, 2) for x in (query, key, bias))
    if query.dtype == tf.float16:  # whose largest number is 65,504
        query, scale = query * tf.cast(scale, query.dtype), 1.0
    products = tf.matmul(query, key, transpose_b=True)
    products = tf.cast(products, bias.dtype)
    found = products * tf.constant(scale, bias.dtype) + bias
    return tf.expand_dims(found, 2) if single else found


def attend(query, keys, values, bias, scale):
    """Attention to keys and values that `spans` read.

    Args:
        query: Float tensor of shape `(B, N, blocks, T, H)`.
        keys: Tuple of float tensors.
        values: Tuple of float tensors.
        bias: Float32 tensor of shape `(B, 1, blocks, T, G + S)`.
        scale: float, of the scores.

    Returns:
        Float tensor of the shape and dtype of `query`.
    """
    (key,), (value,) = keys, values
    if query.dtype == tf.bfloat16:
        bias = tf.cast(bias, query.dtype)  # 0 for whatever counts
    weights = tf.nn.softmax(scores(query, key, bias, scale))
    return times(tf.cast(weights, value.dtype), value)


def attend_gradients():
    """`None`: gradients are products here; see `torch_attention`."""


def times(x, y):
    """`x @ y` for float tensors `(B, N, blocks, ...)`."""
    if x.shape[2] != 1:
        return tf.matmul(x, y)
    return tf.matmul(tf.squeeze(x, 2), tf.squeeze(y, 2))[:, :, None]


def times_transposed(x, y):
    """`x @ y^T` likewise."""
    return tf.matmul(x, y, transpose_b=True)


def take_keys(x, positions):
    """Takes those of every head, `(B, N, L, H)` and `(B, G)` to `(B, N, G, H)`.

    As rows of a matrix: where a position has many axes behind it, TensorFlow
    transposes all of `x` to take it.
    """
    shape = tf.shape(x)
    batch, num_heads, length = shape[0], shape[1], shape[2]
    heads = tf.reshape(tf.range(batch * num_heads), (batch, num_heads, 1))
    rows = positions[:, None, :] + length * heads
    found = tf.gather(tf.reshape(x, (-1, x.shape[-1])), rows)
    return tf.ensure_shape(
        found, (*x.shape[:2], positions.shape[1], x.shape[3])
    )
