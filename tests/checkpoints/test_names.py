import pytest

from keras_led.checkpoints import names
from keras_led.checkpoints.table import weight_shapes
from tests.checkpoints.fakes import CLASSES
from tests.checkpoints.fakes import tiny_config


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("head", [None, "generation", "question_answering"])
def test_names_and_shapes_are_those_of_the_peer(head, tied):
    transformers = pytest.importorskip("transformers")
    config = tiny_config(tie_word_embeddings=tied, num_labels=2)
    peer = getattr(transformers, CLASSES[head])(
        transformers.LEDConfig.from_dict(config.to_dict())
    )
    theirs = {k: tuple(v.shape) for k, v in peer.state_dict().items()}
    if tied:
        for name in list(theirs):
            if "embed_tokens" in name or name == "lm_head.weight":
                del theirs[name]
    ours = {}
    for name, shape in weight_shapes(config, head).items():
        swapped = names.is_transposed(name)
        prefix = "led" if head else ""
        ours[names.to_torch(name, prefix)] = shape[::-1] if swapped else shape
    assert ours == theirs


@pytest.mark.parametrize("head", CLASSES)
def test_every_name_survives_each_dialect(head):
    config = tiny_config(tie_word_embeddings=False)
    for name in weight_shapes(config, head):
        for prefix in ("led", ""):
            assert names.from_torch(names.to_torch(name, prefix)) == name
        written = names.to_tensorflow(name)
        assert names.from_tensorflow(written) == name
        for before in ("led/tfled_model_1/", "tfled_model/"):
            if not names.is_head(name):
                assert names.from_tensorflow(before + written) == name
        for path in (f"my_model/{name}", f"my_model/led/{name}"):
            assert names.from_variable(path) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("led.shared/led.shared/embeddings:0", "shared/embeddings"),
        ("led/led.shared/led.shared/embeddings:0", "shared/embeddings"),
        ("led.shared/embeddings:0", "shared/embeddings"),
        ("shared/shared/weight:0", "shared/embeddings"),
        ("final_logits_bias/final_logits_bias:0", "final_logits_bias"),
        ("iterations:0", None),
    ],
)
def test_spellings_of_tensorflow(name, expected):
    assert names.from_tensorflow(name) == expected


@pytest.mark.parametrize("name", ["led.version", "weight", "a/b.weight", ""])
def test_what_is_no_pytorch_weight_has_no_name(name):
    assert names.from_torch(name) is None


def test_unknown_head_is_named():
    with pytest.raises(ValueError, match="one of.*head='lm'"):
        weight_shapes(tiny_config(), "lm")


@pytest.mark.parametrize(
    ("tensors", "own"),
    [
        # A bare LED and one with a head stay as they are.
        (["shared.weight", "encoder.a.weight"], None),
        (["led.shared.weight", "lm_head.weight"], None),
        # LightningModule, DistributedDataParallel, torch.compile, FSDP.
        (
            ["model.led.shared.weight", "model.final_logits_bias"],
            ["led.shared.weight", "final_logits_bias"],
        ),
        (["module.encoder.a.weight"], ["encoder.a.weight"]),
        (["_orig_mod.led.encoder.a.bias"], ["led.encoder.a.bias"]),
        (
            ["model.module._orig_mod.led.decoder.a.bias", "model.x.weight"],
            ["led.decoder.a.bias", "model.x.weight"],
        ),
        (
            ["led.encoder._orig_mod.layers.0._fsdp_wrapped_module.fc1.bias"],
            ["led.encoder.layers.0.fc1.bias"],
        ),
        # An attribute of the same name as the body, or as a part.
        (
            ["led.led.encoder.a.bias", "led.lm_head.weight"],
            ["led.encoder.a.bias", "lm_head.weight"],
        ),
        (["encoder.led.encoder.a.bias"], ["led.encoder.a.bias"]),
        # The body of a BART has a name of its own.
        (["model.shared.weight", "final_logits_bias"], None),
        (
            ["module.model.shared.weight", "module.final_logits_bias"],
            ["model.shared.weight", "final_logits_bias"],
        ),
        # Two models, and names that would fall together.
        (["a.led.shared.weight", "b.led.shared.weight"], None),
        (["led._orig_mod.shared.weight", "led.shared.weight"], None),
    ],
)
def test_what_wrapped_the_model_is_taken_off(tensors, own):
    found = names.without_wrappers(tensors)
    assert found == dict(zip(own or tensors, tensors, strict=True))


def test_names_of_several_models_are_told():
    tensors = ["b.led.shared.weight", "a.b.encoder.x.bias", "lm_head.weight"]
    assert names.outer_names(tensors) == ["a.b.", "b."]
