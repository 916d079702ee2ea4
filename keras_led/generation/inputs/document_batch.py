"""The document side of `generate`: what the encoder is going to read."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_led.generation.tensor_ops import ops
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.config import LEDConfig

# Encoder lengths are rounded up to one of 8 sizes per power of two, so that
# at most 1/8 of the work is padding and few sizes have to be compiled.
BUCKETS_PER_OCTAVE = 8
SMALLEST_STEP = 16


@dataclasses.dataclass
class DocumentBatch:
    """Documents as numpy arrays, checked; what is absent is `None`.

    Attributes:
        input_ids: int32 `(B, S)`.
        inputs_embeds: float `(B, S, D)`.
        hidden_states: encoder's output `(B, S, D)`, when given.
        attention_mask: int32 `(B, S)`, always there; float32 where the
            caller's has fractions.
        global_attention_mask: Likewise, or `None`.
        encoder_outputs: the object the caller gave, never written to.
    """

    input_ids: Any
    inputs_embeds: Any
    hidden_states: Any
    attention_mask: Any
    global_attention_mask: Any
    encoder_outputs: Any = None

    @property
    def size(self) -> int:
        """int, `B`."""
        return self.attention_mask.shape[0]

    @property
    def length(self) -> int:
        """int, `S`, before bucketing."""
        return self.attention_mask.shape[1]


def bucket_length(length: int, limit: int) -> int:
    """Rounds a length up to its bucket.

    Args:
        length: int, in tokens.
        limit: int, longest length the encoder takes, in tokens.

    Returns:
        int in `[length, max(length, limit)]`.
    """
    octave = 1 << max(length - 1, 1).bit_length()
    step = max(SMALLEST_STEP, octave // (2 * BUCKETS_PER_OCTAVE))
    rounded = -(-length // step) * step
    return max(length, min(rounded, limit))


def pad_columns(array: Tensor, length: int) -> Tensor:
    """Appends zeros to the second axis of a numpy array or a tensor."""
    missing = length - array.shape[1]
    if missing == 0:
        return array
    widths = [(0, 0)] * len(array.shape)
    widths[1] = (0, missing)
    if isinstance(array, np.ndarray):
        return np.pad(array, widths)
    return ops.pad(array, widths)


def read_documents(
    config: "LEDConfig",
    pad_token_id: int | None,
    eos_token_ids: Sequence[int],
    *,
    input_ids: Tensor | None = None,
    inputs_embeds: Tensor | None = None,
    attention_mask: Tensor | None = None,
    global_attention_mask: Tensor | None = None,
    encoder_outputs: Any = None,
) -> DocumentBatch:
    """Checks the documents and fills in what is missing.

    Args:
        config: `LEDConfig`.
        pad_token_id: int or `None`.
        eos_token_ids: tuple of int.
        input_ids: integers `(B, S)`.
        inputs_embeds: floats `(B, S, D)`.
        attention_mask: `(B, S)`; when absent it is 0 at the padding tokens of
            `input_ids`.
        global_attention_mask: `(B, S)`.
        encoder_outputs: output of an earlier encoder run.

    Returns:
        `DocumentBatch`.

    Raises:
        TypeError: If ids are not integers.
        ValueError: If an argument is missing, or shapes or values are wrong.
    """
    ids = None if input_ids is None else _ids(input_ids, config.vocab_size)
    embeds = None
    if inputs_embeds is not None:
        embeds = _floats("inputs_embeds", inputs_embeds, config.d_model)
    hidden = None
    if encoder_outputs is not None:
        hidden = _hidden(encoder_outputs, config.d_model)
    sources = [x for x in (ids, embeds) if x is not None]
    if len(sources) != 1 and (hidden is None or len(sources) > 1):
        raise ValueError(
            "`generate` takes `input_ids` or `inputs_embeds`, or an earlier "
            "run's `encoder_outputs`, or begins from `bos_token_id` where "
            "that is set. Received: "
            f"{'both' if sources else 'neither'} of the first two. "
            "Pass exactly one."
        )
    shape = tuple((hidden if hidden is not None else sources[0]).shape[:2])
    _check_size(shape, config, encoded=hidden is not None)
    if sources and tuple(sources[0].shape[:2]) != shape:
        raise ValueError(
            "`encoder_outputs` must belong to the documents. Received: "
            f"encoder_outputs of shape {tuple(hidden.shape)}, documents of "
            f"shape {tuple(sources[0].shape)}."
        )
    mask = _mask("attention_mask", attention_mask, shape)
    if mask is None:
        mask = _infer_mask(ids, shape, pad_token_id, eos_token_ids)
    return DocumentBatch(
        input_ids=ids,
        inputs_embeds=embeds,
        hidden_states=hidden,
        attention_mask=mask,
        global_attention_mask=_mask(
            "global_attention_mask", global_attention_mask, shape
        ),
        encoder_outputs=encoder_outputs,
    )


def read_array(value: Any) -> np.ndarray:
    """Turns a tensor, an array or a list into a numpy array."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return np.asarray(value)
    return ops.convert_to_numpy(value)


