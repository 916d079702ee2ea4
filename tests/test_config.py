import copy
import json
import pickle

import numpy as np
import pytest

from keras_led.config import ALIASES
from keras_led.config import LEDConfig

TINY = dict(
    d_model=12,
    encoder_layers=3,
    encoder_attention_heads=3,
    decoder_attention_heads=4,
    attention_window=[4, 6, 8],
)

transformers = pytest.importorskip("transformers")

# What the led-base checkpoint on the hub holds, with an old library's extras.
HUB_FILE = {
    "_name_or_path": "./",
    "activation_dropout": 0.0,
    "activation_function": "gelu",
    "architectures": ["LEDForConditionalGeneration"],
    "attention_window": [1024, 1024],
    "classif_dropout": 0.0,
    "d_model": 24,
    "decoder_attention_heads": 4,
    "encoder_attention_heads": 4,
    "encoder_layers": 2,
    "gradient_checkpointing": False,
    "id2label": {"0": "no", "1": "perhaps", "2": "yes"},
    "init_std": 1,
    "label2id": {"no": 0, "perhaps": 1, "yes": 2},
    "model_type": "led",
    "num_beams": 4,
    "num_hidden_layers": 2,
    "task_specific_params": {"summarization": {"max_length": 128}},
    "transformers_version": "4.5.0",
}


def test_defaults_are_those_of_the_peer():
    peer = transformers.LEDConfig()
    ours = LEDConfig().to_dict()
    for name, value in peer.to_dict().items():
        if name in ours:
            assert ours[name] == value, name
    # Each field of the peer's own class is one of ours.
    own = set(transformers.LEDConfig.__annotations__) - {
        "model_type",
        "attribute_map",
        "keys_to_ignore_at_inference",
    }
    assert own <= set(ours)
    assert ALIASES == transformers.LEDConfig.attribute_map


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_alias_reads_writes_and_constructs(alias, name):
    value = 0.5 if "dropout" in name or name == "init_std" else 6
    heads = dict(encoder_attention_heads=2, decoder_attention_heads=2)
    if alias == "num_attention_heads":
        value = heads.pop(name)
    config = LEDConfig(**{**heads, alias: value})
    assert getattr(config, name) == getattr(config, alias) == value
    other = LEDConfig(**heads)
    setattr(other, alias, value)
    assert other == config
    assert getattr(other, name) == value


def test_windows_per_layer():
    assert LEDConfig(encoder_layers=2).attention_windows == (512, 512)
    config = LEDConfig(**TINY)
    assert config.attention_windows == (4, 6, 8)
    assert config.attention_window == [4, 6, 8]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"attention_window": 7}, r"even.*attention_window=7\. Try 8\."),
        ({"attention_window": -4}, r"even.*attention_window=-4\. Try 2\."),
        ({"attention_window": 0}, r"attention_window=0\. Try 2\."),
        ({"attention_window": [4, 5, 8]}, r"attention_window\[1\]=5"),
        ({"attention_window": [4, 6]}, r"length 2, encoder_layers=3"),
        ({"encoder_layers": 2}, r"length 3, encoder_layers=2"),
        ({"d_model": 14}, "encoder_attention_heads=3, d_model=14"),
        ({"decoder_attention_heads": 5}, "decoder_attention_heads=5, d_mod"),
        ({"vocab_size": 0}, "`vocab_size` must be at least 1.*vocab_size=0"),
        ({"decoder_layers": 10**9}, "at most 10000.*decoder_layers=1000000000"),
        ({"decoder_ffn_dim": -8}, "at least 1.*decoder_ffn_dim=-8"),
        ({"activation_function": "gelo"}, "one of gelu.*='gelo'"),
        ({"dropout": 1.0}, r"`dropout` must be a probability in \[0, 1\)"),
        ({"encoder_layerdrop": -0.1}, "encoder_layerdrop=-0.1"),
        ({"attention_dropout": float("nan")}, "attention_dropout=nan"),
        ({"init_std": -1}, "`init_std` must be >= 0.*init_std=-1"),
        ({"init_std": float("nan")}, "finite.*init_std=nan"),
        ({"pad_token_id": -1}, "`pad_token_id` must be at least 0"),
        ({"pad_token_id": 50265}, "`pad_token_id` must be below"),
        (
            {"vocab_size": 9, "decoder_start_token_id": 9},
            "`decoder_start_token_id` must be below.*9, vocab_size=9",
        ),
        ({"eos_token_id": []}, "`eos_token_id`.*eos_token_id="),
        ({"problem_type": "regress"}, "one of regression.*'regress'"),
        ({"num_labels": 0}, "`num_labels` must be at least 1"),
        ({"id2label": {0: "a", 2: "b"}}, "`id2label` must be a dict of the"),
        ({"id2label": {0: "a"}, "num_labels": 2}, "1. Received: num_labels=2"),
        ({"id2label": {0: "a"}, "label2id": {"a": 3}}, "label2id=.*3"),
    ],
)
def test_bad_value_is_named(values, message):
    with pytest.raises(ValueError, match=message):
        LEDConfig(**{**TINY, **values})
    config = LEDConfig(**TINY)
    before = config.to_dict()
    with pytest.raises(ValueError, match=message):
        config.update(**values)
    assert config.to_dict() == before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"d_model": "12"}, "`d_model` must be an int. Received: d_model='12'"),
        ({"d_model": 12.0}, "d_model=12.0"),
        ({"vocab_size": True}, "vocab_size=True"),
        ({"attention_window": 4.0}, "list of ints. Received: .*=4.0"),
        ({"attention_window": "44"}, "list of ints. Received: .*='44'"),
        ({"use_cache": 1}, "`use_cache` must be `True` or `False`"),
        ({"dropout": "0.1"}, "`dropout` must be a number"),
        ({"activation_function": abs}, "`activation_function` must be a str"),
        ({"decoder_start_token_id": None}, "decoder_start_token_id=None"),
        ({"id2label": ["a", "b"]}, r"`id2label` must be a dict.*\['a', 'b'\]"),
        ({"id2label": {"x": "a"}}, "`id2label` must be a dict"),
        ({"label2id": ["a"]}, "`label2id` must be a dict"),
        ({"label2id": {"a": "b"}}, "`id2label` must be a dict"),
        ({"attention_windw": 8}, "'attention_windw'. .* 'attention_window'"),
        ({"hidden_siez": 8}, "Did you mean 'hidden_size'"),
        ({"hidden_size": 12}, "'d_model' twice: 'hidden_size'"),
    ],
)
def test_bad_type_or_name_is_named(values, message):
    with pytest.raises(TypeError, match=message):
        LEDConfig(**{**TINY, **values})


