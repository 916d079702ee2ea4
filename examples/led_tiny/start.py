"""A fresh model that can copy: its weights start as a pointer into the text.

Ten thousand pages are too few to find out from random numbers how one writes
down what a page says. So the start does it already: of the hidden dims,

    words     half of them, hold the word of a place,
    places    a quarter, where it stands, as sines and cosines,
    before    a quarter, empty in the embeddings, get the words that led here:
              the first layer of the encoder puts the two words before a place
              there, that of the decoder the word written last and the one
              before it.

Where a later layer of the decoder attends to the document, two of its heads
look for the place before which the same two words stand, and write its word.
So, without any training, three of four words of a text are copied rightly.
All this are starting values only: every weight is trained.

Sources: sinusoids, Vaswani et al., 2017, section 3.5; heads that find what
followed the same words before, Olsson et al., 2022, "In-context learning and
induction heads"; initializing attention to what training would make of it,
Trockman and Kolter, 2023, https://arxiv.org/abs/2305.09828.
"""

import keras
import numpy as np
from keras import ops

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration

# Root mean square of words and places in the embeddings.
DEVIATION = 0.07
# How sharply a head looks at one place, and at equal words.
PLACE_SHARPNESS = 2.0
MATCH_SHARPNESS = 1.5
# What the second word before counts beside the first.
SECOND_SHARE = 0.7
# How much of the word written last the decoder takes away before it writes
# the next, and how loud a copied word is.
FORGOTTEN = 0.8
COPY_GAIN = 3.0
# Scale of the feed-forward blocks, which know nothing yet.
FEED_FORWARD_SCALE = 0.2


class Plan:
    """Which hidden dims hold what, and the numbers that lead there.

    Args:
        d_model: int, hidden dim, 4 heads of `size` dims.
        generator: `numpy.random.Generator`.
    """

    def __init__(self, d_model, generator):
        self.size = size = d_model // 4
        self.words = slice(0, 2 * size)
        self.word_halves = slice(0, size), slice(size, 2 * size)
        self.places = slice(2 * size, 3 * size)
        self.before = slice(3 * size, 4 * size)
        self.same = np.eye(size)
        self.frequencies = np.geomspace(2.8, 1e-3, size // 2)
        # Words `(2 * size)` to directions `(size)`, other ones for the first
        # word before and for the second, so that their sum tells both.
        self.first, self.second = (
            np.linalg.qr(generator.standard_normal((2 * size, size)))[0]
            * 2**0.5
            for _ in range(2)
        )

    def sinusoids(self, count):
        """Sines and cosines of places 0 to `count`, `(count, size)`."""
        angles = np.arange(count)[:, None] * self.frequencies
        return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)

    def turn_back(self, distance):
        """Matrix from the sinusoids of a place to those `distance` before."""
        sine = np.diag(np.sin(self.frequencies * distance))
        cosine = np.diag(np.cos(self.frequencies * distance))
        return np.block([[cosine, sine], [-sine, cosine]])


class Heads:
    """The kernels of one attention block, to be filled head by head.

    Args:
        plan: `Plan`.
        query: dense layer; likewise
        key: dense layer,
        value: dense layer and
        output: dense layer.
    """

    def __init__(self, plan, query, key, value, output):
        self.plan = plan
        self.layers = query, key, value, output
        self.kernels = [
            np.array(ops.convert_to_numpy(layer.kernel))
            for layer in self.layers
        ]

    def fill(self, head, query, key, value, output):
        """Sets one head.

        Args:
            head: int.
            query: tuple of the hidden dims that are read, a slice, and their
                matrix to the dims of the head; likewise
            key: tuple, and
            value: tuple.
            output: tuple of the hidden dims that are written, a slice, and
                the matrix to them.
        """
        size = self.plan.size
        own = slice(head * size, (head + 1) * size)
        for kernel, (dims, matrix) in zip(
            self.kernels, (query, key, value), strict=False
        ):
            kernel[:, own] = 0.0
            kernel[dims, own] = matrix
        dims, matrix = output
        self.kernels[-1][own] = 0.0
        self.kernels[-1][own, dims] = matrix

    def look_back(self, head, distance, value, output):
        """Makes a head look at the place `distance` before its own."""
        plan = self.plan
        query = plan.turn_back(distance) * PLACE_SHARPNESS
        key = plan.same * PLACE_SHARPNESS
        self.fill(head, (plan.places, query), (plan.places, key), value, output)

    def assign(self):
        """Hands the kernels to the layers."""
        for layer, kernel in zip(self.layers, self.kernels, strict=True):
            layer.kernel.assign(kernel)


