"""A step of generation for samplers that only KerasHub's own loop can run."""

from typing import TYPE_CHECKING
from typing import Any

import keras
from keras import ops

from keras_led.attention.over_shards import document_in_shards
from keras_led.hub.hub_core import GLOBAL_MASK
from keras_led.hub.hub_core import first_tokens
from keras_led.models.decoder_model import DecoderState
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.models.conditional_generation import (
        LEDForConditionalGeneration,
    )


def generate_with_sampler(
    led: "LEDForConditionalGeneration",
    sampler: Any,
    inputs: dict[str, Tensor],
    stop_token_ids: Any,
    model: keras.Model,
) -> dict[str, Tensor]:
    """Runs a sampler of KerasHub over the decoding steps of an LED.

    Args:
        led: the model that decodes.
        sampler: `keras_hub.samplers.Sampler`.
        inputs: dict of int tensors, the inputs of `LEDBackbone`; the rows of
            the decoder are as long as the output may become.
        stop_token_ids: list of int, or `None` to fill the rows.
        model: the task, whose variables the sampler hands through its loop.

    Returns:
        dict of int tensors `(B, T)`: `"decoder_token_ids"` and
        `"decoder_padding_mask"`.

    Raises:
        ValueError: If an output may become longer than the decoder writes.
    """
    ids, mask = inputs["encoder_token_ids"], inputs["encoder_padding_mask"]
    prompt = inputs["decoder_token_ids"]
    limit = led.config.max_decoder_position_embeddings
    if prompt.shape[1] > limit:
        raise ValueError(
            f"`max_length` must be at most {limit}, the decoder's table of "
            f"positions. Received: max_length={prompt.shape[1]}."
        )
    prompt_mask = ops.cast(inputs["decoder_padding_mask"], "bool")
    global_mask = inputs.get(GLOBAL_MASK)
    if global_mask is None:
        global_mask = first_tokens(ids)
    encoded = led.encode(
        ops.cast(ids, "int32"),
        attention_mask=ops.cast(mask, "int32"),
        global_attention_mask=ops.cast(global_mask, "int32"),
    ).last_hidden_state
    # A sampler repeats and reorders the cache along the first axis of every
    # tensor. So the document's keys stand in it as plain tensors: the packed
    # ones of `start_decoding` are laid out for rows that stay in place.
    encoded, _ = document_in_shards(encoded)
    cross = tuple(
        tuple(layer.cross_keys_and_values(encoded))
        for layer in led.led.decoder.layers
    )
    own = led.led.decoder.empty_caches(ops.shape(prompt)[0], prompt.shape[1])
    cache = (own, cross, ops.not_equal(mask, 0))

    def decode(tokens, cache, index):
        output, state = led.decode_step(
            tokens, DecoderState(*cache), index, output_hidden_states=True
        )
        hidden = output.decoder_hidden_states[-1]
        return output.logits, hidden, (state.self_cache, *cache[1:])

    _, hidden, cache = decode(ops.cast(prompt, "int32"), cache, 0)

    def next(prompt, cache, index):
        rows = ops.shape(prompt)[0]
        last = ops.slice(prompt, (0, index - 1), (rows, 1))
        logits, hidden, cache = decode(
            ops.cast(last, "int32"), cache, index - 1
        )
        return logits[:, 0], hidden[:, 0], cache

    lengths = ops.sum(ops.cast(prompt_mask, "int32"), axis=-1)
    tokens = sampler(
        next=next,
        prompt=prompt,
        cache=cache,
        index=ops.min(lengths),
        mask=prompt_mask,
        stop_token_ids=stop_token_ids,
        hidden_states=hidden,
        model=model,
    )
    return {
        "decoder_token_ids": tokens,
        "decoder_padding_mask": _up_to_the_end(
            tokens, prompt_mask, stop_token_ids
        ),
    }


def _up_to_the_end(tokens, prompt_mask, stop_token_ids):
    """Mask of the tokens up to the first end behind the prompt."""
    if stop_token_ids is None:
        return ops.ones_like(tokens, dtype="bool")
    ends = ops.zeros_like(tokens, dtype="bool")
    for token in stop_token_ids:
        ends = ops.logical_or(ends, ops.equal(tokens, token))
    ends = ops.logical_and(ends, ops.logical_not(prompt_mask))
    ends = ops.cast(ends, "int32")
    before = ops.cumsum(ends, axis=-1) - ends
    return ops.equal(before, 0)
