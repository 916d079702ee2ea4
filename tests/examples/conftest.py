"""The examples, loaded as `python examples/NAME.py` would find them."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session")
def load_example():
    """Function of a name that returns what the script defines."""

    def load(name):
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(EXAMPLES)
            return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name=name)

    return load
