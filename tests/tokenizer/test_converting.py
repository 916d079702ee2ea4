import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from keras_led.tokenizer import LEDTokenizer
from keras_led.tokenizer.decoding import byte_values


def test_decode_equals_the_peer(tokenizer, peer):
    ids = tokenizer("größer <mask> 北京, it's", "a")["input_ids"]
    for skip in (False, True):
        assert tokenizer.decode(ids, skip_special_tokens=skip) == peer.decode(
            ids, skip_special_tokens=skip
        )
    part = [tokenizer("北")["input_ids"][1]]  # one byte of three
    assert tokenizer.decode(part) == peer.decode(part) == "\ufffd"


def test_decode_takes_ids_in_any_form(tokenizer):
    rows = [[5, 6], [7, 8]]
    texts = [tokenizer.decode(row) for row in rows]
    assert tokenizer.batch_decode(rows) == texts
    assert tokenizer.batch_decode(np.array(rows)) == texts
    assert tokenizer.decode(rows) == texts
    assert tokenizer.decode(np.array(rows[0])) == texts[0]
    assert tokenizer.decode(np.int64(5)) == tokenizer.decode([5])
    assert tokenizer.batch_decode([np.array(row) for row in rows]) == texts
    assert tokenizer.batch_decode([]) == []
    assert tokenizer.batch_decode([[], [5]]) == ["", tokenizer.decode(5)]


@hypothesis.given(ids=strategies.lists(strategies.integers(0, 500)))
@hypothesis.settings(
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
def test_any_ids_decode_as_the_peer_does(tokenizer, peer, ids):
    # Most are no UTF-8, and ids from 480 on are not in the vocabulary.
    for skip in (False, True):
        assert tokenizer.decode(ids, skip_special_tokens=skip) == peer.decode(
            ids, skip_special_tokens=skip
        )


def test_errors_says_what_becomes_of_broken_bytes(directory):
    def decode(errors):
        tokenizer = LEDTokenizer.from_pretrained(directory, errors=errors)
        tokenizer.add_tokens(["<new token>"])
        ids = tokenizer("a北<new token> b", add_special_tokens=False)
        ids = ids["input_ids"]
        assert tokenizer.decode(ids) == "a北<new token> b"
        return tokenizer.decode(ids[:2])

    assert decode("replace") == "a\ufffd"
    assert decode("ignore") == "a"
    with pytest.raises(UnicodeDecodeError):
        decode("strict")
    with pytest.raises(ValueError, match="`errors` must .*errors='stirct'"):
        LEDTokenizer.from_pretrained(directory, errors="stirct")


def test_negative_ids_are_explained(tokenizer):
    with pytest.raises(ValueError, match="`token_ids` .*-100.*pad_token_id"):
        tokenizer.decode([5, -100])
    with pytest.raises(TypeError, match="Received: 5.5 of type float"):
        tokenizer.decode([5.5])


def test_clean_up_is_off_unless_asked_for(tokenizer, directory):
    ids = tokenizer("a , it 's b .", add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == "a , it 's b ."
    cleaned = tokenizer.decode(ids, clean_up_tokenization_spaces=True)
    assert cleaned == "a, it's b."
    always = LEDTokenizer.from_pretrained(
        directory, clean_up_tokenization_spaces=True
    )
    assert always.batch_decode([ids]) == ["a, it's b."]


def test_tokens_and_ids(tokenizer, peer):
    tokens = ["Ġthe", "<pad>", "nowhere"]
    ids = tokenizer.convert_tokens_to_ids(tokens)
    assert ids == peer.convert_tokens_to_ids(tokens)
    assert ids[1:] == [1, tokenizer.unk_token_id]
    assert tokenizer.convert_tokens_to_ids("<pad>") == 1
    assert tokenizer.convert_ids_to_tokens(ids) == [*tokens[:2], "<unk>"]
    assert tokenizer.convert_ids_to_tokens(ids, skip_special_tokens=True) == [
        "Ġthe"
    ]
    assert tokenizer.convert_ids_to_tokens(1) == "<pad>"
    assert tokenizer.convert_ids_to_tokens(99999) is None
    assert tokenizer.convert_tokens_to_string(["a", "Ġthe"]) == "a the"


def test_a_token_made_special_later_is_skipped(tokenizer):
    ids = tokenizer("a the dog")["input_ids"]
    tokenizer.pad_token = "Ġthe"
    assert tokenizer.decode(ids, skip_special_tokens=True) == "a dog"


def test_layouts_with_special_tokens(tokenizer):
    a, b = [10, 11], [12]
    single = [0, 10, 11, 2]
    pair = [0, 10, 11, 2, 2, 12, 2]
    assert tokenizer.build_inputs_with_special_tokens(a) == single
    assert tokenizer.build_inputs_with_special_tokens(a, b) == pair
    zeros = tokenizer.create_token_type_ids_from_sequences
    assert zeros(a) == [0] * 4
    assert zeros(a, b) == [0] * 7
    mask = tokenizer.get_special_tokens_mask
    assert mask(a) == [1, 0, 0, 1]
    assert mask(a, b) == [1, 0, 0, 1, 1, 0, 1]
    assert mask(pair, already_has_special_tokens=True) == mask(a, b)
    with pytest.raises(ValueError, match="`token_ids_1` must be None .* 1 ids"):
        mask(pair, b, already_has_special_tokens=True)
    assert tokenizer.num_special_tokens_to_add() == 2
    assert tokenizer.num_special_tokens_to_add(pair=True) == 4


def test_layout_of_a_call_is_the_same(tokenizer):
    text, pair = "the lazy dog", "a fox"
    plain = tokenizer([text, pair], add_special_tokens=False)["input_ids"]
    called = tokenizer(
        text,
        pair,
        return_special_tokens_mask=True,
        return_token_type_ids=True,
    )
    assert called["input_ids"] == tokenizer.build_inputs_with_special_tokens(
        *plain
    )
    assert called["special_tokens_mask"] == tokenizer.get_special_tokens_mask(
        *plain
    )
    assert called[
        "token_type_ids"
    ] == tokenizer.create_token_type_ids_from_sequences(*plain)


def test_byte_characters_are_those_of_the_backend():
    from tokenizers.pre_tokenizers import ByteLevel

    values = byte_values()
    assert sorted(values) == sorted(ByteLevel.alphabet())
    assert sorted(values.values()) == list(range(256))
    assert bytes(values[char] for char in "Ġ Ċ".replace(" ", "")) == b" \n"
