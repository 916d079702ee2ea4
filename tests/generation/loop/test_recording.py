"""PyTorch's recorded steps: the tokens of the steps they stand for."""

import contextlib

import keras
import numpy as np
import pytest

from keras_led.backend.block_layout import BlockLayout
from keras_led.generation.loop import compiled
from tests import peer
from tests.generation.pairs import documents
from tests.generation.pairs import models
from tests.generation.processors.test_python_hooks import Favour

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="only PyTorch records steps"
)

RECORDER = "keras_led.backend.torch.replay.recorder"

OPTIONS = [
    {"num_beams": 1},
    {"num_beams": 3, "num_return_sequences": 2},
    {"num_beams": 2, "use_cache": False},
    {"num_beams": 2, "no_repeat_ngram_size": 2, "repetition_penalty": 1.3},
    {"encoder_no_repeat_ngram_size": 2, "bad_words_ids": [[5], [7, 9]]},
    {"num_beams": 3, "early_stopping": "never", "length_penalty": 2.0},
    {"prompt_lookup_num_tokens": 3},
    {"penalty_alpha": 0.6, "top_k": 4},
]


@pytest.fixture
def recorded(monkeypatch):
    """Records from the first step on; the list of recordings so far."""
    from keras_led.backend.torch.replay import recorder

    made, record = [], recorder._record

    def note(*arguments):
        made.append(record(*arguments))
        return made[-1]

    monkeypatch.setattr(recorder, "_record", note)
    monkeypatch.setattr(recorder, "RECORD_AFTER", 0)
    compiled.forget(models()[1])
    yield made
    compiled.forget(models()[1])


def generate(inputs, **options):
    found = models()[1].generate(**inputs, max_length=14, **options)
    return peer.to_numpy(found)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_equals_steps_that_are_not_recorded(options, recorded, monkeypatch):
    monkeypatch.setattr(f"{RECORDER}.RECORD_AFTER", 10**6)
    inputs = [documents(seed=seed) for seed in (1, 2)]
    for each, token in zip(inputs, (4, 6), strict=True):
        each["decoder_input_ids"] = np.full((3, 2), token, "int32")
    expected = [generate(each, **options) for each in inputs]
    assert not recorded
    compiled.forget(models()[1])
    monkeypatch.setattr(f"{RECORDER}.RECORD_AFTER", 0)
    found = [generate(each, **options) for each in inputs]
    # Nothing of the first documents is left in what the second ones run.
    assert len(recorded) == 1
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_loop_for_a_gpu_equals_it(options, recorded, monkeypatch):
    from keras_led.backend.torch.replay import cuda_graph

    monkeypatch.setattr(f"{RECORDER}.RECORD_AFTER", 10**6)
    expected = generate(documents(), **options)
    loops = []

    def run(advance):
        loops.append(advance)
        return advance

    # As a GPU would run it, by stand-ins for CUDA.
    monkeypatch.setattr(f"{RECORDER}.RECORD_AFTER", 0)
    monkeypatch.setattr(cuda_graph, "takes", lambda leaves: True)
    monkeypatch.setattr(cuda_graph, "own_stream", contextlib.nullcontext)
    monkeypatch.setattr(cuda_graph, "capture", run)
    compiled.forget(models()[1])
    for _ in range(2):  # the second one finds the recording
        np.testing.assert_array_equal(
            generate(documents(), **options), expected
        )
    assert len(recorded) == 1
    assert len(loops) == 2


@pytest.mark.parametrize("query_block", [4, 64])  # some blocks, or one
def test_the_encoder_is_recorded_for_a_gpu(query_block, monkeypatch):
    import torch

    from keras_led.backend.torch.replay import recorder

    inputs = [documents(seed=1), documents(seed=1)]
    inputs[1]["input_ids"] = inputs[1]["input_ids"][:, ::-1].copy()
    expected = [generate(each) for each in inputs]
    assert not np.array_equal(*expected)
    compiled.forget(models()[1])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        "keras_led.backend.preferred_layout",
        lambda holds_scores=True: BlockLayout(query_block, 16),
    )
    made, record = [], recorder._record

    def note(*arguments):
        made.append(record(*arguments))
        return made[-1]

    monkeypatch.setattr(recorder, "_record", note)
    monkeypatch.setattr(recorder, "RECORD_AFTER", 10**6)  # no loop
    for _ in range(2):
        for each, tokens in zip(inputs, expected, strict=True):
            np.testing.assert_array_equal(generate(each), tokens)
    assert len(made) == 2  # the encoder, and the start of decoding
    compiled.forget(models()[1])


