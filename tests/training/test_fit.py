"""`fit` as users write it: data, losses, precision, optimizers."""

import keras
import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import backend
from keras_led.training.metrics import TokenAccuracy

BACKEND = keras.backend.backend()
# What is not about compiled steps runs without: TensorFlow takes longer to
# trace a model than to run it. JAX compiles each operation once in a process
# then, as long as two whole models take: not worth it for a dtype or an
# optimizer of which one test has one model.
EAGER_ONCE = BACKEND != "jax"
BATCH, LENGTH, TARGET, VOCABULARY = 4, 24, 6, 40
PAD, END = 1, 2


def make(dtype=None, **changes):
    keras.utils.set_random_seed(4)
    settings = {
        "vocab_size": VOCABULARY,
        "d_model": 16,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 20,
        "decoder_ffn_dim": 28,
        "attention_window": 8,
        "max_encoder_position_embeddings": 32,
        "max_decoder_position_embeddings": 18,
        "init_std": 0.2,
        "dropout": 0.0,
        "attention_dropout": 0.0,
    }
    config = LEDConfig(**{**settings, **changes})
    return LEDForConditionalGeneration(config, dtype=dtype)


def documents():
    """Two batches; the labels of some rows end with -100, or with pads."""
    random = np.random.default_rng(0)
    ids = random.integers(4, VOCABULARY, (2 * BATCH, LENGTH)).astype("int32")
    mask = np.ones_like(ids)
    mask[1, 17:] = 0
    wide = np.zeros_like(ids)
    wide[:, 0] = 1
    labels = random.integers(4, VOCABULARY, (2 * BATCH, TARGET))
    labels[0, 3:] = -100
    labels[5, 4:] = PAD
    inputs = {
        "input_ids": ids,
        "attention_mask": mask,
        "global_attention_mask": wide,
    }
    return inputs, labels.astype("int32")


def rows_of(nest, rows):
    inputs, labels = nest
    return {name: array[rows] for name, array in inputs.items()}, labels[rows]


def halves():
    """The two batches."""
    both = slice(0, BATCH), slice(BATCH, 2 * BATCH)
    return [rows_of(documents(), rows) for rows in both]


def shifted(labels):
    """Decoder inputs that belong to labels."""
    start = np.full((len(labels), 1), END)
    ids = np.concatenate([start, labels[:, :-1]], axis=1).astype("int32")
    return np.where(ids == -100, PAD, ids)


def logits_of(model, inputs, labels):
    output = model(**inputs, decoder_input_ids=shifted(labels))
    return keras.ops.convert_to_numpy(output.logits).astype("float64")


def loss_of(logits, labels, ignored=(-100,)):
    """Mean cross-entropy over the labels that count, in numpy."""
    counts = ~np.isin(labels, ignored)
    largest = logits.max(axis=-1, keepdims=True)
    total = np.log(np.exp(logits - largest).sum(axis=-1)) + largest[..., 0]
    safe = np.where(counts, labels, 0)[..., None]
    losses = total - np.take_along_axis(logits, safe, axis=-1)[..., 0]
    return losses[counts].mean()


def weights(model):
    return {
        variable.path: keras.ops.convert_to_numpy(variable)
        for variable in model.trainable_variables
    }


class Batches(keras.utils.PyDataset):
    """The two batches."""

    def __init__(self):
        super().__init__()

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return halves()[index]


def loader():
    torch = pytest.importorskip("torch")
    rows = [rows_of(documents(), row) for row in range(2 * BATCH)]
    return torch.utils.data.DataLoader(rows, batch_size=BATCH)


def dataset():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices(documents()).batch(BATCH)


def labels_inside():
    inputs, labels = documents()
    return {**inputs, "labels": labels}


def endless():
    while True:
        yield from halves()


# Arguments of `fit`.
KINDS = {
    "arrays": lambda: dict(zip("xy", documents(), strict=True)),
    "labels": lambda: {"x": labels_inside()},
    "PyDataset": lambda: {"x": Batches()},
    "generator": lambda: {"x": endless(), "steps_per_epoch": 2},
    "tf.data": lambda: {"x": dataset()},
    "DataLoader": lambda: {"x": loader()},
}


@pytest.fixture(scope="module")
def model():
    """A model whose rate of learning is 0: its weights stay."""
    model = make()
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def losses(model):
    """The losses of the two batches."""
    return [loss_of(logits_of(model, *batch), batch[1]) for batch in halves()]


