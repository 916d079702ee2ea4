import pytest

from keras_led.tokenizer import LEDTokenizer


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"padding": "left"},
            "must be True, False or one of longest",
        ),
        (
            {"truncation": "middle"},
            "only_second.*truncation='middle'",
        ),
        ({"max_length": 0}, "positive integer.*Received: max_length=0"),
        ({"max_length": 2.5}, "Received: max_length=2.5"),
        ({"max_length": True}, "Received: max_length=True"),
        ({"pad_to_multiple_of": -8}, "Received: pad_to_multiple_of=-8"),
        ({"padding_side": "up"}, "'right' or 'left'.*padding_side='up'"),
        ({"return_tensors": "numpy"}, "np, tf, pt, jax.*='numpy'"),
        (
            {"padding": True, "truncation": True, "max_length": 10}
            | {"pad_to_multiple_of": 4},
            "max_length=10, pad_to_multiple_of=4",
        ),
    ],
    ids=str,
)
def test_bad_option(tokenizer, options, message):
    with pytest.raises(ValueError, match=message):
        tokenizer("a", **options)


def test_truncation_uses_the_length_of_the_model(tokenizer):
    assert len(tokenizer("a" * 99, truncation=True)["input_ids"]) == 64
    row = tokenizer("a", padding="max_length")["input_ids"]
    assert len(row) == 64


def test_no_length_to_cut_or_pad_to_warns(directory):
    tokenizer = LEDTokenizer.from_pretrained(directory, model_max_length=None)
    with pytest.warns(UserWarning, match="no effect.* Pass `max_length=`"):
        ids = tokenizer("a" * 99, truncation=True)["input_ids"]
    assert len(ids) > 64
    assert len(tokenizer("a", padding="max_length")["input_ids"]) == 3


def test_max_length_without_effect_warns(tokenizer):
    with pytest.warns(UserWarning, match="`max_length` has no effect") as found:
        tokenizer(["a", "b"], padding=True, max_length=5)
    assert found[0].filename == __file__


def test_padding_enum_of_transformers_is_understood(tokenizer):
    from transformers.utils import PaddingStrategy

    ours = tokenizer("a", padding=PaddingStrategy.MAX_LENGTH, max_length=5)
    assert len(ours["input_ids"]) == 5
