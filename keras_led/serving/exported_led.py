"""What the runners of exported folders have in common."""

from typing import Any

import numpy as np

from keras_led.config import LEDConfig
from keras_led.generation.options.generation_config import GenerationConfig
from keras_led.generation.summaries import Summarizer
from keras_led.generation.summaries import summarize_texts
from keras_led.serving.exported_folder import ExportedFolder
from keras_led.serving.exported_folder import tokenizer_of
from keras_led.tokenizer.led_tokenizer import LEDTokenizer
from keras_led.typing import S


class ExportedLED:
    """An exported LED, without Keras or any backend.

    Args:
        found: `ExportedFolder`.
    """

    config: LEDConfig
    generation_config: GenerationConfig
    tokenizer: LEDTokenizer | None

    def __init__(self, found: ExportedFolder):
        self.config = found.config
        self.generation_config = found.generation_config
        self.tokenizer = found.tokenizer
        self._found = found

    def generate(self, *arguments: Any, **options: Any) -> np.ndarray:
        """Generates token ids, an int32 array `(B, T)`."""
        raise NotImplementedError

    def summarize(
        self,
        text: S,
        *,
        batch_size: int = 1,
        max_input_length: int | None = None,
        progress: bool = False,
        **options: Any,
    ) -> S:
        """Summarizes one text, or many; global attention is on `<s>`.

        Args:
            text: str, or list of str. What is longer than the model reads is
                cut, with a warning that says how much.
            batch_size: int, documents at once.
            max_input_length: int, longest document in tokens; by default what
                the model's position table holds.
            progress: bool, show a progress bar over the documents.
            **options: arguments of `generate`.

        Returns:
            str, or list of str in the order of `text`.

        Raises:
            TypeError: If a text is no string, or an option is unknown.
            ValueError: If a value does not fit, the folder holds no
                tokenizer, or the export writes several texts a document.
        """
        self._check_one_summary()
        tokenizer = tokenizer_of(self._found)
        summarizer = Summarizer(
            self, tokenizer, batch_size, max_input_length, options
        )
        return summarize_texts(summarizer, text, progress)

    def _check_one_summary(self):
        """Refuses an export whose options do not fit `summarize`."""
