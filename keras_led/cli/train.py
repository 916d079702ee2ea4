"""`keras-led train`: documents in, a checkpoint out."""

import json
from pathlib import Path
from typing import Annotated

import typer

from keras_led.cli.options import BackendOption
from keras_led.cli.options import DebugOption
from keras_led.cli.options import DocumentFieldOption
from keras_led.cli.options import SkipBadRowsOption
from keras_led.cli.options import SummaryFieldOption
from keras_led.cli.options import check_backend
from keras_led.cli.options import note
from keras_led.cli.options import one_line_errors
from keras_led.cli.training_callbacks import Stopped
from keras_led.cli.training_run import TrainingRun

# Exit code of a run that stopped on purpose and can go on: EX_TEMPFAIL of
# sysexits.h, "try again later".
STOPPED = 75


@one_line_errors
def train(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help=".jsonl or .csv with documents and summaries; also .gz; "
            "patterns.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder of the checkpoint."
        ),
    ],
    validation: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Files to validate with; repeat."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="DIR",
            help="Directory, or hub id, to start from; else a fresh model.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="config.json of a fresh model.", exists=True
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A value of the config, such as d_model=256; repeat.",
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Tokenizer, instead of the model's."),
    ] = None,
    vocab_size: Annotated[
        int | None,
        typer.Option(
            min=261, help="Learn a tokenizer of so many tokens from FILE."
        ),
    ] = None,
    document: DocumentFieldOption = "document",
    summary: SummaryFieldOption = "summary",
    question: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="Field of a question that attends globally."
        ),
    ] = None,
    max_source_tokens: Annotated[
        int, typer.Option(min=8, help="Longest document; the rest is cut.")
    ] = 4096,
    max_target_tokens: Annotated[
        int, typer.Option(min=3, help="Longest summary; the rest is cut.")
    ] = 256,
    bucket: Annotated[
        list[int] | None,
        typer.Option(
            metavar="TOKENS", help="A padded length; repeat. 128, 256, 512 ..."
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes.")] = 3,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows a step.")] = 4,
    gradient_accumulation: Annotated[
        int, typer.Option(min=1, help="Steps whose gradients are added up.")
    ] = 1,
    learning_rate: Annotated[
        float, typer.Option(min=0, help="Highest learning rate.")
    ] = 5e-5,
    warmup_steps: Annotated[
        int, typer.Option(min=0, help="Steps up to it.")
    ] = 0,
    schedule: Annotated[
        str, typer.Option(help="cosine, linear or constant, after that.")
    ] = "cosine",
    weight_decay: Annotated[
        float, typer.Option(min=0, help="AdamW's; not for biases and norms.")
    ] = 0.01,
    clip_norm: Annotated[
        float, typer.Option(min=0, help="Largest norm of all gradients; 0: any")
    ] = 1.0,
    dtype: Annotated[
        str | None,
        typer.Option(metavar="POLICY", help="Such as mixed_bfloat16."),
    ] = None,
    gradient_checkpointing: Annotated[
        bool,
        typer.Option(
            "--gradient-checkpointing", help="Less memory for more time."
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, help="Of weights, order and dropout.")
    ] = 0,
    streaming: Annotated[
        bool,
        typer.Option(
            "--streaming", help="Read FILE while training; keep none of it."
        ),
    ] = False,
    steps_per_epoch: Annotated[
        int | None,
        typer.Option(min=1, help="Steps of an epoch, with --streaming."),
    ] = None,
    cache_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep tokens there for a next run."),
    ] = None,
    skip_bad_rows: SkipBadRowsOption = False,
    rouge_documents: Annotated[
        int,
        typer.Option(
            min=0, help="Summarize so many validation rows an epoch: ROUGE."
        ),
    ] = 0,
    log_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write logs for TensorBoard there."),
    ] = None,
    log_every: Annotated[
        int, typer.Option(min=1, help="Steps from one note to the next.")
    ] = 50,
    save_every: Annotated[
        int, typer.Option(min=1, help="Steps from one backup to the next.")
    ] = 100,
    stop_after: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES",
            min=0,
            help="Save and stop then, with exit code 75.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on where an interrupted run was last saved."
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Start anew in a DIR that has a run."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write one JSON object.")
    ] = False,
    backend: BackendOption = None,
    debug: DebugOption = False,
):
    """Train on documents and summaries; write a checkpoint to --output.

    Start from a checkpoint with --model, or from scratch with --config or
    --set, and --vocab-size for a tokenizer of the corpus's own. The state of
    the run is saved every --save-every steps: after a crash, or `kill -9`, or
    --stop-after, the same command with --resume goes on, and ends with the
    weights of a run that was never interrupted. SIGTERM saves and stops too.

    Examples:

        keras-led train train.jsonl -o runs/a -m allenai/led-base-16384

        keras-led train corpus/*.jsonl.gz -o runs/b --vocab-size 8192
        --set d_model=256 --set encoder_layers=4 --resume
    """
    options = dict(locals())
    check_backend(backend)
    run = TrainingRun(options)
    try:
        result = run.execute()
    except Stopped as stopped:
        note(f"{stopped} Go on with --resume.")
        raise typer.Exit(STOPPED) from None
    if as_json:
        typer.echo(json.dumps(result))
        return
    for name, value in result.items():
        if isinstance(value, float):
            value = f"{value:.4f}"
        typer.echo(f"{name:<14} {value}")
