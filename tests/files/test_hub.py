import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub import errors

from keras_led.files import hub


def fail_with(monkeypatch, error):
    def download(*args, **options):
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)


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
    ],
)
def test_damaged_json_names_the_file(tmp_path, content, message):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ValueError, match=f"config.json.*{message}"):
        hub.read_json(tmp_path / "config.json")
