"""What the pages and notebooks find where they run: a model and some texts."""

from pathlib import Path

import keras
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer

ROOT = Path(__file__).resolve().parents[2]
TEXT = "lmap evaluates a script for each element of a list. "


@pytest.fixture(scope="package")
def workplace(tmp_path_factory):
    """A folder with a tiny model `led-tiny` and a folder `texts`."""
    folder = tmp_path_factory.mktemp("docs")
    tokenizer = LEDTokenizer.train([TEXT], 300)
    config = LEDConfig(
        vocab_size=len(tokenizer),
        d_model=12,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=3,
        encoder_ffn_dim=20,
        decoder_ffn_dim=28,
        attention_window=8,
        max_encoder_position_embeddings=2048,
        max_decoder_position_embeddings=96,
    )
    keras.utils.set_random_seed(5)
    LEDForConditionalGeneration(config).save_pretrained(folder / "led-tiny")
    tokenizer.save_pretrained(folder / "led-tiny")
    (folder / "texts").mkdir()
    for number in range(12):
        text = folder / "texts" / f"page-{number}.txt"
        text.write_text(TEXT * (number + 1), encoding="utf-8")
        text.with_suffix(".summary.txt").write_text("A list.\n", "utf-8")
    return folder
