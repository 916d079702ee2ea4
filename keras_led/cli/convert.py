"""`keras-led convert`: a checkpoint of any family in, an LED out."""

from pathlib import Path
from typing import Annotated

import typer

from keras_led.cli.shared_options import BackendOption
from keras_led.cli.shared_options import DebugOption
from keras_led.cli.shared_options import note
from keras_led.cli.shared_options import one_line_errors
from keras_led.cli.starting import start_backend

# Half precision keeps 11 (float16) or 8 (bfloat16) bits of each weight.
_TOLERANCES = {"float32": 1e-4, "float16": 0.05, "bfloat16": 0.3}


@one_line_errors
def convert(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="Directory, or hub id, of a checkpoint."
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(metavar="TARGET", help="New directory for the LED."),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="safetensors, tf-h5, keras or weights-h5.",
        ),
    ] = "safetensors",
    family: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FAMILY",
            help="led, allenai, bart or keras_hub, instead of looking.",
        ),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE",
            help="float32, float16 or bfloat16; else that of the source.",
        ),
    ] = None,
    max_shard_size: Annotated[
        str, typer.Option(metavar="SIZE", help="Largest file, such as 5GB.")
    ] = "5GB",
    max_encoder_positions: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Longest document, in tokens."),
    ] = None,
    max_decoder_positions: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Longest summary, in tokens."),
    ] = None,
    attention_window: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N",
            help="Tokens on both sides together; once, or once a layer.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a TARGET with files.")
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Compare the result with the source afterwards."
        ),
    ] = False,
    tolerance: Annotated[
        float | None,
        typer.Option(min=0, help="Largest difference of an output."),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Branch, tag or commit on the hub."),
    ] = None,
    push_to: Annotated[
        str | None,
        typer.Option(
            "--push-to-hub", metavar="OWNER/NAME", help="Upload the result."
        ),
    ] = None,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Convert SOURCE, of whatever family, to an LED in TARGET.

    Reads LED of Hugging Face (PyTorch and TensorFlow), AllenAI's original
    checkpoints, BART, and BART presets of KerasHub. TARGET appears once all is
    written; conversion_report.json in it lists every tensor.
    """
    start_backend(backend, debug)
    from keras_led.checkpoints.conversion import check_target
    from keras_led.checkpoints.conversion import convert as write
    from keras_led.checkpoints.families import read_source
    from keras_led.cli.convert_keras import keras_writers
    from keras_led.files import push_to_hub

    check_target(target, force)
    note(f"Reading {source} ...")
    with read_source(
        source,
        family=family,
        max_encoder_positions=max_encoder_positions,
        max_decoder_positions=max_decoder_positions,
        attention_window=_window(attention_window),
        revision=revision,
    ) as weights:
        with _progress(weights, dtype) as bar:
            report = write(
                weights,
                target,
                to=to,
                dtype=dtype,
                max_shard_size=max_shard_size,
                force=force,
                progress=bar.update,
                writers=keras_writers(weights, dtype),
            )
        note(
            f"Wrote {len(report['tensors'])} tensors of the family "
            f"{report['family']} to {target} as {to}."
        )
        if verify:
            _verify(weights, target, report, tolerance)
    if push_to is not None:
        note(f"Uploaded to {push_to_hub(target, push_to)}")


def _window(values):
    """One value holds for all layers."""
    if not values:
        return None
    return values[0] if len(values) == 1 else list(values)


def _progress(weights, dtype):
    """A bar that counts the bytes written."""
    import tqdm

    from keras_led.checkpoints.saving import target_dtype

    total = 0
    for weight in weights.weights:
        count = 1
        for size in weight.shape:
            count *= size
        total += count * target_dtype(dtype, weight).itemsize
    return tqdm.tqdm(
        total=total, unit="B", unit_scale=True, desc="Writing", delay=0.5
    )


def _verify(weights, target, report, tolerance):
    """Compares files and outputs; says what was compared and how well."""
    from keras_led.cli.convert_verify import verify_files
    from keras_led.cli.convert_verify import verify_outputs

    count = verify_files(target, report)
    typer.echo(f"{count} tensors: names, shapes and checksums agree")
    differences = verify_outputs(weights, target, report)
    if differences is None:
        typer.echo("No library that runs the source itself is installed.")
        return
    if tolerance is None:
        types = {row["dtype"] for row in report["tensors"]}
        tolerance = max(_TOLERANCES.get(name, 1e-4) for name in types)
    for name, value in differences.items():
        typer.echo(f"{name}: max abs difference {value:.3g}")
    worst = max(differences, key=differences.get)  # pyright: ignore[reportArgumentType, reportCallIssue]
    if not differences[worst] <= tolerance:
        raise ValueError(
            f"The result must agree with the source within {tolerance}. "
            f"Received: {worst} differs by {differences[worst]:.3g}. "
            f"{target} is kept for a look at it."
        )
