import functools

import keras
import numpy as np
import pytest

from tests import peer
from tests.models import reference
from tests.models.pairs import both_sides
from tests.models.pairs import document
from tests.models.pairs import pair
from tests.models.pairs import quick

PADDING = ("absent", "right", "left", "row", "holes")
GLOBALS = (
    "absent",
    "none",
    "first",
    "all",
    "mixed",
    "last",
    "two",
    "minus",
)
OUTPUTS = {"use_cache": False, "output_hidden_states": True}


def hold(model, length, padding, wide):
    """Our full model against the peer's, every hidden state."""
    inputs = both_sides(length, padding, wide)
    call = quick(model[0], **OUTPUTS)
    peer.check(*model, inputs, call=call, **OUTPUTS)


@pytest.mark.parametrize("padding", PADDING)
@pytest.mark.parametrize("wide", GLOBALS)
def test_every_padding_with_every_global_set(padding, wide):
    # 11 tokens: not a multiple of the windows, and longer than either.
    hold(pair("LEDModel", attention_window=(4, 8)), 11, padding, wide)


@pytest.mark.parametrize(
    ("padding", "wide"),
    [
        ("absent", "absent"),
        ("right", "mixed"),  # slots for four global tokens
        ("row", "all"),
    ],
)
def test_calls_that_are_not_compiled(padding, wide):
    model = pair("LEDModel", attention_window=(4, 8))
    peer.check(*model, both_sides(11, padding, wide), **OUTPUTS)


@pytest.mark.parametrize(
    ("padding", "wide"), [("absent", "absent"), ("right", "mixed")]
)
@pytest.mark.parametrize(
    ("window", "length"),
    [
        ((4, 8), 1),  # one token
        ((4, 8), 3),  # shorter than both windows
        ((4, 8), 6),  # shorter than one of them
        ((4, 8), 8),  # a multiple of both
        ((12, 4), 13),
        (10, 19),
        (38, 9),
    ],
)
def test_windows_and_lengths(window, length, padding, wide):
    hold(pair("LEDModel", attention_window=window), length, padding, wide)


@functools.cache
def encoder_of(ours):
    """One encoder a model: each has its own compiled programs."""
    return ours.get_encoder()


def encode(ours, inputs, **options):
    """The outputs of our encoder, as arrays."""
    inputs = {k: v for k, v in inputs.items() if v is not None}
    output = quick(encoder_of(ours), **options)(**inputs)
    return {name: peer.to_numpy(value) for name, value in output.items()}


@pytest.mark.parametrize(
    ("length", "wide"),
    [(1, "first"), (7, "absent"), (7, "mixed"), (7, "all")],
)
@pytest.mark.parametrize("window", [(2, 2), (6, 4), (4, 4)])
def test_windows_that_the_peer_cannot_run(window, length, wide):
    ours, other = pair("LEDModel", attention_window=window)
    inputs = document(length, "right", wide)
    weights = {
        name: value.numpy() for name, value in other.state_dict().items()
    }
    config = {**peer.TINY, "attention_window": window}
    expected = reference.encoder(weights, config, **inputs)
    if window == (4, 4):  # the reference itself against the peer
        found = peer.call_peer(
            other.encoder, **inputs, output_hidden_states=True
        ).hidden_states
    else:
        found = encode(ours, inputs, output_hidden_states=True)["hidden_states"]
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(
            peer.to_numpy(left), right, atol=peer.TOLERANCE
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder_attention_heads": 1, "decoder_attention_heads": 6},
        {"encoder_attention_heads": 12, "decoder_attention_heads": 1},
        {"encoder_layers": 1, "decoder_layers": 3},
        {
            "encoder_layers": 3,
            "decoder_layers": 1,
            "attention_window": (4, 8, 8),
        },
    ],
)
def test_heads_and_layers(changes):
    hold(pair("LEDModel", **changes), 11, "right", "mixed")


@pytest.mark.parametrize("name", ["gelu_new", "relu"])
def test_activation_functions(name):
    model = pair("LEDModel", activation_function=name)
    hold(model, 11, "right", "mixed")


