"""The other examples, on a few rows, and what their data are."""

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="the examples ask nothing of a backend; one is enough",
)


@pytest.fixture(scope="module")
def questions(load_example):
    return load_example("answer_questions")


@pytest.fixture(scope="module")
def classes(load_example):
    return load_example("classify_manual_pages")


@pytest.fixture(scope="module")
def translation(load_example):
    return load_example("translate_prototypes")


@pytest.mark.parametrize("split", ["train", "test"])
def test_answers_are_where_they_are_said_to_be(questions, split):
    rows, places = questions["read_rows"](split)
    assert len(rows) == len(places)
    for (question, passage, answer, start), (place, n) in zip(
        rows, places, strict=True
    ):
        assert passage[start:].startswith(answer)
        heading = question.removeprefix("How does ").removesuffix(" begin?")
        assert passage[:start].endswith(f"{heading}\n")
        assert 0 <= place < n
        assert n >= 2


def test_passages_do_not_hold_the_headings_that_give_them_away(classes):
    train, test = classes["read_rows"]("train"), classes["read_rows"]("test")
    for text, label in train + test:
        assert label in classes["CLASSES"]
        assert "\n" not in text
        assert len(text.split()) == 120
    assert {text for text, _ in train}.isdisjoint(text for text, _ in test)


@pytest.mark.parametrize(
    ("prototype", "signature"),
    [
        ("int f(void);", "def f() -> int"),
        ("long f();", "def f() -> int"),
        ("BIO *BIO_new(int n);", "def BIO_new(n: int) -> BIO"),
        (
            "void *f(const unsigned char **in, size_t);",
            "def f(in: str, _: int) -> object",
        ),
        (
            "void f(struct tm *t, void *, OSSL_PARAM p[]);",
            "def f(t: tm, _: object, p: OSSL_PARAM) -> None",
        ),
    ],
)
def test_translation_of_prototypes(translation, prototype, signature):
    assert translation["translate"](prototype) == signature


def test_no_function_is_in_both_parts_of_the_prototypes(translation):
    def names(split):
        text = "\n".join(row[1] for row in translation["read_rows"](split))
        return {line[4:].split("(")[0] for line in text.splitlines()}

    assert len(names("train")) > 2000
    assert len(names("test")) > 100
    assert names("train").isdisjoint(names("test"))


def test_run_of_question_answering(questions, capsys):
    before, after, baselines = questions["main"](["--rows=8", "--epochs=6"])
    assert all(0 <= share <= 1 for share in (*before, *after))
    assert baselines.keys() == {"the first", "the last", "any"}
    printed = capsys.readouterr().out
    assert f"Held-out after: {after[1]:.3f} found" in printed
    assert f"For any section: {baselines['any']:.3f}" in printed


def test_run_of_classification(classes, capsys):
    before, after, majority = classes["main"](["--rows=12", "--epochs=2"])
    labels = [label for _, label in classes["read_rows"]("test")[::8]]
    share = np.mean([label == "program" for label in labels])
    assert majority == pytest.approx(max(share, 1 - share))
    assert all(0 <= value <= 1 for value in before + after)
    printed = capsys.readouterr().out
    assert f"Held-out after: {after[0]:.3f} right" in printed


def test_run_of_a_classifier_on_the_encoder(load_example, tmp_path):
    example = load_example("classify_with_encoder")
    before, after, model = example["main"](["--rows=12", "--epochs=1"])
    assert 0 <= before <= 1
    assert 0 <= after <= 1
    model.save(tmp_path / "classifier.keras")
    loaded = keras.saving.load_model(tmp_path / "classifier.keras")
    ids = np.array([[0, 5, 6, 2]], "int32")
    inputs = {name: ids * 0 + 1 for name in example["INPUTS"]}
    inputs["input_ids"] = ids
    np.testing.assert_allclose(
        loaded.predict(inputs, verbose=0),
        model.predict(inputs, verbose=0),
        atol=1e-6,
    )


def test_run_of_translation(translation, capsys):
    before, after, other, frequent = translation["main"](
        ["--rows=48", "--epochs=4"]
    )
    assert before < frequent < 0.5
    assert after > before
    assert f"another row's source:  {other:.3f}" in capsys.readouterr().out
