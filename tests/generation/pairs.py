"""A random LED of the peer, the same in ours, and one call of both."""

import functools
import tempfile
import warnings

import numpy as np

from tests import peer

SIZES = {
    "vocab_size": 53,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "max_encoder_position_embeddings": 48,
    "max_decoder_position_embeddings": 20,
}


@functools.cache
def models(seed=1, eos_bias=8.0, scale=1.5):
    """The peer and ours, with the same weights.

    Args:
        seed: int.
        eos_bias: float, added to the logit of the end token, so that
            sequences end here and there.
        scale: float, factor of the embeddings: large logits leave no ties.

    The decoder's positions count four times as much as usual: a random model
    would repeat one token for ever.
    """
    import torch

    from keras_led.models.conditional_generation import (
        LEDForConditionalGeneration,
    )

    theirs = peer.build("LEDForConditionalGeneration", seed, **SIZES)
    with torch.no_grad():
        theirs.led.shared.weight.mul_(scale)
        theirs.led.decoder.embed_positions.weight.mul_(4.0)
        theirs.final_logits_bias[0, 2] = eos_bias
    with tempfile.TemporaryDirectory() as directory:
        theirs.save_pretrained(directory)
        ours = LEDForConditionalGeneration.from_pretrained(directory)
    return theirs, ours


def documents(batch=3, length=11, seed=1, padding="right", spread="mixed"):
    """Inputs for `generate` as numpy arrays."""
    ids = peer.token_ids(batch, length, seed, SIZES["vocab_size"])
    mask = peer.padding_mask(padding, batch, length)
    if mask is not None:
        ids = np.where(mask, ids, 1).astype("int32")
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "global_attention_mask": peer.global_mask(spread, batch, length),
    }


def generate_theirs(theirs, inputs, **options):
    """The peer's output object, warnings silenced."""
    import torch

    arrays = {k: v for k, v in options.items() if isinstance(v, np.ndarray)}
    rest = {k: v for k, v in options.items() if k not in arrays}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        return theirs.generate(
            **peer.to_torch({**inputs, **arrays}),
            return_dict_in_generate=True,
            output_scores=True,
            **rest,
        )


def generate_ours(ours, inputs, **options):
    """Our output object."""
    return ours.generate(**inputs, return_dict_in_generate=True, **options)


def check(options, inputs=None, only_theirs=None, **model_options):
    """Holds both models' sequences and scores to each other."""
    theirs, ours = models(**model_options)
    inputs = inputs or documents()
    expected = generate_theirs(
        theirs, inputs, **{**options, **(only_theirs or {})}
    )
    found = generate_ours(ours, inputs, **options)
    np.testing.assert_array_equal(
        peer.to_numpy(found.sequences), expected.sequences.numpy()
    )
    scores = getattr(expected, "sequences_scores", None)
    if scores is not None:
        np.testing.assert_allclose(
            peer.to_numpy(found.sequences_scores),
            scores.numpy(),
            rtol=1e-5,  # a length penalty below 0 multiplies them
            atol=1e-4,
        )
        np.testing.assert_array_equal(
            peer.to_numpy(found.beam_indices), expected.beam_indices.numpy()
        )
    return found, expected