def test_documents_do_not_touch_one_another():
    ours, _ = pair("LEDModel", attention_window=(4, 8))
    inputs = document(11, "right", "mixed")
    together = encode(ours, inputs)["last_hidden_state"]
    for row in range(len(together)):
        alone = {k: v[row : row + 1] for k, v in inputs.items()}
        np.testing.assert_allclose(
            encode(ours, alone)["last_hidden_state"][0],
            together[row],
            atol=1e-5,
        )


def test_more_padding_changes_nothing():
    ours, _ = pair("LEDModel", attention_window=(4, 8))
    inputs = document(11, "right", "mixed")
    short = encode(ours, inputs)["last_hidden_state"]
    longer = {
        name: np.pad(value, ((0, 0), (0, 8))) for name, value in inputs.items()
    }
    long = encode(ours, longer)["last_hidden_state"]
    np.testing.assert_allclose(long[:, :11], short, atol=1e-5)


def test_masked_tokens_are_seen_by_nobody():
    ours, _ = pair("LEDModel", attention_window=(4, 8))
    inputs = document(11, "holes", "mixed")
    before = peer.to_numpy(ours.encode(**inputs).last_hidden_state)
    masked = inputs["attention_mask"] == 0
    inputs["input_ids"] = np.where(masked, 3, inputs["input_ids"])
    after = peer.to_numpy(ours.encode(**inputs).last_hidden_state)
    np.testing.assert_array_equal(after[~masked], before[~masked])
    assert np.abs(after[masked] - before[masked]).max() > 0.1


@pytest.mark.parametrize("dtype", ["bool", "float32", "int64"])
def test_dtype_of_the_masks_does_not_matter(dtype):
    ours, _ = pair("LEDModel", attention_window=(4, 8))
    inputs = document(11, "right", "mixed")
    expected = peer.to_numpy(ours.encode(**inputs).last_hidden_state)
    for name in ("attention_mask", "global_attention_mask"):
        inputs[name] = inputs[name].astype(dtype)
    found = peer.to_numpy(ours.encode(**inputs).last_hidden_state)
    np.testing.assert_array_equal(found, expected)


def test_an_attention_mask_of_two_makes_a_token_global():
    model = pair("LEDModel", attention_window=(4, 8))
    inputs = both_sides(11, "right")
    inputs["attention_mask"][:, 0] = 2
    peer.check(*model, inputs, **OUTPUTS)


def test_tensors_of_the_backend_do_as_numpy_arrays_do():
    ours, _ = pair("LEDModel", attention_window=(4, 8))
    inputs = document(11, "right", "mixed")
    tensors = {k: keras.ops.convert_to_tensor(v) for k, v in inputs.items()}
    np.testing.assert_array_equal(
        peer.to_numpy(ours.encode(**tensors).last_hidden_state),
        peer.to_numpy(ours.encode(**inputs).last_hidden_state),
    )


def test_embeddings_in_place_of_ids():
    model = pair("LEDModel", attention_window=(4, 8))
    inputs = both_sides(11, "right", "mixed")
    table = model[1].shared.weight.detach().numpy()
    inputs["inputs_embeds"] = table[inputs.pop("input_ids")]
    inputs["decoder_inputs_embeds"] = table[inputs.pop("decoder_input_ids")]
    peer.check(*model, inputs, **OUTPUTS)


def test_a_quantized_encoder_is_near_the_exact_one():
    # With one global token, its row comes from kernels read as matrices.
    model, _ = pair("LEDModel", attention_window=(4, 8))
    config = model.config.copy()
    own = type(model)(config)
    own.set_weights(model.get_weights())
    inputs = document(19, "absent", "first")

    def encode():
        found = own.encode(**inputs).last_hidden_state
        return keras.ops.convert_to_numpy(found)

    exact = encode()
    own.quantize("int8")
    difference = np.abs(encode() - exact)
    assert 0 < difference[:, 0].max() < 0.3
    assert difference.max() < 0.3
