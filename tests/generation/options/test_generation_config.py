import json

import numpy as np
import pytest

from keras_led.config import LEDConfig
from keras_led.generation import GenerationConfig
from keras_led.generation.options.generation_config import FIELDS

# Every option away from its default.
EVERYTHING = {
    "max_length": 99,
    "max_new_tokens": 64,
    "min_length": 3,
    "min_new_tokens": 2,
    "early_stopping": "never",
    "max_time": 2.5,
    "stop_strings": ["\n\n", "END"],
    "do_sample": True,
    "num_beams": 4,
    "use_cache": False,
    "penalty_alpha": 0.5,
    "temperature": 0.8,
    "top_k": 7,
    "top_p": 0.9,
    "min_p": 0.1,
    "typical_p": 0.8,
    "epsilon_cutoff": 0.001,
    "eta_cutoff": 0.002,
    "repetition_penalty": 1.2,
    "encoder_repetition_penalty": 0.9,
    "length_penalty": -1.5,
    "no_repeat_ngram_size": 3,
    "encoder_no_repeat_ngram_size": 2,
    "bad_words_ids": [[4], [5, 6]],
    "sequence_bias": [[[4, 5], -1.5]],
    "suppress_tokens": [8],
    "begin_suppress_tokens": [9],
    "forced_bos_token_id": 0,
    "forced_eos_token_id": [2, 3],
    "renormalize_logits": True,
    "remove_invalid_values": True,
    "exponential_decay_length_penalty": [5, 1.1],
    "num_return_sequences": 2,
    "output_attentions": True,
    "output_hidden_states": True,
    "output_scores": True,
    "output_logits": True,
    "return_dict_in_generate": True,
    "pad_token_id": 3,
    "bos_token_id": 4,
    "eos_token_id": [2, 5],
    "decoder_start_token_id": 6,
    "prompt_lookup_num_tokens": 5,
    "max_matching_ngram_size": 3,
}


def test_every_option_survives_a_round_trip(tmp_path):
    assert set(EVERYTHING) == set(FIELDS)
    config = GenerationConfig(**EVERYTHING, extras={"transformers_version": 1})
    config.save_pretrained(tmp_path)
    again = GenerationConfig.from_pretrained(tmp_path)
    assert again == config
    assert again.to_dict() == {**EVERYTHING, "transformers_version": 1}


def test_the_peer_reads_what_we_write(tmp_path):
    import transformers

    options = {k: v for k, v in EVERYTHING.items() if k != "penalty_alpha"}
    GenerationConfig(**options).save_pretrained(tmp_path)
    theirs = transformers.GenerationConfig.from_pretrained(tmp_path)
    for name, value in options.items():
        assert getattr(theirs, name) == value, name


def test_we_read_what_the_peer_writes(tmp_path):
    import transformers

    theirs = transformers.GenerationConfig(num_beams=3, eos_token_id=[2, 5])
    theirs.save_pretrained(tmp_path)
    ours = GenerationConfig.from_pretrained(tmp_path, max_new_tokens=9)
    assert (ours.num_beams, ours.eos_token_id) == (3, [2, 5])
    assert ours.max_new_tokens == 9
    assert "transformers_version" in ours.extras


def test_options_of_a_model_config(tmp_path):
    """Released LED checkpoints have no file of their own for them."""
    content = LEDConfig().to_dict()
    content.update(
        num_beams=4,
        length_penalty=2.0,
        max_length=512,
        min_length=100,
        no_repeat_ngram_size=3,
        early_stopping=True,
        forced_eos_token_id=2,
        output_attentions=True,
    )
    (tmp_path / "config.json").write_text(json.dumps(content))
    config = GenerationConfig.from_pretrained(tmp_path, min_length=7)
    assert config.to_dict() == {
        "num_beams": 4,
        "length_penalty": 2.0,
        "max_length": 512,
        "min_length": 7,
        "no_repeat_ngram_size": 3,
        "early_stopping": True,
        "forced_eos_token_id": 2,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "decoder_start_token_id": 2,
        "use_cache": True,
    }


def test_keywords_win_over_the_config_and_that_over_the_models():
    base = GenerationConfig(num_beams=4, top_k=9, forced_eos_token_id=2)
    own = GenerationConfig(top_k=5, min_length=3)
    options = own.resolve(base, min_length=1, forced_eos_token_id=None)
    assert options["num_beams"] == 4
    assert options["top_k"] == 5
    assert options["min_length"] == 1
    assert options["forced_eos_token_id"] is None
    assert options["temperature"] == 1.0
    assert base.top_k == 9 and own.min_length == 3


def test_an_unknown_option_is_named_with_its_neighbour():
    with pytest.raises(TypeError, match="'num_beam' .* 'num_beams'"):
        GenerationConfig(num_beam=4)
    config = GenerationConfig()
    with pytest.raises(TypeError, match="'top_q' is not"):
        config.top_q = 1


