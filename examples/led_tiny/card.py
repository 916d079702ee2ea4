"""The model card of `led-tiny`: what it is, from what, and how good."""

from examples.led_tiny import packages
from examples.led_tiny import reading

# What stands in the columns of the table.
SYSTEMS = ("greedy", "4 beams", "first 15 words", "first sentence")

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
writes one line about a text on software: a manual page, a README, the
description of a package. It comes with `keras_led`, so that every part of the
library can be seen at work without a download, and was trained by
`keras-led train`: `examples/train_led_tiny.py` is the recipe.

```python
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer

tokenizer = LEDTokenizer.from_pretrained("led-tiny")
model = LEDForConditionalGeneration.from_pretrained("led-tiny")
```

## What it is good for, and what not

It has read English manual pages, as clean text and as `man` prints them,
READMEs of npm and PyPI, and descriptions of Debian packages, with the line
that their authors wrote. It looks for the sentence in which a text says what
it is about and writes the part of it that counts in few words; where a page
is like others that it knows, it writes as their authors did. Many lines are
therefore words of the text, and may begin small; where that sentence says
little, so does the line, and unknown words may come out garbled. On other
text, news or prose, it writes a line of that kind too, which means little. It
is a demonstration, a test model and a starting point for fine-tuning, not a
summarizer for general text.

It reads up to {positions:,} tokens. Training texts were cut to 512 or less, but
for {whole:,} in the last stages; the positions behind began as copies of the
trained ones, and what stands far behind has little weight.

## Scores

ROUGE-L, stemmed F1 in percent, beside what it takes to be scored without
reading: the first 15 words, or the first sentence, of DESCRIPTION or of the
prose of a README. Of each file the first texts are scored, as many as the row
says. Pages of other packages were looked at to choose stages of training, and
all of these texts to choose those up to the third published weights: the scores
flatter a little. The last stages were chosen on other texts.

{scores}

A page as `man` prints it, and most READMEs, have their line in them: copying
the line in NAME would give nearly 100. `generation_config.json` favors tokens
of the text a little (`encoder_repetition_penalty`), so that fewer copies are
garbled.

## Data

{pages:,} manual pages with the one-line descriptions that their authors wrote,
from {count} packages of Debian 12 (`examples/led_tiny/build.py` makes the data
set again). The page without its NAME section is the document, the description
the summary; in some stages of training it is also the beginning of
DESCRIPTION, shortened by rule (`examples/led_tiny/leads.py`).

The last stages went on from the weights that these pages alone had made, with
samples of the same pages as `man` prints them ({raw:,}), of the
descriptions of Debian packages and their one-line synopses ({descriptions:,}),
and of READMEs of npm, PyPI and Debian and the line in their metadata
({readmes:,}). Many of these texts came with other words in text and line
(`examples/led_tiny/reading.py`), so that they had to be read.
Packages in `examples/led_tiny/held_out.sha1` and of `test_unseen` are in none
of it.

Debian's descriptions fall under the licence of each package's `copyright`
file; the READMEs under that of their project, mostly MIT, ISC, BSD or Apache.

The texts keep their licences, listed here by package as a hint; single pages
may differ. Whether a model is a work derived from its training text is not
settled; whoever cannot accept one of these licences should train on other
packages.

{packages}"""


def table_of(scores):
    """Writes scores as a table in Markdown.

    Args:
        scores: dict from the title of a test to a dict from each of
            `SYSTEMS` to ROUGE-L in percent; what is missing stays empty.
    """
    lines = [["", *SYSTEMS], ["---"] * (1 + len(SYSTEMS))]
    for title, found in scores.items():
        cells = (
            f"{found[name]:.1f}" if name in found else "" for name in SYSTEMS
        )
        lines.append([title, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def render(scores, counts, forms, parameters, positions):
    """Writes the card.

    Args:
        scores: dict, as for `table_of`.
        counts: dict from a package's name to its number of training pages.
        forms: dict from `"raw"`, `"description"` and `"readme"` to how many
            texts of the form there are.
        parameters: int, weights of the model.
        positions: int, tokens that the model can read.

    Returns:
        str, Markdown.
    """
    sources = packages.card_rows(packages.read(), {"pages": counts})
    return CARD.format(
        parameters=parameters / 1e6,
        positions=positions,
        scores=table_of(scores),
        pages=sum(counts.values()),
        count=len(sources),
        raw=forms["raw"],
        descriptions=forms["description"],
        readmes=forms["readme"],
        whole=sum(
            sum(mix.counts.values())
            for mix in (reading.WHOLE, reading.LONG, reading.AFTER)
        ),
        packages=packages.markdown(sources),
    )
