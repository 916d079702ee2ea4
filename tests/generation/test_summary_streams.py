import threading

import numpy as np
import pytest

from keras_led.generation.inputs.document_batch import bucket_length
from tests.generation.results.test_streaming import Words
from tests.generation.test_summaries import Copier

# `Copier` writes the document's most frequent letter.


def test_every_text_once_with_its_number():
    model = Copier()
    texts = (letter * size for size, letter in enumerate("ABCDEABCDE", 1))
    found = model.summarize_stream(
        texts, tokenizer=Words(), batch_size=2, buffer=4
    )
    assert dict(found) == dict(enumerate("abcdeabcde"))
    # 4, 4 and 2 texts, sorted within a buffer, two at once.
    sizes = [call["input_ids"].shape for call in model.calls]
    assert sizes == [(2, 6), (2, 4), (2, 10), (2, 8), (2, 12)]


def test_a_buffer_is_read_ahead_and_no_more():
    model, taken = Copier(), []

    def texts():
        for number in range(100):
            taken.append(number)
            yield "A"

    found = model.summarize_stream(
        texts(), tokenizer=Words(), batch_size=1, buffer=2
    )
    assert taken == []
    next(found)
    next(found)
    next(found)  # of the second buffer, while the third one is read
    found.close()
    assert len(taken) <= 6
    names = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith("keras_led-tokenizer") for name in names)


def test_what_is_no_text():
    texts = ["AA", None, "B", 3]
    kept = dict(
        Copier().summarize_stream(texts, tokenizer=Words(), errors="keep")
    )
    assert kept[0] == "a" and kept[2] == "b"
    assert isinstance(kept[1], TypeError) and "NoneType" in str(kept[1])
    assert "int at index 3" in str(kept[3])
    with pytest.raises(TypeError, match="NoneType at index 1"):
        list(Copier().summarize_stream(texts, tokenizer=Words()))
    only = Copier().summarize_stream([None], tokenizer=Words(), errors="keep")
    assert [number for number, _ in only] == [0]


def test_a_document_that_is_cut_has_its_number_in_the_warning():
    texts = ["A", "B", "C" * 60]
    model = Copier()
    found = model.summarize_stream(
        texts, tokenizer=Words(), buffer=1, batch_size=1, max_input_length=20
    )
    with pytest.warns(UserWarning, match="Document 2 is too long"):
        assert dict(found) == {0: "a", 1: "b", 2: "c"}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"errors": "skip"}, "`errors`.*'skip'"),
        ({"buffer": 0}, "`buffer`.*buffer=0"),
        ({"batch_size": 0}, "`batch_size`"),
    ],
)
def test_options_are_checked_at_once(option, message):
    with pytest.raises(ValueError, match=message):
        Copier().summarize_stream(["A"], tokenizer=Words(), **option)


def test_warming_up_runs_each_bucket_once():
    model = Copier(max_encoder_position_embeddings=300)
    model.warm_up([20, 21, 300, 200], [2, 1], max_new_tokens=3)
    limit = model.config.max_encoder_position_embeddings
    lengths = sorted({bucket_length(n, limit) for n in (20, 21, 200, 300)})
    calls = [call["attention_mask"].shape for call in model.calls]
    assert calls == [(rows, size) for rows in (1, 2) for size in lengths]
    call = model.calls[0]
    np.testing.assert_array_equal(
        call["global_attention_mask"], np.eye(1, lengths[0])
    )
    assert call["max_new_tokens"] == 3


@pytest.mark.parametrize(
    ("lengths", "batch_sizes", "message"),
    [([0], [1], "`lengths`.*0"), ([301], [1], "301"), ([8], [0], "batch_s")],
)
def test_sizes_that_cannot_be(lengths, batch_sizes, message):
    model = Copier(max_encoder_position_embeddings=300)
    with pytest.raises(ValueError, match=message):
        model.warm_up(lengths, batch_sizes)