def test_setting_an_attribute_checks_it():
    config = LEDConfig(**TINY)
    with pytest.raises(ValueError, match="encoder_attention_heads=5"):
        config.num_attention_heads = 5
    assert config.encoder_attention_heads == 3
    with pytest.raises(AttributeError, match="Did you mean 'd_model'"):
        config.d_modle = 24
    with pytest.raises(AttributeError, match="no attribute 'd_modle'"):
        _ = config.d_modle


def test_values_that_depend_on_each_other_are_set_together():
    config = LEDConfig(**TINY)
    config.update(d_model=10, num_attention_heads=5, decoder_attention_heads=2)
    assert (config.d_model, config.encoder_attention_heads) == (10, 5)
    copied = config.copy(encoder_layers=1, attention_window=[2])
    assert copied.attention_windows == (2,)
    assert config.encoder_layers == 3


def test_numpy_integers_become_plain_ones():
    config = LEDConfig(encoder_layers=np.int64(2), attention_window=np.int32(4))
    assert type(config.encoder_layers) is int
    assert type(config.attention_window) is int
    json.dumps(config.to_dict())


def test_number_of_labels_and_their_names():
    config = LEDConfig(num_labels=3)
    assert config.id2label == {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
    assert config.label2id == {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}
    config.id2label = {0: "no", 1: "yes"}
    assert config.num_labels == 2
    assert config.label2id == {"no": 0, "yes": 1}
    config.num_labels = 2
    assert config.id2label == {0: "no", 1: "yes"}
    config.num_labels = 1
    assert config.id2label == {0: "LABEL_0"}
    for index in (0, "0"):  # some files hold text
        config = LEDConfig(label2id={"b": 1, "a": index})
        assert config.id2label == {0: "a", 1: "b"}
        assert config.label2id == {"b": 1, "a": 0}


def test_file_of_the_hub_survives_a_round_trip(tmp_path):
    config = LEDConfig.from_dict(HUB_FILE)
    assert config.num_beams == 4
    assert config.task_specific_params["summarization"]["max_length"] == 128
    assert config.num_labels == 3
    assert config.id2label[2] == "yes"
    config.save_pretrained(tmp_path / "model")
    written = json.loads((tmp_path / "model" / "config.json").read_text())
    assert {name: written[name] for name in HUB_FILE} == HUB_FILE
    assert LEDConfig.from_pretrained(tmp_path / "model") == config
    file = tmp_path / "model" / "config.json"
    assert LEDConfig.from_pretrained(file) == config


def test_a_path_of_another_machine_is_not_written(tmp_path):
    extras = {"_name_or_path": "/home/someone/led", "remark": "/kept"}
    LEDConfig(extras=extras).save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert "_name_or_path" not in written
    assert written["remark"] == "/kept"


def test_encoder_layers_of_a_file_win_over_the_alias():
    content = {"encoder_layers": 2, "num_hidden_layers": 7, "hidden_size": 32}
    config = LEDConfig.from_dict(content)
    assert (config.encoder_layers, config.d_model) == (2, 32)
    assert config.to_dict()["num_hidden_layers"] == 2
    assert "hidden_size" not in config.to_dict()


def test_overrides_of_a_file(tmp_path):
    config = LEDConfig.from_dict(HUB_FILE, num_labels=5, hidden_size=48)
    assert (config.num_labels, config.d_model) == (5, 48)
    assert config.id2label[4] == "LABEL_4"
    assert LEDConfig.from_dict(HUB_FILE, num_labels=3).id2label[2] == "yes"
    with pytest.raises(TypeError, match="unknown argument 'num_beems'"):
        LEDConfig.from_dict(HUB_FILE, num_beems=5)


def test_file_that_contradicts_itself_about_classes_warns():
    with pytest.warns(UserWarning, match="num_labels=7.*3 classes"):
        config = LEDConfig.from_dict({**HUB_FILE, "num_labels": 7})
    assert config.num_labels == 3


def test_config_of_another_family_is_refused():
    with pytest.raises(ValueError, match="model_type='bart'.*convert"):
        LEDConfig.from_dict({"model_type": "bart"})


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}.*config.json"):
        LEDConfig.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"d_model": "12"}, "`d_model` must be an int.*d_model='12'"),
        ({"d_model": 13}, "encoder_attention_heads=3, d_model=13"),
        ({"attention_window": [4] * 10**5}, "length 100000"),
        ({"model_type": "bart"}, "must be 'led'"),
        ({"id2label": 3}, "has no len|must be a dict"),
        ({"label2id": {"a": [1]}, "num_labels": None}, "unhashable"),
        ({"architectures": [3]}, r"`architectures` .*=\[3\]"),
        ({"num_labels": 10**7}, "at most 100000 without.*num_labels=10000000"),
        ({"num_labels": "3"}, "`num_labels` must be an int"),
    ],
)
def test_damaged_file_is_named(tmp_path, change, reason):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**TINY, "num_labels": 3, **change}))
    message = f"^{path} must describe an LED: .*({reason})"
    for overrides in ({}, {"dropout": 0.2}):
        with pytest.raises(ValueError, match=message) as error:
            LEDConfig.from_pretrained(tmp_path, **overrides)
        assert len(str(error.value)) < 1000


