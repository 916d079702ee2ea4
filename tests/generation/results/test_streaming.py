import threading

import numpy as np
import pytest

from keras_led.generation import TextIteratorStreamer
from keras_led.generation import TextStreamer
from keras_led.generation.results.streamers import TextPieces
from tests import peer
from tests.generation.fakes import FakeModel

# Token 3 is half of the character that 3 4 make.
WORDS = {3: "\ufffd", 4: "é", 5: "a ", 6: "b", 7: "c ", 8: "d\n", 9: "e"}
SPECIAL = (0, 1, 2, 10)


class Words:
    pad_token_id = 1

    def decode(self, ids, skip_special_tokens=False):
        text = ""
        for token in ids:
            if token in SPECIAL:
                text += "" if skip_special_tokens else f"<{token}>"
            elif token == 4:
                text = text.removesuffix("\ufffd") + WORDS[4]
            else:
                text += WORDS[token]
        return text

    def batch_decode(self, sequences, **options):
        sequences = peer.to_numpy(sequences).astype(int).tolist()
        return [self.decode(ids, **options) for ids in sequences]

    def __call__(self, texts, max_length, **options):
        """One token per letter of the text, between 0 and 2."""
        (text,) = texts
        part = text[: max_length - 2]
        ids = [0, *(ord(letter) - 60 for letter in part), 2]
        places = [(0, 0), *((i, i + 1) for i in range(len(part))), (0, 0)]
        return {"input_ids": [ids], "offset_mapping": [places]}


def scripted(tokens, vocab_size=13):
    """A model that writes these tokens (each at most once), then ends."""
    table = np.full((vocab_size, vocab_size), -9.0)
    for last, token in zip([2, *tokens], [*tokens, 2], strict=True):
        table[last, token] = 0.0
    return FakeModel(table)


def options(ids):
    return {"global_attention_mask": np.zeros_like(ids), "max_length": 14}


IDS = np.array([[3, 4]])
TOKENS = [5, 6, 3, 4, 7, 8, 9]


def test_pieces_are_final_text():
    pieces = TextPieces(Words())
    given = [pieces.add([token]) for token in TOKENS]
    assert given == ["a ", "", "", "", "béc ", "d\n", ""]
    assert pieces.finish() == "e"
    assert pieces.finish() == ""


class Recorder:
    def __init__(self):
        self.events = []

    def put(self, value):
        self.events.append(np.asarray(value).tolist())

    def end(self):
        self.events.append("end")


def test_a_streamer_gets_the_prompt_then_each_token():
    recorder = Recorder()
    ids = np.repeat(IDS, 2, axis=0)
    output = scripted(TOKENS).generate(
        ids,
        streamer=recorder,
        decoder_input_ids=[[2, 5], [2, 8]],
        **options(ids),
    )
    assert recorder.events == [
        [[2, 5], [2, 8]],
        [6, 9],
        [3, 2],
        [4, 1],
        [7, 1],
        [8, 1],
        [9, 1],
        [2, 1],
        "end",
    ]
    assert peer.to_numpy(output)[0].tolist() == [2, *TOKENS, 2]


def test_text_streamer_writes_to_standard_output(capsys):
    streamer = TextStreamer(Words(), skip_prompt=True, skip_special_tokens=True)
    for _ in range(2):  # it is ready again after the end
        scripted(TOKENS).generate(IDS, streamer=streamer, **options(IDS))
    assert capsys.readouterr().out == "a béc d\ne\n" * 2
    scripted([5]).generate(IDS, streamer=TextStreamer(Words()), **options(IDS))
    assert capsys.readouterr().out == "<2>a <2>\n"


def test_text_streamer_takes_one_document():
    ids = np.repeat(IDS, 2, axis=0)
    with pytest.raises(ValueError, match="Received: 2 rows"):
        scripted(TOKENS).generate(
            ids, streamer=TextStreamer(Words()), **options(ids)
        )


def test_iterator_streamer_from_another_thread():
    streamer = TextIteratorStreamer(
        Words(), skip_prompt=True, timeout=60.0, skip_special_tokens=True
    )
    worker = threading.Thread(
        target=scripted(TOKENS).generate,
        kwargs={"input_ids": IDS, "streamer": streamer, **options(IDS)},
    )
    worker.start()
    text = list(streamer)
    worker.join()
    assert "".join(text) == "a béc d\ne"
    assert len([piece for piece in text if piece]) == 4


def test_stream_yields_text_as_it_comes():
    model = scripted(TOKENS)
    model.generation_config.update(num_beams=3)  # a checkpoint's own
    stream = model.stream("AB", tokenizer=Words(), max_length=14)
    assert model.encoder_runs == 0
    assert next(stream) == "a "
    assert list(stream) == ["béc ", "d\n", "e"]


def test_stream_says_no_before_it_starts():
    with pytest.raises(ValueError, match="1 documents, beam search with 2"):
        scripted(TOKENS).stream("AB", tokenizer=Words(), num_beams=2)
    with pytest.raises(TypeError, match="'max_lenght'.*'max_length'"):
        scripted(TOKENS).stream("AB", tokenizer=Words(), max_lenght=2)


def test_progress_bar(capsys):
    scripted(TOKENS).generate(IDS, progress=True, **options(IDS))
    assert "13/13" in capsys.readouterr().out


def fails(ids, scores):
    raise ZeroDivisionError("a criterion")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"stopping_criteria": [fails]}, ZeroDivisionError),
        ({"num_beams": 2}, ValueError),
        ({"no_such_argument": 1}, TypeError),
    ],
    ids=["while it runs", "a bad value", "a bad name"],
)
def test_nobody_waits_for_a_text_that_failed(arguments, error):
    streamer = TextIteratorStreamer(Words(), skip_prompt=True, timeout=60)
    model = scripted(TOKENS)
    with pytest.raises(error):
        model.generate(IDS, streamer=streamer, **options(IDS), **arguments)
    with pytest.raises(RuntimeError, match="not whole.*" + error.__name__):
        list(streamer)
    # It is ready for another text.
    model.generate(IDS, streamer=streamer, **options(IDS))
    assert "".join(streamer).startswith("a b")


def test_other_streamers_are_told_the_end(capsys):
    class Noted:
        ended = 0

        def put(self, value):
            raise OSError("closed")

        def end(self):
            self.ended += 1

    noted = Noted()
    with pytest.raises(OSError, match="closed"):
        scripted(TOKENS).generate(IDS, streamer=noted, **options(IDS))
    assert noted.ended == 1
    shown = TextStreamer(Words(), skip_prompt=True)
    with pytest.raises(ZeroDivisionError):
        scripted(TOKENS).generate(
            IDS, streamer=shown, stopping_criteria=[fails], **options(IDS)
        )
    assert capsys.readouterr().out == "\n"
