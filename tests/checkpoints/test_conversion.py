"""Every family in, every format out."""

import json
import os

import h5py
import numpy as np
import pytest
from keras import ops
from safetensors.numpy import load_file
from safetensors.numpy import save_file

from keras_led.checkpoints import open_checkpoint
from keras_led.checkpoints.conversion import convert
from keras_led.checkpoints.families import read_source
from keras_led.config import LEDConfig
from keras_led.models.conditional_generation import LEDForConditionalGeneration
from tests.checkpoints.fakes import CLASSES
from tests.checkpoints.fakes import assert_same
from tests.checkpoints.fakes import random_weights
from tests.checkpoints.fakes import tiny_config
from tests.checkpoints.fakes import torch_state
from tests.files.folders import check_kills

BART = dict(
    vocab_size=23,
    d_model=8,
    encoder_layers=2,
    decoder_layers=1,
    encoder_attention_heads=2,
    decoder_attention_heads=4,
    encoder_ffn_dim=10,
    decoder_ffn_dim=14,
    max_position_embeddings=12,
)


def write_led(directory, head="generation", architecture=True, **changes):
    directory.mkdir(exist_ok=True)
    config = tiny_config(**changes)
    if architecture:
        config.architectures = [CLASSES[head]]
    config.save_pretrained(directory)
    state = torch_state(random_weights(config, head), "led" if head else "")
    save_file(state, directory / "model.safetensors", {"format": "pt"})
    return state


def run(source, target, reading=None, **options):
    with read_source(source, **(reading or {})) as weights:
        return convert(weights, target, **options)


def logits(model, ids, decoder_ids):
    output = model(input_ids=ids, decoder_input_ids=decoder_ids)
    return ops.convert_to_numpy(output.logits)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("head", CLASSES)
def test_pytorch_round_trip_is_bit_exact(tmp_path, head, tied):
    state = write_led(tmp_path / "a", head, tie_word_embeddings=tied)
    report = run(tmp_path / "a", tmp_path / "b", max_shard_size=2000)
    run(tmp_path / "b", tmp_path / "c")
    assert_same(load_file(tmp_path / "c" / "model.safetensors"), state)
    config = LEDConfig.from_pretrained(tmp_path / "c")
    assert config.architectures == [CLASSES[head]]
    assert {row["source"] for row in report["tensors"]} == set(state)
    assert not any(row["transposed"] for row in report["tensors"])
    assert (
        json.loads((tmp_path / "b" / "conversion_report.json").read_text())
        == report
    )


def test_old_file_has_its_head_from_the_architecture(tmp_path):
    state = write_led(tmp_path / "a")
    del state["final_logits_bias"]
    save_file(state, tmp_path / "a" / "model.safetensors", {"format": "pt"})
    report = run(tmp_path / "a", tmp_path / "b")
    assert report["head"] == "generation"
    found = load_file(tmp_path / "b" / "model.safetensors")
    assert not found.pop("final_logits_bias").any()
    assert_same(found, state)


def test_half_a_model_is_an_error_and_leaves_nothing(tmp_path):
    state = write_led(tmp_path / "a", "classification")
    del state["classification_head.dense.bias"]
    save_file(state, tmp_path / "a" / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="Missing .1.: classification_head"):
        run(tmp_path / "a", tmp_path / "b")
    assert os.listdir(tmp_path) == ["a"]


def bart(directory, name="BartForConditionalGeneration", **changes):
    transformers = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(3)
    config = transformers.BartConfig(**{**BART, **changes})
    model = getattr(transformers, name)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(directory)
    return model


def test_bart_gives_its_own_logits_where_the_window_covers_the_input(tmp_path):
    import torch

    peer = bart(tmp_path / "bart")
    report = run(
        tmp_path / "bart",
        tmp_path / "led",
        {"max_encoder_positions": 50, "attention_window": 24},
    )
    assert report["family"] == "bart"
    model = LEDForConditionalGeneration.from_pretrained(tmp_path / "led")
    assert model.config.max_encoder_position_embeddings == 50
    assert model.config.max_decoder_position_embeddings == 12
    random = np.random.default_rng(0)
    ids = random.integers(3, 23, (2, 12))
    decoder_ids = random.integers(3, 23, (2, 7))
    with torch.no_grad():
        expected = peer(
            input_ids=torch.tensor(ids),
            decoder_input_ids=torch.tensor(decoder_ids),
        ).logits.numpy()
    found = logits(model, ids.astype("int32"), decoder_ids.astype("int32"))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    mask = np.zeros((2, 12), "int32")
    mask[:, [0, 5]] = 1
    output = model(
        input_ids=ids.astype("int32"),
        global_attention_mask=mask,
        decoder_input_ids=decoder_ids.astype("int32"),
    )
    # Global projections began as the local ones.
    np.testing.assert_allclose(
        ops.convert_to_numpy(output.logits), expected, atol=1e-5
    )
    table = ops.convert_to_numpy(
        model.led.encoder.embed_positions.embeddings.value
    )
    np.testing.assert_array_equal(table[12:24], table[:12])
    np.testing.assert_array_equal(table[48:], table[:2])


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("BartModel", None),
        ("BartForSequenceClassification", "classification"),
        ("BartForQuestionAnswering", "question_answering"),
    ],
)
def test_other_heads_of_bart(tmp_path, name, head):
    bart(tmp_path / "bart", name, num_labels=2)
    report = run(
        tmp_path / "bart", tmp_path / "led", {"max_encoder_positions": 24}
    )
    assert report["head"] == head
    assert LEDConfig.from_pretrained(tmp_path / "led").num_labels == 2


