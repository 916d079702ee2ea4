"""The script that repeats the paper's scores, on a stand-in of its data."""

import json

import keras
import pytest

from keras_led.training import rouge_scores

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="the examples ask nothing of a backend; one is enough",
)


def test_scores_of_the_first_rows(load_example, tmp_path, capsys):
    example = load_example("reproduce_arxiv")
    rows = [
        {
            "article": f"The program {name} {what} from a file. " * 9,
            "abstract": f"Program that {what}.\nIt reads a file.",
        }
        for name, what in [
            ("cut", "removes columns"),
            ("sort", "sorts lines"),
            ("wc", "counts words"),
        ]
    ]
    data = tmp_path / "papers.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = example["main"](
        [
            *("--model", "led-tiny", "--data", str(data), "--rows", "2"),
            *("--batch-size", "2", "--num-beams", "2"),
        ]
    )
    from keras_led import LEDForConditionalGeneration
    from keras_led import LEDTokenizer

    written = LEDForConditionalGeneration.from_pretrained("led-tiny").summarize(
        [row["article"] for row in rows[:2]],
        tokenizer=LEDTokenizer.from_pretrained("led-tiny"),
        num_beams=2,
    )
    split = example["a_sentence_a_line"]
    expected = rouge_scores(
        [split(text) for text in written],
        [split(row["abstract"]) for row in rows[:2]],
        types=["rouge1", "rouge2", "rougeLsum"],
    )
    assert found == pytest.approx(expected)
    assert all(found.values())
    output = capsys.readouterr().out
    assert "2 of 2" in output
    assert "46.63" in output and f"{found['rouge1']:.2f}" in output


def test_each_sentence_is_a_line(load_example):
    split = load_example("reproduce_arxiv")["a_sentence_a_line"]
    assert split(" One. Two?\nThree 1.5 ") == "One.\nTwo?\nThree 1.5"
