"""Texts far longer than what is kept: same tokens, little read."""

import copy
import random

import pytest
from tokenizers import AddedToken

from keras_led.data import Seq2SeqDataset
from keras_led.generation.summaries import CutDocumentWarning
from keras_led.generation.summaries import TokenizedDocuments
from keras_led.tokenizer import LEDTokenizer
from keras_led.tokenizer import long_texts
from keras_led.tokenizer.shared_backend import SharedBackend
from tests.tokenizer.conftest import CORPUS

ADDED = [
    AddedToken("<sep>", special=True),
    AddedToken("<left>", lstrip=True),
    AddedToken("<right>", rstrip=True),
    AddedToken("<word>", single_word=True),
    AddedToken("p>"),
]
PIECES = [
    "The dog",
    " ",
    "  ",
    "\n",
    "\u3000",
    "北京",
    "。",
    "ß",
    "16",
    "'",
    "'s",
    "==",
    "<sep>",
    "<left>",
    "<right>",
    "<word>",
    "<mask>",
    "<",
    "\x1c",
    "😀",
    "e\u0301",
    "\u0301",
    "👩\u200d👩\u200d👧",
]
# Each is one word for the pre-tokenizer, or has no space to be cut at.
ENDLESS = ["a", "ao", " ", "\n", "=", "'", "京", "。北京", "ß", "😀", "Ab9+"]


@pytest.fixture
def small_steps(monkeypatch):
    """Lets short texts be read in many parts."""
    monkeypatch.setattr(long_texts, "CHARACTERS_PER_TOKEN", 1)
    monkeypatch.setattr(long_texts, "SPARE", 20)
    monkeypatch.setattr(long_texts, "STEP", 60)
    monkeypatch.setattr(long_texts, "WALKED", 1)


@pytest.fixture
def characters_read(monkeypatch):
    """List of the sizes of the texts that the backend gets."""
    sizes, encode = [], SharedBackend.encode

    def counting(self, rows, *args, **options):
        for row in rows:
            texts = row if isinstance(row, tuple) else (row,)
            sizes.extend(map(len, texts))
        return encode(self, rows, *args, **options)

    monkeypatch.setattr(SharedBackend, "encode", counting)
    return sizes


def random_text(rng):
    kind = rng.random()
    if kind < 0.6:
        return "".join(rng.choices(PIECES, k=rng.randrange(150)))
    before, after = rng.choice(["", "x ", "<right>"]), rng.choice(PIECES)
    return before + rng.choice(ENDLESS) * rng.randrange(400) + after


def facts(tokenizer, texts, **options):
    found = tokenizer(
        texts, return_offsets_mapping=True, verbose=False, **options
    )
    words = [found.word_ids(row) for row in range(len(found["input_ids"]))]
    return found["input_ids"], found["offset_mapping"], words


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("special", [True, False])
def test_tokens_and_places_are_those_of_the_whole_text(
    tokenizer, peer, small_steps, side, special
):
    peer = copy.deepcopy(peer)
    for each in (tokenizer, peer):
        each.add_tokens(ADDED)
        each.truncation_side = side
    rng = random.Random(side)
    for _ in range(30):
        texts = [random_text(rng), random_text(rng)]
        length = rng.choice([None, 4, 9, 17, 40])
        options = {
            "truncation": length is not None,
            "max_length": length,
            "add_special_tokens": special,
        }
        if length == 40:
            options["return_overflowing_tokens"] = True
            options["stride"] = rng.choice([0, 3])
        found = facts(tokenizer, texts, **options)
        assert found == facts(peer, texts, **options), texts


@pytest.mark.parametrize("strategy", ["longest_first", "only_first"])
def test_pairs_are_those_of_the_whole_texts(
    tokenizer, peer, small_steps, strategy
):
    rng = random.Random(strategy)
    for _ in range(30):
        pair = [random_text(rng)], [random_text(rng)[: rng.choice([9, 99])]]
        options = {"truncation": strategy, "max_length": rng.choice([16, 17])}
        try:
            expected = peer(*pair, **options)["input_ids"]
        except Exception as error:
            assert "too short" in str(error)
            continue
        assert tokenizer(*pair, **options)["input_ids"] == expected, pair


