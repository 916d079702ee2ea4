"""A fresh model that is half-way to reading: its weights start in patterns.

Ten thousand pages are too few to find out from random numbers what attention
is good for. So positions start as sinusoids, attention starts by looking at
what resembles the query, and what it sees passes through as it is.
"""

import keras
import numpy as np

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration


def sinusoids(positions, dim, deviation):
    """Sines and cosines of geometric wave lengths, `(positions, dim)`.

    Attention to the token before is then one rotation for all places, to be
    found once; in a table of random numbers it has to be found place by place.

    Args:
        positions: int, rows.
        dim: int, even, columns.
        deviation: float, root mean square of the numbers.

    Source:
        Vaswani et al., 2017, section 3.5.
    """
    frequencies = 10000.0 ** (-np.arange(0, dim, 2) / dim)
    angles = np.arange(positions)[:, None] * frequencies
    table = np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)
    return (table * deviation * 2**0.5).astype("float32")


def make_model(tokenizer, seed, **shape):
    """A model of this shape with fresh weights.

    Args:
        tokenizer: `LEDTokenizer`.
        seed: int.
        **shape: `LEDConfig` arguments.

    Returns:
        `LEDForConditionalGeneration`.
    """
    keras.utils.set_random_seed(seed)
    config = LEDConfig(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
        **shape,
    )
    model = LEDForConditionalGeneration(config)
    generator = np.random.default_rng(seed)
    base = model.get_base_model()
    for stack in (base.encoder, base.decoder):
        table = stack.embed_positions.embeddings
        table.assign(sinusoids(*table.shape, deviation=config.init_std))
    for layer in base.encoder.layers:
        inner = layer.self_attn.longformer_self_attn
        output = layer.self_attn.output_projection
        local = (inner.query, inner.key, inner.value)
        wide = (inner.query_global, inner.key_global, inner.value_global)
        see_alike(*local, output, generator, sharpness=0.7, share=0.5)
        for source, target in zip(local, wide, strict=True):
            target.kernel.assign(source.kernel)
    for layer in base.decoder.layers:
        for part, sharpness, share in (
            (layer.self_attn, 0.7, 0.5),
            (layer.encoder_attn, 1.0, 1.0),
        ):
            projections = (part.q_proj, part.k_proj, part.v_proj, part.out_proj)
            see_alike(*projections, generator, sharpness, share)
    return model


def see_alike(query, key, value, output, generator, sharpness, share):
    """Lets attention see what resembles the query, and pass it through.

    Args:
        query: dense layer; its kernel becomes a rotation, and so does that of
        key: dense layer, the same, so that a score tells how alike two hidden
            states are.
        value: dense layer; its kernel becomes another rotation, which
        output: dense layer, takes back.
        generator: `numpy.random.Generator`.
        sharpness: float, by which queries and keys are stretched.
        share: float, by which the result is scaled.

    Source:
        Trockman and Kolter, 2023, section 4, https://arxiv.org/abs/2305.09828,
        without the noise: the heads see different sides of a state anyway.
    """
    dim = query.kernel.shape[0]
    match, content = (
        np.linalg.qr(generator.standard_normal((dim, dim)))[0] for _ in "qv"
    )
    query.kernel.assign(match * sharpness)
    key.kernel.assign(match * sharpness)
    value.kernel.assign(content)
    output.kernel.assign(content.T * share)
