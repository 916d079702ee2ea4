"""A mistake in the data is named before a step, and costs the model nothing."""

import keras
import numpy as np
import pytest

import keras_led
from tests import peer

BATCH, LENGTH, TARGETS = 4, 11, 6
SIZES = {**peer.TINY, "encoder_layers": 1, "decoder_layers": 1}
VOCABULARY = SIZES["vocab_size"]
WIDE = 2**32 + 5  # 5, in 32 bits


@pytest.fixture(scope="module")
def model():
    """A model whose steps run one operation at a time: none is to run."""
    made = keras_led.LEDForConditionalGeneration(keras_led.LEDConfig(**SIZES))
    made.compile(keras.optimizers.AdamW(0.1), run_eagerly=True)
    made.optimizer.build(made.trainable_variables)
    return made


def batch(**changes):
    inputs = {
        "input_ids": peer.token_ids(BATCH, LENGTH),
        "decoder_input_ids": peer.token_ids(BATCH, TARGETS, seed=1),
        "labels": peer.token_ids(BATCH, TARGETS, seed=2),
    }
    return {**inputs, **changes}


def spoilt(name, value):
    """A batch with one wrong value, of a dtype that holds it."""
    array = batch()[name].astype("int64")
    array[2, 3] = value
    return batch(**{name: array})


class Batches(keras.utils.PyDataset):
    def __init__(self, data):
        super().__init__()
        self.data = data

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.data


def pairs(data):
    return {k: v for k, v in data.items() if k != "labels"}, data["labels"]


def generator(data):
    yield pairs(data)


def loader(data):
    torch = pytest.importorskip("torch")
    rows = [
        pairs({name: value[row] for name, value in data.items()})
        for row in range(BATCH)
    ]
    return torch.utils.data.DataLoader(rows, batch_size=BATCH)


def tf_dataset(data):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices(data).batch(BATCH)


def tf_pairs(data):
    return tf_dataset(pairs(data))


PATHS = {
    "fit": lambda model, data: model.fit(data, verbose=0),
    "fit with y": lambda model, data: model.fit(*pairs(data), verbose=0),
    "validation": lambda model, data: model.fit(
        batch(), validation_data=pairs(data), verbose=0
    ),
    "PyDataset": lambda model, data: model.fit(Batches(data), verbose=0),
    "PyDataset of pairs": lambda model, data: model.evaluate(
        Batches(pairs(data)), verbose=0
    ),
    "generator": lambda model, data: model.fit(
        generator(data), shuffle=False, verbose=0
    ),
    "DataLoader": lambda model, data: model.fit(
        loader(data), shuffle=False, verbose=0
    ),
    "tf.data": lambda model, data: model.fit(
        tf_dataset(data), shuffle=False, verbose=0
    ),
    "tf.data of pairs": lambda model, data: model.evaluate(
        tf_pairs(data), verbose=0
    ),
    "evaluate": lambda model, data: model.evaluate(data, verbose=0),
    "predict": lambda model, data: model.predict(data, verbose=0),
    "train_on_batch": lambda model, data: model.train_on_batch(data),
    "test_on_batch": lambda model, data: model.test_on_batch(data),
    "predict_on_batch": lambda model, data: model.predict_on_batch(data),
    "call": lambda model, data: model(**data),
    "call of a dict": lambda model, data: model(data),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("input_ids", 10**6),
        ("input_ids", WIDE),
        ("decoder_input_ids", -3),
        ("labels", VOCABULARY),
        ("labels", -100 - 2**32),
    ],
)
@pytest.mark.parametrize("path", list(PATHS))
def test_an_id_outside_the_vocabulary_is_named(model, path, name, value):
    before = weights(model)
    with pytest.raises(ValueError, match=f"(?s)`{name}` must .*{value}"):
        PATHS[path](model, spoilt(name, value))
    assert_same(weights(model), before)


@pytest.mark.parametrize("value", [VOCABULARY, WIDE])
def test_parts_of_a_model_name_ids_too(model, value):
    ids = spoilt("input_ids", value)["input_ids"]
    encoder, decoder = model.get_encoder(), model.get_decoder()
    hidden = np.zeros((BATCH, LENGTH, SIZES["d_model"]), "float32")
    for call in (
        lambda: encoder(ids),
        lambda: encoder.predict(ids, verbose=0),
        lambda: decoder(ids, encoder_hidden_states=hidden),
        lambda: model.generate(ids, max_new_tokens=2),
    ):
        with pytest.raises(ValueError, match=f"(?s)input_ids` must.*{value}"):
            call()


