"""Who may attend to whom: from the user's two masks to boolean ones."""

from typing import Any
from typing import NamedTuple

from keras import ops

from keras_led import backend
from keras_led.typing import Shape
from keras_led.typing import Tensor


class TokenRoles(NamedTuple):
    """What each token of the document is.

    Attributes:
        padding_mask: Bool tensor of shape `(B, L)`; `True` is a real token,
            one that attends and is attended to.
        global_mask: Bool tensor of shape `(B, L)`, or `None` where no token
            can be global; `True` is a real token with global attention.
    """

    padding_mask: Any
    global_mask: Any


def token_roles(
    attention_mask: Tensor | None,
    global_attention_mask: Tensor | None,
    batch_and_length: Shape,
) -> TokenRoles:
    """Merges the two masks of the Hugging Face call into roles.

    Hugging Face multiplies `attention_mask * (global_attention_mask + 1)`:
    below 1 a token is masked, at 1 it is local, above 1 it is global. So a
    masked token is never global, a global mask of -1 masks, and an attention
    mask of 2 alone makes a token global.

    Args:
        attention_mask: Int, float or bool tensor of shape `(B, L)`; 1 is a
            token, 0 is padding. `None` means ones.
        global_attention_mask: Int, float or bool tensor of shape `(B, L)`;
            1 is global, 0 is local. `None` means zeros.
        batch_and_length: Tuple `(B, L)`, used where both masks are `None`.

    Returns:
        `TokenRoles`.

    Source:
        `LEDModel._merge_to_attention_mask` and the sign tests of
        `LEDEncoder.forward` in transformers 5.23.
    """
    if attention_mask is None and global_attention_mask is None:
        return TokenRoles(ops.ones(batch_and_length, dtype="bool"), None)
    if global_attention_mask is None:
        code = backend.cast(attention_mask, "float32")
    else:
        code = backend.cast(global_attention_mask, "float32") + 1.0
        if attention_mask is not None:
            code = code * backend.cast(attention_mask, "float32")
    return TokenRoles(ops.greater_equal(code, 1.0), ops.greater(code, 1.0))


def causal_mask(
    num_queries: int, num_keys: int, offset: int | Tensor
) -> Tensor:
    """Marks the keys that a decoder query may use: itself and those before.

    Args:
        num_queries: int, `T`, new tokens.
        num_keys: int, `S`, slots of the cache, the new tokens included.
        offset: int or int32 scalar tensor, position of the first query.

    Returns:
        Bool tensor of shape `(T, S)`; `True` means "may attend".
    """
    query_position = ops.arange(num_queries, dtype="int32") + offset
    key_position = ops.arange(num_keys, dtype="int32")
    return key_position[None, :] <= query_position[:, None]