def make_model(tokenizer, seed, **shape):
    """A model of this shape whose weights start as described above.

    Args:
        tokenizer: `LEDTokenizer`.
        seed: int.
        **shape: `LEDConfig` arguments; 4 heads.

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
    plan = Plan(config.d_model, np.random.default_rng(seed))
    base = model.get_base_model()
    start_embeddings(plan, base)
    start_encoder(plan, base.encoder.layers)
    start_decoder(plan, base.decoder.layers)
    for layer in (*base.encoder.layers, *base.decoder.layers):
        layer.fc2.kernel.assign(layer.fc2.kernel * FEED_FORWARD_SCALE)
    return model


def start_embeddings(plan, base):
    """Words in their half of the dims, places in their quarter."""
    for stack in (base.encoder, base.decoder):
        table = stack.embed_positions.embeddings
        numbers = np.zeros(table.shape, "float32")
        scale = DEVIATION * 2**0.5
        numbers[:, plan.places] = plan.sinusoids(len(numbers)) * scale
        table.assign(numbers)
    table = base.shared.embeddings
    numbers = np.array(ops.convert_to_numpy(table))
    numbers[:, plan.words] *= DEVIATION / numbers[:, plan.words].std()
    numbers[:, plan.words.stop :] = 0.0
    table.assign(numbers)


def start_encoder(plan, layers):
    """The two words before a place go to the dims for them."""
    attention = layers[0].self_attn
    local = attention.longformer_self_attn
    heads = Heads(
        plan,
        *(local.query, local.key, local.value, attention.output_projection),
    )
    output = plan.before, plan.same
    heads.look_back(0, 1, (plan.words, plan.first), output)
    heads.look_back(1, 2, (plan.words, plan.second * SECOND_SHARE), output)
    heads.assign()
    for layer in layers:
        inner = layer.self_attn.longformer_self_attn
        for name in ("query", "key", "value"):
            wide = getattr(inner, f"{name}_global")
            wide.kernel.assign(getattr(inner, name).kernel)


def start_decoder(plan, layers):
    """The two words written last likewise; then what follows them."""
    heads = heads_of(plan, layers[0].self_attn)
    output = plan.before, plan.same
    heads.look_back(0, 0, (plan.words, plan.first), output)
    heads.look_back(1, 1, (plan.words, plan.second * SECOND_SHARE), output)
    for head, half in zip((2, 3), plan.word_halves, strict=True):
        forget = half, -plan.same * FORGOTTEN
        heads.look_back(head, 0, (half, plan.same), forget)
    heads.assign()
    match = plan.before, plan.same * MATCH_SHARPNESS
    for layer in layers[1:]:
        heads = heads_of(plan, layer.encoder_attn)
        for head, half in zip((0, 1), plan.word_halves, strict=True):
            copy = half, plan.same * COPY_GAIN
            heads.fill(head, match, match, (half, plan.same), copy)
        heads.assign()


def heads_of(plan, attention):
    """`Heads` of an attention block of the decoder."""
    return Heads(
        plan,
        *(attention.q_proj, attention.k_proj),
        *(attention.v_proj, attention.out_proj),
    )
