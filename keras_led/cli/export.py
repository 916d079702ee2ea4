"""`keras-led export`: a checkpoint in, a model for other programs out."""

from pathlib import Path
from typing import Annotated
from typing import Any

import typer

from keras_led.cli.generation_flags import check_effect
from keras_led.cli.generation_flags import generation_flags
from keras_led.cli.shared_options import BackendOption
from keras_led.cli.shared_options import DebugOption
from keras_led.cli.shared_options import note
from keras_led.cli.shared_options import one_line_errors
from keras_led.cli.starting import start_backend


@one_line_errors
@generation_flags
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
    format: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="saved_model, onnx, openvino or litert."
        ),
    ] = "saved_model",
    quantize: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="int8 weights, for onnx."),
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
    batch_size: Annotated[
        int | None,
        typer.Option(metavar="N", help="Documents at once, for litert."),
    ] = None,
    length: Annotated[
        int | None,
        typer.Option(metavar="N", help="Tokens of a document, for litert."),
    ] = None,
    target_length: Annotated[
        int | None,
        typer.Option(metavar="N", help="Tokens of a summary, for litert."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is at PATH.")
    ] = False,
    generation: dict[str, Any] | None = None,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Export MODEL as a TensorFlow SavedModel that takes text.

    Or as ONNX or OpenVINO, which generate with onnxruntime or openvino alone,
    or as LiteRT, which encodes token ids and gives logits. TensorFlow writes
    it, whatever backend is chosen.

    Examples:

        keras-led export runs/manual-pages served/1

        keras-led export DIR served/1 --num-beams 4 --max-new-tokens 128

        keras-led export DIR led-onnx --format onnx --quantize int8

        keras-led export DIR led-openvino --format openvino --num-beams 4

        keras-led export DIR lite --format litert --length 4096
    """
    running = start_backend(backend, debug)
    from keras_led.formats import other_process
    from keras_led.models.conditional_generation import (
        LEDForConditionalGeneration,
    )
    from keras_led.serving import export_checks
    from keras_led.serving import exporting
    from keras_led.tokenizer import LEDTokenizer

    export_checks.check_target(path, force)
    generates = export_checks.check_format(format) in export_checks.GENERATING
    settings = {
        "format": format,
        "quantize": quantize,
        "batch_size": batch_size,
        "length": length,
        "target_length": target_length,
    }
    if running != "tensorflow":
        note(f"Exporting {model} with TensorFlow ...")
        switches = {
            "max_new_tokens_input": max_new_tokens_input,
            "no_text": no_text,
            "force": force,
        }
        given = {name: True for name, on in switches.items() if on}
        flags = other_process.as_arguments({**settings, **given, **generation})  # pyright: ignore[reportGeneralTypeIssues]
        other_process.run_command(["export", model, str(path), *flags])
        typer.echo(path)
        return
    note(f"Loading {model} ...")
    network = LEDForConditionalGeneration.from_pretrained(model)
    check_effect(generation, network)  # pyright: ignore[reportArgumentType]
    text = generates and not no_text
    tokenizer = LEDTokenizer.from_pretrained(model) if text else None
    note(f"Writing {path} ...")
    exporting.export(
        network,
        path,
        tokenizer,
        overwrite=force,
        max_new_tokens_input=max_new_tokens_input,
        **settings,
        **generation,  # pyright: ignore[reportCallIssue]
    )
    typer.echo(path)
