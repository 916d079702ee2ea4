import keras_hub
import pytest

from keras_led.hub import LEDBackbone
from keras_led.hub import LEDSeq2SeqLM
from keras_led.hub import LEDSeq2SeqLMPreprocessor
from keras_led.hub import LEDTokenizer
from keras_led.hub import converter
from keras_led.hub import register_converter
from tests.hub.conftest import assert_equal_weights


@pytest.fixture
def loaders(monkeypatch):
    """The module to change: KerasHub's own now, afterwards what it was."""
    import keras_hub.src.utils.transformers.preset_loader as loaders

    theirs = vars(loaders)[converter.LOADER]
    if getattr(theirs, "reads_led", False):  # the docs' code has registered
        theirs = theirs.__base__
    monkeypatch.setattr(loaders, converter.LOADER, theirs)
    return loaders


def test_the_base_classes_read_a_hugging_face_folder(loaders, folder, model):
    name = str(folder)
    with pytest.raises(ValueError, match="no converter"):
        keras_hub.models.Seq2SeqLM.from_preset(name)
    register_converter()
    register_converter()
    lm = keras_hub.models.Seq2SeqLM.from_preset(name)
    assert type(lm) is LEDSeq2SeqLM
    assert_equal_weights(lm, model)
    assert lm.generation_config.no_repeat_ngram_size == 2
    assert lm.preprocessor.encoder_sequence_length == 96
    backbone = keras_hub.models.Backbone.from_preset(name, load_weights=False)
    assert type(backbone) is LEDBackbone
    for cls, expected in (
        (keras_hub.tokenizers.Tokenizer, LEDTokenizer),
        (keras_hub.models.Seq2SeqLMPreprocessor, LEDSeq2SeqLMPreprocessor),
    ):
        assert type(cls.from_preset(name)) is expected


def test_other_families_are_read_as_before(loaders, tmp_path):
    register_converter()
    (tmp_path / "config.json").write_text(
        '{"model_type": "unknown"}', encoding="utf-8"
    )
    with pytest.raises(ValueError, match="no converter.*'unknown'"):
        keras_hub.models.Backbone.from_preset(str(tmp_path))


def test_a_keras_hub_that_has_moved_is_named(loaders, monkeypatch):
    monkeypatch.setattr(converter, "LOADERS", "keras_hub.src.elsewhere")
    with pytest.raises(RuntimeError, match="KerasHub 0.*elsewhere"):
        register_converter()


def test_a_keras_hub_that_does_not_ask_is_left_as_it_was(loaders, monkeypatch):
    import keras_hub.src.utils.preset_utils as presets

    theirs = loaders.TransformersPresetLoader
    monkeypatch.setattr(
        presets,
        "get_preset_loader",
        lambda preset: theirs(preset, {"model_type": "bart"}),
    )
    with pytest.raises(RuntimeError, match="model_type='led' is read by"):
        register_converter()
    assert loaders.TransformersPresetLoader is theirs
