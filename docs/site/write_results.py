"""Writes under each piece of Python in docs/ what it prints.

    python docs/site/write_results.py [PAGE ...]

PAGE is a file name such as `generate.md`; all pages that print by default.
To be run again whenever led-tiny or the code of a page changes. The pages run
with led-tiny in a folder of manual pages, each in a process of its own.
"""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ROWS = ROOT / "examples" / "data" / "train.jsonl"
# SavedModels are written by TensorFlow.
BACKENDS = {"serving.md": "tensorflow"}
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<result>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)


def run(page, text):
    """Runs the Python of a page, block after block, in this process.

    Args:
        page: str, name of the page, for tracebacks.
        text: str, the page.

    Returns:
        List of `(printed, result)`, one for each block: what it printed, and
        what stands under it, `None` where nothing does; and a dict of the
        names that the page defines.
    """
    names, found = {"__name__": "page"}, []
    for number, block in enumerate(BLOCK.finditer(text)):
        code = compile(block["code"], f"{page}, block {number}", "exec")
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(code, names)
        found.append((output.getvalue(), block["result"]))
    return found, names


def with_results(text, printed):
    """The text of a page with what its blocks printed, a list of str."""
    printed = iter(printed)

    def one(block):
        result = next(printed).rstrip()
        result = f"\n```text\n{result}\n```\n" if result else ""
        return f"```python\n{block['code']}```\n{result}"

    return BLOCK.sub(one, text)


def write_results(path):
    """Runs a page in the current folder and writes what it prints into it."""
    text = path.read_text("utf-8")
    found, _ = run(path.name, text)
    path.write_text(with_results(text, [out for out, _ in found]), "utf-8")


def make_workplace(folder):
    """Writes what the pages read: texts, rows to train on, a checkpoint."""
    from keras_led import LEDForConditionalGeneration
    from keras_led import LEDTokenizer

    lines = ROWS.read_text("utf-8").splitlines()
    (folder / "train.jsonl").write_text("\n".join(lines[:6]), "utf-8")
    (folder / "validation.jsonl").write_text("\n".join(lines[6:8]), "utf-8")
    (folder / "texts").mkdir()
    for number, row in enumerate(map(json.loads, lines[:12])):
        text = folder / "texts" / f"page-{number}.txt"
        text.write_text(row["document"], "utf-8")
        text.with_suffix(".summary.txt").write_text(row["summary"], "utf-8")
    for kind in (LEDForConditionalGeneration, LEDTokenizer):
        kind.from_pretrained("led-tiny").save_pretrained(
            folder / "runs" / "manual-pages"
        )


def main(pages):
    """Runs each page in a process of its own."""
    chosen = pages or [path.name for path in sorted(DOCS.glob("*.md"))]
    for path in map(DOCS.joinpath, chosen):
        if "print(" not in path.read_text("utf-8"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            backend = BACKENDS.get(path.name, "torch")
            subprocess.run(
                [sys.executable, __file__, "--here", path],
                cwd=folder,
                env={**os.environ, "KERAS_BACKEND": backend},
                check=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        make_workplace(Path.cwd())
        write_results(Path(sys.argv[2]))
    else:
        main(sys.argv[1:])
