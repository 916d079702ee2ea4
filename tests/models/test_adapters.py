"""LoRA adapters: gradients, files, merging, against `transformers`."""

import json

import keras
import numpy as np
import pytest
from keras import ops
from safetensors.numpy import load_file
from safetensors.numpy import save_file

import keras_led
from keras_led.models.adapters import adapter_layers
from keras_led.models.adapters import enable_lora
from keras_led.models.adapters import merge_adapters
from keras_led.models.freezing import unfreeze
from keras_led.training.adapter_files import load_adapters
from keras_led.training.adapter_files import save_adapters
from tests import peer
from tests.files.folders import check_kills
from tests.models.pairs import both_sides
from tests.models.pairs import document
from tests.models.pairs import quick

RANK, ALPHA = 3, 5.0
EVERYWHERE = ("query", "key", "value", "output")
SMALL = {
    "encoder_layers": 1,
    "decoder_layers": 1,
    "dropout": 0.0,
    "attention_dropout": 0.0,
}


@pytest.fixture(scope="module")
def other():
    return peer.build("LEDForConditionalGeneration", **SMALL)


@pytest.fixture
def ours(other, tmp_path):
    return peer.load_ours(other, tmp_path / "base", max_global_tokens=3)


def draw_adapters(model, seed=1):
    """Gives the adapters, of which B starts as 0, values that show."""
    random = np.random.default_rng(seed)
    for _, layer in sorted(adapter_layers(model).items()):
        for weight in (layer.lora_kernel_a, layer.lora_kernel_b):
            weight.assign(random.standard_normal(weight.shape) * 0.3)


def logits(model):
    inputs = both_sides(11, "right", "mixed")
    return ops.convert_to_numpy(quick(model, use_cache=False)(**inputs).logits)


def test_adapters_are_where_targets_say_and_change_nothing_at_first(ours):
    count = enable_lora(ours, RANK)
    names = [
        "encoder.layers.0.self_attn.longformer_self_attn.query",
        "encoder.layers.0.self_attn.longformer_self_attn.query_global",
        "encoder.layers.0.self_attn.longformer_self_attn.value",
        "encoder.layers.0.self_attn.longformer_self_attn.value_global",
        "decoder.layers.0.self_attn.q_proj",
        "decoder.layers.0.self_attn.v_proj",
        "decoder.layers.0.encoder_attn.q_proj",
        "decoder.layers.0.encoder_attn.v_proj",
    ]
    assert set(adapter_layers(ours)) == {f"led.{name}" for name in names}
    assert count == 8 * 2 * RANK * peer.TINY["d_model"]
    assert count == sum(np.prod(w.shape) for w in ours.trainable_weights)
    for layer in adapter_layers(ours).values():
        assert np.any(ops.convert_to_numpy(layer.lora_kernel_a))
        assert not np.any(ops.convert_to_numpy(layer.lora_kernel_b))


def test_one_projection_alone(ours):
    enable_lora(ours, RANK, targets=("q_proj", "fc2"))
    found = {name.rpartition(".")[2] for name in adapter_layers(ours)}
    assert found == {"q_proj", "fc2"}
    assert len(adapter_layers(ours)) == 4


def test_a_step_of_fit_takes_the_gradients_of_both_factors(ours):
    inputs = document(11, "right", "mixed")
    inputs["labels"] = peer.token_ids(3, 5, seed=21)
    enable_lora(ours, RANK, ALPHA, EVERYWHERE)
    draw_adapters(ours)
    layers = adapter_layers(ours)
    assert len(layers) == 15
    assert len(ours.trainable_weights) == 2 * 15
    for layer in layers.values():
        layer._kernel.trainable = True  # to see its gradient in this step
    before = {w.path: np.array(ops.convert_to_numpy(w)) for w in ours.weights}
    ours.compile(keras.optimizers.SGD(1.0))
    ours.fit(inputs, batch_size=3, verbose=0)
    found = {
        w.path: before[w.path] - ops.convert_to_numpy(w) for w in ours.weights
    }
    for name, layer in layers.items():
        # W + s A B, so dA = s dW B^T and dB = s A^T dW.
        by_kernel = found.pop(layer._kernel.path) * ALPHA / RANK
        first, second = layer.lora_kernel_a, layer.lora_kernel_b
        for weight, expected in (
            (first, by_kernel @ before[second.path].T),
            (second, before[first.path].T @ by_kernel),
        ):
            assert np.abs(expected).max() > 1e-4, name
            np.testing.assert_allclose(
                found.pop(weight.path),
                expected,
                atol=2e-5,
                rtol=1e-3,
                err_msg=name,
            )
    for path, change in found.items():  # the rest is frozen
        assert not change.any(), path


