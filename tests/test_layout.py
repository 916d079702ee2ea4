"""The rules of CONTRIBUTING.md that a program can check, read with `ast`."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "keras_led"

# From the bottom up: a room may import itself and the rooms before it.
ROOMS = (
    "typing",
    "argument_checks",
    "files",
    "config",
    "backend",
    "outputs",
    "tokenizer",
    "attention",
    "layers",
    "checkpoints",
    "data",
    "losses",
    "generation",
    "formats",
    "models",
    "training",
    "visualize",
    "hub",
    "tf",
    "serving",
    "demo",
    "cli",
)
# Imported from everywhere, or, as the start of the command, from nowhere.
BESIDE_THE_ROOMS = (
    "__main__",
    "_keras_names",
    "_lazy_names",
    "_missing_backend",
    "_version",
)
BACKEND_ROOMS = ("backend", "formats", "tf", "serving")
BACKEND_LIBRARIES = ("tensorflow", "jax", "torch", "transformers")
MAX_LINES = 400


def room_of(module):
    """'keras_led.files.hub' -> 'files'; 'keras_led' -> ''.

    A file beside a room belongs to it by its name: `config_checks` -> config.
    """
    name = (module.split(".") + [""])[1]
    room = name.split("_")[0]
    return room if room in ROOMS else name


def module_name(path, root):
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(tree):
    """Yields (line, module, at module level?) for every import of a file."""
    inside = {
        id(node)
        for scope in ast.walk(tree)
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(scope)
    }
    for node in ast.walk(tree):
        top = id(node) not in inside
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, top
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "." * node.level + (node.module or ""), top
            elif node.module == "keras_led":
                # `from keras_led import files` names a room, not a class.
                for alias in node.names:
                    yield node.lineno, f"keras_led.{alias.name}", top
            else:
                yield node.lineno, node.module, top


def import_faults(path, tree, root):
    """Says what is wrong with the imports of one file of `keras_led`."""
    module = module_name(path, root)
    room = room_of(module)
    for line, target, top in imported_modules(tree):
        where = f"{module}:{line} imports {target}"
        library = target.split(".")[0]
        if target.startswith("."):
            yield f"{where}: write the full name"
        elif library in BACKEND_LIBRARIES:
            if top and room not in BACKEND_ROOMS:
                yield f"{where} at module level outside {BACKEND_ROOMS}"
        elif library in ("conversion", "examples", "tests", "benchmarks"):
            yield f"{where}: the package never imports what stands on it"
        elif library == "keras_led" and room not in ("", "__main__"):
            yield from direction_faults(where, room, room_of(target))


def direction_faults(where, room, target):
    # These load no room: `typing` names the models for all of them.
    if target in BESIDE_THE_ROOMS or room == "typing":
        return
    if target not in ROOMS:
        yield f"{where}: not a room; import the module that defines the name"
    elif room not in ROOMS:
        yield f"{where}: {room!r} is missing from ROOMS in this test"
    elif ROOMS.index(target) > ROOMS.index(room):
        yield f"{where}: {target!r} stands above {room!r}"


def backend_questions(path, tree, root):
    """Finds `keras.backend.backend()` and `keras.config.backend()`."""
    module = module_name(path, root)
    if room_of(module) == "backend":
        return
    for node in ast.walk(tree):
        name = ""
        if isinstance(node, ast.Attribute):
            name = ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            name = " ".join(names)
        if any(
            f"{owner}.backend" in name.split()
            for owner in ("keras.backend", "keras.config")
        ):
            yield f"{module}:{node.lineno} asks for the backend: {name}"


def python_files(*folders):
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "__pycache__" not in path.parts
    )


def faults_of(check, files, root):
    return [
        fault
        for path in files
        for fault in check(path, ast.parse(path.read_text("utf-8")), root)
    ]


def test_imports_point_downwards_only():
    assert faults_of(import_faults, python_files("keras_led"), ROOT) == []


def test_the_names_of_types_load_the_standard_library_alone():
    tree = ast.parse((PACKAGE / "typing.py").read_text("utf-8"))
    modules = {
        module.split(".")[0]
        for node in tree.body
        if not isinstance(node, ast.If)
        for _, module, _ in imported_modules(ast.Module([node], []))
    }
    assert modules <= sys.stdlib_module_names


def test_only_the_backend_folder_asks_for_the_backend():
    files = python_files("keras_led", "conversion")
    assert faults_of(backend_questions, files, ROOT) == []


def test_no_file_is_longer_than_the_limit():
    folders = ("keras_led", "conversion", "examples", "tests", "benchmarks")
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for path in python_files(*folders)
    }
    assert {k: n for k, n in lengths.items() if n > MAX_LINES} == {}


def test_files_of_one_name_are_one_thing():
    """For each backend, or as `TFLED...` beside the model it stands on."""
    homes = {}
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0]
        if room not in ("backend", "tf") and path.name != "__init__.py":
            homes.setdefault(path.name, []).append(str(path.parent))
    assert {k: found for k, found in homes.items() if len(found) > 1} == {}


def test_every_room_of_the_package_is_in_the_list():
    found = {
        room_of(f"keras_led.{path.stem}")
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert found - {*BESIDE_THE_ROOMS, "__init__"} <= set(ROOMS)


def rooms_of_the_map():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    return re.findall(r"^\| `keras_led/([\w/]+?)(?:/|\.py)` \|", text, re.M)


def test_the_map_of_the_house_is_the_house():
    folders = {
        str(path.parent.relative_to(PACKAGE))
        for path in PACKAGE.rglob("__init__.py")
    }
    files = {"argument_checks", "typing", "config", "outputs"}
    assert sorted(rooms_of_the_map()) == sorted(folders - {"."} | files)


def test_the_map_is_drawn_from_the_bottom_up():
    assert tuple(r for r in rooms_of_the_map() if "/" not in r) == ROOMS


def test_the_questions_of_a_newcomer_have_answers():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = text.partition("### Where do I find")[2].partition("## Style")[0]
    answers = re.findall(r"`(keras_led/[^`]+)`", section)
    assert len(answers) >= 12
    assert [name for name in answers if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("name", "source", "fault"),
    [
        ("files/a.py", "import keras_led.config", "'config' stands above"),
        ("config.py", "from keras_led import models", "'models' stands above"),
        ("models/a.py", "from keras_led import LEDConfig", "not a room"),
        ("models/a.py", "from . import other", "write the full name"),
        ("models/a.py", "import conversion.led", "never imports"),
        ("layers/a.py", "import torch.nn", "at module level"),
        ("layers/a.py", "try:\n    import jax\nfinally: pass", "module level"),
        ("cellar/a.py", "from keras_led.files import hub", "missing"),
    ],
)
def test_import_check_finds_the_fault(tmp_path, name, source, fault):
    path = tmp_path / "keras_led" / name
    (found,) = import_faults(path, ast.parse(source), tmp_path)
    assert fault in found


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("models/a.py", "from keras_led.layers.encoder import Encoder"),
        ("models/a.py", "from keras_led.models.base import Base"),
        ("layers/a.py", "def f():\n    import torch"),
        ("backend/torch.py", "import torch"),
        ("cli/a.py", "from keras_led._version import __version__"),
        ("config.py", "from keras_led import config_checks"),
    ],
)
def test_import_check_accepts_what_is_allowed(tmp_path, name, source):
    path = tmp_path / "keras_led" / name
    assert list(import_faults(path, ast.parse(source), tmp_path)) == []


@pytest.mark.parametrize(
    "source",
    [
        "import keras\nkeras.backend.backend()",
        "import keras\nask = keras.config.backend",
        "from keras.config import backend",
        "from keras.backend import epsilon, backend",
    ],
)
def test_backend_check_finds_the_question(tmp_path, source):
    tree = ast.parse(source)
    inside = tmp_path / "keras_led" / "backend" / "jax.py"
    outside = tmp_path / "keras_led" / "layers" / "a.py"
    assert list(backend_questions(inside, tree, tmp_path)) == []
    assert len(list(backend_questions(outside, tree, tmp_path))) == 1
