"""What is to be beaten: the first words, and the first sentence, of the prose.

    python -m examples.led_tiny.baselines FILE.jsonl ...

Prints the ROUGE of both for each file of rows. The prose of a page begins
below DESCRIPTION; that of a README below its headings, badges and code.
"""

import json
import re
import sys

from rouge_score import rouge_scorer

from examples.led_tiny.pretraining import sentences

NAMES = ("rouge1", "rouge2", "rougeL")
MOST = 15
HEADING = re.compile(r"^(?:\S.*)?DESCRIPTION\s*\n", re.MULTILINE)
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
IMAGE = re.compile(r"\[?!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])(?:\]\([^)]*\))?")
LINK = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
TAG = re.compile(r"<!--.*?-->|<[^<>]+>", re.DOTALL)
# A heading, a rule, a directive of reStructuredText or the URL of a link.
NO_PROSE = re.compile(r"#|[=*~^-]{3,}$|\.\.|:\w+:|\[[^\]]+\]:|\||https?://\S+$")
UNDERLINE = re.compile(r"[=*~^\-#\"']{3,}$")


def prose(text):
    """The sentences of a text behind what stands above them, a list."""
    heading = HEADING.search(text)
    if heading:
        text = text[heading.end() :]
    text = TAG.sub("", LINK.sub(r"\1", IMAGE.sub("", FENCED.sub("", text))))
    lines = [line.strip() for line in text.split("\n")]
    paragraphs, paragraph = [], []
    for place, line in enumerate(lines):
        below = lines[place + 1] if place + 1 < len(lines) else ""
        titled = UNDERLINE.match(below) and len(below) >= len(line) > 0
        if line and not NO_PROSE.match(line) and not titled:
            paragraph.append(line)
        elif paragraph:
            paragraphs.append(" ".join(" ".join(paragraph).split()))
            paragraph = []
    paragraphs += [" ".join(paragraph)] if paragraph else []
    # A single word is the name of the thing.
    told = [text for text in paragraphs if len(text.split()) > 2]
    return sentences("\n".join(told))


def first_words(text):
    """The first 15 words of the first sentence."""
    found = prose(text)
    return " ".join(found[0].split()[:MOST]) if found else ""


def first_sentence(text):
    """The first sentence."""
    found = prose(text)
    return found[0] if found else ""


def score(rows, write):
    """Mean ROUGE F1 of what a function writes about documents, in percent.

    Args:
        rows: list of dicts with `document` and `summary`.
        write: function from a document to a line.

    Returns:
        List of three floats, ROUGE-1, -2 and -L, stemmed.
    """
    scorer = rouge_scorer.RougeScorer(NAMES, use_stemmer=True)
    scores = [
        scorer.score(row["summary"], write(row["document"])) for row in rows
    ]
    return [
        100 * sum(one[name].fmeasure for one in scores) / len(scores)
        for name in NAMES
    ]


def main():
    """Prints the scores of both baselines for each file."""
    for file in sys.argv[1:]:
        with open(file, encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        for write in (first_words, first_sentence):
            found = " / ".join(f"{one:.1f}" for one in score(rows, write))
            print(file, len(rows), write.__name__, found)


if __name__ == "__main__":
    main()
