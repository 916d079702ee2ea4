"""What `led-tiny` is tested on: every form of text, beside what is trivial.

All of it is of packages that training never saw, but for `test`, whose
packages it saw other pages of.
"""

import json
from typing import NamedTuple

from examples.led_tiny import baselines
from keras_led.files import write_text

NAMES = ("rouge1", "rouge2", "rougeL")


class Test(NamedTuple):
    """A file of texts and how they are read.

    Attributes:
        name: str, of the results.
        title: str, what the card says of them; `{}` is their number.
        file: str, name of the file without its ending.
        tokens: int, behind which a text is cut.
        batch: int, texts at a time.
        rows: int, how many are read at most, from the first on.
    """

    name: str
    title: str
    file: str
    tokens: int
    batch: int
    rows: int


TESTS = (
    Test("test", "{} pages, known packages, 512 tokens", "test", 512, 16, 150),
    Test(
        *("test_unseen", "{} pages, other packages, 512 tokens"),
        *("test_unseen", 512, 16, 150),
    ),
    Test(
        *("whole_unseen", "{} pages, other packages, whole"),
        *("test_unseen", 4096, 4, 60),
    ),
    Test(
        *("raw", "{} pages of other packages as `man` prints them, whole"),
        *("raw_tested", 4096, 4, 60),
    ),
    Test("readme", "{} READMEs, whole", "readmes_test", 4096, 4, 100),
    Test("desc", "{} descriptions", "descriptions_test", 512, 16, 300),
)


def evaluate(call, model, data, folder):
    """Scores a checkpoint greedily and with 4 beams; keeps what it finds.

    Args:
        call: function that runs `keras-led` and returns what it prints.
        model: path of the checkpoint.
        data: `pathlib.Path` of the folder of texts.
        folder: `pathlib.Path` where each result is kept.

    Returns:
        Dict from the title of each test to a dict from the name of a system
        to its ROUGE-L, a float in percent.
    """
    table = {}
    for test in TESTS:
        path = data / f"{test.file}.jsonl"
        with open(path, encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines][: test.rows]
        found = table[test.title.format(len(rows))] = {}
        for beams, system in ((1, "greedy"), (4, "4 beams")):
            file = folder / f"{test.name}-{beams}.json"
            if not file.exists():
                scores = call(
                    *("evaluate", path, "--model", model, "--json"),
                    *("--num-beams", beams, "--batch-size", test.batch),
                    *("--max-source-tokens", test.tokens),
                    *("--max-new-tokens", 48, "--limit", test.rows),
                )
                write_text(file, scores)
            found[system] = json.loads(file.read_text("utf-8"))[NAMES[-1]]
        for system, write in (
            ("first 15 words", baselines.first_words),
            ("first sentence", baselines.first_sentence),
        ):
            found[system] = baselines.score(rows, write)[-1]
    return table
