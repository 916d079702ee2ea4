"""Writes docs/assets/sources.html, which the start page shows.

    python docs/site/write_sources_page.py [PATH]

Again whenever led-tiny or the look of such pages changes.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "assets" / "sources.html"
DOCUMENT = ROOT / "examples" / "data" / "held-out.txt"


def write_sources_page(path=PAGE):
    """Summarizes the document of the README and writes where it came from."""
    from keras_led import LEDForConditionalGeneration
    from keras_led import LEDTokenizer
    from keras_led import visualize

    model = LEDForConditionalGeneration.from_pretrained("led-tiny")
    tokenizer = LEDTokenizer.from_pretrained("led-tiny")
    document = DOCUMENT.read_text("utf-8")
    sources = visualize.find_sources(model, document, tokenizer)
    visualize.write_page(path, sources)


if __name__ == "__main__":
    write_sources_page(*sys.argv[1:])
