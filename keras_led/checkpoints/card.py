"""Model cards: the README.md that the hub shows."""

from keras_led.files.atomic import write_text

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
pipeline_tag: {task}
tags:
- led
- longformer
- keras
- long-documents
---

# {name}

A Longformer encoder-decoder (LED) of {encoder_layers} encoder and
{decoder_layers} decoder layers, hidden size {d_model}. It reads up to
{max_encoder_position_embeddings:,} tokens with an attention window of {window}
tokens, and writes up to {max_decoder_position_embeddings:,}.

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
{origin}"""

_ORIGIN = """
## Origin

Converted with `keras-led convert` {keras_led_version} from a checkpoint of the
family `{family}`. `conversion_report.json` lists every tensor.
"""


def write_card(directory, config, report=None, name="LED"):
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
    architecture = config.architectures[0]
    windows = sorted(set(config.attention_windows))
    write_text(
        path,
        _CARD.format(
            name=name,
            architecture=architecture,
            task=_TASKS[architecture],
            window=" to ".join(map(str, windows[:1] + windows[1:][-1:])),
            origin="" if report is None else _ORIGIN.format(**report),
            **config.to_dict(),
        ),
    )