def test_files_hold_adapters_alone_as_peft_writes_them(ours, other, tmp_path):
    import torch

    enable_lora(ours, RANK, ALPHA, EVERYWHERE)
    draw_adapters(ours)
    save_adapters(ours, tmp_path / "adapters")
    tensors = load_file(tmp_path / "adapters" / "adapter_model.safetensors")
    settings = json.loads(
        (tmp_path / "adapters" / "adapter_config.json").read_text()
    )
    assert settings["r"] == RANK and settings["lora_alpha"] == ALPHA
    assert settings["task_type"] == "SEQ_2_SEQ_LM"
    assert len(tensors) == 2 * 15
    # What PEFT computes from these names: W + alpha / r * B A.
    state = {k: v.clone() for k, v in other.state_dict().items()}
    for module in settings["target_modules"]:
        first, second = (
            torch.from_numpy(
                tensors[f"base_model.model.{module}.lora_{x}.weight"]
            )
            for x in "AB"
        )
        state[f"{module}.weight"] += ALPHA / RANK * second @ first
    adapted = type(other)(other.config).eval()
    adapted.load_state_dict(state)
    expected = peer.call_peer(adapted, **both_sides(11, "right", "mixed"))
    found = logits(ours)
    np.testing.assert_allclose(found, expected.logits.numpy(), atol=1e-4)
    unadapted = peer.call_peer(other, **both_sides(11, "right", "mixed"))
    assert np.abs(found - unadapted.logits.numpy()).max() > 0.1

    fresh = type(ours).from_pretrained(tmp_path / "base", max_global_tokens=3)
    load_adapters(fresh, tmp_path / "adapters")
    np.testing.assert_allclose(logits(fresh), found, atol=1e-6)
    assert {w.path for w in fresh.trainable_weights} == {
        w.path for w in ours.trainable_weights
    }
    draw_adapters(fresh, seed=2)
    load_adapters(fresh, tmp_path / "adapters")  # into those that are there
    np.testing.assert_allclose(logits(fresh), found, atol=1e-6)


def test_adapters_in_a_file_of_old_peft_are_read(ours, other, tmp_path):
    torch = pytest.importorskip("torch")
    enable_lora(ours, RANK, ALPHA)
    draw_adapters(ours)
    save_adapters(ours, tmp_path / "tuned")
    path = tmp_path / "tuned" / "adapter_model.safetensors"
    tensors = {k: torch.from_numpy(v) for k, v in load_file(path).items()}
    torch.save(tensors, path.with_suffix(".bin"))
    path.unlink()
    fresh = peer.load_ours(other, tmp_path / "fresh", max_global_tokens=3)
    load_adapters(fresh, tmp_path / "tuned")
    np.testing.assert_allclose(logits(fresh), logits(ours), atol=1e-6)


def test_merged_adapters_make_a_plain_checkpoint(ours, other, tmp_path):
    plain_paths = {weight.path for weight in ours.weights}
    enable_lora(ours, RANK, ALPHA, EVERYWHERE)
    draw_adapters(ours)
    expected = {k: v.numpy().copy() for k, v in other.state_dict().items()}
    for name, layer in adapter_layers(ours).items():
        first, second = (
            ops.convert_to_numpy(weight)
            for weight in (layer.lora_kernel_a, layer.lora_kernel_b)
        )
        expected[f"{name}.weight"] += ALPHA / RANK * (first @ second).T
    merge_adapters(ours)
    assert {weight.path for weight in ours.weights} == plain_paths
    assert not adapter_layers(ours) and not ours.trainable_weights
    ours.save_pretrained(tmp_path / "merged")
    loaded, report = type(other).from_pretrained(
        tmp_path / "merged", output_loading_info=True
    )
    assert not any(report[key] for key in report)
    for name, value in loaded.state_dict().items():
        np.testing.assert_allclose(
            value.numpy(), expected[name], atol=1e-6, err_msg=name
        )
    unfreeze(ours)
    assert {weight.path for weight in ours.trainable_weights} == plain_paths - {
        f"{ours.name}/final_logits_bias"
    }
    enable_lora(ours, 1)  # once more, on top


def test_merging_keeps_the_digits_that_mixed_precision_drops(other, tmp_path):
    other.save_pretrained(tmp_path / "base")
    low = keras_led.LEDForConditionalGeneration.from_pretrained(
        tmp_path / "base", dtype="mixed_bfloat16"
    )
    enable_lora(low, RANK, ALPHA)
    draw_adapters(low)
    ((_, layer), *_) = sorted(adapter_layers(low).items())
    kernel, first, second = (
        ops.convert_to_numpy(weight)
        for weight in (layer._kernel, layer.lora_kernel_a, layer.lora_kernel_b)
    )
    low.save_pretrained(tmp_path / "saved")
    merge_adapters(low)
    expected = kernel + ALPHA / RANK * first @ second
    found = ops.convert_to_numpy(layer._kernel)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    again = keras_led.LEDForConditionalGeneration.from_pretrained(
        tmp_path / "saved", name=low.name
    )
    for old, new in zip(low.weights, again.weights, strict=True):
        np.testing.assert_array_equal(
            ops.convert_to_numpy(new), ops.convert_to_numpy(old)
        )


