"""What a loaded export answers, beside the model in Python."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests import peer
from tests.serving.conftest import MAX_NEW_TOKENS
from tests.serving.conftest import TEXTS

# Loads the export where neither keras_led nor KerasHub can be imported.
CLIENT = """
import json, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("keras_led", "keras_hub", "keras_nlp"):
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
import tensorflow as tf
import tensorflow_text

served = tf.saved_model.load(sys.argv[1]).signatures["summarize"]
answers = []
for texts, limit in json.load(sys.stdin):
    found = served(text=tf.constant(texts), max_new_tokens=tf.constant(limit))
    answers.append([text.decode() for text in found["summary"].numpy()])
print(json.dumps(answers))
"""


def call(signature, **inputs):
    import tensorflow as tf

    return signature(
        **{k: tf.constant(np.asarray(v, "int32")) for k, v in inputs.items()}
    )


def documents(seed=0):
    """Two documents, the second padded."""
    ids = np.random.default_rng(seed).integers(5, 250, (2, 13))
    mask = np.ones_like(ids)
    ids[1, 9:], mask[1, 9:] = 1, 0
    return {"input_ids": ids, "attention_mask": mask}


def first_token(inputs):
    mask = np.zeros_like(inputs["input_ids"])
    mask[:, 0] = 1
    return mask


def test_texts_without_keras_led_give_the_texts_of_python(pair, exported):
    model, tokenizer = pair
    long = " ".join(TEXTS) * 3  # cut to what the model reads
    requests = [
        ([*TEXTS, "", long], MAX_NEW_TOKENS),
        ([TEXTS[1]], 3),
    ]
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, str(exported)],
        input=json.dumps(requests),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    many, one = json.loads(done.stdout)
    with pytest.warns(UserWarning, match="cut off"):
        expected = model.summarize(
            [*TEXTS, long], tokenizer=tokenizer, batch_size=4
        )
    assert many == [*expected[:3], "", expected[3]]
    assert one == model.summarize(
        [TEXTS[1]], tokenizer=tokenizer, max_new_tokens=3
    )
    assert len(set(expected)) > 2  # not one answer to everything


@pytest.mark.parametrize("limit", [1, 4, MAX_NEW_TOKENS])
def test_ids_are_those_of_generate(pair, signatures, limit):
    model, _ = pair
    inputs = documents()
    found = call(signatures["serving_default"], **inputs, max_new_tokens=limit)
    expected = model.generate(
        **inputs,
        global_attention_mask=first_token(inputs),
        max_new_tokens=limit,
        return_dict_in_generate=True,
        output_scores=True,
    )
    np.testing.assert_array_equal(
        found["sequences"], peer.to_numpy(expected.sequences)
    )
    np.testing.assert_allclose(
        found["sequences_scores"],
        peer.to_numpy(expected.sequences_scores),
        atol=1e-4,
    )


def test_hidden_states_and_logits_are_the_models(pair, signatures):
    model, _ = pair
    inputs = documents(1)
    wide = first_token(inputs)
    wide[0, 3:9] = 1  # more than the slots of a trace
    inputs["global_attention_mask"] = wide
    hidden = model.encode(**inputs).last_hidden_state
    found = call(signatures["encode"], **inputs)["last_hidden_state"]
    np.testing.assert_allclose(found, peer.to_numpy(hidden), atol=1e-4)
    inputs["decoder_input_ids"] = np.array([[2, 0, 9, 8], [2, 0, 7, 1]])
    expected = model(**inputs).logits
    found = call(signatures["forward"], **inputs)["logits"]
    np.testing.assert_allclose(found, peer.to_numpy(expected), atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"max_new_tokens": 0}, "between 1 and 7"),
        ({"max_new_tokens": 8}, "between 1 and 7"),
        ({"attention_mask": [[1, 1]]}, "shape of `input_ids`"),
        ({"input_ids": [[0, 3000, 2]]}, "ids from 0 to"),
        ({"input_ids": [[0, -1, 2]]}, "ids from 0 to"),
        (
            {"input_ids": [[0] * 49], "attention_mask": [[1] * 49]},
            "longer than 48 tokens",
        ),
        (
            {
                "input_ids": np.zeros((0, 3)),
                "attention_mask": np.zeros((0, 3)),
            },
            "at least one token",
        ),
    ],
)
def test_bad_ids_are_an_invalid_argument(signatures, changes, rule):
    import tensorflow as tf

    inputs = {
        "input_ids": [[0, 5, 2]],
        "attention_mask": [[1, 1, 1]],
        "max_new_tokens": 2,
        **changes,
    }
    with pytest.raises(tf.errors.InvalidArgumentError, match=rule):
        call(signatures["serving_default"], **inputs)


def test_no_text_is_an_invalid_argument(signatures):
    import tensorflow as tf

    with pytest.raises(tf.errors.InvalidArgumentError, match="one text"):
        signatures["summarize"](
            text=tf.constant([], tf.string), max_new_tokens=tf.constant(2)
        )


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("serving_default", {"input_ids": np.zeros((1, 3), "int64")}),
        ("serving_default", {"input_ids": np.zeros((1, 3), "float32")}),
        ("serving_default", {"input_ids": np.zeros(3, "int32")}),
        ("serving_default", {"input_ids": np.array([["a", "b", "c"]])}),
        ("summarize", {"text": np.zeros(2, "int32")}),
        ("summarize", {"text": np.array([["a rank too many"]])}),
    ],
)
def test_another_dtype_or_rank_is_refused(signatures, name, inputs):
    import tensorflow as tf

    given = {"max_new_tokens": np.int32(2)}
    if name == "serving_default":
        given["attention_mask"] = np.ones((1, 3), "int32")
    given = {k: tf.constant(v) for k, v in {**given, **inputs}.items()}
    with pytest.raises(
        (tf.errors.InvalidArgumentError, TypeError),
        match="int32|string|[sS]hape",
    ):
        signatures[name](**given)


def test_bytes_that_are_no_text_are_answered(signatures):
    import tensorflow as tf

    found = signatures["summarize"](
        text=tf.constant([b"\xff\xfe caf\xe9 \x00 end"]),
        max_new_tokens=tf.constant(3),
    )
    found["summary"].numpy()[0].decode("utf-8")