def test_argument_is_not_blamed_on_a_sound_file(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(TINY))
    with pytest.raises(ValueError, match="^`encoder_attention_heads` must"):
        LEDConfig.from_pretrained(tmp_path, d_model=13)
    with pytest.raises(TypeError, match="^LEDConfig got an unknown"):
        LEDConfig.from_pretrained(tmp_path, d_modle=13)
    path.write_text(json.dumps({**TINY, "d_model": 13}))
    assert LEDConfig.from_pretrained(tmp_path, d_model=12).d_model == 12


def test_peer_loads_what_we_save_and_the_other_way_round(tmp_path):
    config = LEDConfig(
        **TINY,
        vocab_size=99,
        dropout=0.25,
        activation_function="relu",
        num_labels=4,
        problem_type="regression",
        tie_word_embeddings=False,
        eos_token_id=[2, 5],
        pad_token_id=None,
        extras={"architectures": ["LEDForConditionalGeneration"]},
    )
    config.save_pretrained(tmp_path / "ours")
    peer = transformers.LEDConfig.from_pretrained(tmp_path / "ours")
    content = peer.to_dict()
    for name, value in config.to_dict().items():
        if name != "num_hidden_layers":
            assert content[name] == value, name
    assert peer.num_hidden_layers == 3
    peer.save_pretrained(tmp_path / "theirs")
    again = LEDConfig.from_pretrained(tmp_path / "theirs")
    assert again.extras.pop("transformers_version")
    assert again == config


def test_copies_are_independent():
    config = LEDConfig(**TINY, extras={"deep": {"a": 1}})
    for other in (
        config.copy(),
        copy.deepcopy(config),
        pickle.loads(pickle.dumps(config)),
    ):
        assert other == config
        other.extras["deep"]["a"] = 2
        other.dropout = 0.5
        assert other != config
    assert config.deep == {"a": 1}
    config.to_dict()["attention_window"].append(3)
    assert config.attention_window == [4, 6, 8]


def test_extras_can_be_set_once_they_exist():
    config = LEDConfig(extras={"num_beams": 2})
    config.num_beams = 3
    config.architectures = ["LEDModel"]
    assert config.to_dict()["num_beams"] == 3
    assert config.to_dict()["architectures"] == ["LEDModel"]


def test_repr_is_readable():
    assert '"d_model": 12' in repr(LEDConfig(**TINY))
    assert LEDConfig(**TINY) != "something else"
