"""Bad calls fail with a clear message before the encoder runs."""

import numpy as np
import pytest

from keras_led.generation import GenerationConfig
from tests.generation.fakes import FakeModel

V = 9
IDS = np.array([[3, 4, 5], [6, 7, 1]])


@pytest.fixture
def model():
    return FakeModel(np.eye(V))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_beams": 0}, ValueError, r"`num_beams` .*: num_beams=0\."),
        (
            {"num_beams": 2, "num_return_sequences": 3},
            ValueError,
            "num_return_sequences=3, num_beams=2",
        ),
        ({"max_length": -1}, ValueError, r"`max_length` .*=-1\."),
        ({"max_new_tokens": 0}, ValueError, r"`max_new_tokens` .*=0\."),
        (
            {"max_length": 18},
            ValueError,
            r"decoder's 16 positions .*max_length=18.*Try max_length=17\.",
        ),
        (
            {"max_new_tokens": 17},
            ValueError,
            r"max_new_tokens=17.*Try max_new_tokens=16\.",
        ),
        ({"max_length": 1}, ValueError, "max_length=1, a prompt of 1 tokens"),
        (
            {"max_length": 3, "decoder_input_ids": np.array([[2, 5, 6]] * 2)},
            ValueError,
            "max_length=3, a prompt of 3 tokens",
        ),
        (
            {"max_length": 5, "min_length": 6},
            ValueError,
            r"`min_length` .*5 tokens.*: min_length=6\.",
        ),
        (
            {"max_new_tokens": 5, "min_new_tokens": 6},
            ValueError,
            r"`min_new_tokens` .*: min_new_tokens=6\.",
        ),
        ({"input_ids": np.zeros((0, 3), int)}, ValueError, r"\(0, 3\)"),
        ({"input_ids": np.zeros((2, 0), int)}, ValueError, r"\(2, 0\)"),
        ({"input_ids": np.zeros(3, int)}, ValueError, r"`input_ids` .*\(3,\)"),
        ({"input_ids": np.ones((1, 3))}, TypeError, "dtype=float64"),
        ({"input_ids": np.array([[3, 9]])}, ValueError, r"\[0, 9\).*: 9\."),
        ({"input_ids": np.array([[3, -1]])}, ValueError, "Received: -1"),
        ({"input_ids": np.ones((1, 65), int)}, ValueError, "64 .* 65 tokens"),
        (
            {
                "input_ids": None,
                "bos_token_id": None,
                "decoder_start_token_id": 2,
            },
            ValueError,
            "begins from `bos_token_id` .*neither of the first two",
        ),
        ({"inputs": IDS}, ValueError, "`inputs` and `input_ids`"),
        (
            {"inputs_embeds": np.zeros((2, 3, V))},
            ValueError,
            "both of the first two",
        ),
        (
            {"inputs_embeds": np.zeros((2, 3, 4)), "input_ids": None},
            ValueError,
            r"tokens, 9\).*\(2, 3, 4\)",
        ),
        (
            {"attention_mask": np.ones((2, 4))},
            ValueError,
            r"`attention_mask` .*\(2, 3\).*\(2, 4\)",
        ),
        (
            {"global_attention_mask": np.ones((3, 3))},
            ValueError,
            r"`global_attention_mask` .*\(3, 3\)",
        ),
        (
            {"encoder_outputs": (np.zeros((2, 4, V)),)},
            ValueError,
            r"`encoder_outputs` .*\(2, 4, 9\)",
        ),
        ({"encoder_outputs": {}}, ValueError, "`last_hidden_state`.*dict"),
        (
            {"decoder_input_ids": np.array([[2]])},
            ValueError,
            r"`decoder_input_ids` .* 2 documents.*\(1, 1\)",
        ),
        (
            {"decoder_attention_mask": np.ones((2, 1))},
            ValueError,
            "decoder_input_ids=None",
        ),
        (
            {"decoder_start_token_id": [2, 2, 2]},
            ValueError,
            r"2 documents.*\[2, 2, 2\]",
        ),
        ({"eos_token_id": [2, 40]}, ValueError, r"`eos_token_id` .*40"),
        ({"bad_words_ids": [[3, 9]]}, ValueError, r"`bad_words_ids` .*9"),
        ({"num_beam": 2}, TypeError, "'num_beam'.*'num_beams'"),
        ({"global_attn_mask": 1}, TypeError, "'global_attention_mask'"),
        ({"assistant_early_exit": 2}, ValueError, "is not offered"),
        ({"generation_config": {}}, TypeError, "`GenerationConfig`.*dict"),
        ({"seed": "abc"}, ValueError, "seed='abc'"),
        ({"seed": [1, 2, 3]}, ValueError, r"seed=\[1, 2, 3\]"),
        ({"stop_strings": "."}, ValueError, "tokenizer=None"),
        ({"stopping_criteria": [3]}, TypeError, "callable. Received: 3"),
        (
            {"streamer": object(), "num_beams": 2},
            ValueError,
            "`streamer` .*num_beams=2",
        ),
        (
            {
                "penalty_alpha": 0.5,
                "top_k": 4,
                "stopping_criteria": [lambda ids, scores: False],
            },
            ValueError,
            r"`penalty_alpha` .*penalty_alpha=0.5\.",
        ),
        (
            {"prompt_lookup_num_tokens": 2, "use_cache": False},
            ValueError,
            "`use_cache` .*lookup",
        ),
        (
            {
                "encoder_no_repeat_ngram_size": 2,
                "input_ids": None,
                "inputs_embeds": np.zeros((2, 3, V)),
            },
            ValueError,
            "`encoder_no_repeat_ngram_size`.*input_ids=None",
        ),
        (
            {"decoder_head_mask": np.ones((2, 3))},
            ValueError,
            r"`decoder_head_mask` .*\(1, 1\).*\(2, 3\)",
        ),
    ],
)
def test_bad_calls(model, arguments, error, message):
    arguments = {"input_ids": IDS, **arguments}
    with pytest.raises(error, match=f"(?s){message}"):
        model.generate(**arguments)
    assert model.encoder_runs == 0


def test_a_checkpoints_own_minimum_only_warns(model):
    """A user who wants a short text should not have to undo it."""
    model.generation_config = GenerationConfig.from_model_config(
        {**model.config.to_dict(), "min_length": 10}
    )
    with pytest.warns(UserWarning, match=r"`min_length` .*min_length=10\."):
        output = model.generate(IDS, max_length=4)
    assert output.shape == (2, 4)


def test_a_forgotten_global_mask_is_told_once(model, monkeypatch):
    from keras_led.generation.options import notices

    monkeypatch.setattr(notices, "_said", set())
    with pytest.warns(UserWarning, match="`global_attention_mask`"):
        model.generate(IDS, max_length=3)
    model.generate(IDS, max_length=3)  # a second warning would be an error


def test_a_call_inside_compiled_code_is_refused(model):
    import keras

    ids = keras.KerasTensor((2, 3), dtype="int32")
    with pytest.raises(ValueError, match="compiled.*input_ids without values"):
        model.generate(ids)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "bfloat16", "float16"])
def test_low_precision_models_generate(dtype):
    import keras_led
    from tests import peer

    config = keras_led.LEDConfig(**{**peer.TINY, "encoder_layers": 1})
    model = keras_led.LEDForConditionalGeneration(config, dtype=dtype)
    ids = peer.token_ids(2, 9)
    output = model.generate(
        ids,
        global_attention_mask=np.eye(2, 9),
        num_beams=2,
        max_length=6,
        return_dict_in_generate=True,
    )
    assert np.all(np.isfinite(peer.to_numpy(output.sequences_scores)))
