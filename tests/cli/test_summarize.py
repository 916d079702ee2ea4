"""`keras-led summarize` with a stand-in for the model: what goes where."""

import json
import warnings

import pytest
from typer.testing import CliRunner

import keras_led
from keras_led.backend import name as running_backend
from keras_led.cli import app
from keras_led.generation.options.generation_config import GenerationConfig
from keras_led.generation.summaries import CutDocumentWarning


class Tokenizer:
    """Stands in for LEDTokenizer; remembers where it was read from."""

    def __init__(self, source):
        self.source = source

    @classmethod
    def from_pretrained(cls, source):
        return cls(source)


class Model:
    """Gives the first word of a document and the options it was called with."""

    generation_config = GenerationConfig(top_k=5)

    @classmethod
    def from_pretrained(cls, source):
        if source == "nowhere":
            raise OSError("No model in `nowhere`.\nReceived: nowhere.")
        return cls()

    def summarize(self, texts, tokenizer, batch_size, progress, **options):
        if batch_size > 1:
            options["batch_size"] = batch_size
        if options["max_input_length"] is None:
            del options["max_input_length"]
        if "overlong" in texts[0]:
            warnings.warn("The end was cut off.", stacklevel=2)
        for index, text in enumerate(texts):
            if "lengthy" in text:
                cut = CutDocumentWarning(index, "was cut.")
                warnings.warn(cut, stacklevel=2)
        return [f"{t.split()[0]}\n{tokenizer.source} {options}" for t in texts]


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr("keras_led.tokenizer.LEDTokenizer", Tokenizer)
    monkeypatch.setattr(
        "keras_led.models.conditional_generation.LEDForConditionalGeneration",
        Model,
    )
    return lambda *arguments, **keywords: CliRunner().invoke(
        app, ["summarize", *map(str, arguments)], **keywords
    )


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "document.txt"
    path.write_text("first second\n", encoding="utf-8")
    return path


def test_each_file_gives_one_line_in_order(run, document, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("tercio cuarto", encoding="utf-8")
    result = run(other, document, "--model", "m")
    assert result.exit_code == 0
    assert result.stdout == "tercio m {}\nfirst m {}\n"
    assert f"Loading m on {running_backend}" in result.stderr


def test_options_reach_the_model_only_when_given(run, document):
    result = run(document, "-m", "m", "--max-new-tokens", 5, "--num-beams", 2)
    expected = "first m {'max_new_tokens': 5, 'num_beams': 2}\n"
    assert result.stdout == expected


def test_dash_reads_standard_input(run):
    assert run("-", "-m", "m", input="piped in").stdout == "piped m {}\n"


def test_json_lines_in_a_pipe_are_not_taken_for_prose(run):
    result = run("-", "-m", "m", input='{"document": "d"}\n{"document": "e"}')
    assert result.exit_code == 1
    assert "begins with a JSON object. Add --jsonl." in result.stderr
    assert run("-", "-m", "m", input='{"a brace"\n').stdout == '{"a m {}\n'


def test_missing_file_is_one_line_and_exit_code_one(run, tmp_path):
    result = run(tmp_path / "absent.txt", "-m", "m")
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert "keras-led: FileNotFoundError: " in line
    assert "absent.txt" in line


@pytest.mark.parametrize(
    ("content", "rule"),
    [(b" \n", "must hold some text"), (b"ab\xff", "whose byte 2 is not")],
)
def test_unusable_file_is_refused_before_loading(run, tmp_path, content, rule):
    path = tmp_path / "document.txt"
    path.write_bytes(content)
    result = run(path, "-m", "m")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert rule in line
    assert f"FILE='{path}'" in line


def test_error_of_the_model_is_one_line(run, document):
    result = run(document, "-m", "nowhere")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "keras-led: OSError: No model in `nowhere`. Received: nowhere."
    )
    assert "Traceback" not in result.stderr


