"""`keras-led summarize`: documents in, one line each out."""

import json
import sys
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Any

import typer

from keras_led.cli.generation_flags import check_effect
from keras_led.cli.generation_flags import generation_flags
from keras_led.cli.shared_options import BackendOption
from keras_led.cli.shared_options import BatchSizeOption
from keras_led.cli.shared_options import CutOption
from keras_led.cli.shared_options import DebugOption
from keras_led.cli.shared_options import ModelOption
from keras_led.cli.shared_options import named_documents
from keras_led.cli.shared_options import note
from keras_led.cli.shared_options import one_line_errors
from keras_led.cli.starting import start_backend
from keras_led.files.embedded import DEFAULT_CHECKPOINT

if TYPE_CHECKING:
    from keras_led.cli.documents import Document

# Batches whose documents are sorted by length together. What is written after
# one such group is safe if a later one fails.
BATCHES_PER_GROUP = 32


@one_line_errors
@generation_flags
def summarize(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="UTF-8 text, or .jsonl or .csv with one document a row; also "
            ".gz; patterns such as 'pages/**/*.txt'; - for stdin.",
        ),
    ],
    model: ModelOption = DEFAULT_CHECKPOINT,
    batch_size: BatchSizeOption = 1,
    max_source_tokens: CutOption = None,
    field: Annotated[
        str,
        typer.Option(metavar="KEY", help="Field of the text in a row."),
    ] = "document",
    jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help="Read every FILE, and -, as JSON lines."),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Write JSON lines: file, line and id where known, summary.",
        ),
    ] = False,
    generation: dict[str, Any] | None = None,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Summarize each document in one line, in the order given.

    The summaries go to standard output, notes on the progress to standard
    error. Global attention is on the first token. A document longer than the
    model can read is cut, with a warning.

    Examples:

        keras-led summarize report.txt

        keras-led summarize 'pages/*.txt' -m DIR --batch-size 4 --json

        zcat corpus.jsonl.gz | keras-led summarize - --jsonl -m DIR
    """
    running = start_backend(backend, debug)
    from keras_led.cli.documents import read_documents
    from keras_led.models.conditional_generation import (
        LEDForConditionalGeneration,
    )
    from keras_led.tokenizer import LEDTokenizer

    documents = read_documents(files, field, jsonl)
    note(f"Loading {model} on {running} ...")
    tokenizer = LEDTokenizer.from_pretrained(model)
    network = LEDForConditionalGeneration.from_pretrained(model)
    check_effect(generation, network)  # pyright: ignore[reportArgumentType]
    for group in groups(documents, batch_size):
        labels = [document.label() for document in group]
        more = f" to {labels[-1]}, {len(group)} documents" * (len(group) > 1)
        note(f"Summarizing {labels[0]}{more} ...")
        with named_documents(labels):
            summaries = network.summarize(
                [document.text for document in group],
                tokenizer=tokenizer,
                batch_size=batch_size,
                max_input_length=max_source_tokens,
                progress=len(group) > 1 and sys.stderr.isatty(),
                **generation,  # pyright: ignore[reportCallIssue]
            )
        for document, summary in zip(group, summaries, strict=True):
            typer.echo(render(document, " ".join(summary.split()), as_json))
        sys.stdout.flush()


def groups(
    documents: "list[Document]", batch_size: int
) -> "list[list[Document]]":
    """Cuts the documents into groups that are summarized in one call.

    Args:
        documents: list of `Document`.
        batch_size: int; with 1 each document is a group, so that its summary
            is written as soon as it is known.

    Returns:
        List of lists of `Document`, in the same order.
    """
    size = 1 if batch_size == 1 else batch_size * BATCHES_PER_GROUP
    starts = range(0, len(documents), size)
    return [documents[start : start + size] for start in starts]


def render(document: "Document", summary: str, as_json: bool) -> str:
    """One line of output: the summary, or a JSON object with its origin."""
    if not as_json:
        return summary
    record = {**document.origin(), "summary": summary}
    return json.dumps(record, ensure_ascii=False)
