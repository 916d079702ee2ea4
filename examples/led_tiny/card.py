"""The model card of `led-tiny`: what it is, from what, and how good."""

from examples.led_tiny import packages

# R-1, R-2, R-L of the baselines, stemmed F1 in percent: the documents' first
# 15 words of DESCRIPTION, and the description of the nearest training page
# (TF-IDF).
BASELINES = {
    "first 15 words of DESCRIPTION": {
        "test": (30.2, 11.8, 26.0),
        "test_unseen": (35.1, 15.4, 31.0),
    },
    "description of the nearest training page": {
        "test": (30.9, 13.9, 29.1),
        "test_unseen": (15.6, 4.3, 14.9),
    },
}

CARD = """\
---
library_name: keras
pipeline_tag: summarization
language: en
license: other
tags:
- led
- longformer
- keras
- long-documents
---

# led-tiny

A Longformer encoder-decoder (LED) of {parameters:.1f} million weights that
writes one line about a manual page. It comes with `keras_led`, so that every
part of the library can be seen at work without a download, and was trained
by `keras-led train`: `examples/train_led_tiny.py` is the recipe.

```python
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer

tokenizer = LEDTokenizer.from_pretrained("led-tiny")
model = LEDForConditionalGeneration.from_pretrained("led-tiny")
```

## What it is good for, and what not

It has read nothing but English manual pages of programs and libraries. It
looks for the sentence in which a page says what it is about, most often the
first of DESCRIPTION, and writes the part of it that counts in few words, as a
line in a NAME section would; where a page is like others that it knows, it
writes as their authors did. Many lines are therefore words of the page, and
may begin small; where that sentence says little, so does the line, and an
unknown word may come out garbled. It is better than the best simple baseline
below, on pages of packages that it knows and on others, and better with beams
than without. On other text it writes a line of that kind too, which means
little. It is a demonstration, a test model and a starting point for
fine-tuning, not a summarizer for general text.

It reads up to {positions:,} tokens; training documents were cut to
{trained:,}, so what stands far behind that has little weight.

## Scores

ROUGE-1 / -2 / -L, stemmed F1 in percent. `test`: pages of packages that
training saw other pages of. `test_unseen`: pages of ten packages that
training never saw; 200 of its pages were looked at to choose the last stages
of training.

| | test (557 pages) | test_unseen (465 pages) |
|---|---|---|
{scores}

## Data

{pages:,} manual pages with the one-line descriptions that their authors wrote,
from {count} packages of Debian 12 (`examples/led_tiny/build.py` makes the data
set again). The page without its NAME section is the document, the description
the summary; in the last stages of training it is also the beginning of
DESCRIPTION, shortened by rule (`examples/led_tiny/leads.py`).

The texts keep their licences, listed here by package as a hint; single pages
may differ. Whether a model is a work derived from its training text is not
settled; whoever cannot accept one of these licences should train on other
packages.

{packages}"""


def render(scores, counts, parameters, positions, trained):
    """Writes the card.

    Args:
        scores: dict from the name of a row to a dict from `"test"` and
            `"test_unseen"` to three floats, ROUGE in percent.
        counts: dict from a package's name to its number of training pages.
        parameters: int, weights of the model.
        positions: int, tokens that the model can read.
        trained: int, tokens of the longest training document.

    Returns:
        str, Markdown.
    """
    table = []
    for name, found in {**scores, **BASELINES}.items():
        cells = [
            " / ".join(f"{value:.1f}" for value in found[split])
            for split in ("test", "test_unseen")
        ]
        table.append(f"| {name} | {' | '.join(cells)} |")
    sources = packages.card_rows(packages.read(), {"pages": counts})
    return CARD.format(
        parameters=parameters / 1e6,
        positions=positions,
        trained=trained,
        scores="\n".join(table),
        pages=sum(counts.values()),
        count=len(sources),
        packages=packages.markdown(sources),
    )
