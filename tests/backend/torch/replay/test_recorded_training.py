"""A recorded step of `fit` against the same step without a recording."""

import contextlib
from unittest import mock

import keras
import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led.training import freeze
from keras_led.training.linear_decay import LinearDecay

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch's recordings"
)

SETTINGS = {
    "vocab_size": 40,
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 20,
    "decoder_ffn_dim": 28,
    "attention_window": 8,
    "max_encoder_position_embeddings": 48,
    "max_decoder_position_embeddings": 18,
    "init_std": 0.2,
    "dropout": 0.1,
}


def make(dtype="float32", **changes):
    keras.utils.set_random_seed(4)
    config = LEDConfig(**{**SETTINGS, **changes})
    return LEDForConditionalGeneration(config, dtype=dtype)


def batch(number, length=24, wide=1):
    """Documents of which some end with padding, and labels, some ignored."""
    random = np.random.default_rng(number)
    ids = random.integers(4, 40, (2, length)).astype("int32")
    mask = np.ones_like(ids)
    mask[1, length - 3 - number % 2 :] = 0
    global_mask = np.zeros_like(ids)
    global_mask[:, :wide] = 1
    labels = random.integers(4, 40, (2, 6)).astype("int32")
    labels[0, 4:] = -100
    inputs = {
        "input_ids": ids,
        "attention_mask": mask,
        "global_attention_mask": global_mask,
    }
    return inputs, labels


BATCHES = [batch(number) for number in range(6)]


@pytest.fixture
def runs(monkeypatch):
    """A list that grows with each run of a recording."""
    from keras_led.backend.torch.replay import recorded_training

    step, found = recorded_training._RecordedStep.__call__, []

    def run(self, leaves):
        found.append(self)
        return step(self, leaves)

    monkeypatch.setattr(recorded_training._RecordedStep, "__call__", run)
    return found


def train(model, batches=BATCHES):
    """Losses of steps, and all weights after them."""
    losses = [model.train_on_batch(*each) for each in batches]
    weights = {v.path: keras.ops.convert_to_numpy(v) for v in model.variables}
    return np.array(losses), weights


