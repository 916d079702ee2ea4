"""A tiny model with a tokenizer, and its export, made once."""

from unittest import mock

import keras
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led import serving
from keras_led.backend import name as backend_name

TEXTS = (
    "The window slides over the document, 1024 tokens at a time.",
    "Global tokens see it all! Don't they?",
    "naïve café 日本語 😀\n\n  two  spaces\tand a tab",
)
MAX_NEW_TOKENS = 7


def tiny_model():
    """A tokenizer of the texts, and a random model whose output varies."""
    keras.utils.set_random_seed(7)
    tokenizer = LEDTokenizer.train(list(TEXTS) * 3, 300)
    config = LEDConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=4,
        encoder_ffn_dim=12,
        decoder_ffn_dim=20,
        attention_window=8,
        max_encoder_position_embeddings=48,
        max_decoder_position_embeddings=12,
        init_std=0.7,
    )
    model = LEDForConditionalGeneration(config)
    model.generation_config.update(
        num_beams=2,
        no_repeat_ngram_size=2,
        encoder_no_repeat_ngram_size=3,
        encoder_repetition_penalty=1.2,
        forced_eos_token_id=2,
        early_stopping="never",
        max_length=MAX_NEW_TOKENS + 1,
    )
    return model, tokenizer


@pytest.fixture(scope="session")
def pair():
    if backend_name != "tensorflow":
        pytest.skip("TensorFlow writes the SavedModel")
    return tiny_model()


@pytest.fixture(scope="session")
def exported(pair, tmp_path_factory):
    model, tokenizer = pair
    path = tmp_path_factory.mktemp("served") / "1"
    serving.export(model, path, tokenizer, max_new_tokens_input=True)
    return path


def export_generation(*arguments, **options):
    """An export without `encode` and `forward`, which `exported` has."""
    from keras_led.serving import signatures

    with mock.patch.object(signatures, "pure_functions", lambda module: {}):
        return serving.export(*arguments, num_beams=1, **options)


@pytest.fixture(scope="session")
def greedy(pair, tmp_path_factory):
    """Greedy search, with text."""
    model, tokenizer = pair
    path = tmp_path_factory.mktemp("greedy") / "1"
    return export_generation(model, path, tokenizer)


@pytest.fixture(scope="session")
def sampling(pair, tmp_path_factory):
    """Draws by every rule, from one token: the best."""
    model, _ = pair
    return export_generation(
        model,
        tmp_path_factory.mktemp("sampling") / "1",
        do_sample=True,
        top_k=1,
        top_p=0.9,
        min_p=0.01,
        typical_p=0.9,
        epsilon_cutoff=1e-4,
        eta_cutoff=1e-4,
        temperature=0.7,
    )


@pytest.fixture(scope="session")
def signatures(exported):
    import tensorflow as tf

    return tf.saved_model.load(str(exported)).signatures


def fields(data):
    """Reads length-delimited protocol buffer fields: (number, content)."""
    position, found = 0, []

    def varint():
        nonlocal position
        value, shift = 0, 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(data):
        number = varint() >> 3
        size = varint()
        found.append((number, data[position : position + size]))
        position += size
    return found


def warmup_requests(exported):
    """Pairs of signature and inputs, arrays by name, of the warm-up file."""
    import tensorflow as tf
    from tensorflow.core.framework.tensor_pb2 import TensorProto

    file = exported / "assets.extra" / "tf_serving_warmup_requests"
    requests = []
    for record in tf.data.TFRecordDataset(str(file)):
        ((number, log),) = fields(record.numpy())
        assert number == 6  # PredictionLog.predict_log
        ((number, request),) = fields(log)
        assert number == 1  # PredictLog.request
        (_, spec), *entries = fields(request)
        ((number, name),) = fields(spec)
        assert number == 3  # ModelSpec.signature_name
        inputs = {}
        for number, entry in entries:
            assert number == 2  # PredictRequest.inputs
            (_, key), (_, tensor) = fields(entry)
            proto = TensorProto.FromString(tensor)
            inputs[key.decode()] = tf.make_ndarray(proto)
        requests.append((name.decode(), inputs))
    return requests
