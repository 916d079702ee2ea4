"""`keras-led export`: a checkpoint in, a SavedModel out."""

from pathlib import Path
from typing import Annotated

import typer

from keras_led.backend import name as backend_name
from keras_led.cli.options import BackendOption
from keras_led.cli.options import DebugOption
from keras_led.cli.options import check_backend
from keras_led.cli.options import note
from keras_led.cli.options import one_line_errors
from keras_led.models.conditional_generation import LEDForConditionalGeneration
from keras_led.serving import exporting
from keras_led.tokenizer import LEDTokenizer


@one_line_errors
def export(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="Directory, or hub id, with the weights and the tokenizer.",
        ),
    ],
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="New directory.")
    ],
    max_new_tokens: Annotated[
        int | None, typer.Option(min=1, help="Longest summary, in tokens.")
    ] = None,
    num_beams: Annotated[
        int | None, typer.Option(min=1, help="Beams; 1 is greedy.")
    ] = None,
    max_new_tokens_input: Annotated[
        bool,
        typer.Option(
            "--max-new-tokens-input",
            help="Let requests lower max_new_tokens.",
        ),
    ] = False,
    no_text: Annotated[
        bool, typer.Option("--no-text", help="Token ids only, no tokenizer.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is at PATH.")
    ] = False,
    backend: BackendOption = None,
    debug: DebugOption = False,
):
    """Export MODEL as a TensorFlow SavedModel that takes text.

    TensorFlow writes it, whatever backend is chosen.

    Examples:

        keras-led export runs/manual-pages served/1

        keras-led export DIR served/1 --num-beams 4 --max-new-tokens 128
    """
    check_backend(backend)
    exporting.check_target(path, force)
    if backend_name != "tensorflow":
        note(f"Exporting {model} with TensorFlow ...")
        flags = {
            "--max-new-tokens-input": max_new_tokens_input,
            "--no-text": no_text,
            "--force": force,
        }
        values = {"--max-new-tokens": max_new_tokens, "--num-beams": num_beams}
        arguments = ["export", model, str(path)]
        arguments += [flag for flag, given in flags.items() if given]
        for option, value in values.items():
            arguments += [] if value is None else [option, str(value)]
        exporting.run_command(arguments)
        typer.echo(path)
        return
    note(f"Loading {model} ...")
    network = LEDForConditionalGeneration.from_pretrained(model)
    tokenizer = None if no_text else LEDTokenizer.from_pretrained(model)
    chosen = {"max_new_tokens": max_new_tokens, "num_beams": num_beams}
    note(f"Writing {path} ...")
    exporting.export(
        network,
        path,
        tokenizer,
        overwrite=force,
        max_new_tokens_input=max_new_tokens_input,
        **{k: v for k, v in chosen.items() if v is not None},
    )
    typer.echo(path)
