"""Reads the shell commands of the documentation as the programs would."""

import re
import shlex

import keras
import pytest
import typer

from keras_led.cli import app
from tests.docs.conftest import ROOT

PAGES = sorted(
    [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
        ROOT / "examples" / "README.md",
    ]
)
# What a shell shows: an indented block, or a fence without a language of its
# own. Continued lines are joined.
BLOCK = re.compile(r"(?:(?<=\n\n)|\A)((?: {4}.*\n|\n(?= {4}))+)")
FENCE = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.DOTALL | re.M)
OTHER_FENCE = re.compile(r"^```\w*\n.*?^```", re.DOTALL | re.M)
ASSIGNMENT = re.compile(r"[A-Z_]+=.*")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
COMMANDS = typer.main.get_command(app).commands

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="the same on every backend"
)


def commands_of(text):
    """Yields the commands of a page's shell blocks as lists of words."""
    blocks = FENCE.findall(text)
    blocks += BLOCK.findall(OTHER_FENCE.sub("", text))
    for block in blocks:
        for line in re.sub(r"\\\n", " ", block).splitlines():
            yield from commands_of_line(line.strip())


def commands_of_line(line):
    if not re.match(r"[\w./-]+( |$)|[A-Z_]+=", line):
        return
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # not a shell's: a quotation mark without its pair
        return
    command = []
    for word in [*words, "|"]:
        if word in ("|", "&&"):
            if command:
                yield command
            command = []
        elif command or not ASSIGNMENT.fullmatch(word):
            command.append(word)


def fault(words):
    """What is wrong with a command; `None` if nothing, or not known."""
    program, *arguments = words
    name = program.rpartition("/")[2]
    if name == "keras-led":
        return keras_led_fault(arguments)
    if name == "bash" and arguments:
        return missing(arguments[0])
    if name.startswith("python") and arguments[:1] == ["-m"]:
        module = arguments[1]
        if module.startswith("conversion."):
            found = missing(module.replace(".", "/") + ".py")
            return found or keras_led_fault(["convert", *arguments[2:]])
    elif name.startswith("python") and arguments[:1] != ["-c"]:
        return missing(arguments[0]) or script_fault(arguments)
    return None


def missing(path):
    return None if (ROOT / path).is_file() else f"no file {path}"


def keras_led_fault(arguments):
    given = [word for word in arguments if word not in ("--help", "--version")]
    if not given:
        return None
    name, *rest = given
    if name not in COMMANDS:
        return f"no command {name}"
    if len(given) < len(arguments):  # with --help nothing else is needed
        return None
    try:
        COMMANDS[name].make_context(name, rest)
    except Exception as error:
        return f"{name}: {error}"
    return None


def script_fault(arguments):
    """A script's flags must stand in it, or in what the examples share."""
    script, *rest = arguments
    code = (ROOT / script).read_text("utf-8")
    code += (ROOT / "examples" / "small_model.py").read_text("utf-8")
    flags = [word.partition("=")[0] for word in rest if word.startswith("--")]
    unknown = [flag for flag in flags if f'"{flag}"' not in code]
    return f"{script} has no {unknown}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_the_commands_of_the_page_can_be_read(page):
    commands = list(commands_of(page.read_text("utf-8")))
    faults = {shlex.join(words): fault(words) for words in commands}
    assert {line: found for line, found in faults.items() if found} == {}


def test_the_commands_are_found():
    found = [
        words[1]
        for page in PAGES
        for words in commands_of(page.read_text("utf-8"))
        if words[0] == "keras-led"
    ]
    assert {
        *"bench convert demo evaluate export info summarize train".split()
    } == {*found}
    # One by one, so that a block which is no longer read shows.
    text = (ROOT / "docs" / "fine_tune.md").read_text("utf-8")
    assert len(list(commands_of(text))) == text.count("\n    keras-led ")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_flag_named_in_the_text_exists(page):
    known = {
        option
        for command in COMMANDS.values()
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help", "--version"}
    for folder in ("examples", "benchmarks"):
        for path in (ROOT / folder).glob("*.py"):
            known |= set(re.findall(r'"(--[a-z-]+)"', path.read_text("utf-8")))
    named = {
        flag
        for code in re.findall(r"`(keras-led [^`]+|--[^`]+)`", page.read_text())
        for flag in FLAG.findall(code)
    }
    assert named - known == set()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("keras-led train a.jsonl -o b --epoch 3", "--epoch"),
        (
            "cat a | keras-led summarize - --num-beams 0 -m b",
            "greater than or equal to 1",
        ),
        ("keras-led sumarize a.txt", "no command sumarize"),
        ("keras-led convert a", "Missing parameter: target"),
        ("X=1 python -m conversion.bart a b --dtyp c", "--dtyp"),
        ("python -m conversion.bert a b", "no file conversion/bert.py"),
        ("python examples/answer_questions.py --row 3", "--row"),
        ("bash examples/second_run.sh", "no file examples/second_run.sh"),
    ],
)
def test_a_wrong_command_is_found(line, message):
    faults = [fault(words) for words in commands_of(f"\n\n    {line}\n")]
    assert message in next(text for text in faults if text)


def test_continued_lines_are_one_command():
    text = "So:\n\n    keras-led info \\\n        runs/a --json\n\nand so on.\n"
    assert list(commands_of(text)) == [
        ["keras-led", "info", "runs/a", "--json"]
    ]
