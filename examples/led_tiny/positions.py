"""A model that was trained on short texts is made ready for long ones.

The rows of the position table behind the longest training text are as they
were in the beginning, and a model that was not trained on them writes nonsense
about a text that reaches them. They start anew as copies of the trained ones,
one block after the other.

Source: Beltagy et al., 2020, section 5, which makes a Longformer's positions
of RoBERTa's in this way, https://arxiv.org/abs/2004.05150.
"""

import numpy as np
from keras import ops

from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer


def repeated(table, trained):
    """A table of which the first `trained` rows stand everywhere.

    Args:
        table: array, `(rows, D)`.
        trained: int, how many of the rows to repeat.
    """
    return table[np.arange(len(table)) % trained]


def write(source, target, trained):
    """Writes a checkpoint with repeated positions in the encoder.

    Args:
        source: path of the checkpoint to start from.
        target: path of the folder to write.
        trained: int, tokens of the longest text that it was trained on.
    """
    model = LEDForConditionalGeneration.from_pretrained(source)
    table = model.get_base_model().encoder.embed_positions.embeddings
    table.assign(repeated(ops.convert_to_numpy(table), trained))
    model.save_pretrained(target)
    LEDTokenizer.from_pretrained(source).save_pretrained(target)
