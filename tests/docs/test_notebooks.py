"""Runs the code of examples/notebooks, on few pages and without a kernel."""

import json

import keras
import pytest

from tests.docs.conftest import ROOT

NOTEBOOKS = ROOT / "examples" / "notebooks"
# What the first cell sets, changed to what takes seconds.
SMALLER = {
    "evaluate": {
        "count": 2,
        "max_source_tokens": 48,
        "options": {"max_new_tokens": 6},
    },
    "fine_tune": {
        "rows": 3,
        "epochs": 2,
        "batch_size": 2,
        "max_source_tokens": 48,
        "max_target_tokens": 12,
    },
}
WRITES = {
    "evaluate": "sources.html",
    "fine_tune": "runs/notebook/model.safetensors",
}

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="what they call is tested on every backend where it lives",
)


def read_notebook(name):
    return json.loads((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8"))


def code_cells(name):
    """Pairs of the tags and the code of each cell."""
    return [
        (cell["metadata"].get("tags", []), "".join(cell["source"]))
        for cell in read_notebook(name)["cells"]
        if cell["cell_type"] == "code"
    ]


def test_every_notebook_is_run():
    assert sorted(SMALLER) == sorted(
        path.stem for path in NOTEBOOKS.glob("*.ipynb")
    )


@pytest.mark.filterwarnings("ignore:.*were cut off:UserWarning")
@pytest.mark.parametrize("name", SMALLER)
def test_the_notebook_runs(name, workplace, tmp_path, monkeypatch):
    pytest.importorskip("rouge_score")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    monkeypatch.chdir(tmp_path)
    changes = {
        "source": workplace / "led-tiny",
        "data": ROOT / "examples" / "data",
        **SMALLER[name],
    }
    (first, parameters), *cells = code_cells(name)
    assert first == ["parameters"]
    names = {"__name__": "notebook"}
    exec(parameters, names)
    assert set(changes) - set(names) == set()
    names.update(changes)
    for number, (_, code) in enumerate(cells):
        exec(compile(code, f"{name}.ipynb, cell {number + 1}", "exec"), names)
    pyplot.close("all")
    assert (tmp_path / WRITES[name]).is_file()


@pytest.mark.parametrize("name", SMALLER)
def test_the_notebook_is_kept_with_what_it_printed(name):
    cells = read_notebook(name)["cells"]
    ids = [cell["id"] for cell in cells]
    assert len(set(ids)) == len(ids)
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    counts = [cell["execution_count"] for cell in cells]
    assert counts == list(range(1, len(cells) + 1))
    for cell in cells:
        code, outputs = "".join(cell["source"]), cell["outputs"]
        kinds = {output["output_type"] for output in outputs}
        assert "error" not in kinds
        assert ("print(" in code) <= ("stream" in kinds)
        assert ("ax." in code) <= ("display_data" in kinds)
    text = json.dumps(cells)
    assert "/home/" not in text
    assert len(text) < 400_000
