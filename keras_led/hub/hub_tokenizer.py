"""The tokenizer of LED as a layer of KerasHub."""

from typing import Any
from typing import Self

import keras
import keras_hub
import numpy as np

from keras_led.hub.hub_backbone import LEDBackbone
from keras_led.hub.hub_presets import find_transformers_config
from keras_led.hub.hub_presets import read_tokenizer
from keras_led.hub.text_values import call_python
from keras_led.hub.text_values import in_graph
from keras_led.hub.text_values import read_texts
from keras_led.tokenizer import LEDTokenizer as TextTokenizer
from keras_led.typing import StrPath
from keras_led.typing import Tensor

# The files of a preset that hold all of a tokenizer.
ASSETS = ("tokenizer.json", "tokenizer_config.json")


@keras.saving.register_keras_serializable(package="keras_led")
class LEDTokenizer(keras_hub.tokenizers.Tokenizer):
    """Byte-level BPE tokenizer of LED: texts to ids without special tokens.

    Every text goes through `keras_led.LEDTokenizer`, so that the ids are
    Hugging Face's. (The Python path of KerasHub's `BytePairTokenizer` cuts
    numbers into groups of three digits, and so gives others.) In a graph of
    `tf.data`, Python is called for each batch.

    Args:
        vocabulary: dict from token to id, or path of a `vocab.json`.
        merges: list of str "left right" or of pairs, or path of a
            `merges.txt`.
        led_tokenizer: `keras_led.LEDTokenizer`, instead of both.
        dtype: str, the dtype of the ids, "int32".
        **kwargs: `name`, and the settings of `keras_led.LEDTokenizer`.

    Call arguments:
        inputs: str, or list, array or tensor of them.

    Returns:
        List of int for a text, list of such lists for several; a tensor or
        ragged tensor in a graph of TensorFlow.

    Raises:
        ValueError: If the vocabulary and the merges do not fit, or there are
            none yet.

    Example:
        >>> tokenizer = keras_led.hub.LEDTokenizer(
        ...     led_tokenizer=keras_led.LEDTokenizer.train(["a b"], 300))
        >>> tokenizer.detokenize(tokenizer("a b"))
        'a b'
    """

    backbone_cls = LEDBackbone

    def __init__(
        self,
        vocabulary: Any = None,
        merges: Any = None,
        *,
        led_tokenizer: TextTokenizer | None = None,
        dtype: str = "int32",
        **kwargs: Any,
    ):
        own = ("name", "trainable", "config_file")
        settings = {k: v for k, v in kwargs.items() if k not in own}
        options = {k: v for k, v in kwargs.items() if k in own}
        super().__init__(dtype=dtype, **options)
        self.file_assets = list(ASSETS)
        self._led_tokenizer = led_tokenizer
        if vocabulary is not None or merges is not None:
            self._led_tokenizer = TextTokenizer(vocabulary, merges, **settings)
        elif settings:
            raise TypeError(
                "Settings of the tokenizer must come with `vocabulary` and "
                f"`merges`. Received: {', '.join(settings)} without them."
            )
        # Nothing is left to build: `quantize` of Keras asks for that.
        self.built = True

    @property
    def led_tokenizer(self) -> TextTokenizer:
        """The `keras_led.LEDTokenizer` that does the work."""
        if self._led_tokenizer is None:
            raise ValueError(
                "`LEDTokenizer` must have a vocabulary. Received: none yet. "
                "Pass `vocabulary` and `merges`, or load it by `from_preset`."
            )
        return self._led_tokenizer

    # ---- vocabulary -------------------------------------------------------

    def get_vocabulary(self) -> list[str]:
        """List of all tokens, in the order of their ids."""
        vocabulary = self.led_tokenizer.get_vocab()
        return sorted(vocabulary, key=vocabulary.__getitem__)

    def vocabulary_size(self) -> int:
        """Number of all tokens, with added ones."""
        return len(self.led_tokenizer)

    def id_to_token(self, id: int) -> str:
        """The token of an id.

        Raises:
            ValueError: If there is none.
        """
        tokens = self.led_tokenizer.convert_ids_to_tokens([int(id)])
        if not 0 <= int(id) or tokens[0] is None:
            raise ValueError(
                f"`id` must be below {self.vocabulary_size()}. "
                f"Received: id={id}."
            )
        return tokens[0]

    def token_to_id(self, token: str) -> int:
        """The id of a token.

        Raises:
            ValueError: If there is none.
        """
        vocabulary = self.led_tokenizer.get_vocab()
        if token not in vocabulary:
            raise ValueError(
                f"`token` must be in the vocabulary. Received: token={token!r}."
            )
        return vocabulary[token]

    @property
    def special_tokens(self) -> list[str]:
        """List of str, the special tokens."""
        return list(self.led_tokenizer.all_special_tokens)

    @property
    def special_token_ids(self) -> list[int]:
        """List of int, their ids."""
        return list(self.led_tokenizer.all_special_ids)

    @property
    def start_token(self) -> str:
        """str, in front of a text: `<s>`."""
        return self.led_tokenizer.cls_token  # pyright: ignore[reportReturnType]

    @property
    def start_token_id(self) -> int:
        """int, its id."""
        return self.led_tokenizer.cls_token_id  # pyright: ignore[reportReturnType]

    @property
    def end_token(self) -> str:
        """str, behind a text: `</s>`."""
        return self.led_tokenizer.sep_token  # pyright: ignore[reportReturnType]

    @property
    def end_token_id(self) -> int:
        """int, its id."""
        return self.led_tokenizer.sep_token_id  # pyright: ignore[reportReturnType]

    @property
    def pad_token(self) -> str:
        """str, fills up rows: `<pad>`."""
        return self.led_tokenizer.pad_token  # pyright: ignore[reportReturnType]

    @property
    def pad_token_id(self) -> int:
        """int, its id."""
        return self.led_tokenizer.pad_token_id  # pyright: ignore[reportReturnType]

    # ---- texts to ids, and back -------------------------------------------

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return self.tokenize(inputs)

    def tokenize(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Turns texts into ids; see the class."""
        if in_graph():
            return self._tokenize_in_graph(inputs)
        texts, single = read_texts("inputs", inputs)
        ids = self._ids(texts)
        return ids[0] if single else ids

    def detokenize(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Turns ids into texts, special tokens included.

        Args:
            inputs: list, array or tensor of ids, or list of such lists.
            *args: not used.
            **kwargs: not used.

        Returns:
            str, or list of str.
        """
        rows, single = _read_ids(inputs)
        texts = self.led_tokenizer.batch_decode(rows, skip_special_tokens=False)
        return texts[0] if single else texts

    def _ids(self, texts):
        if not texts:
            return []
        encoded = self.led_tokenizer(
            texts, add_special_tokens=False, return_attention_mask=False
        )
        return [list(row) for row in encoded["input_ids"]]

    def _tokenize_in_graph(self, inputs):
        import tensorflow as tf

        inputs = tf.convert_to_tensor(inputs)

        def tokenize(texts):
            rows = self._ids(read_texts("inputs", np.atleast_1d(texts))[0])
            flat = [token for row in rows for token in row]
            lengths = [len(row) for row in rows]
            return np.array(flat, "int32"), np.array(lengths, "int32")

        flat, lengths = call_python(tokenize, [inputs], [(None,), (None,)])
        if inputs.shape.rank == 0:
            return flat
        return tf.RaggedTensor.from_row_lengths(flat, lengths)

    # ---- files ------------------------------------------------------------

    def save_assets(self, dir_path: StrPath) -> None:
        """Writes the files of the tokenizer into a directory."""
        self.led_tokenizer.save_pretrained(dir_path, legacy_format=False)

    def load_assets(self, dir_path: StrPath) -> None:
        """Reads the files of the tokenizer from a directory."""
        self._led_tokenizer = TextTokenizer.from_pretrained(dir_path)

    @classmethod
    def from_preset(
        cls, preset: StrPath, config_file: str = "tokenizer.json", **kwargs: Any
    ) -> Self:
        """Reads a tokenizer from a KerasHub preset or a Hugging Face folder.

        Args:
            preset: str or path, as for `LEDBackbone.from_preset`.
            config_file: str, the file of a KerasHub preset that describes it.
            **kwargs: `name`.

        Raises:
            FileNotFoundError: If there is no such preset.
            ValueError: If it holds no LED.
        """
        if find_transformers_config(cls, preset) is None:
            return super().from_preset(str(preset), config_file, **kwargs)
        return cls(led_tokenizer=read_tokenizer(preset), **kwargs)

    def export_to_transformers(self, path: StrPath) -> None:
        """Writes the files of a Hugging Face tokenizer.

        Args:
            path: str or path of the directory.
        """
        self.led_tokenizer.save_pretrained(path)


def _read_ids(inputs: Any) -> tuple[list[list[int]], bool]:
    """Brings ids to a list of rows; `True` if it was a single row."""
    if hasattr(inputs, "to_list"):  # ragged
        inputs = inputs.to_list()
    elif hasattr(inputs, "shape"):
        inputs = _to_numpy(inputs).tolist()
    rows = list(inputs)
    single = not rows or not hasattr(rows[0], "__len__")
    rows = [rows] if single else rows
    return [[int(token) for token in row] for row in rows], single


def _to_numpy(x: Tensor) -> np.ndarray:
    if keras.ops.is_tensor(x):
        return keras.ops.convert_to_numpy(x)
    return np.asarray(x)
