import pytest

from keras_led.checkpoints.card import write_card
from tests.checkpoints.fakes import tiny_config


def test_card_of_a_saved_model(tmp_path):
    config = tiny_config(attention_window=[4, 8])
    config.architectures = ["LEDForQuestionAnswering"]
    write_card(tmp_path, config, name=tmp_path.name)
    text = (tmp_path / "README.md").read_text()
    assert "\npipeline_tag: question-answering\n" in text
    assert f"# {tmp_path.name}\n" in text
    assert "window of 4 to 8\ntokens" in text
    assert "from keras_led import LEDForQuestionAnswering" in text
    assert "Converted" not in text


def test_card_of_the_user_stays(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    config = tiny_config()
    config.architectures = ["LEDModel"]
    write_card(tmp_path, config, name=tmp_path.name)
    assert (tmp_path / "README.md").read_text() == "mine"


def card(directory, config, **options):
    write_card(directory, config, **options)
    return (directory / "README.md").read_text(encoding="utf-8")


def test_keys_of_a_config_are_no_fields_of_the_card(tmp_path):
    config = tiny_config()
    config.architectures = ["LEDModel"]
    plain = card(tmp_path / "plain", config, name="mine")
    names = ("name", "task", "use", "c", "span", "origin", "architecture")
    config.extras.update(dict.fromkeys(names, "theirs"))
    assert card(tmp_path / "keys", config, name="mine") == plain


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("led_base-16384", "led_base-16384"),
        ("{name} of {0}", "{name} of {0}"),
        ("a*b* <i>_c_", r"a\*b\* \<i\>\_c\_"),
        ("two\nlines", "two lines"),
        ("[x](y)`z`", r"\[x\](y)\`z\`"),
        ("caf\udce9", "caf?"),
        ("", "LED"),
    ],
)
def test_a_title_is_text(tmp_path, name, title):
    config = tiny_config()
    config.architectures = ["LEDModel"]
    assert f"\n# {title}\n\n" in card(tmp_path, config, name=name)


def test_card_of_a_class_of_the_user(tmp_path):
    config = tiny_config()
    config.architectures = ["MySummarizer"]
    text = card(tmp_path, config)
    assert "pipeline_tag" not in text
    assert "import" not in text
    assert "2 encoder and\n1 decoder layers" in text