def test_warning_is_one_line_and_no_error(run):
    result = run("-", "-m", "m", input="overlong text")
    assert result.exit_code == 0
    assert result.stdout == "overlong m {}\n"
    last = result.stderr.splitlines()[-1]
    assert last == "keras-led: warning: The end was cut off."


def test_debug_shows_the_traceback(run, document):
    result = run(document, "-m", "nowhere", "--debug")
    assert result.exit_code == 1
    assert "Traceback (most recent call last)" in result.stderr


def test_backend_that_does_not_run_is_refused(run, document):
    other = "jax" if running_backend != "jax" else "torch"
    result = run(document, "-m", "m", "--backend", other)
    assert result.exit_code == 1
    assert f"Received: --backend={other}, while {running_backend} runs." in (
        result.stderr
    )


def test_version_is_that_of_the_package():
    result = CliRunner().invoke(app, ["--version"])
    assert result.stdout == f"keras-led {keras_led.__version__}\n"


def test_the_model_is_the_one_in_the_package_unless_named(run, document):
    result = run(document)
    assert result.exit_code == 0, result.stderr
    assert "Loading led-tiny" in result.stderr


def test_patterns_stand_for_their_files_in_order(run, tmp_path):
    for name in ("b.txt", "a.txt", "deep/c.txt", "other.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"text-of-{name}", encoding="utf-8")
    result = run(tmp_path / "**" / "*.txt", "-m", "m")
    words = [line.split()[0] for line in result.stdout.splitlines()]
    assert words == ["text-of-a.txt", "text-of-b.txt", "text-of-deep/c.txt"]


def test_a_file_may_be_named_like_a_pattern(run, tmp_path):
    path = tmp_path / "page[1].txt"
    path.write_text("bracketed", encoding="utf-8")
    assert run(path, "-m", "m").stdout == "bracketed m {}\n"


def test_a_pattern_without_a_file_is_refused(run, tmp_path):
    result = run(tmp_path / "*.txt", "-m", "m")
    assert result.exit_code == 1
    assert "a pattern that matches none" in result.stderr


def write_lines(path, *records):
    # U+2028 inside a text is no end of line.
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    return path


def test_json_lines_in_and_out(run, tmp_path, document):
    path = write_lines(
        tmp_path / "pages.jsonl",
        {"id": "one", "document": "uno\u2028dos", "summary": "reference"},
        {"document": "zwei"},
    )
    result = run(path, document, "-m", "m", "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"file": str(path), "line": 1, "id": "one", "summary": "uno m {}"},
        {"file": str(path), "line": 2, "summary": "zwei m {}"},
        {"file": str(document), "summary": "first m {}"},
    ]


def test_json_lines_from_standard_input_under_another_key(run):
    result = run(
        "-", "-m", "m", "--jsonl", "--field", "text", input='{"text": "hey"}'
    )
    assert result.stdout == "hey m {}\n"


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ('{"document": ', "JSON ends at column"),
        ("[1]", "a list"),
        ('{"text": "x"}', "with the keys ['text']"),
        ('{"document": 3}', "a string under `document`"),
        ('{"document": " "}', "must hold some text"),
    ],
)
def test_bad_json_names_file_and_line(run, tmp_path, line, rule):
    path = tmp_path / "pages.jsonl"
    path.write_text('{"document": "good"}\n' + line, encoding="utf-8")
    result = run(path, "-m", "m")
    assert result.exit_code == 1
    (message,) = result.stderr.splitlines()
    assert rule in message
    assert f"{path}:2" in message


def test_json_lines_without_an_object_are_refused(run, tmp_path):
    path = tmp_path / "pages.jsonl"
    path.write_text("\n\n", encoding="utf-8")
    assert "at least one JSON object" in run(path, "-m", "m").stderr


