"""Summaries of validation documents while a model trains."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import keras

from keras_led.argument_checks import check_list
from keras_led.training.event_log import EventLog
from keras_led.training.rouge import require_rouge
from keras_led.training.rouge import rouge_scores
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


class RougeCallback(keras.callbacks.Callback):
    """Summarizes some documents after each epoch, and scores the summaries.

    The scores, mean F1 in percent, go to the logs as `val_rouge1`,
    `val_rouge2`, `val_rougeL` and `val_rougeLsum`: to `history.history`, and
    to callbacks that come later in the list, such as `EarlyStopping`,
    `keras.callbacks.TensorBoard` or `TrainingBackup`.

    Args:
        documents: list of str.
        summaries: list of str, their references.
        tokenizer: `LEDTokenizer`.
        max_documents: int, so many of the first ones are summarized, or
            `None` for all.
        every: int, epochs from one scoring to the next.
        batch_size: int, documents at once.
        max_input_length: int, longest document in tokens; the rest is cut,
            without a warning.
        log_dir: str or path of a folder where scores and samples are written
            for TensorBoard, or `None`.
        samples: int, documents whose reference and summary are logged there,
            and kept in `self.samples`.
        use_stemmer: bool, see `rouge_scores`.
        **options: arguments of `generate`, such as `max_new_tokens`.

    Attributes:
        predictions: list of str, the last summaries.

    Raises:
        ImportError: If `rouge-score` is not installed.
        TypeError: If `documents` or `summaries` is a str.
        ValueError: If there are no documents, or not as many references.
    """

    documents: list[str]
    references: list[str]
    predictions: list[str]

    def __init__(
        self,
        documents: Sequence[str],
        summaries: Sequence[str],
        tokenizer: "LEDTokenizer",
        *,
        max_documents: int | None = 50,
        every: int = 1,
        batch_size: int = 1,
        max_input_length: int | None = None,
        log_dir: StrPath | None = None,
        samples: int = 3,
        use_stemmer: bool = True,
        **options: Any,
    ):
        super().__init__()
        require_rouge()
        documents = check_list("documents", documents, "str")
        summaries = check_list("summaries", summaries, "str")
        if not documents or len(documents) != len(summaries):
            raise ValueError(
                "`documents` must be as many as `summaries`, and at least "
                f"one. Received: {len(documents)} and {len(summaries)}."
            )
        if every < 1:
            raise ValueError(
                f"`every` must be at least 1 epoch. Received: every={every}."
            )
        self.documents = documents[:max_documents]
        self.references = summaries[:max_documents]
        self.tokenizer = tokenizer
        self.every = every
        self.batch_size = batch_size
        self.max_input_length = max_input_length
        self.num_samples = samples
        self.use_stemmer = use_stemmer
        self.options = options
        self.predictions = []
        self._log = None if log_dir is None else EventLog(log_dir)

    @property
    def samples(self) -> list[dict[str, str]]:
        """Dicts of `document`, `reference` and `summary`."""
        rows = zip(
            self.documents, self.references, self.predictions, strict=False
        )
        names = ("document", "reference", "summary")
        return [
            dict(zip(names, row, strict=True))
            for row, _ in zip(rows, range(self.num_samples), strict=False)
        ]

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if (epoch + 1) % self.every:
            return
        with warnings.catch_warnings():
            # Known since the first epoch, and the same in each.
            warnings.filterwarnings("ignore", ".*were cut off", UserWarning)
            self.predictions = self.model.summarize(
                self.documents,
                tokenizer=self.tokenizer,
                batch_size=self.batch_size,
                max_input_length=self.max_input_length,
                **self.options,
            )
        scores = rouge_scores(
            self.predictions, self.references, self.use_stemmer
        )
        scores = {f"val_{name}": value for name, value in scores.items()}
        if logs is not None:
            logs.update(scores)
        if self._log is not None:
            self._log.scalars(
                {f"epoch_{name}": value for name, value in scores.items()},
                epoch,
            )
            for number, sample in enumerate(self.samples):
                self._log.text(f"sample_{number}", _markdown(sample), epoch)


def _markdown(sample):
    """A sample as a table of three rows."""
    cells = {
        "document": sample["document"][:300] + " ...",
        "reference": sample["reference"],
        "summary": sample["summary"],
    }
    lines = [
        f"| {name} | {' '.join(text.split()).replace('|', chr(92) + '|')} |"
        for name, text in cells.items()
    ]
    return "\n".join(["| | |", "|---|---|", *lines])
