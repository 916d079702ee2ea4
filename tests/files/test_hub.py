import http.server
import json
import threading

import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub import errors

from keras_led.files import hub
from keras_led.files import hub_download


def fail_with(monkeypatch, error):
    def download(*args, **options):
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", download)
    monkeypatch.setattr(hub_download, "_PAUSE", 0)


def http_error(kind):
    error = kind.__new__(kind)
    OSError.__init__(error, "from the hub")
    return error


def test_first_existing_name_counts(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b").write_text("")
    (tmp_path / "sub" / "c").write_text("")
    found = hub.resolve(tmp_path, ["a", "b", "c"], subfolder="sub")
    assert found == tmp_path / "sub" / "b"


def test_missing_file_names_directory_and_candidates(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}.* a or b"):
        hub.resolve(tmp_path, ["a", "b"])
    assert hub.resolve(tmp_path, "a", required=False) is None


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "x/../../a", "c:\\a"])
def test_name_outside_the_directory_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="inside its directory"):
        hub.resolve(tmp_path / "model", name)


@pytest.mark.parametrize("name", ["./nowhere", "a/b/c", "/no/such/dir"])
def test_path_that_does_not_exist_is_no_hub_id(name):
    with pytest.raises(FileNotFoundError, match=f"name_or_path={name}, which"):
        hub.resolve(name, "a")


def test_file_is_not_a_directory(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(NotADirectoryError, match="name_or_path=.*/f"):
        hub.resolve(tmp_path / "f", "a")


def test_hub_options_are_passed_on(monkeypatch, tmp_path):
    calls = []

    def download(repo_id, filename, **options):
        calls.append((repo_id, filename, options))
        if filename == "a":
            raise errors.EntryNotFoundError("no a")
        return str(tmp_path / filename)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    options = dict(
        revision="v1",
        token="hf_x",
        cache_dir="cache",
        local_files_only=True,
        subfolder="sub",
    )
    path = hub.resolve("owner/name", ["a", "b"], **options)
    assert path == tmp_path / "b"
    assert calls == [
        ("owner/name", "a", options),
        ("owner/name", "b", options),
    ]


@pytest.mark.parametrize(
    ("kind", "raised", "message"),
    [
        (errors.GatedRepoError, PermissionError, "gated.*`token=`"),
        (errors.RevisionNotFoundError, FileNotFoundError, "revision=v9"),
        (
            errors.RepositoryNotFoundError,
            FileNotFoundError,
            "package carries: led-tiny.*which is none",
        ),
        (errors.HfHubHTTPError, ConnectionError, "cannot be reached.*local"),
        (errors.OfflineModeIsEnabled, ConnectionError, "local directory"),
        (errors.LocalEntryNotFoundError, ConnectionError, "local directory"),
    ],
)
def test_hub_errors_say_what_to_do(monkeypatch, kind, raised, message):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    fail_with(monkeypatch, http_error(kind))
    with pytest.raises(raised, match=message):
        hub.resolve("owner/name", "a", revision="v9")


class Refusing(http.server.BaseHTTPRequestHandler):
    """A hub that gives its next answer to every question."""

    def do_HEAD(self):
        answers = self.server.answers
        self.server.asked.append(self.path)
        self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        """Keeps the output of the tests clean."""


def use_endpoint(monkeypatch, address):
    """What HF_ENDPOINT does when `huggingface_hub` is imported."""
    path = constants.HUGGINGFACE_CO_URL_TEMPLATE.removeprefix(
        constants.ENDPOINT
    )
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + path
    )


@pytest.fixture
def refusing(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub_download, "_PAUSE", 0)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    server.asked = []
    use_endpoint(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("status", "raised", "message", "questions"),
    [
        (401, PermissionError, "answers 401 .* a of owner.*`token=`", 1),
        (403, PermissionError, "answers 403 .* a of owner/name.*`token=`", 1),
        (404, FileNotFoundError, "owner/name must .*hold a.* answer 404", 1),
        (429, ConnectionError, "answers 429 .*too many requests", 2),
        (503, ConnectionError, "answers 503 .*owner/name, which is no", 2),
    ],
)
def test_answer_of_a_hub_is_told_from_none(
    tmp_path, refusing, caplog, status, raised, message, questions
):
    refusing.answers = [status]
    with pytest.raises(raised, match=message) as error:
        hub.resolve("owner/name", "a", cache_dir=tmp_path)
    assert "reached" not in str(error.value)
    assert len(refusing.asked) == questions
    assert not caplog.records


