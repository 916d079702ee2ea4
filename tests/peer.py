"""Random Hugging Face LED models and inputs, and a comparison with ours.

The peer is `transformers` on PyTorch. Every weight is drawn anew, biases and
normalizations included, so that a forgotten bias or a swapped axis shows.
"""

import dataclasses
import zlib

import numpy as np

# Sizes that differ from each other: a swapped axis cannot pass by luck.
TINY = {
    "vocab_size": 37,
    "d_model": 24,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 20,
    "decoder_ffn_dim": 28,
    "max_encoder_position_embeddings": 40,
    "max_decoder_position_embeddings": 18,
    "attention_window": 4,
    "activation_function": "gelu",
    "dropout": 0.1,
    "attention_dropout": 0.05,
}
TOLERANCE = 1e-4
LOSS_TOLERANCE = 1e-5
IGNORED = -100


def draw_weight(name, shape, seed):
    """Draws one weight by its Hugging Face name; exact in float16.

    The generator is keyed by the name: the draw does not depend on the order
    of the weights, nor on which other weights a model has.
    """
    key = name.removeprefix("led.").encode()
    random = np.random.default_rng([seed, zlib.crc32(key)])
    values = random.standard_normal(shape)
    if name.endswith("bias"):
        values *= 0.3
    elif "layer_norm" in name or "layernorm" in name:
        values = 1.0 + 0.3 * values
    elif "embed" in name or "shared" in name or "lm_head" in name:
        values *= 0.7
    else:  # (out, in): a few times the variance that keeps the scale
        values *= 1.6 / np.sqrt(shape[-1])
    return values.astype("float16").astype("float32")


def is_alias(name, config):
    """Whether a PyTorch name is the shared embedding table once more."""
    alias = name.endswith("embed_tokens.weight") or name == "lm_head.weight"
    return alias and config.tie_word_embeddings


def randomize(model, seed):
    """Draws every parameter and buffer of a PyTorch model; returns it."""
    import torch

    state = {
        name: torch.from_numpy(draw_weight(name, tuple(old.shape), seed))
        for name, old in model.state_dict().items()
        if not is_alias(name, model.config)
    }
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected, unexpected
    assert all(is_alias(name, model.config) for name in missing), missing
    return model.eval()


def build(class_name, seed=0, **changes):
    """A Hugging Face model of the tiny config with `changes`, all random."""
    import transformers

    settings = {**TINY, **changes}
    window = settings["attention_window"]
    if isinstance(window, tuple):
        settings["attention_window"] = list(window)
    config = transformers.LEDConfig(**settings)
    config._attn_implementation = "eager"
    return randomize(getattr(transformers, class_name)(config), seed)


def load_ours(peer, directory, **options):
    """Our model with the weights of `peer`, by way of a saved directory."""
    import keras_led

    peer.save_pretrained(directory)
    return getattr(keras_led, type(peer).__name__).from_pretrained(
        directory, **options
    )


def token_ids(batch, length, seed=0, vocab_size=TINY["vocab_size"]):
    """Random int32 ids `(batch, length)` without special tokens."""
    random = np.random.default_rng(seed)
    return random.integers(3, vocab_size, (batch, length)).astype("int32")


def padding_mask(kind, batch, length):
    """Attention mask `(batch, length)`, or None for the kind "absent"."""
    if kind == "absent":
        return None
    mask = np.ones((batch, length), "int32")
    for row in range(batch):
        pads = min(row * 2 + 1, length - 1)
        if kind == "right" and pads:
            mask[row, length - pads :] = 0
        elif kind == "left":
            mask[row, :pads] = 0
    if kind == "row":  # the last row has no token at all
        mask[-1] = 0
    if kind == "holes":
        mask[:, 1::3] = 0
    return mask


