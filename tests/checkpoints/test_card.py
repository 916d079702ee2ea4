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