def test_optional_file_is_not_left_out_because_a_hub_refuses(
    tmp_path, refusing
):
    refusing.answers = [403]
    with pytest.raises(PermissionError, match="answers 403"):
        hub.resolve("owner/name", "a", required=False, cache_dir=tmp_path)
    refusing.answers = [404]
    found = hub.resolve("owner/name", "a", required=False, cache_dir=tmp_path)
    assert found is None


def test_hub_that_is_down_is_asked_twice_in_silence(
    tmp_path, monkeypatch, caplog
):
    tries = []
    ask = huggingface_hub.get_hf_file_metadata

    def count(*args, **options):
        tries.append(args)
        return ask(*args, **options)

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    use_endpoint(monkeypatch, "http://127.0.0.1:1")
    monkeypatch.setattr(hub_download, "_PAUSE", 0)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", count)
    with pytest.raises(ConnectionError, match="cannot be reached .ConnectErr"):
        hub.resolve("owner/name", ["a", "b"], cache_dir=tmp_path)
    assert len(tries) == 4
    assert not caplog.records
    assert hub.resolve("o/n", "a", required=False, cache_dir=tmp_path) is None
    assert len(tries) == 5


def test_name_without_owner_is_asked_of_another_hub_only(
    tmp_path, monkeypatch, refusing
):
    refusing.answers = [404]
    with pytest.raises(FileNotFoundError, match="answer 404"):
        hub.resolve("led-tniy", "a", cache_dir=tmp_path)
    assert refusing.asked == ["/led-tniy/resolve/main/a"]
    use_endpoint(monkeypatch, "https://huggingface.co")
    fail_with(monkeypatch, AssertionError("the hub was asked"))
    with pytest.raises(FileNotFoundError, match="Did you mean 'led-tiny'"):
        hub.resolve("led-tniy", "a")


def test_offline_is_named_as_the_reason(monkeypatch):
    fail_with(monkeypatch, errors.LocalEntryNotFoundError("not cached"))
    with pytest.raises(ConnectionError, match="`local_files_only=True`"):
        hub.resolve("owner/name", "a", local_files_only=True)
    assert (
        hub.resolve("owner/name", "a", local_files_only=True, required=False)
        is None
    )


def test_offline_mode_is_named_as_the_reason(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    fail_with(monkeypatch, http_error(errors.OfflineModeIsEnabled))
    with pytest.raises(ConnectionError, match="HF_HUB_OFFLINE keeps it off"):
        hub.resolve("owner/name", "a")


def test_full_disk_is_not_taken_for_a_network_error(monkeypatch):
    fail_with(monkeypatch, OSError(28, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        hub.resolve("owner/name", "a")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "cannot be parsed"),
        (b"\xff\xfe", "cannot be parsed"),
        (b"[1]", "Received: list"),
        (b"[" * 100_000, "cannot be parsed"),
        (b'{"a": ' * 200 + b"1" + b"}" * 200, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "cannot be parsed.*4300"),
        (b'{"a": "\\ud83d"}', "cannot be parsed.*surrogates"),
        (b" " * (32 * 2**20 + 1), "larger than"),
        (b"", "cannot be parsed"),
    ],
)
def test_damaged_json_names_the_file(tmp_path, content, message):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ValueError, match=f"config.json.*{message}"):
        hub.read_json(tmp_path / "config.json")


def test_sound_json_is_read(tmp_path):
    content = {"a": [[{"b": "\U0001f600"}]], "ä": None}
    for ascii in (False, True):
        text = json.dumps(content, ensure_ascii=ascii)
        (tmp_path / "config.json").write_text(text, encoding="utf-8")
        assert hub.read_json(tmp_path / "config.json") == content
