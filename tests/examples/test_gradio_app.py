"""The Gradio app, asked as its own client asks it."""

import keras
import pytest

from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer

gradio = pytest.importorskip("gradio")
pytestmark = [
    pytest.mark.skipif(
        keras.backend.backend() != "torch",
        reason="the examples ask nothing of a backend; one is enough",
    ),
    # Gradio's own, and of what it imports.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
TEXT = "lmap evaluates a script for each element of a list. " * 8


def test_the_summary_streams_and_has_sources(load_example):
    app = load_example("gradio_app")["make_app"]("led-tiny")
    ((_, function),) = [
        (name, each.fn)
        for name, each in enumerate(app.fns.values())
        if each.api_name == "summarize"
    ]
    *steps, (summary, sources) = function(TEXT)
    model = LEDForConditionalGeneration.from_pretrained("led-tiny")
    tokenizer = LEDTokenizer.from_pretrained("led-tiny")
    expected = model.summarize(TEXT, tokenizer=tokenizer, num_beams=1)
    assert summary.strip() == expected
    assert all(summary.startswith(text) for text, _ in steps)
    assert "".join(piece for piece, _ in sources) == TEXT
    shares = [share for _, share in sources if share is not None]
    assert max(shares) == 1 and min(shares) >= 0
    with pytest.raises(gradio.Error, match="no text"):
        next(function(" "))
