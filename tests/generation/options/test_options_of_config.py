"""Options of `generate` that scripts set on `model.config`, or load with."""

import dataclasses

import numpy as np
import pytest

from keras_led import GenerationConfig
from keras_led import LEDConfig
from keras_led.config_generation import GENERATION_OPTIONS
from keras_led.generation.options.defaults import NOT_OFFERED
from tests import peer
from tests.generation.fakes import FakeModel
from tests.generation.pairs import documents
from tests.generation.pairs import models

V = 9
IDS = np.array([[3, 4, 5], [6, 7, 1]])


@pytest.fixture
def model():
    return FakeModel(np.eye(V))


def test_a_config_knows_the_name_of_every_option():
    options = {field.name for field in dataclasses.fields(GenerationConfig)}
    own = {field.name for field in dataclasses.fields(LEDConfig)}
    assert set(GENERATION_OPTIONS) == (options | set(NOT_OFFERED)) - own


def test_a_config_takes_options_in_every_way():
    config = LEDConfig(num_beams=2)
    config.length_penalty = 0.8
    config.update(max_length=30, d_model=64)
    config = config.copy(min_length=4)
    config = LEDConfig.from_dict(config.to_dict(), top_k=7)
    found = GenerationConfig.from_model_config(config)
    assert (found.num_beams, found.length_penalty) == (2, 0.8)
    assert (found.max_length, found.min_length, found.top_k) == (30, 4, 7)
    assert config.num_beams == 2
    assert config.to_dict()["top_k"] == 7


def test_unknown_names_of_a_config_say_what_to_do():
    with pytest.raises(AttributeError, match="Did you mean 'num_beams'"):
        LEDConfig().num_beam = 3
    with pytest.raises(TypeError, match="Did you mean 'num_beams'"):
        LEDConfig(num_beam=3)
    with pytest.raises(AttributeError, match="gradient_checkpointing_enable"):
        LEDConfig().gradient_checkpointing = True


def test_what_is_set_on_the_config_later_counts(model):
    assert model.generation_config.num_beams is None
    model.config.num_beams = 2
    model.config.decoder_start_token_id = 5
    assert model.generation_config.num_beams == 2
    assert model.generation_config.decoder_start_token_id == 5
    model.config.extras.update(num_beams=3, min_length=4)
    assert model.generation_config.num_beams == 3
    assert model.generation_config.min_length == 4
    model.generation_config.num_beams = 4
    assert model.generation_config.num_beams == 4
    model.config.num_beams = None
    assert model.generation_config.num_beams is None


def test_what_a_checkpoint_says_beside_its_config_stays(model):
    model.config.num_beams = 2
    model.generation_config = GenerationConfig(
        num_beams=5, max_new_tokens=48, decoder_start_token_id=2
    )
    assert model.generation_config.num_beams == 5
    model.config.max_length = 7  # the 48 would win over it
    model.config.num_beams = 1
    found = model.generation_config
    assert (found.max_length, found.max_new_tokens) == (7, None)
    assert model.generate(IDS).shape == (2, 7)


def test_a_wrong_value_on_the_config_is_an_error_until_it_is_right(model):
    model.generation_config.min_length = 0
    model.config.num_beams = "two"
    for _ in range(2):
        with pytest.raises(TypeError, match="`num_beams` .*num_beams='two'"):
            model.generate(IDS, max_length=4)
    model.config.num_beams = 2
    assert model.generate(IDS, max_length=4).shape[0] == 2


LINES = {
    "num_beams": 2,
    "max_length": 12,
    "min_length": 6,
    "length_penalty": 2.0,
    "early_stopping": True,
    "no_repeat_ngram_size": 3,
}


def test_the_lines_of_a_notebook_give_the_tokens_of_their_options(tmp_path):
    _, model = models()
    expected = peer.to_numpy(model.generate(**documents(), **LINES))
    model.save_pretrained(tmp_path)
    set_later = type(model).from_pretrained(tmp_path)
    plain = peer.to_numpy(set_later.generate(**documents()))
    for name, value in LINES.items():
        setattr(set_later.config, name, value)
    by_hand = LEDConfig.from_pretrained(tmp_path)
    by_hand.update(**LINES)
    loaded = [
        type(model).from_pretrained(tmp_path, **LINES),
        type(model).from_pretrained(tmp_path, config=by_hand),
        set_later,
    ]
    set_later.save_pretrained(tmp_path)
    loaded.append(type(model).from_pretrained(tmp_path))
    assert not np.array_equal(plain, expected)
    found = peer.to_numpy(set_later.generate(**documents()))
    np.testing.assert_array_equal(found, expected)
    for each in loaded:
        for name, value in LINES.items():
            assert getattr(each.generation_config, name) == value


def test_a_config_that_was_not_touched_leaves_the_checkpoints_options(tmp_path):
    _, model = models()
    model.save_pretrained(tmp_path)
    content = LEDConfig.from_pretrained(tmp_path, num_beams=4)
    content.save_pretrained(tmp_path)
    options = GenerationConfig.from_pretrained(tmp_path / "config.json")
    options.update(num_beams=2)
    options.save_pretrained(tmp_path)
    config = LEDConfig.from_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path, config=config)
    assert loaded.generation_config.num_beams == 2


def test_a_bad_option_is_refused_before_the_weights_are_read(tmp_path):
    _, model = models()
    model.config.save_pretrained(tmp_path)  # and no weights
    with pytest.raises(ValueError, match="`num_beams` .*num_beams=0"):
        type(model).from_pretrained(tmp_path, num_beams=0)
