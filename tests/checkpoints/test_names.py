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
