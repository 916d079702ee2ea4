"""The `keras-led` application: options of its own and the list of commands."""

from typing import Annotated

import typer

from keras_led._version import __version__
from keras_led.cli.bench import bench
from keras_led.cli.convert import convert
from keras_led.cli.demo import demo
from keras_led.cli.evaluate import evaluate
from keras_led.cli.export import export
from keras_led.cli.info import info
from keras_led.cli.plain_help import PlainHelpCommand
from keras_led.cli.summarize import summarize
from keras_led.cli.train import train

app: typer.Typer = typer.Typer(
    name="keras-led",
    help="LED, the Longformer encoder-decoder, for Keras 3.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
commands = (summarize, demo, train, evaluate, convert, export, info, bench)
for command in commands:
    app.command(cls=PlainHelpCommand)(command)


def show_version(wanted: bool) -> None:
    """Prints the version and ends, when `--version` is given."""
    if wanted:
        typer.echo(f"keras-led {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=show_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """LED, the Longformer encoder-decoder, for Keras 3."""
