"""`keras-led convert --verify`: is the result the same model?"""

import importlib.util
import itertools
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import numpy as np
from keras import ops

from keras_led.checkpoints import names
from keras_led.checkpoints import open_checkpoint
from keras_led.checkpoints.conversion import checksum
from keras_led.cli.convert_keras import KERAS_FILES
from keras_led.cli.convert_keras import model_class
from keras_led.config import LEDConfig

if TYPE_CHECKING:
    from keras_led.checkpoints.weight_set import WeightSet

_PEERS = {
    None: "Model",
    "generation": "ForConditionalGeneration",
    "classification": "ForSequenceClassification",
    "question_answering": "ForQuestionAnswering",
}
# transformers 5 has no classification with LED.
_MISSING_PEERS = ("LEDForSequenceClassification",)
_MAX_TOKENS = 48
_DECODER_TOKENS = 6
_OUTPUTS = (
    "logits",
    "start_logits",
    "end_logits",
    "last_hidden_state",
    "encoder_last_hidden_state",
)


def verify_files(target: Path, report: dict[str, Any]) -> int:
    """Reads the result again; compares names, shapes and checksums.

    Args:
        target: `pathlib.Path` of the converted directory.
        report: dict from `conversion.convert`.

    Returns:
        int, how many tensors were compared.

    Raises:
        ValueError: If anything differs; all differences are listed.
    """
    found = dict(_sums(target, report))
    expected = {
        row["target"]: (tuple(row["shape"]), row["crc32"])
        for row in report["tensors"]
    }
    if report["format"] == "tf-h5":
        expected = {names.from_tensorflow(k): v for k, v in expected.items()}
    faults = [
        f"{name}: expected {expected.get(name)}, found {found.get(name)}"
        for name in sorted({*expected, *found})  # pyright: ignore[reportArgumentType]
        if expected.get(name) != found.get(name)
    ]
    if faults:
        raise ValueError(
            f"The files in {target} are not what was written: "
            + "; ".join(faults)
        )
    return len(found)


def verify_outputs(
    source: "WeightSet", target: Path, report: dict[str, Any]
) -> dict[str, Any] | None:
    """Runs the source in its own library and the result in Keras.

    Args:
        source: `WeightSet`; its directory, not its name, is what the library
            reads: the name may be embedded, or stand for another revision.
        target: `pathlib.Path` of the converted directory.
        report: dict from `conversion.convert`.

    Returns:
        Dict of the name of each output to its maximum absolute difference, or
        `None` where no library that runs the source is installed.
    """
    peer = _peer(source)
    if peer is None:
        return None
    model = _load(target, report)
    length, windows_differ = _length(source, peer)
    inputs = _inputs(source, length, source.family == "led")
    expected = peer.run(inputs)
    output = model(**{k: v.astype("int32") for k, v in inputs.items()})
    return {
        name: float(
            np.abs(
                expected[name]
                - ops.convert_to_numpy(ops.cast(output[name], "float32"))
            ).max()
        )
        for name in _OUTPUTS
        if name in expected and name in output
    }


def _sums(target, report):
    """Yields the name, shape and checksum of each tensor of the result."""
    if report["format"] in KERAS_FILES:
        for variable in _load(target, report).weights:
            value = ops.convert_to_numpy(variable.value)
            value = np.ascontiguousarray(value, _numpy_type(variable.dtype))
            name = names.from_variable(variable.path)
            yield name, (tuple(value.shape), checksum(value))
        return
    convert = str
    if report["format"] == "tf-h5":
        convert = names.from_tensorflow
    with open_checkpoint(target) as checkpoint:
        for name, info in checkpoint.infos.items():
            yield convert(name), (info.shape, checksum(checkpoint.read(name)))


def _numpy_type(name):
    from keras_led.checkpoints.tensor_files import FLOAT_DTYPES

    return FLOAT_DTYPES[str(name)]


