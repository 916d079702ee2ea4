"""The three backends against the one page that says what they must offer."""

import ast
import inspect
from pathlib import Path

import pytest

from keras_led import backend
from keras_led.backend import interface

FOLDER = Path(inspect.getfile(backend)).parent
BACKENDS = ("tensorflow", "jax", "torch")
# How Keras runs a model on placeholders: the same on every backend.
SYMBOLIC = {"NEEDS_SIZES", "STAND_INS", "in_symbolic_scope", "is_stand_in"}
CASES = [(name, file) for name in BACKENDS for file in interface.FILES]


def definitions(path):
    """Names at the top of a file: functions with their arguments, or None."""
    found = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = [
                argument.arg
                for argument in (*node.args.args, node.args.vararg)
                if argument is not None
            ]
        elif isinstance(node, ast.ClassDef):
            found[node.name] = None
        elif isinstance(node, ast.ImportFrom):
            found.update({alias.name: None for alias in node.names})
        elif isinstance(node, ast.Assign):
            found.update({ast.unparse(x): None for x in node.targets})
        elif isinstance(node, ast.AnnAssign):
            found[ast.unparse(node.target)] = None
    return found


@pytest.mark.parametrize(("name", "file"), CASES)
def test_a_backend_defines_the_names_of_the_interface(name, file):
    every = definitions(FOLDER / "interface" / f"{file}.py")
    wanted = {key: every[key] for key in interface.names(file)}
    found = definitions(FOLDER / name / f"{file}.py")
    assert set(wanted) - set(found) == set()
    arguments = {
        key: (found[key], names)
        for key, names in wanted.items()
        if found[key] is not None and names is not None
    }
    assert {
        k: pair for k, pair in arguments.items() if pair[0] != pair[1]
    } == {}


def test_what_is_used_of_a_backend_is_in_the_interface():
    wanted = {
        name for file in interface.FILES for name in interface.names(file)
    }
    given = {name for name in vars(backend) if not name.startswith("_")}
    modules = {name for name in given if inspect.ismodule(vars(backend)[name])}
    assert given - modules - wanted - SYMBOLIC == {"name", "TYPE_CHECKING"}
    assert wanted <= given


def test_the_names_of_a_file_are_what_it_defines_itself():
    assert interface.names("norm") == ["layer_norm"]
    assert "KEYS_FIRST" in interface.names("runtime")
    assert "BlockLayout" not in interface.names("runtime")
