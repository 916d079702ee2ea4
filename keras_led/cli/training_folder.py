"""The folder of a run of `keras-led train`: what it may hold, and when."""

import json
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led.backend import name as backend_name
from keras_led.cli.shared_options import note
from keras_led.cli.training_callbacks import ADAPTERS_FOLDER
from keras_led.config import CONFIG_NAME
from keras_led.files import one_at_a_time
from keras_led.files import read_json
from keras_led.files import staged_directory
from keras_led.files import write_json
from keras_led.files.upload import RUN_FOLDER
from keras_led.training.backup import STATE_NAME

if TYPE_CHECKING:
    from keras_led.cli.training_options import TrainOptions
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer

SETTINGS_NAME = "settings.json"
_TOKENIZER_FOLDER = "tokenizer"
# Options that change nothing in the result.
INCIDENTAL = (
    "as_json",
    "backend",
    "cache_dir",
    "debug",
    "force",
    "log_dir",
    "log_every",
    "output",
    "resume",
    "save_every",
    "stop_after",
)


class RunFolder:
    """What a run keeps in `--output` beside the checkpoint.

    Args:
        options: `TrainOptions`.

    Attributes:
        path: `pathlib.Path` of the folder of the backups.
        settings: dict of the options that decide on the result.
    """

    output: Path
    path: Path
    settings: dict[str, Any]

    def __init__(self, options: "TrainOptions"):
        self.options = options
        self.output = Path(options.output)
        self.path = self.output / RUN_FOLDER
        self.settings = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in vars(options).items()
            if name not in INCIDENTAL
        }

    def check(self) -> str:
        """Finds out whether the run is new, begun or finished.

        Returns:
            str: "new", "begun" or "finished".

        Raises:
            ValueError: If the folder holds what may not be overwritten, or a
                run with other options.
        """
        before = self._former()
        if before is None or self.options.force:
            taken = (self.output / CONFIG_NAME).exists()
            if taken and not self.options.force:
                raise ValueError(
                    "`--output` must not hold a model yet. "
                    f"Received: --output {self.output}. Choose another "
                    "folder, or overwrite it with --force."
                )
            if self.options.resume and before is None:
                note(f"Nothing to resume in {self.output}: a new run.")
            return "new"
        if not self.options.resume:
            raise ValueError(
                "`--output` must not hold a run yet. Received: --output "
                f"{self.output}. Go on with --resume, or start anew with "
                "--force."
            )
        wanted = json.loads(json.dumps(self.settings))
        for name, value in before["settings"].items():
            if wanted.get(name) != value:
                raise ValueError(
                    f"`{name}` must be that of the run which is resumed, "
                    f"{value!r}. Received: {name}={wanted.get(name)!r}."
                )
        if before["backend"] != backend_name:
            note(f"warning: begun on {before['backend']}, not {backend_name}.")
        return "finished" if before["finished"] else "begun"

    @contextmanager
    def begun(self, started: str, tokenizer: "LEDTokenizer") -> Iterator[None]:
        """Keeps the folder of a run that can be resumed, and no other.

        A new run begins with its tokenizer and its settings; they go again
        when it fails before its first backup or checkpoint.

        Args:
            started: str, what `check` returned.
            tokenizer: `LEDTokenizer`.
        """
        if started == "begun":
            yield
            return
        self._remove_former_adapters()
        before = self._paths()
        # The checkpoint of a former run stays whole until the first of this.
        with staged_directory(
            self.path, lambda name, new: name == STATE_NAME
        ) as staging:
            tokenizer.save_pretrained(staging / _TOKENIZER_FOLDER)
            write_json(staging / SETTINGS_NAME, self._content(finished=False))
        own = self._paths() - before
        try:
            yield
        except BaseException:
            kept = (self.path / STATE_NAME, self.output / CONFIG_NAME)
            if not any(path.exists() for path in kept):
                _remove(own)
            raise

    def tokenizer_path(self) -> Path:
        """`pathlib.Path` of the tokenizer of a run that has begun."""
        path = self.path / _TOKENIZER_FOLDER
        # Runs that older code began kept it with the checkpoint.
        return path if path.is_dir() else self.output

    def finish(self) -> None:
        """Notes that there is nothing left to resume."""
        write_json(self.path / SETTINGS_NAME, self._content(finished=True))
        (self.path / STATE_NAME).unlink(missing_ok=True)
        shutil.rmtree(self.path / _TOKENIZER_FOLDER, ignore_errors=True)

    def claimed(self) -> AbstractContextManager[Any]:
        """Keeps other processes from training in the folder meanwhile."""
        return one_at_a_time(self.output, self._refuse)

    def _refuse(self):
        raise ValueError(
            "`--output` must not be in use by another run. Received: --output "
            f"{self.output}, in which another process is training. Wait for "
            "it, or choose another folder."
        )

    def _paths(self):
        """The output folder, if it is there, and all that lies in it."""
        found = {self.output, *self.output.rglob("*")}
        return {path for path in found if path.exists()}

    def _content(self, finished):
        return {
            "settings": self.settings,
            "backend": backend_name,
            "finished": finished,
        }

    def _remove_former_adapters(self):
        """Removes what a new run in its folder could be taken to belong to."""
        before = self._former()
        if before is not None and before["settings"].get("lora_rank"):
            shutil.rmtree(self.output / ADAPTERS_FOLDER, ignore_errors=True)

    def _former(self):
        """Settings that an earlier run wrote, or `None`."""
        path = self.path / SETTINGS_NAME
        return read_json(path) if path.exists() else None


def _remove(paths):
    """Removes files, and the folders that are empty then."""
    for path in sorted(paths, reverse=True):
        if not path.is_dir():
            path.unlink(missing_ok=True)
        elif not any(path.iterdir()):
            path.rmdir()
