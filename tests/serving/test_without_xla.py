"""Exports where XLA is switched off, as TensorFlow Serving has it."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from tests import peer
from tests.serving.conftest import TEXTS
from tests.serving.conftest import warmup_requests
from tests.serving.test_signatures import documents
from tests.serving.test_signatures import first_token

# Switches XLA off, answers requests, then generates from a checkpoint.
PROCESS = """
import ctypes, pathlib, pickle, sys

import tensorflow as tf
import tensorflow_text

for library in pathlib.Path(tf.__file__).parent.glob("libtensorflow*.so*"):
    switch = getattr(
        ctypes.CDLL(str(library)), "_ZN10tensorflow21DisableXlaCompilationEv",
        None,
    )
    if switch is not None:
        switch()
        break
else:
    sys.exit(3)

folder, checkpoint, requests, calls = pickle.load(sys.stdin.buffer)
loaded, answers = {}, []
for path, signature, inputs in requests:
    if path not in loaded:
        loaded[path] = tf.saved_model.load(path).signatures
    inputs = {name: tf.constant(value) for name, value in inputs.items()}
    found = loaded[path][signature](**inputs)
    answers.append({name: x.numpy() for name, x in found.items()})
assert "keras_led" not in sys.modules

from keras_led import LEDForConditionalGeneration

model = LEDForConditionalGeneration.from_pretrained(checkpoint)
answers += [model.generate(**call).numpy() for call in calls]
with open(folder, "wb") as file:
    pickle.dump(answers, file)
"""
TOKENS = 3


@pytest.fixture(scope="module")
def answers(pair, exported, greedy, sampling, tmp_path_factory):
    """What the process answered: by signature, to warm-ups, to `generate`."""
    model, _ = pair
    folder = tmp_path_factory.mktemp("without_xla")
    model.save_pretrained(folder / "checkpoint")
    requests = {
        (name, signature): (str(path), signature, inputs)
        for name, path in (
            ("beams", exported),
            ("greedy", greedy),
            ("sampling", sampling),
        )
        for signature, inputs in inputs_of(name).items()
    }
    warm = [
        (str(path), *request)
        for path in (exported, greedy, sampling)
        for request in warmup_requests(path)
    ]
    job = (
        str(folder / "answers"),
        str(folder / "checkpoint"),
        [*requests.values(), *warm],
        [call for _, call in calls()],
    )
    done = subprocess.run(
        [sys.executable, "-c", PROCESS],
        input=pickle.dumps(job),
        capture_output=True,
    )
    if done.returncode == 3:
        pytest.skip(
            "TensorFlow's library does not show DisableXlaCompilation, by "
            "which its server switches XLA off"
        )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = pickle.loads((folder / "answers").read_bytes())
    generated = found[len(requests) + len(warm) :]
    return (
        dict(zip(requests, found, strict=False)),
        found[len(requests) : len(requests) + len(warm)],
        dict(zip([name for name, _ in calls()], generated, strict=True)),
    )


def inputs_of(name):
    """Inputs of every signature of one of the exports."""
    ids = {k: v.astype("int32") for k, v in documents(2).items()}
    document = {**ids, "global_attention_mask": first_token(ids)}
    target = np.array([[2, 0, 9], [2, 0, 7]], "int32")
    limit = {"max_new_tokens": np.int32(TOKENS)} if name == "beams" else {}
    inputs = {"serving_default": {**ids, **limit}}
    if name == "beams":
        inputs["encode"] = document
        inputs["forward"] = {**document, "decoder_input_ids": target}
    if name != "sampling":
        inputs["summarize"] = {"text": np.array(TEXTS), **limit}
    return inputs


def calls():
    """Pairs of a name and arguments of `generate`, one for each loop."""
    ids = documents(2)
    given = {**ids, "global_attention_mask": first_token(ids)}
    given["max_new_tokens"] = TOKENS
    # Hooks run step by step.
    yield "beams", given
    yield "step by step", {**given, "num_beams": 1, "max_time": 600.0}
    look_up = {"num_beams": 1, "prompt_lookup_num_tokens": 2}
    yield "look-up", {**given, **look_up, "no_repeat_ngram_size": 0}


@pytest.mark.parametrize("name", ["beams", "greedy", "sampling"])
def test_ids_and_texts_are_those_of_the_model(pair, answers, name):
    model, tokenizer = pair
    options = {"num_beams": 1}
    if name == "beams":
        options = {"max_new_tokens": TOKENS}
    found, ids = answers[0], documents(2)
    np.testing.assert_array_equal(
        found[name, "serving_default"]["sequences"],
        peer.to_numpy(
            model.generate(
                **ids, global_attention_mask=first_token(ids), **options
            )
        ),
    )
    if name != "sampling":
        texts = [x.decode() for x in found[name, "summarize"]["summary"]]
        assert texts == model.summarize(
            list(TEXTS), tokenizer=tokenizer, batch_size=3, **options
        )
        assert len(set(texts)) > 1


def test_hidden_states_and_logits_are_the_models(pair, answers):
    model, _ = pair
    inputs = inputs_of("beams")
    np.testing.assert_allclose(
        answers[0]["beams", "encode"]["last_hidden_state"],
        peer.to_numpy(model.encode(**inputs["encode"]).last_hidden_state),
        atol=1e-4,
    )
    np.testing.assert_allclose(
        answers[0]["beams", "forward"]["logits"],
        peer.to_numpy(model(**inputs["forward"]).logits),
        atol=1e-4,
    )


def test_warm_up_requests_are_answered(answers):
    sizes = [len(next(iter(answer.values()))) for answer in answers[1]]
    assert sizes == [1, 1, 1, 1, 1]  # two of them have no text


def test_the_model_itself_generates(pair, answers):
    model, _ = pair
    for name, call in calls():
        expected = peer.to_numpy(model.generate(**call))
        np.testing.assert_array_equal(answers[2][name], expected)
