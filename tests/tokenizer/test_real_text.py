"""Whole manual pages, against transformers 5."""

import json
from pathlib import Path

import pytest

from keras_led.tokenizer import LEDTokenizer

DATA = Path(__file__).parents[2] / "examples" / "data"


def documents(name):
    with open(DATA / name, encoding="utf-8") as file:
        return [json.loads(line)["document"] for line in file]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    tokenizer = LEDTokenizer.train(documents("test.jsonl"), vocab_size=1500)
    path = tmp_path_factory.mktemp("manual-pages")
    tokenizer.save_pretrained(path)
    return tokenizer, path


def test_documents_equal_the_peer_and_come_back(trained):
    import transformers

    tokenizer, path = trained
    peer = transformers.LEDTokenizer.from_pretrained(path)
    texts = documents("train.jsonl")
    ids = tokenizer(texts)["input_ids"]
    assert ids == peer(texts)["input_ids"]
    assert tokenizer.batch_decode(ids) == [f"<s>{text}</s>" for text in texts]
    # Fewer than half as many as bytes: the merges do their work.
    size = sum(len(text.encode()) for text in texts)
    assert sum(map(len, ids)) < size / 2
