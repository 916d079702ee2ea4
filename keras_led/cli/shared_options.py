"""Options that several commands share, and what is done with errors."""

import functools
import inspect
import traceback
import warnings
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Annotated
from typing import Any

import typer

ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        metavar="DIR",
        help="Directory, embedded name or hub id of weights and tokenizer.",
    ),
]

BackendOption = Annotated[
    str | None,
    typer.Option(
        "--backend",
        metavar="NAME",
        help="tensorflow, jax or torch; instead of KERAS_BACKEND.",
    ),
]

DebugOption = Annotated[
    bool,
    typer.Option("--debug", help="Show the traceback of an error."),
]

JsonOption = Annotated[
    bool, typer.Option("--json", help="Write one JSON object.")
]

BatchSizeOption = Annotated[
    int,
    typer.Option(
        metavar="N", min=1, help="Documents at once, of like lengths."
    ),
]

CutOption = Annotated[
    int | None,
    typer.Option(
        "--max-source-tokens",
        metavar="N",
        min=8,
        help="Cut documents to N tokens.",
    ),
]
DocumentFieldOption = Annotated[
    str, typer.Option(metavar="KEY", help="Field of the document.")
]

SummaryFieldOption = Annotated[
    str, typer.Option(metavar="KEY", help="Field of the summary.")
]

SkipBadRowsOption = Annotated[
    bool,
    typer.Option(
        "--skip-bad-rows",
        help="Leave rows out that cannot be used, with a warning.",
    ),
]


def bad_rows_policy(skip: bool) -> str:
    """The `bad_rows` of the data pipeline for a flag."""
    return "skip" if skip else "stop"


def note(text: str) -> None:
    """Tells the user about progress; results alone go to standard output."""
    typer.echo(text, err=True)


def show_warning(message: Warning | str, *details: Any, **more: Any) -> None:
    """Shows a warning without the line of code that gave it."""
    note(f"keras-led: warning: {message}")


@contextmanager
def named_documents(labels: Sequence[str]) -> Iterator[None]:
    """Makes warnings about documents name them, not count them.

    Args:
        labels: list of str, the name of each document of one call.
    """
    from keras_led.generation.summaries import CutDocumentWarning

    def show(message, *details, **more):
        if isinstance(message, CutDocumentWarning):
            message = f"{labels[message.index]} {message.text}"
        show_warning(message)

    with warnings.catch_warnings():
        # Two documents may be cut alike, which looks like one warning twice.
        warnings.simplefilter("always", CutDocumentWarning)
        warnings.showwarning = show
        yield


def show_parameters(
    command: Callable[..., Any], parameters: list[inspect.Parameter]
) -> None:
    """Sets what typer reads as the parameters of a command.

    Args:
        command: Function of keyword arguments; changed.
        parameters: list of `inspect.Parameter`.
    """
    command.__signature__ = inspect.Signature(parameters)
    command.__annotations__ = {p.name: p.annotation for p in parameters}


def one_line_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turns an exception of a command into one line and exit code 1.

    A warning for the user becomes one line too.

    Args:
        command: Function with the keyword argument `debug`, bool; `True`
            lets the traceback come before the line.

    Returns:
        Function with the same signature, which is what typer reads.
    """

    @functools.wraps(command)
    def guarded(*args, **kwargs):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("default", UserWarning)
                warnings.showwarning = show_warning
                return command(*args, **kwargs)
        except (typer.Exit, BrokenPipeError):
            # Nobody reads on, as after `| head -1`: typer ends in silence.
            raise
        except Exception as error:
            if kwargs.get("debug"):
                note(traceback.format_exc().rstrip())
            text = " ".join(str(error).split())
            note(f"keras-led: {type(error).__name__}: {text}")
            raise typer.Exit(1) from error

    return guarded
