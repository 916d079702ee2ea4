"""The two ONNX files of a folder, run by onnxruntime."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from typing import NamedTuple

import numpy as np

from keras_led.config import LEDConfig
from keras_led.files.reading import damaged
from keras_led.formats.packages import load_onnxruntime

ENCODER = "encoder_model.onnx"
DECODER = "decoder_model_merged.onnx"
# It warns of inputs with a default value, which is what is wanted here.
_ERRORS = 3


class OnnxState(NamedTuple):
    """What the decoder keeps from one step to the next.

    Attributes:
        self_cache: `()` before the first step, then a pair: a tuple of one
            pair of float32 arrays `(R, N, T, H)` a layer, and the dict of
            those of `past_key_values` that belong to the document, arrays
            `(B, N, S, H)`. Of the state, this goes from step to step.
        hidden: Float32 array `(B, S, D)`, the encoder's.
        mask: Int64 array `(B, S)`.
    """

    self_cache: Any
    hidden: Any
    mask: Any

    def reorder(self, beam_rows: np.ndarray) -> "OnnxState":
        """Lets each row go on from row `beam_rows[row]`, an int `(R,)`."""
        own, document = self.self_cache
        moved = tuple(
            tuple(np.take(array, beam_rows, axis=0) for array in pair)
            for pair in own
        )
        return self._replace(self_cache=(moved, document))


class OnnxSessions:
    """Encoder and decoder, as `DecodingLoop` asks for them.

    Args:
        folder: `pathlib.Path` with the two files.
        config: `LEDConfig`.
        **options: of `onnxruntime.InferenceSession`.

    Raises:
        ValueError: If onnxruntime cannot read a file.
    """

    def __init__(self, folder: Path, config: LEDConfig, **options: Any):
        runtime = load_onnxruntime()
        if options.get("sess_options") is None:
            options["sess_options"] = runtime.SessionOptions()
            options["sess_options"].log_severity_level = _ERRORS
        self._encoder, self._decoder = (
            _session(runtime, folder / name, options)
            for name in (ENCODER, DECODER)
        )
        # Their weights over the document are for others.
        self._outputs = [
            output.name
            for output in self._decoder.get_outputs()
            if not output.name.startswith("cross_attentions")
        ]
        self._past = [
            given.name
            for given in self._decoder.get_inputs()
            if given.name.startswith("past_key_values.")
        ]
        self._layers = config.decoder_layers
        heads, width = config.decoder_attention_heads, config.d_model
        self._empty = np.zeros((0, heads, 0, width // heads), "float32")
        self._no_document = np.zeros((0, 0, width), "float32")

    def encode(self, **document: np.ndarray) -> np.ndarray:
        """Int64 arrays `(B, S)`, by name, to the encoder's `(B, S, D)`."""
        return self._encoder.run(["last_hidden_state"], document)[0]

    def start_decoding(
        self,
        encoder_hidden_states: np.ndarray,
        encoder_attention_mask: np.ndarray,
        rows_per_document: int = 1,
        max_length: int | None = None,
    ) -> OnnxState:
        """The state before the first token; nothing is computed yet."""
        del rows_per_document, max_length  # the caches grow
        return OnnxState((), encoder_hidden_states, encoder_attention_mask)

    def decode_step(
        self,
        decoder_input_ids: np.ndarray,
        state: OnnxState,
        index: Any,
        **unused: None,
    ) -> tuple[Any, OnnxState]:
        """Decodes the next tokens of every row.

        Args:
            decoder_input_ids: Int array `(R, T)`.
            state: `OnnxState`.
            index: int, position of the first of them: that behind the cache.
            **unused: masks, which are `None`.

        Returns:
            Pair of an object with `logits`, float32 `(R, T, V)`, and the
            state after the tokens.
        """
        del index, unused
        follows = bool(state.self_cache)
        given = dict.fromkeys(self._past, self._empty)
        own, document = state.self_cache or ((), {})
        given |= document
        for layer, pair in enumerate(own):
            given |= zip(_names(layer, "decoder"), pair, strict=True)
        given |= {
            "use_cache_branch": np.array([follows]),
            "input_ids": decoder_input_ids.astype("int64"),
            "encoder_attention_mask": state.mask,
            "encoder_hidden_states": (
                self._no_document if follows else state.hidden
            ),
        }
        found = self._decoder.run(self._outputs, given)
        found = dict(zip(self._outputs, found, strict=True))
        present = {
            name: found[name.replace("past_key_values", "present")]
            for name in self._past
        }
        own = tuple(
            tuple(present[name] for name in _names(layer, "decoder"))
            for layer in range(self._layers)
        )
        if not follows:
            document = {k: x for k, x in present.items() if ".encoder." in k}
        logits = SimpleNamespace(logits=found["logits"])
        return logits, state._replace(self_cache=(own, document))


def _session(runtime, path, options):
    try:
        return runtime.InferenceSession(str(path), **options)
    except Exception as error:  # onnxruntime's have no class in common
        rule = "hold a model that onnxruntime runs"
        raise damaged(path, rule, error) from error


def _names(layer, kind):
    return [f"past_key_values.{layer}.{kind}.{x}" for x in ("key", "value")]