def test_the_head_of_a_task_trains_and_is_saved(tmp_path):
    config = keras_led.LEDConfig(**{**peer.TINY, **SMALL, "num_labels": 3})
    model = keras_led.LEDForSequenceClassification(config)
    enable_lora(model, RANK)
    draw_adapters(model)
    heads = [w for w in model.trainable_weights if "lora_" not in w.path]
    assert len(heads) == 4
    unfreeze(model, "embeddings")
    save_adapters(model, tmp_path)
    other = keras_led.LEDForSequenceClassification(config, name=model.name)
    load_adapters(other, tmp_path)
    old = {w.path: ops.convert_to_numpy(w) for w in model.trainable_weights}
    new = {w.path: ops.convert_to_numpy(w) for w in other.weights}
    assert len(old) == 2 * 8 + 4 + 1 + 2 * 3
    for path, value in old.items():
        np.testing.assert_array_equal(new[path], value, err_msg=path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rank": 0}, "`rank` .*rank=0"),
        ({"rank": 2.0}, "`rank` .*rank=2.0"),
        ({"rank": 2, "alpha": -1}, "`alpha` .*alpha=-1"),
        ({"rank": 2, "targets": "querry"}, "`targets` .*q_proj.*'querry'"),
        ({"rank": 2, "targets": ()}, r"`targets` .*targets=\(\)"),
    ],
)
def test_bad_arguments_change_nothing(ours, arguments, message):
    before = [weight.path for weight in ours.trainable_weights]
    with pytest.raises(ValueError, match=message):
        enable_lora(ours, **arguments)
    assert [weight.path for weight in ours.trainable_weights] == before


def test_adapters_at_the_wrong_time(ours, tmp_path):
    with pytest.raises(ValueError, match="adapters to merge. .* without"):
        merge_adapters(ours)
    with pytest.raises(ValueError, match="one rank and alpha .* none"):
        save_adapters(ours, tmp_path)
    with pytest.raises(FileNotFoundError, match="adapter_config.json"):
        load_adapters(ours, tmp_path)
    enable_lora(ours, RANK)
    with pytest.raises(ValueError, match="no adapters yet. .* with 8"):
        enable_lora(ours, RANK)
    save_adapters(ours, tmp_path)
    fresh = type(ours).from_pretrained(tmp_path / "base")
    enable_lora(fresh, RANK, targets="key")
    with pytest.raises(ValueError, match=r"4 adapters in the model, 8 of r=3"):
        load_adapters(fresh, tmp_path)


def test_files_that_do_not_fit(ours, tmp_path):
    enable_lora(ours, RANK)
    save_adapters(ours, tmp_path)
    settings, weights = (
        tmp_path / "adapter_config.json",
        tmp_path / "adapter_model.safetensors",
    )
    good = json.loads(settings.read_text())
    tensors = load_file(weights)
    fresh = type(ours).from_pretrained(tmp_path / "base")

    def refused(message, changes=(), tensors=tensors):
        settings.write_text(json.dumps({**good, **dict(changes)}))
        save_file(tensors, weights)
        with pytest.raises(ValueError, match=message):
            load_adapters(fresh, tmp_path)
        assert not adapter_layers(fresh)

    refused("plain LoRA .*use_dora=True, expected False", {"use_dora": True})
    refused("`r`, an int .* `lora_alpha`.*r=None", {"r": None})
    for damage in ({"r": 2.5}, {"r": "3"}, {"lora_alpha": float("nan")}):
        refused(f"^{settings} must hold `r`, an int", damage)
    refused(r"lora_A.* of shape .* with r=4 has", {"r": 4})
    first = sorted(tensors)[0]
    rest = {k: v for k, v in tensors.items() if k != first}
    refused("lora_A and lora_B .* one of them for led.decoder", tensors=rest)
    odd = {**rest, first.replace("layers.0", "layers.7"): tensors[first]}
    refused("layers.7.* names none of its layers", tensors=odd)
    refused("must hold adapters. .* a file without", tensors={})


def test_killed_save_is_the_old_one_or_the_new(ours, tmp_path, monkeypatch):
    enable_lora(ours, RANK, targets=("query",))
    draw_adapters(ours)

    def save_others(folder):
        for layer in adapter_layers(ours).values():
            layer.lora_kernel_b.assign(layer.lora_kernel_b + 1.0)
        save_adapters(ours, folder)

    check_kills(
        monkeypatch,
        tmp_path / "adapters",
        lambda folder: draw_adapters(ours) or save_adapters(ours, folder),
        lambda folder: draw_adapters(ours) or save_others(folder),
    )