@pytest.mark.parametrize("kind", list(KINDS))
def test_data_of_every_kind_has_the_loss_of_its_labels(model, losses, kind):
    options = KINDS[kind]()
    if isinstance(options["x"], dict):
        options["batch_size"] = BATCH
    history = model.fit(**options, shuffle=False, verbose=0).history
    # Keras logs the mean of the batches' means.
    np.testing.assert_allclose(history["loss"], [np.mean(losses)], rtol=1e-5)


def test_compiled_steps_train_evaluate_and_predict():
    model = make()
    model.compile(keras.optimizers.AdamW(0.02), metrics=[TokenAccuracy()])
    inputs, labels = documents()
    history = model.fit(inputs, labels, BATCH, epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    logged = model.evaluate(inputs, labels, BATCH, verbose=0, return_dict=True)
    logits = logits_of(model, inputs, labels)
    means = [
        loss_of(logits[rows], labels[rows])
        for rows in (slice(0, BATCH), slice(BATCH, None))
    ]
    np.testing.assert_allclose(logged["loss"], np.mean(means), rtol=1e-4)
    counts = labels != -100
    right = (logits.argmax(-1) == labels)[counts].mean()
    np.testing.assert_allclose(logged["token_accuracy"], right, atol=1e-6)
    found = model.predict(
        {**inputs, "decoder_input_ids": shifted(labels)}, BATCH, verbose=0
    )
    np.testing.assert_allclose(found.logits, logits, atol=1e-4)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow traces")
def test_a_step_is_traced_once(monkeypatch):
    calls = []

    def step(self, data):
        calls.append(data)
        return {"loss": self.optimizer.iterations * 0.0}

    monkeypatch.setattr(LEDForConditionalGeneration, "train_step", step)
    model = make()
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    inputs, labels = documents()
    model.fit({**inputs, "labels": labels}, batch_size=BATCH, verbose=0)
    assert len(calls) == 1
    assert model.optimizer.built


def test_jit_compile_is_what_was_asked_for_in_a_copy_too():
    model = make()
    model.compile("sgd", jit_compile=True)
    copy = make()
    copy.compile_from_config(model.get_compile_config())
    for found in (model, copy):
        # PyTorch's own compiler cannot take the model: steps are recorded.
        assert found.jit_compile == backend.CAN_JIT
        assert found._step_is_compiled


def test_a_loss_and_metrics_of_keras():
    model = make()
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=PAD
    )
    inputs, labels = documents()
    labels = np.where(labels == -100, PAD, labels)
    logits = logits_of(model, inputs, labels)
    expected = loss_of(logits, labels, ignored=(PAD,))
    # A loss alone; the document is longer than the decoder's positions.
    model.compile(loss=loss, run_eagerly=True)
    alone = model.test_on_batch(inputs, labels)
    np.testing.assert_allclose(alone, expected, rtol=1e-5)
    model.compile(
        keras.optimizers.SGD(0.1),
        loss=loss,
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="right")],
        run_eagerly=True,
    )
    logged = model.train_on_batch(inputs, labels, return_dict=True)
    np.testing.assert_allclose(logged["loss"], expected, rtol=1e-5)
    right = (logits.argmax(-1) == labels).mean()
    np.testing.assert_allclose(logged["right"], right, atol=1e-6)
    again = model.train_on_batch(inputs, labels, return_dict=True)
    assert again["loss"] < logged["loss"]
    # Compiled anew without them: the model's own loss, in which pads count.
    model.compile(run_eagerly=True)
    own = model.test_on_batch({**inputs, "labels": labels}, return_dict=True)
    expected = loss_of(logits_of(model, inputs, labels), labels, ignored=())
    assert own == {"loss": pytest.approx(expected, rel=1e-5)}


def test_ignored_labels_change_no_step():
    """Columns of -100 behind the labels, and rows of nothing else."""
    inputs, labels = documents()
    labels[BATCH:] = -100
    more = np.concatenate([labels, np.full_like(labels[:, :2], -100)], axis=1)
    found = []
    for batch in (
        rows_of((inputs, labels), slice(0, BATCH)),
        (inputs, more),
    ):
        model = make()
        model.compile(keras.optimizers.SGD(0.5), run_eagerly=True)
        loss = model.train_on_batch(*batch)
        found.append((float(loss), weights(model)))
    (first, short), (second, long) = found
    np.testing.assert_allclose(second, first, rtol=1e-6)
    for path, value in short.items():
        np.testing.assert_allclose(long[path], value, atol=1e-6, err_msg=path)