def assert_same(found, expected):
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    assert len(set(expected[0])) == len(expected[0])
    for one, other in zip(found[1].values(), expected[1].values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def adamw(**options):
    return keras.optimizers.AdamW(**{"learning_rate": 0.01, **options})


CASES = {
    "plain": {},
    "no noise": {"changes": {"dropout": 0.0}},
    "noise everywhere": {
        "changes": {
            "attention_dropout": 0.2,
            "activation_dropout": 0.3,
            "encoder_layerdrop": 0.5,
        }
    },
    "untied": {"changes": {"tie_word_embeddings": False}},
    "bfloat16": {"dtype": "mixed_bfloat16"},
    "checkpointing": {
        "prepare": lambda model: model.gradient_checkpointing_enable(),
        "dtype": "mixed_bfloat16",
        "changes": {"attention_dropout": 0.2},
    },
    "adapters": {"prepare": lambda model: model.enable_lora(2)},
    "frozen": {"prepare": lambda model: freeze(model, encoder_layers=1)},
    "schedule": {
        "optimizer": lambda: adamw(learning_rate=LinearDecay(0.02, 3, 6))
    },
    "clipped": {"optimizer": lambda: adamw(global_clipnorm=0.5)},
    "scaled": {"optimizer": lambda: adamw(loss_scale_factor=64.0)},
    "accumulated": {
        "optimizer": lambda: adamw(
            learning_rate=LinearDecay(0.02, 3, 6), gradient_accumulation_steps=2
        ),
        "batches": [batch(number) for number in range(10)],
        "runs": 4,
    },
    "smoothed": {"compile": {"label_smoothing": 0.1}},
    "lion": {"optimizer": lambda: keras.optimizers.Lion(0.01)},
    "rmsprop": {"optimizer": lambda: keras.optimizers.RMSprop(0.01)},
    "amsgrad": {"optimizer": lambda: keras.optimizers.Adam(amsgrad=True)},
}


def prepared(case, jit_compile):
    model = make(case.get("dtype", "float32"), **case.get("changes", {}))
    case.get("prepare", lambda model: None)(model)
    keras.utils.set_random_seed(5)
    model.compile(
        case.get("optimizer", adamw)(),
        jit_compile=jit_compile,
        **case.get("compile", {}),
    )
    return model


@pytest.mark.parametrize("name", CASES)
def test_a_recorded_step_is_the_same_step(name, runs):
    case = CASES[name]
    batches = case.get("batches", BATCHES)
    expected = train(prepared(case, False), batches)
    assert not runs
    assert_same(train(prepared(case, True), batches), expected)
    # Of each kind there are two steps before, and the recorded one.
    assert len(runs) == case.get("runs", 3)


def test_each_kind_of_batch_has_a_recording(runs):
    batches = []
    for number in range(4):
        batches += [batch(number), batch(number, 33), batch(number, wide=3)]
        batches += [batch(number, wide=0)]
    expected = train(prepared({}, False), batches)
    assert_same(train(prepared({}, True), batches), expected)
    assert len(runs) == 4
    assert len({id(run) for run in runs}) == 4


def test_only_so_many_kinds_are_recorded(runs, monkeypatch):
    from keras_led.backend.torch.replay import recorder

    monkeypatch.setattr(recorder, "CAPACITY", 1)
    batches = [batch(n, length) for n in range(4) for length in (24, 33)]
    train(prepared({}, True), batches)
    assert len(runs) == 1


def test_fit_records_and_sees_what_callbacks_do(runs):
    """Weights, the learning rate and dropout, changed between steps."""

    class Touch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 4:
                table = self.model.led.shared.embeddings
                table.assign(table * 0.5)
                self.model.optimizer.learning_rate = 0.002
            if batch == 6:
                self.model.led.decoder.layers[0].dropout = 0.4

    def fitted(jit_compile):
        model = prepared({}, jit_compile)
        random = [batch(number) for number in range(10)]
        inputs = {
            k: np.concatenate([x[k] for x, _ in random]) for k in random[0][0]
        }
        labels = np.concatenate([y for _, y in random])
        history = model.fit(
            inputs,
            labels,
            batch_size=2,
            epochs=2,
            shuffle=False,
            verbose=0,
            callbacks=[Touch()],
        )
        return history.history["loss"], train(model, BATCHES[:2])[1]

    expected = fitted(False)
    assert not runs
    assert_same(fitted(True), expected)
    assert len(runs) > 8


def test_a_gpu_starts_a_recording_as_a_graph(runs, monkeypatch):
    """The order of work, seen on a CPU by stand-ins for CUDA."""
    import torch

    from keras_led.backend.torch.replay import cuda_graph

    expected = train(prepared({}, False))
    captured = []

    def capture(function):
        captured.append(function)  # which does not run now
        return function

    monkeypatch.setattr(cuda_graph, "capture", capture)
    monkeypatch.setattr(cuda_graph, "takes", lambda leaves: True)
    monkeypatch.setattr(
        cuda_graph, "own_stream", lambda: contextlib.nullcontext(mock.Mock())
    )
    monkeypatch.setattr(torch.cuda, "Event", mock.Mock)
    assert_same(train(prepared({}, True)), expected)
    assert len(runs) == 3
    assert len(captured) == 1


def test_other_data_trains_without_a_recording(runs):
    def floats(inputs, labels):
        mask = inputs["attention_mask"].astype("float32")
        return {**inputs, "attention_mask": mask}, labels

    batches = [floats(*each) for each in BATCHES]
    expected = train(prepared({}, False), batches)
    assert_same(train(prepared({}, True), batches), expected)
    assert not runs


def test_a_step_that_reads_a_number_is_told_of_and_goes_on(runs, monkeypatch):
    from keras_led.losses import in_chunks

    count = in_chunks.count_of_mean

    def reading(counts):
        return count(counts) * (1.0 if float(count(counts)) > 3 else 0.5)

    expected = train(prepared({}, False))
    monkeypatch.setattr(in_chunks, "count_of_mean", reading)
    with pytest.warns(UserWarning, match="could not record.*reads a number"):
        found = train(prepared({}, True))
    assert_same(found, expected)
    assert not runs


def test_hooks_of_gradients_are_called(runs):
    model, calls = prepared({}, True), []
    kernel = model.led.decoder.layers[0].fc1.kernel.value
    kernel.register_hook(lambda grad: calls.append(1))
    train(model)
    assert len(calls) == 6
    assert not runs