def global_mask(kind, batch, length, seed=0):
    """Global attention mask `(batch, length)`, or None for "absent"."""
    if kind == "absent":
        return None
    random = np.random.default_rng([seed, 5])
    mask = np.zeros((batch, length), "int32")
    if kind == "first":
        mask[:, 0] = 1
    elif kind == "all":
        mask[:] = 1
    elif kind == "mixed":  # row b has 2 b global tokens: the first row none
        for row in range(batch):
            count = min(2 * row, length)
            mask[row, random.permutation(length)[:count]] = 1
    elif kind == "last":  # meets right padding: masked and global at once
        mask[:, -2:] = 1
    elif kind == "two":
        mask[:, :: max(2, length // 3)] = 2
    elif kind == "minus":
        mask[:, 0] = 1
        mask[:, length // 2 :: 3] = -1
    return mask


def call_peer(peer, **inputs):
    """Calls the PyTorch model without gradients on numpy arrays."""
    import torch

    with torch.no_grad():
        return peer(**to_torch(inputs))


def to_torch(inputs):
    """Numpy arrays of a dict (None skipped) as PyTorch tensors."""
    import torch

    converted = {}
    for name, value in inputs.items():
        if isinstance(value, np.ndarray):
            value = torch.from_numpy(value)
            if not value.is_floating_point() and value.dtype != torch.bool:
                value = value.long()
        if value is not None:
            converted[name] = value
    return converted


def to_numpy(value):
    """A tensor, or a nest of tuples of them, or None, as numpy arrays."""
    if value is None:
        return None
    if isinstance(value, (tuple, list)):
        return tuple(to_numpy(item) for item in value)
    if hasattr(value, "self_attention_cache"):  # transformers 5
        caches = value.self_attention_cache, value.cross_attention_cache
        return tuple(
            to_numpy((own.keys, own.values, cross.keys, cross.values))
            for own, cross in zip(
                caches[0].layers, caches[1].layers, strict=True
            )
        )
    if hasattr(value, "detach"):
        return value.detach().float().cpu().numpy()
    return np.asarray(value)


def peer_fields(outputs):
    """Fields of a peer's output object as numpy, None fields left out."""
    return {
        field.name: to_numpy(getattr(outputs, field.name))
        for field in dataclasses.fields(outputs)
        if getattr(outputs, field.name) is not None
    }


def cut_global_attentions(attentions, global_counts, length):
    """The peer's global attentions in our layout.

    The key axis keeps `length` keys (the peer leaves its window padding in),
    and columns of unused slots are 0 (the peer's are uniform).
    """
    used = np.arange(max(global_counts)) < np.asarray(global_counts)[:, None]
    return tuple(
        np.where(used[:, None, None, :], layer[:, :, :length], 0.0)
        for layer in attentions
    )


def count_globals(attention_mask, mask):
    """Number of global tokens of each row, masked ones not counted."""
    keep = 1 if attention_mask is None else attention_mask
    return ((keep * (mask + 1)) > 1).sum(axis=1)


def flatten(name, value):
    """Yields (name, array) of a nest of tuples."""
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from flatten(f"{name}[{index}]", item)
    else:
        yield name, value


def compare(ours, expected, tolerance=TOLERANCE, only=None):
    """Holds our outputs to the expected arrays, field by field.

    Args:
        ours: One of our output objects (or a dict).
        expected: dict of field name to array or nest of tuples of arrays, as
            from `peer_fields`. Every field must be in `ours`, and no other.
        tolerance: float, largest absolute difference allowed. A field named
            "loss" is held to `LOSS_TOLERANCE` at most.
        only: names of the fields to compare; all when None.

    Returns:
        The largest absolute difference.
    """
    found = {name: to_numpy(ours[name]) for name in ours.keys()}
    names = list(only) if only else list(expected)
    if only is None:
        assert list(found) == names
    lines, worst, failed = [], 0.0, False
    for name in names:
        left = dict(flatten(name, found[name]))
        right = dict(flatten(name, expected[name]))
        assert list(left) == list(right), f"{name}: another nesting"
        for key, value in right.items():
            assert left[key].shape == value.shape, (
                f"{key}: {left[key].shape}, expected {value.shape}"
            )
            difference = np.abs(
                left[key].astype("float64") - value.astype("float64")
            )
            largest = difference.max(initial=0.0)
            limit = (
                min(tolerance, LOSS_TOLERANCE) if key == "loss" else tolerance
            )
            bad = not largest <= limit  # also for NaN
            failed = failed or bad
            worst = max(worst, largest)
            lines.append(
                f"{key}: {largest:.2e}{'  <-- too large' if bad else ''}"
            )
    report = "max abs difference\n  " + "\n  ".join(lines)
    assert not failed, report
    return worst


def check(
    ours, peer, inputs, tolerance=TOLERANCE, only=None, call=None, **options
):
    """Calls both models on the same inputs and compares every field.

    Args:
        ours: keras_led model.
        peer: Hugging Face model.
        inputs: dict of call keywords, numpy arrays; None values are left out.
        tolerance: see `compare`.
        only: see `compare`.
        call: what to call in place of `ours`, with `inputs` only.
        **options: call keywords that are no arrays.

    Returns:
        Our output object.
    """
    inputs = {key: value for key, value in inputs.items() if value is not None}
    expected = peer_fields(call_peer(peer, **inputs, **options))
    length = inputs.get("input_ids", inputs.get("inputs_embeds")).shape[1]
    for name in ("global_attentions", "encoder_global_attentions"):
        if name in expected:
            counts = count_globals(
                inputs.get("attention_mask"), inputs["global_attention_mask"]
            )
            expected[name] = cut_global_attentions(
                expected[name], counts, length
            )
    outputs = call(**inputs) if call else ours(**inputs, **options)
    compare(outputs, expected, tolerance, only)
    return outputs
