"""What `keras-led train` does with its options."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led.backend import name as backend_name
from keras_led.backend import set_random_seed
from keras_led.cli.shared_options import bad_rows_policy
from keras_led.cli.shared_options import note
from keras_led.cli.training_callbacks import HISTORY_NAME
from keras_led.cli.training_callbacks import Deadline
from keras_led.cli.training_callbacks import Report
from keras_led.cli.training_callbacks import save_model
from keras_led.cli.training_folder import RunFolder
from keras_led.cli.training_parts import check_standard_input
from keras_led.cli.training_parts import check_what_trains
from keras_led.cli.training_parts import choose_what_trains
from keras_led.cli.training_parts import fresh_config
from keras_led.cli.training_parts import make_optimizer
from keras_led.cli.training_parts import parse_settings
from keras_led.data import Seq2SeqDataset
from keras_led.data import StreamingSeq2SeqDataset
from keras_led.data.texts import read_texts
from keras_led.models.conditional_generation import LEDForConditionalGeneration
from keras_led.tokenizer import LEDTokenizer
from keras_led.training.backup import TrainingBackup
from keras_led.training.rouge_callback import RougeCallback

if TYPE_CHECKING:
    from keras_led.cli.training_options import TrainOptions


class TrainingRun:
    """One run of `keras-led train`, new or resumed.

    Args:
        options: `TrainOptions`.
    """

    output: Path
    folder: RunFolder

    def __init__(self, options: "TrainOptions"):
        self.options = options
        self.output = Path(options.output)
        self.folder = RunFolder(options)

    def execute(self) -> dict[str, Any]:
        """Trains to the end.

        Returns:
            Dict of plain values: the last logs, and where the model is.

        Raises:
            Stopped: If the time was up, or SIGTERM came.
            ValueError: If an option does not fit.
        """
        started = self.folder.check()
        if started == "finished":
            note(f"The run in {self.output} is finished.")
            history = (self.output / HISTORY_NAME).read_text("utf-8")
            return self._result(json.loads(history))
        config_values = parse_settings(self.options.settings)
        check_what_trains(self.options)
        check_standard_input(self.options)
        set_random_seed(self.options.seed)
        tokenizer = self._tokenizer(started == "begun")
        dataset = self._dataset(self.options.files, tokenizer)
        validation = None
        if self.options.validation:
            validation = self._validation(tokenizer)
        model = self._model(tokenizer, config_values, dataset.target_length)
        rouge = self._rouge(tokenizer)
        model.compile(
            optimizer=make_optimizer(self.options, dataset.batches_per_epoch),
            label_smoothing=self.options.label_smoothing,
        )
        # Nothing is written before here, where all options are known to fit.
        with self.folder.begun(started, tokenizer):
            backup = TrainingBackup(
                self.folder.path,
                dataset,
                save_freq=self.options.save_every,
                delete_checkpoint=False,
            )
            self._announce(backup, dataset, model)
            report = Report(self.options, dataset, model, tokenizer, backup)
            with Deadline(backup, self.options.stop_after) as deadline:
                model.fit(
                    dataset,
                    epochs=self.options.epochs,
                    validation_data=validation,
                    shuffle=False,
                    verbose=0,
                    callbacks=[*rouge, report, backup, deadline],
                )
        save_model(model, tokenizer, self.output, self.options, backup.history)
        self.folder.finish()
        return self._result(backup.history)

    def _tokenizer(self, begun):
        chosen, size = self.options.tokenizer, self.options.vocab_size
        source = chosen or self.options.model
        if size is not None and source is not None:
            raise ValueError(
                "`--vocab-size` is for a tokenizer learnt from FILE. "
                f"Received: --vocab-size {size} and {source}. Choose one."
            )
        if begun:
            return LEDTokenizer.from_pretrained(self.folder.tokenizer_path())
        if source is not None:
            tokenizer = LEDTokenizer.from_pretrained(source)
        elif size is not None:
            note(f"Learning a tokenizer of {size} tokens ...")
            tokenizer = LEDTokenizer.train(self._texts(), size)
        else:
            raise ValueError(
                "A tokenizer must be chosen. Received: none. Give --model, "
                "--tokenizer, or --vocab-size to learn one from FILE."
            )
        return tokenizer

    def _texts(self):
        fields = (self.options.document, self.options.summary)
        if self.options.question:
            fields = (*fields, self.options.question)
        policy = bad_rows_policy(self.options.skip_bad_rows)
        for _, texts in read_texts(self.options.files, fields, policy):
            yield list(texts)

    def _dataset_options(self):
        names = (
            "batch_size",
            "max_source_tokens",
            "max_target_tokens",
            "document",
            "summary",
            "question",
            "strip_bos",
            "seed",
        )
        return {
            **{name: getattr(self.options, name) for name in names},
            "buckets": self.options.bucket or None,
            "bad_rows": bad_rows_policy(self.options.skip_bad_rows),
        }

    def _dataset(self, files, tokenizer):
        options = self._dataset_options()
        steps = self.options.steps_per_epoch
        if self.options.streaming != (steps is not None):
            raise ValueError(
                "`--steps-per-epoch` belongs to `--streaming`. Received: one "
                "without the other."
            )
        if steps is not None:
            return StreamingSeq2SeqDataset(files, tokenizer, steps, **options)
        note("Tokenizing ...")
        dataset = Seq2SeqDataset(
            files, tokenizer, cache_dir=self.options.cache_dir, **options
        )
        note(
            f"{len(dataset.store)} rows in {len(dataset)} batches; "
            f"{dataset.truncated} documents cut to "
            f"{self.options.max_source_tokens} tokens; "
            f"{dataset.skipped} bad rows left out."
        )
        return dataset

    def _validation(self, tokenizer):
        return Seq2SeqDataset(
            self.options.validation,
            tokenizer,
            shuffle=False,
            cache_dir=self.options.cache_dir,
            **self._dataset_options(),
        )

    def _model(self, tokenizer, values, target_length):
        source = self.options.model
        dtype = self.options.dtype
        if source is not None:
            if self.options.config is not None:
                raise ValueError(
                    "`--config` is for a fresh model. Received: --config and "
                    "--model. Choose one; --set changes single values."
                )
            model = LEDForConditionalGeneration.from_pretrained(
                source, dtype=dtype, **values
            )
        else:
            config = fresh_config(self.options, tokenizer, values)
            model = LEDForConditionalGeneration(config, dtype=dtype)
        self._check_lengths(model.config, target_length)
        if self.options.gradient_checkpointing:
            model.gradient_checkpointing_enable()
        if self.options.strip_bos:
            # Summaries start as the targets do.
            model.generation_config.update(forced_bos_token_id=None)
        choose_what_trains(model, self.options)
        return model

    def _check_lengths(self, config, target_length):
        limit = config.max_encoder_position_embeddings
        if self.options.max_source_tokens > limit:
            raise ValueError(
                f"`--max-source-tokens` must be at most {limit}, what the "
                "model reads. Received: --max-source-tokens "
                f"{self.options.max_source_tokens}."
            )
        limit = config.max_decoder_position_embeddings
        if target_length > limit:
            raise ValueError(
                f"`--max-target-tokens` must be at most {limit}, what the "
                "model writes. Received: --max-target-tokens "
                f"{self.options.max_target_tokens} and summaries padded to "
                f"{target_length} tokens."
            )

    def _announce(self, backup, dataset, model):
        trained = sum(math.prod(w.shape) for w in model.trainable_weights)
        note(
            f"Training {trained:,} of {model.count_params():,} weights on "
            f"{backend_name} ..."
        )
        position = backup.position()
        if position is not None:
            epoch, step = position
            note(
                f"Resuming at epoch {epoch + 1}, step {step} of "
                f"{dataset.batches_per_epoch}."
            )

    def _rouge(self, tokenizer):
        count = self.options.rouge_documents
        if not count:
            return []
        if not self.options.validation:
            raise ValueError(
                "`--rouge-documents` needs `--validation`. "
                f"Received: --rouge-documents {count} alone."
            )
        fields = (self.options.document, self.options.summary)
        policy = bad_rows_policy(self.options.skip_bad_rows)
        files = self.options.validation
        texts = [t for _, t in read_texts(files, fields, policy, count)]
        return [
            RougeCallback(
                *zip(*texts, strict=True),
                tokenizer,  # pyright: ignore[reportCallIssue]
                batch_size=self.options.batch_size,
                max_documents=count,
                max_input_length=self.options.max_source_tokens,
                max_new_tokens=self.options.max_target_tokens,
                log_dir=self.options.log_dir,
            )
        ]

    def _result(self, history):
        last = history[-1] if history else {}
        return {
            "output": str(self.output),
            "epochs": len(history),
            **{name: float(value) for name, value in last.items()},
        }
