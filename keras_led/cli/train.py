"""`keras-led train`: documents in, a checkpoint out."""

import json

import typer

from keras_led.cli.shared_options import note
from keras_led.cli.shared_options import one_line_errors
from keras_led.cli.starting import start_backend
from keras_led.cli.training_options import TrainOptions
from keras_led.cli.training_options import flags_of

# Exit code of a run that stopped on purpose and can go on: EX_TEMPFAIL of
# sysexits.h, "try again later".
STOPPED = 75


@one_line_errors
@flags_of(TrainOptions)
def train(options: TrainOptions) -> None:
    """Train on documents and summaries; write a checkpoint to --output.

    Start from a checkpoint with --model, or from scratch with --config or
    --set, and --vocab-size for a tokenizer of the corpus's own. The state of
    the run is saved every --save-every steps: after a crash, or `kill -9`, or
    --stop-after, the same command with --resume goes on, and ends with the
    weights of a run that was never interrupted. SIGTERM saves and stops too.

    With --lora-rank the checkpoint holds the model with its adapters merged,
    and its folder `adapters` the adapters alone, as PEFT writes them.

    Examples:

        keras-led train train.jsonl -o runs/a -m allenai/led-base-16384

        keras-led train 'pages/*.gz' -o runs/b --vocab-size 999 --set d_model=64

        keras-led train train.jsonl -o runs/c -m DIR --lora-rank 8 --resume
    """
    start_backend(options.backend, options.debug)
    from keras_led.cli.training_callbacks import Stopped
    from keras_led.cli.training_run import TrainingRun

    run = TrainingRun(options)
    try:
        with run.folder.claimed():
            result = run.execute()
    except Stopped as stopped:
        note(f"{stopped} Go on with --resume.")
        raise typer.Exit(STOPPED) from None
    if options.as_json:
        typer.echo(json.dumps(result))
        return
    for name, value in result.items():
        if isinstance(value, float):
            value = f"{value:.4f}"
        typer.echo(f"{name:<14} {value}")
