"""A page to try a model on: its summary as it is written, and its sources.

    pip install gradio
    python examples/gradio_app.py --model led-tiny

The model runs in this process. `keras-led demo` makes a page without one.
"""

import argparse

import gradio
import numpy as np

from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led import visualize


def make_app(source):
    """Gradio's `Blocks` for a checkpoint."""
    tokenizer = LEDTokenizer.from_pretrained(source)
    model = LEDForConditionalGeneration.from_pretrained(source)

    def summarize(text):
        """Yields the summary so far, at last with the passages it is from."""
        if not text.strip():
            raise gradio.Error("There is no text yet.")
        summary = ""
        for piece in model.stream(text, tokenizer=tokenizer):
            summary += piece
            yield summary, []
        found = visualize.find_sources(model, text, tokenizer, summary)
        shares = found.weights.max(axis=0, initial=0)
        shares = shares / max(shares.max(initial=0), np.finfo("float32").tiny)
        yield summary, spans(found, shares)

    with gradio.Blocks(title=f"{source} summarizes") as app:
        text = gradio.Textbox(label="Document", lines=12)
        button = gradio.Button("Summarize", variant="primary")
        summary = gradio.Textbox(label="Summary")
        sources = gradio.HighlightedText(label="What the summary is from")
        button.click(summarize, text, [summary, sources], api_name="summarize")
    return app


def spans(found, shares):
    """Pieces of the document, each with its share of attention, 0 to 1."""
    pieces, end = [], 0
    for (start, stop), share in zip(found.offsets, shares, strict=True):
        if stop > max(start, end):
            pieces.append((found.document[end:stop], float(share)))
            end = int(stop)
    return [*pieces, (found.document[end:], None)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="led-tiny")
    parser.add_argument("--port", type=int, default=7860)
    chosen = parser.parse_args()
    make_app(chosen.model).launch(server_port=chosen.port)
