"""Rows for pre-training: pieces of manual pages, and what to copy from them.

    python -m examples.led_tiny.pretraining train.jsonl pretrain.jsonl

Before it sees a summary, a fresh model learns what it takes to write one: to
read words, to find a place in a text, and to write down what stands there. A
row is a piece of a page, some of its words masked, under the page's first
line. Its target is a run of whole sentences from a place in the piece, with
all words: the first words tell the place, and the rest has to be found.

Source: the text infilling of BART, Lewis et al., 2020, section 2.2,
https://arxiv.org/abs/1910.13461, with a part of the text for the whole of it:
a decoder that may start anywhere cannot copy by position alone.
"""

import random
import re

from examples.led_tiny import made_rows

# Characters; a token of the vocabulary of 8,192 has about 3.7 of them.
PIECE_CHARACTERS = 420
TARGET_CHARACTERS = 210
PIECES_PER_PAGE = 2
MASKED = 0.1
MASK = "<mask>"
SENTENCE_END = re.compile(r"(?<=[a-z)\]][.!?])\s+(?=[A-Z])|\n")


def sentences(text):
    """Splits text at line breaks and at full stops before a capital."""
    return [part.strip() for part in SENTENCE_END.split(text) if part.strip()]


def pieces(lines, size):
    """Joins sentences to pieces of at least `size` characters, lists of str."""
    piece, length = [], 0
    for line in lines:
        piece.append(line[:size])
        length += len(piece[-1]) + 1
        if length >= size:
            yield piece
            piece, length = [], 0
    if length > size // 3:
        yield piece


def mask_words(text, share, generator):
    """Puts `MASK` in the place of a share of the words."""
    return re.sub(
        r"\S+",
        lambda word: MASK if generator.random() < share else word[0],
        text,
    )


def row_of(title, piece, generator):
    """One row from a piece: a dict with `document` and `summary`."""
    start = generator.randrange(len(piece))
    target = next(pieces(piece[start:], TARGET_CHARACTERS), piece[start:])
    text = mask_words("\n".join(piece), MASKED, generator)
    return {
        "document": f"{title[:80]}\n{text}",
        "summary": "\n".join(target)[:TARGET_CHARACTERS],
    }


def rows(pages, seed):
    """Yields the rows of all pages.

    Args:
        pages: iterable of dicts with a `document`, whose first line is the
            page's name.
        seed: int, of the choice of pieces, places and masked words.

    Yields:
        Dicts with `document` and `summary`.
    """
    generator = random.Random(seed)
    for page in pages:
        title, _, text = page["document"].partition("\n")
        found = list(pieces(sentences(text), PIECE_CHARACTERS))
        # The first piece is where a page says what it is about.
        chosen = found[:1] + generator.sample(
            found[1:], min(len(found[1:]), PIECES_PER_PAGE - 1)
        )
        for piece in chosen:
            yield row_of(title, piece, generator)


if __name__ == "__main__":
    made_rows.main(__doc__.splitlines()[0], rows)
