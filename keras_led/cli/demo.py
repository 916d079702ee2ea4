"""`keras-led demo`: a page that summarizes in the browser."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from keras_led.cli.shared_options import DebugOption
from keras_led.cli.shared_options import ModelOption
from keras_led.cli.shared_options import note
from keras_led.cli.shared_options import one_line_errors
from keras_led.files.embedded import DEFAULT_CHECKPOINT


@one_line_errors
def demo(
    model: ModelOption = DEFAULT_CHECKPOINT,
    port: Annotated[
        int,
        typer.Option(metavar="N", min=0, max=65535, help="0: any free one."),
    ] = 8000,
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write static files for a web server, and serve nothing.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is in FOLDER.")
    ] = False,
    quantize: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="int8 weights: a smaller page."),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Serve a page on this machine that summarizes in the browser.

    The model runs inside the page: no text leaves it, and no network is
    needed. It searches greedily. DIR may also be a folder that `keras-led
    export --format onnx` wrote. The first time, npm fetches onnxruntime-web.

    Examples:

        keras-led demo

        keras-led demo -m runs/manual-pages --write public
    """
    # Here, since `keras-led --help` reads this file.
    from keras_led.demo.browser_packages import browser_packages
    from keras_led.demo.page_folder import write_page_folder
    from keras_led.demo.page_server import make_server
    from keras_led.formats.other_process import as_arguments
    from keras_led.formats.other_process import run_command
    from keras_led.serving.export_checks import check_quantize
    from keras_led.serving.export_checks import check_target
    from keras_led.serving.onnx_sessions import ENCODER

    check_quantize(quantize, "onnx")
    if write is not None:
        check_target(write, force)
    packages = browser_packages()
    with ExitStack() as stack:
        server = None
        folder = write
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if folder is None:
            folder = scratch / "page"
            server = stack.enter_context(make_server(folder, port))
        exported = Path(model)
        if not (exported / ENCODER).is_file():
            note(f"Exporting {model} with TensorFlow ...")
            exported = scratch / "model"
            flags = as_arguments({"format": "onnx", "quantize": quantize})
            run_command(["export", model, str(exported), *flags])
        name = Path(model).name
        write_page_folder(folder, exported, packages, name, force)
        if server is None:
            typer.echo(folder)
            return
        host, port = server.server_address[:2]
        typer.echo(f"http://{host}:{port}/")
        note("Open this address in a browser. Ctrl-C ends.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            note("Ended.")
