"""What `--help` shows, at the width of a usual terminal."""

import re

import pytest
import typer.main
from typer.testing import CliRunner

from keras_led.cli import app

COMMANDS = typer.main.get_command(app).commands


def help_of(command, columns=80):
    environment = {"COLUMNS": str(columns), "TERMINAL_WIDTH": str(columns)}
    done = CliRunner().invoke(app, [command, "--help"], env=environment)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_option_is_shown_whole(command, columns):
    text = help_of(command, columns)
    words = set(re.findall(r"--?[a-z][a-z-]*", text))
    for parameter in COMMANDS[command].params:
        if parameter.param_type_name == "option":
            assert {*parameter.opts, *parameter.secondary_opts} <= words
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_lines_fit_the_terminal(command):
    assert max(map(len, help_of(command).splitlines())) <= 80


def test_brackets_are_text():
    assert 'pip install "keras-led[rouge]"' in help_of("evaluate")


def test_options_are_in_groups():
    titles = re.findall(r"^(\w.*):$", help_of("train"), re.MULTILINE)
    assert titles == [
        "Arguments",
        "Options",
        "Model to start from",
        "Data",
        "Optimization",
        "What trains",
        "The run",
    ]