def read_ids(name: str, value: Any, vocab_size: int) -> np.ndarray:
    """Reads token ids of shape `(B, length)` as an int32 array.

    Raises:
        TypeError: If they are not integers.
        ValueError: If the rank is not 2 or an id is outside `[0, V)`.
    """
    array = read_array(value)
    if array.ndim != 2:
        raise ValueError(
            f"`{name}` must have the shape (documents, tokens). "
            f"Received: shape={array.shape}."
        )
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"`{name}` must hold integers. Received: dtype={array.dtype}."
        )
    if array.size and (array.min() < 0 or array.max() >= vocab_size):
        worst = array.min() if array.min() < 0 else array.max()
        raise ValueError(
            f"`{name}` must hold ids in [0, {vocab_size}), the vocabulary. "
            f"Received: {worst}."
        )
    return array.astype("int32")


def _ids(value, vocab_size):
    return read_ids("input_ids", value, vocab_size)


def _floats(name, value, width):
    shape = tuple(np.shape(value))
    if len(shape) != 3 or shape[-1] != width:
        raise ValueError(
            f"`{name}` must have the shape (documents, tokens, {width}). "
            f"Received: shape={shape}."
        )
    return value


def _hidden(encoder_outputs, width):
    """Finds the last hidden state in what the caller gave."""
    found = encoder_outputs
    if hasattr(found, "last_hidden_state"):
        found = found.last_hidden_state
    elif isinstance(found, dict):
        found = found.get("last_hidden_state")
    elif isinstance(found, (list, tuple)):
        found = found[0] if found else None
    if found is None:
        raise ValueError(
            "`encoder_outputs` must hold `last_hidden_state`. "
            f"Received: {type(encoder_outputs).__name__}."
        )
    return _floats("encoder_outputs", found, width)


def _check_size(shape, config, encoded):
    if 0 in shape:
        raise ValueError(
            "`generate` needs at least one document of at least one token. "
            f"Received: shape={shape}."
        )
    limit = config.max_encoder_position_embeddings
    if shape[1] > limit and not encoded:
        raise ValueError(
            f"Documents must fit the encoder's {limit} positions "
            "(`config.max_encoder_position_embeddings`). "
            f"Received: {shape[1]} tokens. Truncate them."
        )


def _mask(name, value, shape):
    if value is None:
        return None
    mask = read_array(value)
    if mask.shape != shape:
        raise ValueError(
            f"`{name}` must have the shape of the documents, {shape}. "
            f"Received: shape={mask.shape}."
        )
    whole = mask.astype("int32")
    # What is above 0 is global, as in a call of the model: 0.5 too.
    return whole if (whole == mask).all() else mask.astype("float32")


def _infer_mask(ids, shape, pad_token_id, eos_token_ids):
    """Takes padding ids for padding, unless they also end a sequence."""
    if ids is None or pad_token_id is None or pad_token_id in eos_token_ids:
        return np.ones(shape, "int32")
    return (ids != pad_token_id).astype("int32")