def test_places_at_the_end_of_a_text_are_those_of_the_whole(
    tokenizer, small_steps
):
    text = " ".join(CORPUS)
    tokenizer.truncation_side = "left"
    found = tokenizer(text, truncation=True, max_length=12)
    for token in range(1, 11):
        start, end = found.token_to_chars(token)
        assert text[start:end] == tokenizer.decode(
            found["input_ids"][token]
        ).strip(" ")
        assert found.char_to_token(start) == token
        word = found.token_to_word(token)
        assert found.char_to_word(start) == word
        first, last = found.word_to_tokens(word)
        assert first <= token < last
        assert found.word_to_chars(word)[0] <= start
    assert found.char_to_token(3) is None and found.word_to_tokens(0) is None
    assert found.token_to_chars(0) is None and found.token_to_word(0) is None
    assert len(found[0]) == 12 and found[0].ids == found["input_ids"]


@pytest.mark.parametrize("unit", ["The dog jumps. ", *ENDLESS])
def test_no_more_is_read_than_is_needed(tokenizer, characters_read, unit):
    text = unit * (400_000 // len(unit))
    ids = tokenizer(text, truncation=True, max_length=50)["input_ids"]
    start = tokenizer(text[:4000], verbose=False)["input_ids"]
    assert ids[:-1] == start[:49]
    assert sum(characters_read) < 40_000


def test_the_end_of_a_text_is_read_in_parts(tokenizer, characters_read):
    tokenizer.truncation_side = "left"
    text = "The dog jumps. " * 40_000
    ids = tokenizer(text, truncation=True, max_length=50)["input_ids"]
    end = tokenizer(text[-4005:], verbose=False)["input_ids"]
    assert ids[1:] == end[-49:]
    assert max(characters_read) < 150_000


def test_a_text_that_is_kept_whole_is_read_in_pieces(
    tokenizer, peer, small_steps, characters_read
):
    text = " ".join(CORPUS) * 3
    (expected,), (places,), (words,) = facts(peer, [text])
    (ids,), (offsets,), (found,) = facts(tokenizer, [text])
    assert (ids, offsets, found) == (expected, places, words)
    assert max(characters_read) <= 120 < len(text) // 9


def test_bytes_that_the_vocabulary_lacks_are_left_out_of_long_texts(
    tokenizer, small_steps
):
    vocab = {"A": 0, "b": 1, "\u0120": 2, "\u0120A": 3, "</s>": 4, "<s>": 5}
    small = LEDTokenizer(
        vocab=vocab, merges=["\u0120 A"], unk_token=None, mask_token=None
    )
    text = "Ab Axx bA x " * 40
    found = small(text, return_offsets_mapping=True)
    backend = small.backend_tokenizer
    expected = backend.encode(text)
    assert found["input_ids"] == expected.ids
    assert found["offset_mapping"] == expected.offsets
    assert found.word_ids() == expected.word_ids


def test_a_corpus_reads_no_more_than_it_keeps(tokenizer, characters_read):
    rows = [{"document": "The dog. " * 50_000, "summary": "dog " * 50_000}] * 3
    data = Seq2SeqDataset(
        rows, tokenizer, max_source_tokens=40, max_target_tokens=9
    )
    assert data.truncated == 3
    (inputs, *_), *_ = [data[0]]
    assert inputs["input_ids"].shape[1] == 40
    assert max(characters_read) < 5_000


@pytest.mark.parametrize(
    ("side", "what"), [("right", "last"), ("left", "first")]
)
def test_a_cut_document_is_told_of_in_characters(tokenizer, side, what):
    tokenizer.truncation_side = side
    text = "The dog jumps over the fox. " * 40
    whole = tokenizer(text, verbose=False)["input_ids"]
    documents = TokenizedDocuments([text], tokenizer, 20)
    with pytest.warns(CutDocumentWarning, match=f"0 is too long: .* {what}"):
        documents.warn_of_cuts(1)
    cut = documents.ids[0]
    kept = slice(1, 19) if side == "right" else slice(-19, -1)
    assert cut == [whole[0], *whole[kept], whole[-1]]
    fits = TokenizedDocuments([text], tokenizer, len(whole))
    fits.warn_of_cuts(1)
    assert fits.ids[0] == whole