def test_a_batch_gets_many_documents_at_once(run, tmp_path):
    path = write_lines(
        tmp_path / "pages.jsonl", *({"document": f"d{i}"} for i in range(70))
    )
    result = run(path, "-m", "m", "--batch-size", 2)
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [f"d{i}" for i in range(70)]
    assert lines[0] == "d0 m {'batch_size': 2}"
    assert f"{path}:1 to {path}:64, 64 documents" in result.stderr
    assert f"{path}:65 to {path}:70, 6 documents" in result.stderr


def test_csv_is_read_by_rows(run, tmp_path):
    path = tmp_path / "pages.csv"
    path.write_bytes(b'id,document\r\n7,"erste\nZeile"\r\n8,zweite\r\n')
    result = run(path, "-m", "m", "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"file": str(path), "line": 2, "id": "7", "summary": "erste m {}"},
        {"file": str(path), "line": 4, "id": "8", "summary": "zweite m {}"},
    ]
    assert "with the keys ['document', 'id']" in (
        run(path, "-m", "m", "--field", "text").stderr
    )


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.json", '[{"document": "d"}]', "Name it .jsonl if"),
        ("a.pdf", "%PDF-1.4 all letters", "a PDF. Convert it: pdftotext "),
        ("a.rtf", "{\\rtf1 letters}", "rich text. Convert it: pandoc -f rtf"),
        ("a.docx", "PK\x03\x04\0\0", ".odt or another archive. Convert it: "),
        ("a.csv", '"document\nd', "broken CSV"),
    ],
)
def test_files_that_are_no_prose_are_refused(run, tmp_path, name, content, why):
    path = tmp_path / name
    path.write_text(content)
    result = run(path, "-m", "m")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert why in line
    assert str(path) in line


def test_documents_are_cut_where_asked_for(run, tmp_path):
    path = tmp_path / "page.txt"
    path.write_text("uno")
    result = run(path, "-m", "m", "--max-source-tokens", 512)
    assert result.stdout == "uno m {'max_input_length': 512}\n"


def test_json_lines_of_any_ending_are_read_when_asked_for(run, tmp_path):
    path = write_lines(tmp_path / "pages.json", {"document": "uno"})
    assert run(path, "-m", "m", "--jsonl").stdout == "uno m {}\n"


@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        (["--temperature", 0.3], "--do-sample"),
        (["--top-p", 0.9, "--num-beams", 2], "--do-sample"),
        (["--top-k", 3, "--no-do-sample"], "--do-sample"),
        (["--length-penalty", 2], "--num-beams above 1"),
        (["--early-stopping"], "--num-beams above 1"),
    ],
)
def test_flags_that_would_be_ignored_are_refused(run, document, flags, missing):
    result = run(document, "-m", "m", *flags)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"`{flags[0]}` changes nothing without {missing}." in result.stderr


@pytest.mark.parametrize(
    "flags",
    [
        ["--temperature", 0.3, "--do-sample"],
        ["--temperature", 1.0, "--length-penalty", 1.0],
        ["--early-stopping", "--num-beams", 2],
    ],
)
def test_flags_that_count_are_taken(run, document, flags):
    assert run(document, "-m", "m", *flags).exit_code == 0


def test_the_checkpoint_may_sample_by_itself(run, document, monkeypatch):
    sampling = GenerationConfig(do_sample=True)
    monkeypatch.setattr(Model, "generation_config", sampling)
    assert run(document, "-m", "m", "--temperature", 0.3).exit_code == 0


@pytest.mark.parametrize("batch_size", [1, 2])
def test_a_cut_document_is_named(run, tmp_path, batch_size):
    paths = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    for path, text in zip(paths, ("lengthy", "brief", "lengthy"), strict=True):
        path.write_text(text)
    result = run(*paths, "-m", "m", "--batch-size", batch_size)
    found = [x for x in result.stderr.splitlines() if "warning" in x]
    assert found == [
        f"keras-led: warning: {path} was cut." for path in (paths[0], paths[2])
    ]
