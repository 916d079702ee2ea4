"""The checkpoint in the package: the same lines on every backend.

`python tests/pretrained/test_led_tiny.py` writes the lines down, once for a
new checkpoint.
"""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from safetensors import safe_open

from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led.files.embedded import find_embedded

ROOT = Path(__file__).resolve().parents[2]
LINES = Path(__file__).with_name("led_tiny.json")
FOLDER = find_embedded("led-tiny")
# Held-out pages, cut so that they make one batch of one length.
PAGES, CHARACTERS = 6, 1600


def documents():
    """Beginnings of pages that training never saw."""
    text = (ROOT / "examples/data/test.jsonl").read_text(encoding="utf-8")
    pages = map(json.loads, text.splitlines())
    return [page["document"][:CHARACTERS] for page in pages][:PAGES]


def summaries(**options):
    """What the checkpoint writes about them."""
    tokenizer = LEDTokenizer.from_pretrained("led-tiny")
    model = LEDForConditionalGeneration.from_pretrained("led-tiny")
    return model.summarize(
        documents(), tokenizer=tokenizer, batch_size=PAGES, **options
    )


@pytest.mark.parametrize(
    ("kind", "options"), [("greedy", {}), ("beams", {"num_beams": 3})]
)
def test_every_backend_writes_the_same_lines(kind, options):
    expected = json.loads(LINES.read_text(encoding="utf-8"))[kind]
    assert summaries(**options) == expected
    assert len(set(expected)) > PAGES // 2
    for line in expected:
        assert line[0].isprintable()
        assert len(line.split()) > 1


def test_the_file_is_small_and_the_position_table_long():
    with safe_open(FOLDER / "model.safetensors", "numpy") as file:
        dtypes = {file.get_slice(name).get_dtype() for name in file.keys()}
    assert dtypes == {"F16"}
    model = LEDForConditionalGeneration.from_pretrained("led-tiny")
    assert model.config.max_encoder_position_embeddings >= 4096


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="the peer runs on PyTorch"
)
def test_transformers_reads_it_and_writes_the_same_tokens():
    import transformers

    tokenizer = LEDTokenizer.from_pretrained("led-tiny")
    batch = dict(tokenizer(documents(), padding=True, return_tensors="np"))
    batch["global_attention_mask"] = np.zeros_like(batch["input_ids"])
    batch["global_attention_mask"][:, 0] = 1
    ours = LEDForConditionalGeneration.from_pretrained("led-tiny")
    found = keras.ops.convert_to_numpy(ours.generate(**batch))
    peer = transformers.LEDForConditionalGeneration.from_pretrained(
        FOLDER, dtype="float32"
    ).eval()
    expected = peer.generate(
        **{name: keras.ops.convert_to_tensor(x) for name, x in batch.items()}
    )
    np.testing.assert_array_equal(found, expected.cpu().numpy())


if __name__ == "__main__":
    lines = {"greedy": summaries(), "beams": summaries(num_beams=3)}
    text = json.dumps(lines, indent=1, ensure_ascii=False)
    LINES.write_text(text + "\n", encoding="utf-8")
