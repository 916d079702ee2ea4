"""The programs that the page stands on, fetched once from npm."""

import shutil
import subprocess
from pathlib import Path

from keras_led.files.atomic import replaced_directory
from keras_led.files.user_cache import cache_folder

_NPM = Path(__file__).parent / "npm"
# Files of `node_modules` that the page loads, and the license that one of them
# does not name itself.
FILES = (
    "onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
    "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
    "@huggingface/tokenizers/dist/tokenizers.min.mjs",
    "@huggingface/tokenizers/LICENSE",
)
_FETCH = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")


def browser_packages() -> Path:
    """Folder with the programs, in a cache of the user.

    `XDG_CACHE_HOME` says where caches are. `package-lock.json` fixes the
    versions and the checksums, which npm compares.

    Raises:
        FileNotFoundError: If they have to be fetched and npm is missing.
        RuntimeError: If npm cannot fetch them.
    """
    lock = (_NPM / "package-lock.json").read_bytes()
    folder = cache_folder() / "demo"
    kept = folder / "package-lock.json"
    whole = all((folder / Path(file).name).is_file() for file in FILES)
    if whole and kept.is_file() and kept.read_bytes() == lock:
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(
            "The page stands on onnxruntime-web and @huggingface/tokenizers, "
            "which npm fetches once; npm was not found. Install Node.js, or "
            "run `keras-led demo --write FOLDER` where it is, and copy FOLDER."
        )
    with replaced_directory(folder) as staging:
        for file in _NPM.iterdir():
            shutil.copy(file, staging)
        done = subprocess.run(
            [npm, *_FETCH], cwd=staging, capture_output=True, text=True
        )
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise RuntimeError(
                "npm could not fetch onnxruntime-web and "
                f"@huggingface/tokenizers: {(lines or ['no message'])[0]}"
            )
        modules = staging / "node_modules"
        for file in FILES:
            shutil.copy(modules / file, staging)
        shutil.rmtree(modules)
    return folder
