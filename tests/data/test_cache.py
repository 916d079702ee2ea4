"""Tokens that are kept between runs, and processes that want the same."""

import contextlib

import pytest

from keras_led.data import Seq2SeqDataset
from keras_led.data import cache
from tests.data.tokenizers import ROWS


def build(tokenizer, folder):
    return Seq2SeqDataset(
        ROWS,
        tokenizer,
        max_source_tokens=24,
        max_target_tokens=20,
        cache_dir=folder,
    )


def test_two_processes_tokenize_once(tokenizer, tmp_path, monkeypatch):
    take_turn, built = cache.one_at_a_time, []

    @contextlib.contextmanager
    def after_another(directory, busy):
        monkeypatch.setattr(cache, "one_at_a_time", take_turn)
        built.append(build(tokenizer, tmp_path))
        monkeypatch.setattr(cache, "store_on_disk", None)
        with (
            take_turn(directory, busy),
            pytest.warns(UserWarning, match=f"rows for {directory}. Waiting"),
        ):
            busy()
        yield

    monkeypatch.setattr(cache, "one_at_a_time", after_another)
    mine = build(tokenizer, tmp_path)
    assert mine.store.facts == built[0].store.facts
    (folder,) = tmp_path.iterdir()
    assert not folder.name.startswith(".")
