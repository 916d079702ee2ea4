import copy

import numpy as np
import pytest

from keras_led.tokenizer import BatchEncoding

ROWS = [
    {"input_ids": [0, 5, 6, 2], "global_attention_mask": [1, 0, 0, 0]},
    {"input_ids": [0, 2], "global_attention_mask": [1, 0]},
]
COLUMNS = {key: [row[key] for row in ROWS] for key in ROWS[0]}


@pytest.mark.parametrize("inputs", [ROWS, COLUMNS], ids=["rows", "columns"])
def test_global_attention_mask_is_padded_with_minus_one(tokenizer, inputs):
    before = copy.deepcopy(inputs)
    padded = tokenizer.pad(inputs)
    assert padded == {
        "input_ids": [[0, 5, 6, 2], [0, 2, 1, 1]],
        "global_attention_mask": [[1, 0, 0, 0], [1, 0, -1, -1]],
        "attention_mask": [[1, 1, 1, 1], [1, 1, 0, 0]],
    }
    assert isinstance(padded, BatchEncoding)
    assert inputs == before


@pytest.mark.parametrize("how", ["argument", "attribute"])
def test_global_attention_mask_follows_the_padding_side(tokenizer, how):
    # transformers 4 looks at the attribute only.
    if how == "attribute":
        tokenizer.padding_side = "left"
        padded = tokenizer.pad(ROWS)
    else:
        padded = tokenizer.pad(ROWS, padding_side="left")
    assert padded["input_ids"][1] == [1, 1, 0, 2]
    assert padded["attention_mask"][1] == [0, 0, 1, 1]
    assert padded["global_attention_mask"][1] == [-1, -1, 1, 0]


@pytest.mark.parametrize(
    ("options", "length"),
    [
        ({"padding": "max_length", "max_length": 7}, 7),
        ({"padding": "max_length"}, 64),  # model_max_length
        ({"padding": True, "pad_to_multiple_of": 8}, 8),
        (
            {"padding": "max_length", "max_length": 7, "pad_to_multiple_of": 6},
            12,
        ),
        ({"return_attention_mask": False}, 4),
    ],
)
def test_every_padded_length_reaches_the_global_mask(
    tokenizer, options, length
):
    padded = tokenizer.pad(ROWS, **options)
    for name in ("input_ids", "global_attention_mask"):
        assert [len(row) for row in padded[name]] == [length, length]


def test_global_mask_of_the_final_length_stays(tokenizer):
    rows = [ROWS[0], {**ROWS[1], "global_attention_mask": [1, 0, 0, 0]}]
    padded = tokenizer.pad(rows)
    assert padded["global_attention_mask"][1] == [1, 0, 0, 0]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": "max_length", "max_length": 9},
        {"padding": "max_length", "max_length": 3},  # longer rows stay
        {"padding": False},
        {"pad_to_multiple_of": 4, "padding_side": "left"},
        {"return_attention_mask": False},
        {"return_tensors": "np"},
    ],
    ids=str,
)
def test_pad_equals_the_peer(tokenizer, peer, options):
    wanted = {
        "return_token_type_ids": True,
        "return_special_tokens_mask": True,
    }
    encoded = tokenizer(["the lazy dog", "a fox", ""], **wanted)
    if options.get("return_attention_mask") is False:
        del encoded["attention_mask"]
    expected = peer.pad(copy.deepcopy(dict(encoded)), **options)
    ours = tokenizer.pad(encoded, **options)
    assert list(ours) == list(expected)
    for name in ours:
        np.testing.assert_equal(ours[name], expected[name])


def test_padding_afterwards_equals_padding_in_the_call(tokenizer):
    texts = ["the lazy dog", "a fox"]
    assert tokenizer.pad(tokenizer(texts)) == tokenizer(texts, padding=True)
    single = tokenizer("a fox")
    assert tokenizer.pad(
        single, padding="max_length", max_length=9
    ) == tokenizer("a fox", padding="max_length", max_length=9)


def test_arrays_in_arrays_out(tokenizer):
    rows = [{"input_ids": np.array([0, 5, 2])}, {"input_ids": np.array([0, 2])}]
    padded = tokenizer.pad(rows)
    np.testing.assert_array_equal(padded["input_ids"], [[0, 5, 2], [0, 2, 1]])
    assert isinstance(padded["attention_mask"], np.ndarray)


def test_labels_stay_as_they_are(tokenizer):
    rows = [
        {"input_ids": [0, 2], "labels": [7]},
        {"input_ids": [0], "labels": [8, 9]},
    ]
    assert tokenizer.pad(rows)["labels"] == [[7], [8, 9]]
    with pytest.raises(ValueError, match=r"`labels`.*\[1, 2\].*-100"):
        tokenizer.pad(rows, return_tensors="np")


def test_no_rows_and_empty_rows(tokenizer):
    assert tokenizer.pad({"input_ids": []})["attention_mask"] == []
    padded = tokenizer.pad({"input_ids": [[], [5]]})
    assert padded["input_ids"] == [[1], [5]]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"ids": [1]}, "`encoded_inputs` must hold `input_ids`. .*keys=ids"),
        ([[1, 2]], "`encoded_inputs` must be what .* Received: list"),
        (
            [{"input_ids": [1]}, {"labels": [1]}],
            "input_ids in row 0, and labels",
        ),
        (
            {"input_ids": [[1, 2]], "global_attention_mask": [[1]]},
            "`global_attention_mask` must be as long .* row 0 with 1 .* 2 tok",
        ),
        (
            {"input_ids": [[1], [2]], "attention_mask": [[1]]},
            "1 rows of `attention_mask`, 2 of `input_ids`",
        ),
    ],
)
def test_bad_inputs(tokenizer, inputs, message):
    with pytest.raises((TypeError, ValueError), match=message):
        tokenizer.pad(inputs)


def test_padding_needs_a_pad_token(tokenizer):
    tokenizer.pad_token = None
    with pytest.raises(ValueError, match="needs a `pad_token`.*'longest'. Set"):
        tokenizer(["a", "b c"], padding=True)
    tokenizer.pad_token = tokenizer.eos_token
    assert tokenizer(["a", "b c"], padding=True)["input_ids"][0][-1] == 2