def test_sees_weights_that_changed(recorded):
    model = models()[1]
    bias = model.final_logits_bias
    before = bias.numpy() if hasattr(bias, "numpy") else peer.to_numpy(bias)
    first = generate(documents(), num_beams=2)
    changed = before.copy()
    changed[..., 11] += 50.0
    try:
        bias.assign(changed)
        second = generate(documents(), num_beams=2)
    finally:
        bias.assign(before)
    assert len(recorded) == 1
    assert (second == 11).any()
    assert not (first == 11).all()
    np.testing.assert_array_equal(generate(documents(), num_beams=2), first)


def test_what_reads_numbers_is_not_recorded(recorded):
    generate(documents(), do_sample=True, seed=3)
    generate(documents(), logits_processor=[Favour()])
    assert not recorded


def test_a_step_is_recorded_once_it_has_run_often(recorded, monkeypatch):
    monkeypatch.setattr(f"{RECORDER}.RECORD_AFTER", 15)
    expected = generate(documents(), num_beams=2, min_new_tokens=12)
    assert not recorded
    found = generate(documents(), num_beams=2, min_new_tokens=12)
    assert len(recorded) == 1
    np.testing.assert_array_equal(found, expected)


def test_says_when_a_step_cannot_be_recorded(monkeypatch):
    import torch

    from keras_led.backend.torch import loops
    from keras_led.backend.torch.replay import recorder

    monkeypatch.setattr(recorder, "RECORD_AFTER", 1)

    def body(state, constants):
        return (state[0] + int(state[0] > 2) + 1,)

    run = recorder.Recordings(keras.Sequential())
    with run.active(), pytest.warns(UserWarning, match="could not record"):
        (found,) = loops.while_loop(
            lambda state: state[0] < 10, body, (torch.tensor(0),)
        )
    assert int(found) == 11


def test_few_graphs_are_kept(monkeypatch):
    import torch

    from keras_led.backend.torch.replay import cuda_graph
    from keras_led.backend.torch.replay import recorder

    made = []

    class Graph:
        def __init__(self, function):
            made.append(self)
            self.function = function

        def __call__(self, operands, static):
            return self.function(operands, static)

    monkeypatch.setattr(cuda_graph, "KeptGraph", Graph)
    monkeypatch.setattr(cuda_graph, "takes", lambda leaves: True)
    monkeypatch.setattr(recorder, "RECORD_CALLS_AFTER", 0)
    recordings = recorder.Recordings(keras.Sequential())

    def double(x):
        return {"double": 2 * x["x"], "none": None}

    sizes = range(1, recorder.GRAPH_CAPACITY + 2)
    for size in sizes:
        for _ in range(2):
            found = recordings.call(double, ({"x": torch.ones(size)},))
            assert found["none"] is None
            torch.testing.assert_close(found["double"], 2 * torch.ones(size))
    assert len(made) == len(sizes)
    recordings.call(double, ({"x": torch.ones(1)},))  # was dropped
    assert len(made) == len(sizes) + 1
    recordings.call(double, ({"x": torch.ones(sizes[-1])},))
    assert len(made) == len(sizes) + 1


def test_recording_changes_nothing_outside_its_thread(monkeypatch):
    import threading

    import torch
    from torch.fx import _symbolic_trace

    from keras_led.backend.torch.replay import recorder

    monkeypatch.setattr(recorder, "RECORD_AFTER", 0)
    recordings = recorder.Recordings(keras.Sequential())
    before = torch.nn.Module.__call__, torch.nn.Module.__getattr__
    seen, state = [], [torch.tensor(1.0)]

    def elsewhere():
        seen.append(recordings.find(body, state, []))
        seen.append(torch.nn.Module.__call__ is before[0])
        seen.append(torch.nn.Module.__getattr__ is before[1])
        seen.append(_symbolic_trace.is_fx_tracing())

    def body(state, constants):
        if not seen:  # while this thread records, another one asks
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
        return [state[0] + 2]

    step = recordings.find(body, state, [])
    # The other thread goes on without a recording, in a process as it was.
    assert seen == [None, True, True, False]
    assert float(step([torch.tensor(3.0)], [])[0]) == 5.0
    assert recordings.find(body, state, []) is step


def test_an_interrupted_recording_is_made_later(monkeypatch):
    import torch

    from keras_led.backend.torch.replay import recorder

    monkeypatch.setattr(recorder, "RECORD_AFTER", 0)
    recordings = recorder.Recordings(keras.Sequential())
    runs = []

    def body(state, constants):
        runs.append(1)
        if len(runs) == 1:
            raise KeyboardInterrupt
        return [2 * state[0]]

    state = [torch.tensor(1.0)]
    with pytest.raises(KeyboardInterrupt):
        recordings.find(body, state, [])
    step = recordings.find(body, state, [])
    assert float(step([torch.tensor(3.0)], [])[0]) == 6.0