def _load(target, report):
    """Loads the result as a Keras model."""
    if report["format"] == "keras":
        import keras

        return keras.saving.load_model(target / KERAS_FILES["keras"])
    cls = model_class(report["head"])
    if report["format"] == "weights-h5":
        (dtype,) = {row["dtype"] for row in report["tensors"]}
        model = cls(LEDConfig.from_pretrained(target), dtype=dtype)
        model.load_weights(target / KERAS_FILES["weights-h5"])
        return model
    return cls.from_pretrained(target, dtype="float32")


def _length(source, peer):
    """A length at which other windows make no difference."""
    windows = set(source.config.attention_windows)
    differ = windows != set(peer.windows) or len(windows) > 1
    limits = [
        _MAX_TOKENS,
        source.config.max_encoder_position_embeddings,
        peer.max_tokens,
    ]
    if differ:
        known = itertools.chain(windows, peer.windows)
        limits.append(min(known) // 2 + 1)
    return min(limits), differ


def _inputs(source, length, with_global):
    random = np.random.default_rng(0)
    vocabulary = source.config.vocab_size
    eos = source.config.eos_token_id
    eos = 2 if eos is None else np.ravel(eos)[0]
    low = min(4, vocabulary - 1)
    ids = random.integers(low, vocabulary, (2, length))
    short = min(_DECODER_TOKENS, source.config.max_decoder_position_embeddings)
    decoder_ids = random.integers(low, vocabulary, (2, short))
    if source.head == "classification":
        # The decoder reads the input again; its last </s> is classified.
        ids = ids[:, : source.config.max_decoder_position_embeddings]
        ids[:, -1] = eos
        decoder_ids = ids
    inputs = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "decoder_input_ids": decoder_ids,
    }
    if with_global:
        inputs["global_attention_mask"] = np.zeros_like(ids)
        inputs["global_attention_mask"][:, 0] = 1
    return inputs


def _peer(source):
    """Returns the source in its own library, or `None` without one."""
    path = source.directory
    if source.family == "keras_hub" and _installed("keras_hub"):
        return _KerasHubPeer(path)
    if source.family not in ("led", "bart"):
        return None
    name = ("LED" if source.family == "led" else "Bart") + _PEERS[source.head]
    h5 = any(file.suffix == ".h5" for file in source.checkpoint.paths)
    known = source.checkpoint.dialect == "torch" and not h5
    if not known or name in _MISSING_PEERS:
        return None
    if not _installed("transformers") or not _installed("torch"):
        return None
    return _TransformersPeer(path, name)


def _installed(name):
    return importlib.util.find_spec(name) is not None


class _TransformersPeer:
    """The source as a model of `transformers`."""

    def __init__(self, path, name):
        import transformers

        self._model = getattr(transformers, name).from_pretrained(path).eval()
        config = self._model.config
        windows = getattr(config, "attention_window", ())
        self.windows = [windows] if isinstance(windows, int) else list(windows)
        self.max_tokens = getattr(
            config,
            "max_encoder_position_embeddings",
            getattr(config, "max_position_embeddings", None),
        )

    def run(self, inputs):
        """Returns the outputs as numpy arrays."""
        import torch

        with torch.no_grad():
            output = self._model(
                **{k: torch.from_numpy(v) for k, v in inputs.items()}
            )
        return {
            name: output[name].float().numpy()
            for name in _OUTPUTS
            if output.get(name) is not None
        }


class _KerasHubPeer:
    """The source as a backbone of KerasHub."""

    windows = ()

    def __init__(self, path):
        import keras_hub

        self._model = keras_hub.models.BartBackbone.from_preset(str(path))
        self.max_tokens = self._model.max_sequence_length

    def run(self, inputs):
        """Returns the outputs as numpy arrays."""
        output = self._model(
            {
                "encoder_token_ids": inputs["input_ids"],
                "encoder_padding_mask": inputs["attention_mask"],
                "decoder_token_ids": inputs["decoder_input_ids"],
                "decoder_padding_mask": np.ones_like(
                    inputs["decoder_input_ids"]
                ),
            }
        )
        hidden = ops.convert_to_numpy(output["encoder_sequence_output"])
        decoded = output["decoder_sequence_output"]
        logits = self._model.token_embedding(decoded, reverse=True)
        return {
            "encoder_last_hidden_state": hidden,
            "logits": ops.convert_to_numpy(logits),
        }