def test_variant_of_bart_with_other_arithmetic_is_refused(tmp_path):
    bart(tmp_path / "bart", scale_embedding=True)
    with pytest.raises(ValueError, match="scale_embedding=True"):
        run(tmp_path / "bart", tmp_path / "led")


def write_allenai(directory, **changes):
    """The weights of an LED as AllenAI's code laid them out."""
    directory.mkdir()
    config = tiny_config(attention_window=[4, 8])
    weights = random_weights(config, "generation")
    state = {}
    for name, value in torch_state(weights, "model").items():
        if name.endswith("embed_positions.weight"):
            value = np.concatenate([np.full((2, 8), 9, "float32"), value])
        state[name] = value
    state["model.encoder.version"] = np.zeros(1, "float32")
    table = state["model.shared.weight"]
    state["model.encoder.embed_tokens.weight"] = table.copy()
    save_file(state, directory / "model.safetensors", {"format": "pt"})
    content = config.to_dict()
    content.pop("model_type")
    content.update(
        model_type="bart",
        attention_window=[2, 4],
        attention_dilation=[1, 1],
        attention_mode="sliding_chunks",
        autoregressive=False,
        gradient_checkpointing=True,
        max_position_embeddings=9,
        attention_probs_dropout_prob=0.0,
        architectures=["LongformerEncoderDecoderForConditionalGeneration"],
    )
    content.update(changes)
    (directory / "config.json").write_text(json.dumps(content))
    return weights


def test_allenai_checkpoint(tmp_path):
    weights = write_allenai(tmp_path / "ai2")
    report = run(tmp_path / "ai2", tmp_path / "led")
    assert report["family"] == "allenai"
    assert_same(
        load_file(tmp_path / "led" / "model.safetensors"), torch_state(weights)
    )
    config = LEDConfig.from_pretrained(tmp_path / "led")
    assert config.attention_window == [4, 8]
    assert "attention_mode" not in config.extras
    assert "gradient_checkpointing" not in config.extras


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attention_mode": "n2"}, "attention_mode='n2'"),
        ({"attention_dilation": [1, 2]}, r"attention_dilation=\[1, 2\]"),
        ({"autoregressive": True}, "autoregressive=True"),
    ],
)
def test_attention_that_led_does_not_have(tmp_path, changes, message):
    write_allenai(tmp_path / "ai2", **changes)
    with pytest.raises(ValueError, match=message):
        run(tmp_path / "ai2", tmp_path / "led")


@pytest.mark.parametrize("head", [None, "generation"])
def test_an_led_that_kept_keys_of_allenai_is_an_led(tmp_path, head):
    state = write_led(tmp_path / "a", head)
    path = tmp_path / "a" / "config.json"
    content = json.loads(path.read_text())
    content.update(
        attention_mode="sliding_chunks",
        attention_dilation=[1, 1],
        autoregressive=False,
        extra_pos_embeddings=2,
        max_position_embeddings=9,
    )
    path.write_text(json.dumps(content))
    assert run(tmp_path / "a", tmp_path / "b")["family"] == "led"
    assert_same(load_file(tmp_path / "b" / "model.safetensors"), state)
    assert LEDConfig.from_pretrained(tmp_path / "b").attention_windows == (4, 4)


def test_longer_tables_and_another_window(tmp_path):
    state = write_led(tmp_path / "a")
    run(
        tmp_path / "a",
        tmp_path / "b",
        {
            "max_encoder_positions": 50,
            "max_decoder_positions": 5,
            "attention_window": [2, 6],
        },
    )
    config = LEDConfig.from_pretrained(tmp_path / "b")
    assert config.max_encoder_position_embeddings == 50
    assert config.attention_windows == (2, 6)
    found = load_file(tmp_path / "b" / "model.safetensors")
    old = state["led.encoder.embed_positions.weight"]
    new = found["led.encoder.embed_positions.weight"]
    np.testing.assert_array_equal(new, np.concatenate([old, old, old[:10]]))
    old = state["led.decoder.embed_positions.weight"]
    new = found["led.decoder.embed_positions.weight"]
    np.testing.assert_array_equal(new, old[:5])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_types_and_checksums(tmp_path, dtype):
    write_led(tmp_path / "a")
    report = run(tmp_path / "a", tmp_path / "b", dtype=dtype)
    assert {row["dtype"] for row in report["tensors"]} == {dtype}
    assert LEDConfig.from_pretrained(tmp_path / "b").torch_dtype == dtype
    again = run(tmp_path / "b", tmp_path / "c")
    sums = [[r["crc32"] for r in x["tensors"]] for x in (report, again)]
    assert sums[0] == sums[1]
    with open_checkpoint(tmp_path / "b") as checkpoint:
        assert {info.dtype for info in checkpoint.infos.values()} == {dtype}


