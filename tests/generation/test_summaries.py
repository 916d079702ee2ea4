import numpy as np
import pytest

from keras_led.generation.summaries import batches
from tests.generation.fakes import FakeModel
from tests.generation.results.test_streaming import Words

# Words() reads the letter "A" as token 5, "B" as 6 and so on; it writes token 5
# as "a ", 6 as "b".


class Copier(FakeModel):
    """Writes the document's most frequent letter."""

    def __init__(self, **config):
        document = np.zeros((13, 13))
        document[5:10, 5:10] = np.eye(5) * 9.0
        last = np.zeros((13, 13))
        last[5:10, 2] = 200.0
        super().__init__(last, document=document, **config)
        self.calls = []

    def generate(self, input_ids=None, **arguments):
        self.calls.append({"input_ids": input_ids, **arguments})
        return super().generate(input_ids, **arguments)


def test_one_text_and_many():
    model = Copier()
    assert model.summarize("AAA", tokenizer=Words()) == "a"
    texts = ["AAA", "C", "EEEEE", "BB"]
    found = model.summarize(texts, tokenizer=Words(), batch_size=3)
    assert found == ["a", "c", "e", "b"]
    assert model.summarize([], tokenizer=Words()) == []


def test_batches_are_sorted_masked_and_global_on_the_first_token():
    model = Copier()
    texts = ["AAA", "C", "EEEEE", "BB"]
    model.summarize(texts, tokenizer=Words(), batch_size=3, num_beams=2)
    first, second = model.calls
    assert first["input_ids"].tolist() == [
        [0, 9, 9, 9, 9, 9, 2],
        [0, 5, 5, 5, 2, 1, 1],
    ]
    assert first["attention_mask"].tolist() == [
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 0, 0],
    ]
    assert first["global_attention_mask"].tolist() == [[1] + [0] * 6] * 2
    assert second["input_ids"].tolist() == [[0, 6, 6, 2], [0, 7, 2, 1]]
    assert first["num_beams"] == 2


def test_batches_are_even():
    assert batches(["a", "bb", "cccc", "ddd"], 3) == [[2, 3], [1, 0]]
    assert [len(part) for part in batches(["x"] * 10, 4)] == [4, 3, 3]
    assert batches(["x"], 8) == [[0]]


def test_long_texts_are_cut_with_a_warning_that_says_how_much():
    model = Copier()
    with pytest.warns(
        UserWarning, match=r"Document 1 .* reads 6 tokens. The last 3 of 7 .*43"
    ):
        model.summarize(["A", "BBBBEEE"], tokenizer=Words(), max_input_length=6)
    assert model.calls[0]["input_ids"].tolist() == [[0, 6, 6, 6, 6, 2]]
    small = Copier(max_encoder_position_embeddings=5)
    with pytest.warns(UserWarning, match="reads 5 tokens. The last 1 of 4 "):
        small.summarize("AAAA", tokenizer=Words())


def test_progress_bar(capsys):
    Copier().summarize(["A", "B"], tokenizer=Words(), progress=True)
    assert "2/2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"text": ["A", 3]}, TypeError, "int at index 1"),
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"max_input_length": 0}, ValueError, "max_input_length=0"),
        ({"num_return_sequences": 2}, ValueError, "num_return_sequences=2"),
        ({"return_dict_in_generate": True}, ValueError, "=True"),
        ({"num_beam": 2}, TypeError, "'num_beam'.*'num_beams'"),
    ],
)
def test_bad_calls(arguments, error, message):
    arguments = {"text": "A", "tokenizer": Words(), **arguments}
    with pytest.raises(error, match=message):
        Copier().summarize(**arguments)