def test_weights_without_y_are_refused(model):
    inputs, labels = pairs(batch())
    weighted = np.ones((BATCH, TARGETS), "float32")
    for call in (
        lambda: model.fit(batch(), sample_weight=weighted, verbose=0),
        lambda: model.fit(batch(), class_weight={0: 1.0}, verbose=0),
        lambda: model.evaluate(batch(), sample_weight=weighted, verbose=0),
        lambda: model.train_on_batch(batch(), sample_weight=weighted),
        lambda: model.test_on_batch(batch(), sample_weight=weighted),
        lambda: model.fit(
            inputs,
            labels,
            validation_data=(batch(), None, weighted),
            verbose=0,
        ),
    ):
        with pytest.raises(ValueError, match="_weight` does not .*Pass the"):
            call()


MISTAKES = {
    "labels too long": lambda: batch(labels=peer.token_ids(BATCH, 19)),
    "no labels": lambda: {"input_ids": peer.token_ids(BATCH, LENGTH)},
    "a misspelt name": lambda: batch(input_idz=peer.token_ids(BATCH, LENGTH)),
    "documents too long": lambda: batch(input_ids=peer.token_ids(BATCH, 41)),
}


@pytest.fixture(scope="module")
def trained():
    """A model with compiled steps, the state of an optimizer, and a past."""
    made = keras_led.LEDForConditionalGeneration(keras_led.LEDConfig(**SIZES))
    made.compile(keras.optimizers.AdamW(1e-3))
    made.fit(batch(), verbose=0)
    return made


@pytest.mark.parametrize("name", list(MISTAKES))
def test_a_failing_run_leaves_the_model_as_it_was(trained, name):
    before = weights(trained)
    for run in (trained.fit, trained.evaluate, trained.train_on_batch):
        options = {} if run == trained.train_on_batch else {"verbose": 0}
        with pytest.raises((ValueError, TypeError)):
            run(MISTAKES[name](), **options)
        assert_same(weights(trained), before)


@pytest.mark.parametrize(
    ("run", "moment"),
    [
        ("fit", "on_epoch_begin"),
        ("fit", "on_train_batch_begin"),
        ("fit", "on_train_batch_end"),
        ("evaluate", "on_test_batch_begin"),
        ("predict", "on_predict_batch_begin"),
    ],
)
def test_an_interrupt_leaves_the_weights_of_the_last_step(trained, run, moment):
    def interrupt(*_, **logs):
        raise KeyboardInterrupt

    before = weights(trained)
    callback = keras.callbacks.LambdaCallback()
    setattr(callback, moment, interrupt)
    with pytest.raises(KeyboardInterrupt):
        getattr(trained, run)(batch(), verbose=0, callbacks=[callback])
    after = weights(trained)
    if moment == "on_train_batch_end":
        assert all(np.isfinite(value).all() for value in after)
        assert any((a != b).any() for a, b in zip(after, before, strict=True))
    else:
        assert_same(after, before)
    history = trained.fit(batch(), verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_an_interrupt_while_data_is_read_leaves_the_weights(trained):
    class Interrupted(Batches):
        def __getitem__(self, index):
            if index:
                raise KeyboardInterrupt
            return self.data

        def __len__(self):
            return 2

    if keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow reads in threads, where no interrupt comes")
    with pytest.raises(KeyboardInterrupt):
        trained.fit(Interrupted(batch()), shuffle=False, verbose=0)
    assert all(np.isfinite(value).all() for value in weights(trained))


def test_a_callback_may_evaluate_between_steps(trained):
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **logs: seen.append(
            trained.evaluate(batch(), verbose=0)
        )
    )
    trained.fit(batch(), batch_size=BATCH, verbose=0, callbacks=[callback])
    assert np.isfinite(seen).all()


def weights(model):
    found = [*model.weights, *model.optimizer.variables]
    return [keras.ops.convert_to_numpy(variable) for variable in found]


def assert_same(found, expected):
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(value, wanted)