def test_target_that_is_not_empty_needs_force(tmp_path):
    state = write_led(tmp_path / "a")
    run(tmp_path / "a", tmp_path / "b", max_shard_size=2000)
    (tmp_path / "b" / "README.md").write_text("mine")
    with pytest.raises(FileExistsError, match="target=.*b, .*--force"):
        run(tmp_path / "a", tmp_path / "b")
    run(tmp_path / "a", tmp_path / "b", force=True)
    assert_same(load_file(tmp_path / "b" / "model.safetensors"), state)
    assert not list((tmp_path / "b").glob("*-of-*"))
    assert not (tmp_path / "b" / "model.safetensors.index.json").exists()


def test_killed_conversion_is_the_old_one_or_the_new(tmp_path, monkeypatch):
    write_led(tmp_path / "a")
    write_led(tmp_path / "b", encoder_ffn_dim=12)
    for name in ("tokenizer.json", "generation_config.json"):
        (tmp_path / "a" / name).write_text("{}")
    (tmp_path / "b" / "vocab.json").write_text("{}")
    check_kills(
        monkeypatch,
        tmp_path / "targets",
        lambda folder: run(tmp_path / "a", folder, max_shard_size=8000),
        lambda folder: run(tmp_path / "b", folder, force=True),
    )
    run(tmp_path / "a", tmp_path / "c")
    run(tmp_path / "b", tmp_path / "c", force=True)
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == [
        "README.md",
        "config.json",
        "conversion_report.json",
        "model.safetensors",
        "vocab.json",
    ]


def test_side_files_and_card(tmp_path):
    write_led(tmp_path / "a")
    for name in ("vocab.json", "merges.txt", "generation_config.json"):
        (tmp_path / "a" / name).write_text("{}")
    run(tmp_path / "a", tmp_path / "b")
    assert sorted(os.listdir(tmp_path / "b")) == [
        "README.md",
        "config.json",
        "conversion_report.json",
        "generation_config.json",
        "merges.txt",
        "model.safetensors",
        "vocab.json",
    ]
    report = (tmp_path / "b" / "conversion_report.json").read_text()
    assert json.loads(report)["source"] == "a"
    assert str(tmp_path) not in report
    card = (tmp_path / "b" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: keras\n")
    assert "pipeline_tag: summarization" in card
    assert "up to\n20 tokens with an attention window of 4\n" in card


def test_unknown_family_and_format_are_named(tmp_path):
    write_led(tmp_path / "a")
    with pytest.raises(ValueError, match="`to` must be one of.*to='onnx'"):
        run(tmp_path / "a", tmp_path / "b", to="onnx")
    (tmp_path / "a" / "config.json").write_text('{"model_type": "t5"}')
    with pytest.raises(ValueError, match="config.json.*model_type='t5'"):
        run(tmp_path / "a", tmp_path / "b")
    with pytest.raises(ValueError, match="family='t5'"):
        run(tmp_path / "a", tmp_path / "b", {"family": "t5"})


@pytest.mark.parametrize(
    ("family", "change", "reason"),
    [
        ("led", {"d_model": "8"}, "`d_model` must be an int"),
        ("led", {"encoder_layers": 5000}, "=5000, .*with 78 tensors"),
        ("bart", {"max_position_embeddings": "9"}, "not supported between"),
        ("bart", {"architectures": [3]}, "AttributeError"),
        ("allenai", {"attention_window": [None]}, "unsupported operand"),
        ("allenai", {"attention_dilation": 3}, "not iterable"),
        ("keras_hub", {"config": 3}, "not iterable"),
        ("keras_hub", {}, "must hold vocabulary_size"),
    ],
)
def test_damaged_config_of_any_family_is_named(
    tmp_path, family, change, reason
):
    write_led(tmp_path)
    path = tmp_path / "config.json"
    content = {**json.loads(path.read_text()), **change}
    path.write_text(json.dumps(content))
    if family == "keras_hub":
        os.rename(tmp_path / "model.safetensors", tmp_path / "other")
        with h5py.File(tmp_path / "model.weights.h5", "w") as file:
            file["layers/layer_normalization/vars/0"] = np.zeros(8, "float32")
    with pytest.raises(ValueError, match=f"{tmp_path}.*{reason}"):
        read_source(tmp_path, family=family)
