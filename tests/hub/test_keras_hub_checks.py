"""The checks that KerasHub has for models of its own, on ours.

KerasHub ships them with the package; they need `grain`.
"""

import importlib
import json

import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led.hub import LEDBackbone
from keras_led.hub import LEDSeq2SeqLM
from keras_led.hub import LEDSeq2SeqLMPreprocessor
from keras_led.hub import LEDTokenizer
from tests.hub.conftest import DOCUMENTS
from tests.hub.conftest import SIZES
from tests.hub.conftest import TARGETS

pytestmark = pytest.mark.filterwarnings("ignore")
PAIRS = ({"encoder_text": DOCUMENTS[:2], "decoder_text": TARGETS[:2]},)


@pytest.fixture(scope="module")
def case():
    """An instance of KerasHub's `TestCase`."""
    pytest.importorskip("tensorflow")
    pytest.importorskip("grain")
    module = importlib.import_module("keras_hub.src.tests.test_case")
    return module.TestCase()


def test_the_backbone(case):
    ids = np.ones((2, 5), "int32")
    mask = np.ones((2, 5), "int32")
    config = LEDConfig(**{**SIZES, "encoder_layers": 1, "attention_window": 4})
    case.run_backbone_test(
        cls=LEDBackbone,
        init_kwargs=LEDBackbone.from_led_config(config).get_config(),
        input_data={
            "encoder_token_ids": ids,
            "encoder_padding_mask": mask,
            "decoder_token_ids": ids,
            "decoder_padding_mask": mask,
        },
        expected_output_shape={
            "encoder_sequence_output": (2, 5, 24),
            "decoder_sequence_output": (2, 5, 24),
        },
        # Our layers are not those that it looks for; see the int8 tests.
        run_quantization_check=False,
    )


def test_the_task(case, folder):
    lm = LEDSeq2SeqLM.from_preset(folder)  # trained here
    preprocessor = LEDSeq2SeqLMPreprocessor(
        lm.preprocessor.tokenizer,
        encoder_sequence_length=16,
        decoder_sequence_length=8,
    )
    case.run_task_test(
        cls=LEDSeq2SeqLM,
        init_kwargs={"backbone": lm.backbone, "preprocessor": preprocessor},
        train_data=PAIRS,
        expected_output_shape=(2, 8, lm.backbone.vocabulary_size),
    )


def test_the_serialization_of_layers_for_texts(case, lm):
    for layer in (lm.preprocessor, lm.preprocessor.tokenizer):
        config = layer.get_config()
        again = type(layer).from_config(json.loads(json.dumps(config)))
        assert again.get_config() == config
        case.run_serialization_test(layer)


def test_the_preprocessor(case, lm):
    case.init_kwargs = {
        "tokenizer": lm.preprocessor.tokenizer,
        "encoder_sequence_length": 16,
        "decoder_sequence_length": 8,
    }
    case.run_preprocessor_test(
        cls=LEDSeq2SeqLMPreprocessor,
        init_kwargs=case.init_kwargs,
        input_data=PAIRS,
        token_id_key="decoder_token_ids",
    )


def test_the_tokenizer(case, lm):
    tokenizer = lm.preprocessor.tokenizer
    case.run_preprocessing_layer_test(
        cls=LEDTokenizer,
        init_kwargs={"led_tokenizer": tokenizer.led_tokenizer},
        input_data=DOCUMENTS[:2],
        expected_output=tokenizer(DOCUMENTS[:2]),
    )


def test_lengths_may_be_set_later(lm):
    layer = LEDSeq2SeqLMPreprocessor(
        LEDTokenizer(led_tokenizer=lm.preprocessor.tokenizer.led_tokenizer),
        encoder_sequence_length=16,
        decoder_sequence_length=8,
    )
    assert layer(*PAIRS)[1].shape == (2, 8)
    layer.sequence_length = 17
    assert layer(*PAIRS)[1].shape == (2, 17)
    assert layer(*PAIRS, decoder_sequence_length=5)[1].shape == (2, 5)
