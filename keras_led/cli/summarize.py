"""`keras-led summarize`: files in, one line a file out."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from keras_led.backend import name as backend_name
from keras_led.cli.options import BackendOption
from keras_led.cli.options import DebugOption
from keras_led.cli.options import ModelOption
from keras_led.cli.options import check_backend
from keras_led.cli.options import note
from keras_led.cli.options import one_line_errors
from keras_led.models.conditional_generation import LEDForConditionalGeneration
from keras_led.tokenizer import LEDTokenizer


def read_document(name):
    """Reads a document whole.

    Args:
        name: str, path of a UTF-8 text file; `-` for standard input.

    Returns:
        str, the text.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not UTF-8, or holds white space only.
    """
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"`FILE` must be UTF-8 text. Received: FILE={name!r}, whose byte "
            f"{error.start} is not. Convert it, for example with iconv."
        ) from error
    if not text.strip():
        raise ValueError(
            f"`FILE` must hold some text. Received: FILE={name!r}, which is "
            "empty."
        )
    return text


@one_line_errors
def summarize(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="UTF-8 text; - for stdin."),
    ],
    model: ModelOption,
    max_new_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Longest summary, in tokens."),
    ] = None,
    num_beams: Annotated[
        int | None, typer.Option(min=1, help="Beams; 1 is greedy.")
    ] = None,
    backend: BackendOption = None,
    debug: DebugOption = False,
):
    """Summarize each FILE in one line, in the order given.

    The summaries go to standard output, notes on the progress to standard
    error. Global attention is on the first token. A document longer than the
    model can read is cut, with a warning.
    """
    check_backend(backend)
    documents = [read_document(name) for name in files]
    note(f"Loading {model} on {backend_name} ...")
    tokenizer = LEDTokenizer.from_pretrained(model)
    network = LEDForConditionalGeneration.from_pretrained(model)
    chosen = {"max_new_tokens": max_new_tokens, "num_beams": num_beams}
    options = {k: v for k, v in chosen.items() if v is not None}
    for file, document in zip(files, documents, strict=True):
        note(f"Summarizing {file} ...")
        (summary,) = network.summarize(
            [document], tokenizer=tokenizer, **options
        )
        typer.echo(" ".join(summary.split()))
