"""Summaries by onnxruntime alone."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Self

import numpy as np

from keras_led.formats.packages import load_onnxruntime
from keras_led.generation.inputs.arguments import Request
from keras_led.generation.inputs.arguments import read_request
from keras_led.generation.loop.decoding_loop import DecodingLoop
from keras_led.generation.options.notices import NO_GLOBAL_ATTENTION
from keras_led.generation.options.notices import warn_once
from keras_led.generation.processors.chain import build_chain
from keras_led.generation.search.choose_search import make_search
from keras_led.generation.search.choose_search import trim
from keras_led.generation.tensor_ops import on_numpy
from keras_led.serving.exported_folder import ExportedFolder
from keras_led.serving.exported_folder import check_ids
from keras_led.serving.exported_folder import check_mode
from keras_led.serving.exported_folder import read_folder
from keras_led.serving.exported_led import ExportedLED
from keras_led.serving.onnx_sessions import DECODER
from keras_led.serving.onnx_sessions import ENCODER
from keras_led.serving.onnx_sessions import OnnxSessions
from keras_led.typing import ArrayLike
from keras_led.typing import StrPath

# Arguments of `generate` that the files have no inputs for, or that are code.
_NOT_OFFERED = (
    "inputs_embeds",
    "encoder_outputs",
    "decoder_attention_mask",
    "head_mask",
    "decoder_head_mask",
    "cross_attn_head_mask",
    "past_key_values",
    "logits_processor",
    "stopping_criteria",
    "prefix_allowed_tokens_fn",
    "streamer",
    "progress",
)


class OnnxLED(ExportedLED):
    """An exported LED that generates, without Keras or any backend.

    The searches and processors are those of the models, over numpy arrays;
    encoder and decoder are run by onnxruntime.

    Args:
        found: `ExportedFolder`.
        sessions: `OnnxSessions`.

    Example:

        led = OnnxLED.from_pretrained("led-onnx")
        led.summarize("A long document.", num_beams=4)
    """

    def __init__(self, found: ExportedFolder, sessions: OnnxSessions):
        super().__init__(found)
        self._sessions = sessions

    @classmethod
    def from_pretrained(
        cls,
        folder: StrPath,
        *,
        providers: Sequence[Any] = ("CPUExecutionProvider",),
        session_options: Any = None,
    ) -> Self:
        """Reads what `keras-led export --format onnx` wrote.

        Args:
            folder: str or path of the directory.
            providers: what onnxruntime runs the files on; see
                `onnxruntime.get_available_providers()`.
            session_options: `onnxruntime.SessionOptions`, for example the
                number of threads, or `None`.

        Returns:
            `OnnxLED`.

        Raises:
            FileNotFoundError: If the folder or a file is missing.
            ImportError: If onnxruntime is not installed.
            ValueError: If a file is damaged or a provider is unknown.
        """
        found = read_folder(folder, (ENCODER, DECODER), "onnx")
        _check_providers(providers)
        sessions = OnnxSessions(
            found.path,
            found.config,
            providers=list(providers),
            sess_options=session_options,
        )
        return cls(found, sessions)

    def generate(
        self, input_ids: ArrayLike | None = None, **arguments: Any
    ) -> np.ndarray:
        """Generates token ids, by greedy and beam search those of the model.

        Sampling draws from the same probabilities, by a generator of its own.

        Args:
            input_ids: Integers of shape `(B, S)`, or a dict of the inputs.
            **arguments: `attention_mask`, `global_attention_mask`, both
                `(B, S)`, `decoder_input_ids` `(B, P)`, `seed`, and the
                options of `GenerationConfig`, for greedy search, sampling
                and beam search; what is left out is as in the folder's
                `generation_config.json`.

        Returns:
            int32 array `(B * num_return_sequences, T)`.

        Raises:
            TypeError: If an argument is unknown or of a wrong type.
            ValueError: If a value does not fit, or the argument is offered
                by the model alone.
        """
        given = {**arguments, "input_ids": input_ids}
        if isinstance(input_ids, Mapping):
            given |= {"input_ids": None, **input_ids}
        check_ids(given["input_ids"])
        for name in _NOT_OFFERED:
            value = given.get(name)
            if value is not None and value is not False:
                raise ValueError(
                    f"`{name}` is not offered by `OnnxLED`: the exported "
                    "files have no place for it. Received: "
                    f"{name}={value!r:.80}. Leave it out, or use the model "
                    "itself."
                )
        with on_numpy():
            request = read_request(self.config, self.generation_config, given)
            check_mode(request.plan)
            result = self._loop(request).run(self._inputs(request))
            return trim(request.plan, result)["sequences"]

    def _loop(self, request: Request) -> DecodingLoop:
        plan = request.plan
        return DecodingLoop(
            self._sessions,
            make_search(plan),
            build_chain(plan),
            plan,
            self.config.vocab_size,
        )

    def _inputs(self, request):
        """The documents, encoded, and what else the loop reads."""
        documents = request.documents
        wide = documents.global_attention_mask
        if wide is None:
            warn_once(NO_GLOBAL_ATTENTION, stacklevel=4)
            wide = np.zeros_like(documents.input_ids)
        # Fractions count as ones, as in a call of the model.
        mask, wide = (
            np.ceil(x).astype("int64") for x in (documents.attention_mask, wide)
        )
        inputs = {
            "hidden": self._sessions.encode(
                input_ids=documents.input_ids.astype("int64"),
                attention_mask=mask,
                global_attention_mask=wide,
            ),
            "mask": mask,
            "prompt": request.prompt,
            "ids": documents.input_ids,
            "width": np.int32(documents.length),
        }
        if request.plan.options["do_sample"]:
            inputs["seed"] = request.seed
        return inputs


def _check_providers(providers):
    if isinstance(providers, str):
        raise TypeError(
            "`providers` must be a list. Received: "
            f"providers={providers!r}. Pass providers=[{providers!r}]."
        )
    available = load_onnxruntime().get_available_providers()
    for provider in providers:
        name = provider[0] if isinstance(provider, tuple) else provider
        if name not in available:
            raise ValueError(
                f"`providers` must hold some of {', '.join(available)}, those "
                f"of this onnxruntime. Received: {name!r}."
            )
