"""A page for the browser: the document coloured by what a summary used."""

import base64
import html
import json
from typing import TYPE_CHECKING

import numpy as np

from keras_led.files.atomic import write_text
from keras_led.typing import StrPath
from keras_led.visualize.browser import SCRIPT
from keras_led.visualize.browser import STYLE

if TYPE_CHECKING:
    from keras_led.visualize.summary_sources import SummarySources

TEMPLATE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
header {{ position: sticky; top: 0; background: var(--panel);
  border-bottom: 1px solid var(--line); padding: 1rem 2rem; }}
h1 {{ font-size: 1rem; margin: 0 0 .3rem; }}
#document {{ padding: 1rem 2rem; max-width: 50rem; }}
</style>
<header>
<h1>Summary</h1>
<div id="summary">{summary}</div>
<p id="legend">Choose a word to see where it came from, again for the whole
summary: little <i aria-hidden="true"></i> much attention.</p>
<p id="passage" role="status"></p>
</header>
<main id="document">{document}</main>
<script type="module">
{script}
const rows = {rows}, columns = {columns};
const bytes = atob("{weights}");
const find = (id) => document.getElementById(id);
const view = new SourcesView(...["summary", "document", "passage"].map(find));
document.querySelectorAll("#summary button").forEach((word, row) => {{
  const shares = bytes.slice(row * columns, (row + 1) * columns);
  view.add(word, [...shares].map((byte) => byte.charCodeAt(0) / 255));
}});
view.paint(null);
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
            style=STYLE.read_text("utf-8"),
            script=SCRIPT.read_text("utf-8"),
            summary="".join(
                f'<button type="button">{html.escape(token)}</button>'
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
