import json

import pytest

from keras_led.files import embedded
from keras_led.files import resolve


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of embedded checkpoints with one of them in it."""
    folder = tmp_path / "pretrained"
    (folder / "small").mkdir(parents=True)
    (folder / "small" / "config.json").write_text('{"from": "package"}')
    (folder / "no-checkpoint").mkdir()
    monkeypatch.setattr(embedded, "FOLDER", folder)
    monkeypatch.chdir(tmp_path)
    return folder


def test_names_are_those_of_folders_with_a_config(shelf):
    assert embedded.embedded_names() == ["small"]


def test_a_name_leads_to_the_folder_in_the_package(shelf):
    assert embedded.find_embedded("small") == shelf / "small"
    assert resolve("small", "config.json") == shelf / "small" / "config.json"


@pytest.mark.parametrize("name", ["no-checkpoint", "smaller", "..", "", "."])
def test_other_names_lead_nowhere(shelf, name):
    assert embedded.find_embedded(name) is None


def test_a_folder_of_the_user_goes_before_the_package(shelf, tmp_path):
    own = tmp_path / "small"
    own.mkdir()
    (own / "config.json").write_text('{"from": "user"}')
    content = json.loads(resolve("small", "config.json").read_text())
    assert content == {"from": "user"}


def test_a_file_that_the_checkpoint_lacks_is_an_error(shelf):
    with pytest.raises(FileNotFoundError, match=r"vocab\.json.*small"):
        resolve("small", "vocab.json")


def test_the_default_is_in_the_package():
    assert embedded.DEFAULT_CHECKPOINT in embedded.embedded_names()