def test_bfloat16_learns():
    model = make("mixed_bfloat16")
    model.compile(keras.optimizers.AdamW(0.02), run_eagerly=EAGER_ONCE)
    losses = [float(model.train_on_batch(*halves()[0])) for _ in range(5)]
    assert losses[-1] < 0.7 * losses[0]
    assert {w.dtype for w in model.trainable_variables} == {"float32"}


def test_float16_scales_the_loss_and_leaves_out_steps_that_overflow():
    model = make("mixed_float16")
    # Keras wraps the optimizer of a model in float16 itself.
    model.compile(keras.optimizers.AdamW(0.02), run_eagerly=EAGER_ONCE)
    optimizer = model.optimizer
    assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    batch = halves()[0]
    expected = loss_of(logits_of(make(), *batch), batch[1])
    losses = [float(model.train_on_batch(*batch)) for _ in range(5)]
    np.testing.assert_allclose(losses[0], expected, rtol=2e-2)
    assert losses[-1] < 0.7 * losses[0]
    before = weights(model)
    optimizer.dynamic_scale.assign(2.0**60)
    model.train_on_batch(*batch)
    assert float(optimizer.dynamic_scale.value) == 2.0**59
    for path, value in weights(model).items():
        np.testing.assert_array_equal(value, before[path], err_msg=path)


def test_accumulated_gradients_are_those_of_the_whole_batch():
    inputs, labels = documents()
    labels = np.maximum(labels, 4)  # as many that count in each half
    found = []
    for size, steps in ((2 * BATCH, None), (BATCH, 2)):
        model = make()
        start = weights(model)
        model.compile(
            keras.optimizers.SGD(0.5, gradient_accumulation_steps=steps),
            run_eagerly=True,
        )
        model.fit(inputs, labels, size, shuffle=False, verbose=0)
        found.append(weights(model))
    whole, summed = found
    moved = 0
    for path, value in whole.items():
        np.testing.assert_allclose(summed[path], value, atol=2e-6, err_msg=path)
        moved += np.abs(value - start[path]).max() > 1e-4
    assert moved > 0.8 * len(whole)


def test_adamw_warms_up():
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=6, warmup_target=0.02, warmup_steps=2
    )
    model = make()
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=0.1),
        run_eagerly=EAGER_ONCE,
    )
    batch = halves()[0]
    values, rates, losses = [weights(model)], [], []
    for _ in range(5):
        rates.append(float(model.optimizer.learning_rate))
        losses.append(float(model.train_on_batch(*batch)))
        values.append(weights(model))
    np.testing.assert_allclose(rates[:3], [0.0, 0.01, 0.02], rtol=1e-6)
    assert rates[2:] == sorted(rates[2:], reverse=True)
    for path, value in values[0].items():
        np.testing.assert_array_equal(values[1][path], value, err_msg=path)
        assert np.abs(values[2][path] - value).max() > 0, path
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
    assert losses[-1] < 0.9 * losses[0]


def test_dropped_layers_learn_nothing_and_count_in_evaluation():
    model = make(encoder_layerdrop=0.9999)
    plain = make()
    for new, old in zip(
        plain.trainable_variables, model.trainable_variables, strict=True
    ):
        new.assign(old)
    batch = halves()[0]
    expected = loss_of(logits_of(plain, *batch), batch[1])
    before = weights(model)
    model.compile(keras.optimizers.SGD(0.5), run_eagerly=True)
    dropped = float(model.train_on_batch(*batch))
    assert abs(dropped - expected) > 1e-3
    changed = {
        path
        for path, value in weights(model).items()
        if np.abs(value - before[path]).max() > 0
    }
    inside = {path for path in before if "/encoder/layers_0/" in path}
    assert inside and not inside & changed
    assert [path for path in changed if "/decoder/layers_0/" in path]
    for variable in model.trainable_variables:
        variable.assign(before[variable.path])
    np.testing.assert_allclose(
        float(model.test_on_batch(*batch)), expected, rtol=1e-5
    )