def test_a_bad_update_changes_nothing():
    config = GenerationConfig(num_beams=2)
    with pytest.raises(ValueError, match="top_p=2"):
        config.update(num_beams=3, top_p=2)
    assert config.num_beams == 2


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("num_beams", 0, ValueError, r"an integer >= 1\. Received: .*=0\."),
        ("num_beams", 10**9, ValueError, r"<= 65536\. Received: .*=10000"),
        ("top_k", 2**31, ValueError, r"<= 2147483647\. Received: .*=21474"),
        ("exponential_decay_length_penalty", [10**30, 1.1], ValueError, "<= 2"),
        ("num_beams", True, TypeError, r"an integer\. Received: .*=True\."),
        ("max_length", -3, ValueError, r">= 1\. Received: .*=-3\."),
        ("min_length", -1, ValueError, r">= 0\. Received: .*=-1\."),
        ("max_new_tokens", 2.5, TypeError, r"an integer\. .*=2.5\."),
        ("temperature", 0, ValueError, r"> 0\. .*=0\. .*do_sample=False"),
        ("top_p", 1.5, ValueError, r"\(0, 1\]\. Received: .*=1.5\."),
        ("top_p", "0.5", TypeError, r"a number\. Received: .*='0.5'\."),
        ("min_p", -0.1, ValueError, r"\[0, 1\]\. Received: .*=-0.1\."),
        ("epsilon_cutoff", 1.0, ValueError, r"\[0, 1\)\. .*=1.0\."),
        ("repetition_penalty", 0.0, ValueError, r"> 0\. .*=0.0\."),
        ("length_penalty", float("nan"), ValueError, "finite"),
        ("early_stopping", "always", ValueError, "'never'.*'always'"),
        ("do_sample", 1, TypeError, r"`True` or `False`\. .*=1\."),
        ("eos_token_id", [], ValueError, r"non-empty list\. .*=\[\]\."),
        ("eos_token_id", -2, ValueError, r">= -1\. Received: .*=-2\."),
        ("bad_words_ids", [[]], ValueError, r"non-empty lists .*=\[\[\]\]"),
        ("bad_words_ids", [7], ValueError, r"lists of ids.*=\[7\]"),
        ("sequence_bias", {}, ValueError, "non-empty dict"),
        ("sequence_bias", [[[3], "x"]], TypeError, "id tuples to numbers"),
        ("suppress_tokens", 3, TypeError, r"a list of token ids\. .*=3\."),
        ("exponential_decay_length_penalty", [3], ValueError, "a pair"),
        ("stop_strings", [""], ValueError, "non-empty strings"),
    ],
)
def test_bad_values_are_named(name, value, error, message):
    with pytest.raises(error, match=f"`{name}` must be .*{message}"):
        GenerationConfig(**{name: value})


def test_numpy_values_and_tuples_become_plain():
    config = GenerationConfig(
        num_beams=np.int64(3),
        top_p=np.float32(0.5),
        eos_token_id=np.array([2, 5]),
        sequence_bias={(4, 5): -1},
    )
    assert json.loads(config.to_json_string()) == {
        "num_beams": 3,
        "top_p": 0.5,
        "eos_token_id": [2, 5],
        "sequence_bias": [[[4, 5], -1.0]],
    }


def test_what_is_not_offered_is_refused_only_when_it_is_on():
    with pytest.raises(ValueError, match="`guidance_scale` is not offered"):
        GenerationConfig(guidance_scale=1.5)
    config = GenerationConfig.from_dict({"num_beam_groups": 2})
    with pytest.raises(ValueError, match="num_beam_groups=2"):
        config.resolve()
    GenerationConfig.from_dict({"num_beam_groups": 1, "low_memory": None})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_return_sequences": 2}, "num_return_sequences=2, num_beams=1"),
        (
            {"num_return_sequences": 5, "num_beams": 4, "do_sample": True},
            "num_return_sequences=5, num_beams=4",
        ),
        ({"penalty_alpha": 0.6, "num_beams": 2}, "penalty_alpha=0.6"),
        ({"penalty_alpha": 0.6, "do_sample": True}, "do_sample=True"),
        (
            {"prompt_lookup_num_tokens": 3, "num_beams": 2},
            "prompt_lookup_num_tokens=3, num_beams=2",
        ),
    ],
)
def test_options_that_contradict_each_other(options, message):
    with pytest.raises(ValueError, match=f"Received: .*{message}"):
        GenerationConfig(**options).resolve()


@pytest.mark.parametrize("name", ["generation_config.json", "config.json"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"num_beams": 0}, "`num_beams` must be an integer >= 1"),
        ({"top_p": float("nan")}, "top_p=nan"),
        ({"bad_words_ids": 3}, "`bad_words_ids` must be"),
    ],
)
def test_damaged_file_is_named(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_text(json.dumps(content))
    message = f"^{path} must hold options of `generate`: .*{reason}"
    with pytest.raises(ValueError, match=message):
        GenerationConfig.from_pretrained(tmp_path)
    path.write_text(json.dumps({"num_beams": 2}))
    with pytest.raises(ValueError, match="^`num_beams` must be"):
        GenerationConfig.from_pretrained(tmp_path, num_beams=0)
