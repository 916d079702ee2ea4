"""Summaries by OpenVINO alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Self

import numpy as np

from keras_led.argument_checks import did_you_mean
from keras_led.argument_checks import wrong
from keras_led.files.reading import reading
from keras_led.files.reading import shortened
from keras_led.formats.packages import load_openvino
from keras_led.generation.inputs.arguments import read_seed
from keras_led.generation.inputs.document_batch import read_documents
from keras_led.generation.inputs.strategy import Plan
from keras_led.generation.inputs.strategy import make_plan
from keras_led.generation.options.generation_config import FIELDS
from keras_led.generation.options.generation_config import GenerationConfig
from keras_led.generation.options.notices import NO_GLOBAL_ATTENTION
from keras_led.generation.options.notices import warn_once
from keras_led.generation.tensor_ops import on_numpy
from keras_led.serving.exported_folder import ExportedFolder
from keras_led.serving.exported_folder import check_ids
from keras_led.serving.exported_folder import read_folder
from keras_led.serving.exported_led import ExportedLED
from keras_led.typing import ArrayLike
from keras_led.typing import StrPath

MODEL = "openvino_model.xml"
WEIGHTS = "openvino_model.bin"
# Without it scores of a CPU with bfloat16 move by 0.02, and tokens with them.
SETTINGS = {"INFERENCE_PRECISION_HINT": "f32"}


class OpenVINOLED(ExportedLED):
    """An exported LED that generates, without Keras or any backend.

    The whole search is part of the file: its options are those of the export.

    Args:
        found: `ExportedFolder`.
        model: the compiled model, of OpenVINO.

    Example:

        led = OpenVINOLED.from_pretrained("led-openvino")
        led.summarize("A long document.", max_new_tokens=64)
    """

    def __init__(self, found: ExportedFolder, model: Any):
        super().__init__(found)
        self._model = model

    @classmethod
    def from_pretrained(
        cls,
        folder: StrPath,
        *,
        device: str = "CPU",
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Reads what `keras-led export --format openvino` wrote.

        Args:
            folder: str or path of the directory.
            device: str, one of `openvino.Core().available_devices`, or what
                chooses among them, as "AUTO".
            settings: dict of OpenVINO's properties, for example
                `{"INFERENCE_NUM_THREADS": 4}`. Numbers are float32 unless it
                holds another `INFERENCE_PRECISION_HINT`.

        Returns:
            `OpenVINOLED`.

        Raises:
            FileNotFoundError: If the folder or a file is missing.
            ImportError: If openvino is not installed.
            ValueError: If a file is damaged, or OpenVINO does not know the
                device or a setting.
        """
        found = read_folder(folder, (MODEL, WEIGHTS), "openvino")
        core = load_openvino().Core()
        path = Path(folder) / MODEL
        with reading(path, "hold a model, with its weights beside it"):
            model = core.read_model(path)
        settings = {**SETTINGS, **(settings or {})}
        try:
            compiled = core.compile_model(model, device, settings)
        except RuntimeError as error:
            raise ValueError(
                "`device` and `settings` must be what OpenVINO knows here: its "
                f"devices are {', '.join(core.available_devices)}. Received: "
                f"device={device!r}, settings={settings!r}. OpenVINO says: "
                f"{shortened(str(error))}"
            ) from error
        return cls(found, compiled)

    def generate(
        self,
        input_ids: ArrayLike | None = None,
        *,
        attention_mask: ArrayLike | None = None,
        global_attention_mask: ArrayLike | None = None,
        max_new_tokens: int | None = None,
        seed: Any = None,
        **options: Any,
    ) -> np.ndarray:
        """Generates token ids, by greedy and beam search those of the model.

        Sampling draws from the same probabilities, by a generator of its own.

        Args:
            input_ids: Integers of shape `(B, S)`.
            attention_mask: `(B, S)`, 0 at padding; by default 0 at padding
                tokens.
            global_attention_mask: `(B, S)`, 1 where attention is global, or
                `None` for no such token.
            max_new_tokens: int, at most that of the export, the default.
            seed: int, or pair of ints, of an export that samples; another
                draw each time without it.
            **options: generation options. They are fixed in the export, so
                that only its own values are accepted.

        Returns:
            int32 array `(B * num_return_sequences, T)`.

        Raises:
            TypeError: If an argument is unknown or of a wrong type.
            ValueError: If a value does not fit, or an option is another one
                than that of the export.
        """
        check_ids(input_ids)
        self._check_options(options)
        plan = self._plan()
        with on_numpy():
            documents = read_documents(
                self.config,
                plan.pad_token_id,
                plan.eos_token_ids,
                input_ids=input_ids,
                attention_mask=attention_mask,
                global_attention_mask=global_attention_mask,
            )
        inputs: dict[str, Any] = {
            "max_new_tokens": _limit(max_new_tokens, plan)
        }
        if plan.options["do_sample"]:
            inputs["seed"] = read_seed(seed).astype("int32")
        elif seed is not None:
            raise ValueError(
                "`seed` is for an export that samples, with do_sample=True. "
                f"Received: seed={seed!r}. Leave it out."
            )
        wide = documents.global_attention_mask
        if wide is None:
            warn_once(NO_GLOBAL_ATTENTION)
            wide = np.zeros_like(documents.input_ids)
        inputs |= {
            "input_ids": documents.input_ids,
            # Fractions count as ones, as in a call of the model.
            "attention_mask": np.ceil(documents.attention_mask).astype("int32"),
            "global_attention_mask": np.ceil(wide).astype("int32"),
        }
        # A request of its own: that of the model is for one thread.
        found = self._model.create_infer_request().infer(inputs)
        return np.array(found["sequences"])

    def _check_one_summary(self):
        count = self.generation_config.resolve()["num_return_sequences"]
        if count != 1:
            raise ValueError(
                "`summarize` returns one text a document. Received: an export "
                f"with num_return_sequences={count}. Use `generate`, or export "
                "the model with num_return_sequences=1."
            )

    def _plan(self) -> Plan:
        """The plan that the export followed."""
        return make_plan(
            self.generation_config.resolve(),
            prompt_length=1,
            limit=self.config.max_decoder_position_embeddings,
            vocab_size=self.config.vocab_size,
        )

    def _check_options(self, options):
        """Refuses options that the file does not have."""
        fixed = self.generation_config.resolve()
        for name, value in options.items():
            if name == "tokenizer":  # of `summarize`
                continue
            if name not in FIELDS:
                known = ("attention_mask", "global_attention_mask", "seed")
                hint = did_you_mean(name, (*FIELDS, *known))
                raise TypeError(
                    f"`OpenVINOLED.generate` has no argument {name!r}.{hint}"
                )
            own = GenerationConfig(**{name: value})
            if own.resolve(self.generation_config)[name] != fixed[name]:
                raise ValueError(
                    f"`{name}` is fixed in the export, to {fixed[name]!r}. "
                    f"Received: {name}={value!r}. Leave it out, or export "
                    "the model with that."
                )


def _limit(max_new_tokens, plan):
    """`max_new_tokens`, checked, as int32 scalar."""
    most = plan.max_length - plan.prompt_length
    value = most if max_new_tokens is None else max_new_tokens
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(wrong("max_new_tokens", "an integer", value))
    if not 1 <= value <= most:
        raise ValueError(
            f"`max_new_tokens` must be between 1 and {most}, that of the "
            f"export. Received: max_new_tokens={value}."
        )
    return np.int32(value)
