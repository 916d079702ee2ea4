"""Writing the page, its programs and its model into one folder."""

import shutil
from pathlib import Path

from keras_led.demo.browser_packages import FILES
from keras_led.demo.page_settings import page_settings
from keras_led.files.atomic import replaced_directory
from keras_led.files.atomic import write_json
from keras_led.serving.exported_folder import read_folder
from keras_led.serving.onnx_sessions import DECODER
from keras_led.serving.onnx_sessions import ENCODER
from keras_led.tokenizer.write_files import CONFIG_NAME
from keras_led.tokenizer.write_files import TOKENIZER_NAME
from keras_led.typing import StrPath
from keras_led.visualize import browser

PAGE = Path(__file__).parent / "page"
SETTINGS = "demo.json"


def write_page_folder(
    directory: StrPath,
    exported: StrPath,
    packages: Path,
    name: str,
    overwrite: bool = False,
) -> None:
    """Writes static files that any web server can serve.

    Args:
        directory: str or path of a new directory.
        exported: str or path of what `keras-led export --format onnx` wrote.
        packages: `pathlib.Path` from `browser_packages`.
        name: str, the model's name for the reader.
        overwrite: bool, replace what is in `directory`.

    Raises:
        FileExistsError: If `directory` is not empty and `overwrite` is
            `False`.
        FileNotFoundError: If `exported` is not such a folder.
        ValueError: If the page cannot run this model.
    """
    found = read_folder(exported, (ENCODER, DECODER), "onnx")
    settings = page_settings(found, name)
    with replaced_directory(directory, overwrite) as staging:
        shutil.copytree(PAGE, staging, dirs_exist_ok=True)
        for file in browser.FILES:
            shutil.copy(file, staging)
        runtime = staging / "runtime"
        runtime.mkdir()
        for file in FILES:
            shutil.copy(packages / Path(file).name, runtime)
        model = staging / "model"
        model.mkdir()
        for file in (ENCODER, DECODER):
            shutil.copy(found.path / file, model)
        assert found.tokenizer is not None  # noqa: S101
        found.tokenizer.save_pretrained(model, legacy_format=False)
        for file in model.iterdir():
            if file.name not in (ENCODER, DECODER, TOKENIZER_NAME, CONFIG_NAME):
                file.unlink()
        write_json(model / SETTINGS, settings)
