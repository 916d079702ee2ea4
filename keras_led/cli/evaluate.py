"""`keras-led evaluate`: summaries of a model against references."""

import json
import sys
from typing import Annotated

import typer

from keras_led.cli.shared_options import BackendOption
from keras_led.cli.shared_options import BatchSizeOption
from keras_led.cli.shared_options import CutOption
from keras_led.cli.shared_options import DebugOption
from keras_led.cli.shared_options import DocumentFieldOption
from keras_led.cli.shared_options import JsonOption
from keras_led.cli.shared_options import ModelOption
from keras_led.cli.shared_options import SkipBadRowsOption
from keras_led.cli.shared_options import SummaryFieldOption
from keras_led.cli.shared_options import bad_rows_policy
from keras_led.cli.shared_options import named_documents
from keras_led.cli.shared_options import note
from keras_led.cli.shared_options import one_line_errors
from keras_led.cli.starting import start_backend
from keras_led.files import write_text
from keras_led.files.embedded import DEFAULT_CHECKPOINT


@one_line_errors
def evaluate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help=".jsonl or .csv with documents and summaries; also .gz; "
            "patterns.",
        ),
    ],
    model: ModelOption = DEFAULT_CHECKPOINT,
    document: DocumentFieldOption = "document",
    summary: SummaryFieldOption = "summary",
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Score only the first N rows."),
    ] = None,
    max_new_tokens: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Longest summary, in tokens."),
    ] = None,
    num_beams: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Beams; 1 is greedy.")
    ] = None,
    batch_size: BatchSizeOption = 1,
    max_source_tokens: CutOption = None,
    stemmer: Annotated[
        bool,
        typer.Option(
            "--stemmer/--no-stemmer", help="Whether endings of words count."
        ),
    ] = True,
    predictions: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write the summaries there, as JSON lines."
        ),
    ] = None,
    skip_bad_rows: SkipBadRowsOption = False,
    as_json: JsonOption = False,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Summarize documents, and compare with references: mean ROUGE F1.

    The scores are in percent. Needs the extra: pip install "keras-led[rouge]".

    Examples:

        keras-led evaluate test.jsonl -m DIR

        keras-led evaluate test.csv -m DIR --document article --summary title
    """
    running = start_backend(backend, debug)
    from keras_led.data.texts import read_texts
    from keras_led.models.conditional_generation import (
        LEDForConditionalGeneration,
    )
    from keras_led.tokenizer import LEDTokenizer
    from keras_led.training.rouge import require_rouge
    from keras_led.training.rouge import rouge_scores

    require_rouge()
    policy = bad_rows_policy(skip_bad_rows)
    rows = list(read_texts(files, (document, summary), policy, limit))
    note(f"Loading {model} on {running} ...")
    tokenizer = LEDTokenizer.from_pretrained(model)
    network = LEDForConditionalGeneration.from_pretrained(model)
    chosen = {"max_new_tokens": max_new_tokens, "num_beams": num_beams}
    note(f"Summarizing {len(rows)} documents ...")
    with named_documents([row.label() for row, _ in rows]):
        written = network.summarize(
            [texts[0] for _, texts in rows],
            tokenizer=tokenizer,
            batch_size=batch_size,
            max_input_length=max_source_tokens,
            progress=sys.stderr.isatty(),
            **{k: v for k, v in chosen.items() if v is not None},  # pyright: ignore[reportArgumentType]
        )
    if predictions is not None:
        lines = [
            json.dumps(
                {
                    "file": row.file,
                    "line": row.line,
                    "reference": texts[1],
                    "summary": found,
                },
                ensure_ascii=False,
            )
            for (row, texts), found in zip(rows, written, strict=True)
        ]
        write_text(predictions, "".join(line + "\n" for line in lines))
    scores = rouge_scores(written, [texts[1] for _, texts in rows], stemmer)
    if as_json:
        typer.echo(json.dumps({"documents": len(rows), **scores}))
        return
    typer.echo(f"documents  {len(rows)}")
    for name, value in scores.items():
        typer.echo(f"{name:<10} {value:.2f}")
