"""A page for the browser: the document coloured by what a summary used."""

import base64
import html
import json
from typing import TYPE_CHECKING

import numpy as np

from keras_led.files.atomic import write_text
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.visualize.summary_sources import SummarySources

TEMPLATE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.6 system-ui, sans-serif; margin: 0; color: #1b1b1b;
  background: #fff; }}
header {{ position: sticky; top: 0; background: #f6f6f3; padding: 1rem 2rem;
  border-bottom: 1px solid #ccc; }}
h1 {{ font-size: 1rem; margin: 0 0 .3rem; }}
header small {{ color: #555; }}
#summary button {{ font: inherit; border: 0; background: none; padding: 0;
  border-radius: 3px; cursor: pointer; white-space: pre-wrap; color: inherit; }}
#summary button:hover, #summary button:focus {{ outline: 2px solid #d95f02; }}
#summary button[aria-pressed=true] {{ background: #fdbf6f; }}
#document {{ padding: 1rem 2rem; white-space: pre-wrap; max-width: 50rem; }}
</style>
<header>
<h1>Summary</h1>
<div id="summary">{summary}</div>
<small>Point at a word, or press it, to see where it came from; press it again
for the whole summary.</small>
</header>
<main id="document">{document}</main>
<script>
const rows = {rows}, columns = {columns};
const bytes = atob("{weights}");
const spans = [...document.querySelectorAll("#document span")];
const words = [...document.querySelectorAll("#summary button")];
let pressed = null;
function weight(row, column) {{
  return bytes.charCodeAt(row * columns + column) / 255;
}}
function whole(column) {{
  let most = 0;
  for (let row = 0; row < rows; row++)
    most = Math.max(most, weight(row, column));
  return most;
}}
function paint(row) {{
  spans.forEach(span => {{
    const column = +span.dataset.token;
    const strength = row === null ? whole(column) : weight(row, column);
    span.style.background = `rgba(253, 140, 40, ${{strength}})`;
  }});
}}
function strongest(row) {{
  return spans.reduce((best, span) =>
    weight(row, +span.dataset.token) > weight(row, +best.dataset.token)
      ? span : best);
}}
words.forEach((word, row) => {{
  word.addEventListener("mouseenter", () => paint(row));
  word.addEventListener("mouseleave", () => paint(pressed));
  word.addEventListener("focus", () => paint(row));
  word.addEventListener("click", () => {{
    pressed = pressed === row ? null : row;
    words.forEach((other, index) =>
      other.setAttribute("aria-pressed", index === pressed));
    paint(pressed);
    if (pressed !== null && spans.length)
      strongest(row).scrollIntoView({{block: "center", behavior: "smooth"}});
  }});
}});
paint(null);
</script>
</html>
"""


def write_page(
    path: StrPath,
    sources: "SummarySources",
    title: str = "Where the summary comes from",
) -> None:
    """Writes one self-contained HTML file; an older one is replaced whole.

    Args:
        path: str or path of the file.
        sources: `SummarySources`.
        title: str.

    Raises:
        OSError: If the file cannot be written.
    """
    weights = np.asarray(sources.weights, "float64")
    # Each row in 256 steps of its own maximum: one byte a pair of tokens.
    peaks = weights.max(axis=1, keepdims=True, initial=0)
    steps = np.rint(255 * weights / np.where(peaks == 0, 1, peaks))
    rows, columns = weights.shape
    write_text(
        path,
        TEMPLATE.format(
            title=html.escape(title),
            summary="".join(
                f'<button aria-pressed="false">{html.escape(token)}</button>'
                for token in sources.tokens
            ),
            document=_spans(sources),
            rows=json.dumps(rows),
            columns=json.dumps(columns),
            weights=base64.b64encode(steps.astype("uint8").tobytes()).decode(),
        ),
    )


def _spans(sources):
    """The document with a span for each token; nothing of it is lost."""
    pieces, end = [], 0
    for index, (start, stop) in enumerate(sources.offsets.tolist()):
        if stop <= max(start, end):  # special, or part of a character shown
            continue
        start = max(start, end)
        pieces.append(html.escape(sources.document[end:start]))
        text = html.escape(sources.document[start:stop])
        pieces.append(f'<span data-token="{index}">{text}</span>')
        end = stop
    pieces.append(html.escape(sources.document[end:]))
    return "".join(pieces)
