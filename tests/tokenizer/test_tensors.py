import sys

import numpy as np
import pytest

TYPES = {
    "np": ("numpy", "int64"),
    "tf": ("tensorflow", "int32"),
    "pt": ("torch", "int64"),
    "jax": ("jax", "int32"),
}


@pytest.mark.parametrize("kind", TYPES)
def test_each_kind_of_array(tokenizer, kind):
    library, dtype = TYPES[kind]
    pytest.importorskip(library)
    texts = ["the lazy dog", "a"]
    lists = tokenizer(texts, padding=True, text_target=["a", "b"])
    arrays = tokenizer(
        texts, padding=True, text_target=["a", "b"], return_tensors=kind
    )
    for name, value in arrays.items():
        assert dtype in str(value.dtype)
        assert type(value).__module__.startswith(library)
        np.testing.assert_array_equal(np.asarray(value), lists[name])
    assert tokenizer.batch_decode(
        arrays["input_ids"], skip_special_tokens=True
    ) == ["the lazy dog", "a"]
    # Arrays of a kind come back as that kind, also after padding.
    padded = tokenizer.pad(arrays, padding="max_length", max_length=20)
    assert padded["input_ids"].shape == (2, 20)
    assert type(padded["input_ids"]) is type(arrays["input_ids"])


def test_ragged_rows_name_the_option(tokenizer):
    message = r"`input_ids` .*lengths=\[3, 4\]. Pass `padding=True` .*`trunc"
    with pytest.raises(ValueError, match=message):
        tokenizer(["a", "1 "], return_tensors="np")
    with pytest.raises(ValueError, match="`labels` must .*`padding=True`"):
        tokenizer(
            "a",
            text_target=["a", "1 "],
            return_tensors="np",
        )


def test_entries_that_are_no_numbers(tokenizer):
    encoded = tokenizer("the dog")
    encoded["word_ids"] = encoded.word_ids()
    with pytest.raises(ValueError, match="`word_ids` .*NoneType. Remove"):
        encoded.convert_to_tensors("np")


@pytest.mark.parametrize("kind", ["tf", "pt", "jax"])
def test_missing_library_is_named(tokenizer, kind, monkeypatch):
    library = TYPES[kind][0]
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, "jax.numpy", None)
    message = f"return_tensors='{kind}'` needs {library}.*pip install {library}"
    with pytest.raises(ImportError, match=message):
        tokenizer("a", return_tensors=kind)
