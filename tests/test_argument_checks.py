"""A text where a list is meant is refused, everywhere in the library."""

import pytest

from keras_led import data
from keras_led import visualize
from keras_led.argument_checks import check_list
from keras_led.checkpoints import open_checkpoint
from keras_led.data.buckets import make_buckets
from keras_led.tokenizer import LEDTokenizer
from keras_led.training.rouge import rouge_scores
from keras_led.training.rouge_callback import RougeCallback
from tests.tokenizer.conftest import CORPUS

VOCABULARY = {"vocab": {"a": 0}, "merges": []}
TOKENIZER_CALLS = {
    "additional_special_tokens": lambda t: t.add_special_tokens(
        {"bos_token": "<new>", "additional_special_tokens": "<sep>"}
    ),
    "extra_special_tokens": lambda t: t.add_special_tokens(
        {"extra_special_tokens": {"separator": "<sep>"}}
    ),
    "new_special_tokens": lambda t: t.train_new_from_iterator(
        CORPUS, 300, new_special_tokens="<sep>"
    ),
    "tokens": lambda t: t.convert_tokens_to_string("one"),
    "token_ids_0": lambda t: t.build_inputs_with_special_tokens("one"),
    "token_ids_1": lambda t: t.build_inputs_with_special_tokens([], "one"),
}
OTHER_CALLS = {
    "additional_special_tokens": lambda: LEDTokenizer.train(
        CORPUS, 300, additional_special_tokens="<sep>"
    ),
    "weight_files": lambda: open_checkpoint(
        ".", weight_files="model.safetensors"
    ),
    "buckets": lambda: make_buckets(512, "128"),
    "predictions": lambda: rouge_scores("one", ["one"]),
    "references": lambda: rouge_scores(["one"], "one"),
    "types": lambda: rouge_scores(["one"], ["one"], types="rouge1"),
    "documents": lambda: RougeCallback("one", ["one"], None),
    "summaries": lambda: RougeCallback(["one"], "one", None),
    "names": lambda: visualize.plot_history({"loss": [1.0]}, names="loss"),
    "layers": lambda: visualize.find_sources(
        None, "one", None, summary="one", layers="0"
    ),
}


@pytest.fixture
def tokenizer():
    return LEDTokenizer.train(CORPUS, vocab_size=300)


@pytest.mark.parametrize("name", TOKENIZER_CALLS)
def test_tokenizer_refuses_a_text_and_stays_as_it_was(tokenizer, name):
    before = tokenizer.added_tokens_encoder, tokenizer.special_tokens_map
    with pytest.raises(TypeError, match=f"`{name}` must be a list .*{name}="):
        TOKENIZER_CALLS[name](tokenizer)
    assert before == (
        tokenizer.added_tokens_encoder,
        tokenizer.special_tokens_map,
    )


def test_setter_refuses_a_text(tokenizer):
    tokenizer.additional_special_tokens = ["<kept>"]
    with pytest.raises(TypeError, match=r"Write additional.*=\['<sep>'\]"):
        tokenizer.additional_special_tokens = "<sep>"
    assert tokenizer.additional_special_tokens == ["<kept>"]
    tokenizer.extra_special_tokens = None
    assert tokenizer.additional_special_tokens == []


@pytest.mark.parametrize(
    "name",
    ["additional_special_tokens", "extra_special_tokens", "model_input_names"],
)
def test_constructor_refuses_a_text(name):
    with pytest.raises(TypeError, match=f"`{name}` must be a list of str"):
        LEDTokenizer(**VOCABULARY, **{name: "input_ids"})


@pytest.mark.parametrize("name", OTHER_CALLS)
def test_other_functions_refuse_a_text(name):
    with pytest.raises(TypeError, match=f"`{name}` must be a list .*{name}="):
        OTHER_CALLS[name]()


def test_classes_are_no_letters(tokenizer):
    rows = [{"document": "One.", "label": "a"}]
    with pytest.raises(TypeError, match="`classes` must be a list of labels"):
        data.ClassificationDataset(rows, tokenizer, classes="ab")


@pytest.mark.parametrize("values", ["ab", b"ab", {"a": 1}, 3, None])
def test_what_is_no_list(values):
    with pytest.raises(TypeError, match=f"`x` .* Received: x={values!r} of"):
        check_list("x", values, "int")


@pytest.mark.parametrize("values", [[1, 2], (1, 2), range(1, 3)])
def test_what_is_a_list(values):
    assert check_list("x", values, "int") == [1, 2]
