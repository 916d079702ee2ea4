"""Model cards: the README.md that the hub shows."""

import re
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led.files.atomic import write_text

if TYPE_CHECKING:
    from keras_led.config import LEDConfig

CARD_NAME = "README.md"

_TASKS = {
    "LEDForConditionalGeneration": "summarization",
    "LEDForSequenceClassification": "text-classification",
    "LEDForQuestionAnswering": "question-answering",
    "LEDModel": "feature-extraction",
}

_CARD = """\
---
library_name: keras
{task}tags:
- led
- longformer
- keras
- long-documents
---

# {name}

A Longformer encoder-decoder (LED) of {c.encoder_layers} encoder and
{c.decoder_layers} decoder layers, hidden size {c.d_model}. It reads up to
{c.max_encoder_position_embeddings:,} tokens with an attention window of {span}
tokens, and writes up to {c.max_decoder_position_embeddings:,}.
{use}{origin}"""

_USE = """
## Use

With Keras, on TensorFlow, JAX or PyTorch:

```python
from keras_led import {architecture}

model = {architecture}.from_pretrained("path/or/hub-id")
```

With `transformers`:

```python
from transformers import {architecture}

model = {architecture}.from_pretrained("path/or/hub-id")
```
"""

_ORIGIN = """
## Origin

Converted with `keras-led convert` {keras_led_version} from a checkpoint of the
family `{family}`. `conversion_report.json` lists every tensor.
"""


def write_card(
    directory: Path,
    config: "LEDConfig",
    report: dict[str, Any] | None = None,
    name: str = "LED",
) -> None:
    """Writes `README.md`, unless the directory has one.

    Args:
        directory: `pathlib.Path` of a saved model.
        config: `LEDConfig` with `architectures`.
        report: dict from `conversion.convert`, or `None` for a model that was
            not converted.
        name: str, title of the card.
    """
    path = directory / CARD_NAME
    if path.exists():
        return
    (architecture, *_) = config.architectures
    known = architecture in _TASKS  # else a class of the user's own
    windows = sorted(set(config.attention_windows))
    card = _CARD.format(
        name=_as_text(name) or "LED",
        c=config,
        task=f"pipeline_tag: {_TASKS[architecture]}\n" if known else "",
        span=" to ".join(map(str, windows[:1] + windows[1:][-1:])),
        use=_USE.format(architecture=architecture) if known else "",
        origin="" if report is None else _ORIGIN.format(**report),
    )
    write_text(path, card)


def _as_text(name):
    """A name that Markdown shows as it is, on one line of UTF-8."""
    name = name.encode("utf-8", "replace").decode("utf-8")
    # An underscore between letters is one; others may be emphasis.
    marks = r"[\\`*\[\]<>&#~|$]|(?<![^\W_])_|_(?![^\W_])"
    return re.sub(marks, r"\\\g<0>", " ".join(name.split()))
