"""Pairs of texts to batches of an `LEDSeq2SeqLM`, and its ids to texts."""

from collections.abc import Iterable
from typing import Any
from typing import Self

import keras
import keras_hub
import numpy as np

from keras_led.data.buckets import bucket_of
from keras_led.data.buckets import make_buckets
from keras_led.generation.inputs.document_batch import bucket_length
from keras_led.generation.summaries import TokenizedDocuments
from keras_led.hub.hub_backbone import LEDBackbone
from keras_led.hub.hub_presets import find_transformers_config
from keras_led.hub.hub_presets import read_limits
from keras_led.hub.hub_presets import read_tokenizer
from keras_led.hub.hub_tokenizer import LEDTokenizer
from keras_led.hub.text_pairs import check_keys
from keras_led.hub.text_pairs import check_row_length
from keras_led.hub.text_pairs import check_rows
from keras_led.hub.text_pairs import pad_rows
from keras_led.hub.text_pairs import pair_of
from keras_led.hub.text_values import call_python
from keras_led.hub.text_values import in_graph
from keras_led.hub.text_values import read_texts
from keras_led.typing import StrPath


@keras.saving.register_keras_serializable(package="keras_led")
class LEDSeq2SeqLMPreprocessor(keras_hub.models.Seq2SeqLMPreprocessor):
    """Tokenizes, cuts and pads documents and the texts to write about them.

    Documents are padded to the shortest bucket that holds the longest of a
    batch, and not to `encoder_sequence_length` always: of 16,384 tokens most
    would be padding. A single text, which may become part of a batch later,
    is padded to the full length.

    Args:
        tokenizer: `LEDTokenizer`.
        encoder_sequence_length: int, longest document in tokens; the rest of
            a longer one is cut.
        decoder_sequence_length: int, length of the rows of targets, and of
            what `generate` writes, in tokens.
        buckets: iterable of int, lengths in tokens; by default 128, 256, 512
            and so on.
        decoder_start_token_id: int, what the decoder reads first; by default
            the end token, as in BART.
        **kwargs: `name`.

    Call arguments:
        x: dict of `"encoder_text"` and `"decoder_text"`, each a str, or list,
            array or tensor of them; or a pair of the two; or the documents
            alone, with `y`.
        y: the texts to write, or `None`.
        sample_weight: float array of shape `(B,)`, weights of rows, or `None`.
        encoder_sequence_length: int, instead of that of the layer.
        decoder_sequence_length: int, likewise; also as `sequence_length`.

    Returns:
        Tuple of a dict of the inputs of `LEDBackbone`, the targets, int32
        `(B, T)`, and the weights of their tokens, float32 `(B, T)`.

    Raises:
        TypeError: If something is no text.
        ValueError: If documents or targets are missing, or a length is wrong.
    """

    backbone_cls = LEDBackbone
    tokenizer_cls = LEDTokenizer

    def __init__(
        self,
        tokenizer: LEDTokenizer,
        encoder_sequence_length: int = 16384,
        decoder_sequence_length: int = 1024,
        buckets: Iterable[int] | None = None,
        decoder_start_token_id: int | None = None,
        **kwargs: Any,
    ):
        for name, value in (
            ("encoder_sequence_length", encoder_sequence_length),
            ("decoder_sequence_length", decoder_sequence_length),
        ):
            check_row_length(name, value)
        super().__init__(
            tokenizer,
            encoder_sequence_length=encoder_sequence_length,
            decoder_sequence_length=decoder_sequence_length,
            **kwargs,
        )
        self.buckets = None if buckets is None else list(buckets)
        make_buckets(encoder_sequence_length, self.buckets)  # may raise
        self.decoder_start_token_id = decoder_start_token_id
        self.built = True

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "encoder_sequence_length": self.encoder_sequence_length,
            "decoder_sequence_length": self.decoder_sequence_length,
            "buckets": self.buckets,
            "decoder_start_token_id": self.decoder_start_token_id,
        }

    # ---- training ---------------------------------------------------------

    def call(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        encoder_sequence_length: int | None = None,
        decoder_sequence_length: int | None = None,
        sequence_length: int | None = None,
    ) -> tuple[Any, ...]:
        longest = encoder_sequence_length or self.encoder_sequence_length
        width = decoder_sequence_length or sequence_length
        width = width or self.decoder_sequence_length
        sources, targets = pair_of(x, y)

        def pack(sources, targets):
            sources, single = read_texts("encoder_text", sources)
            targets, _ = read_texts("decoder_text", targets)
            check_rows(sources, targets)
            arrays = [
                *self._pack_sources(sources, longest, single),
                *self._pack_targets(targets, width + 1),
            ]
            return [array[0] for array in arrays] if single else arrays

        if in_graph():
            import tensorflow as tf

            sources = tf.convert_to_tensor(sources)
            rows = list(sources.shape)
            length = None if rows else longest
            shapes = [[*rows, length]] * 2 + [[*rows, width + 1]] * 2
            arrays = call_python(pack, [sources, targets], shapes)
            ids, mask, decoder_ids, decoder_mask = arrays
            weights = tf.cast(decoder_mask[..., 1:], "float32")
            if sample_weight is not None:
                sample_weight = tf.cast(sample_weight, "float32")
        else:
            ids, mask, decoder_ids, decoder_mask = pack(sources, targets)
            weights = decoder_mask[..., 1:].astype("float32")
            if sample_weight is not None:
                sample_weight = np.asarray(sample_weight, "float32")
        if sample_weight is not None:
            weights = weights * sample_weight[..., None]
        inputs = {
            "encoder_token_ids": ids,
            "encoder_padding_mask": mask,
            "decoder_token_ids": decoder_ids[..., :-1],
            "decoder_padding_mask": decoder_mask[..., :-1],
        }
        return inputs, decoder_ids[..., 1:], weights

    def _pack_sources(self, texts, longest, single=False):
        rows = self._encode(texts, longest)
        length = longest
        if not single:
            buckets = [n for n in self.buckets or () if n < longest]
            buckets = make_buckets(longest, buckets or None)
            length = bucket_of(max(map(len, rows), default=1), buckets)
        return pad_rows(rows, length, self.tokenizer.pad_token_id)

    def _pack_targets(self, texts, width):
        start = self._start_token_id()
        rows = [[start, *row] for row in self._encode(texts, width - 1)]
        return pad_rows(rows, width, self.tokenizer.pad_token_id)

    def _encode(self, texts, longest):
        """Ids `<s> ... </s>` of each text, cut."""
        if not texts:
            return []
        encoded = self.tokenizer.led_tokenizer(
            texts,
            truncation=True,
            max_length=longest,
            return_attention_mask=False,
        )
        return [list(row) for row in encoded["input_ids"]]

    def _start_token_id(self):
        if self.decoder_start_token_id is None:
            return self.tokenizer.end_token_id
        return self.decoder_start_token_id

    # ---- generation -------------------------------------------------------

    def generate_preprocess(
        self,
        x: Any,
        *,
        encoder_sequence_length: int | None = None,
        decoder_sequence_length: int | None = None,
        sequence_length: int | None = None,
    ) -> dict[str, np.ndarray]:
        """Makes the inputs of `generate`.

        A document that is longer than `encoder_sequence_length` is cut, with
        a warning that says how much.

        Args:
            x: documents, a str, or list, array or tensor of them; or a dict
                of `"encoder_text"`, and, if wanted, `"decoder_text"`, with
                which the outputs begin.
            encoder_sequence_length: int, instead of that of the layer.
            decoder_sequence_length: int, likewise.
            sequence_length: int, another name of it.

        Returns:
            dict of int32 arrays: the inputs of `LEDBackbone`. A row of the
            decoder is the start token, `<s>` and the tokens of its
            `decoder_text`, if there is one, and padding.

        Raises:
            TypeError: If something is no text.
            ValueError: If a prompt leaves no room for what is to be written.
        """
        longest = encoder_sequence_length or self.encoder_sequence_length
        width = decoder_sequence_length or sequence_length
        width = width or self.decoder_sequence_length
        prompts = None
        if isinstance(x, dict):
            check_keys(x)
            prompts = x.get("decoder_text")
            x = x["encoder_text"]
        sources, single = read_texts("encoder_text", x)
        own = self.tokenizer.led_tokenizer
        documents = TokenizedDocuments(sources, own, longest)
        documents.warn_of_cuts(3)
        ids = documents.ids
        length = bucket_length(max(map(len, ids), default=1), longest)
        pad = self.tokenizer.pad_token_id
        ids, mask = pad_rows(ids, length, pad)
        rows = [[self._start_token_id()] for _ in sources]
        if prompts is not None:
            prompts, _ = read_texts("decoder_text", prompts)
            check_rows(sources, prompts)
            rows = [
                [*row, self.tokenizer.start_token_id, *self.tokenizer(prompt)]
                if prompt
                else row
                for row, prompt in zip(rows, prompts, strict=True)
            ]
        too_long = max(map(len, rows), default=0)
        if too_long >= width:
            raise ValueError(
                "`decoder_sequence_length` (`max_length` of `generate`) must "
                "leave room after the prompt. Received: "
                f"decoder_sequence_length={width}, a prompt of {too_long} "
                "tokens (start tokens included)."
            )
        decoder_ids, decoder_mask = pad_rows(rows, width, pad)
        arrays = {
            "encoder_token_ids": ids,
            "encoder_padding_mask": mask,
            "decoder_token_ids": decoder_ids,
            "decoder_padding_mask": decoder_mask,
        }
        return {k: v[0] for k, v in arrays.items()} if single else arrays

    def generate_postprocess(self, x: dict[str, Any]) -> str | list[str]:
        """Makes texts of what `generate` wrote, without special tokens.

        Args:
            x: dict of int arrays or tensors of shape `(B, T)`,
                `"decoder_token_ids"` and `"decoder_padding_mask"`.

        Returns:
            List of str; a str for a single row `(T,)`.
        """
        ids, mask = (
            keras.ops.convert_to_numpy(x[f"decoder_{name}"])
            for name in ("token_ids", "padding_mask")
        )
        single = ids.ndim == 1
        ids, mask = np.atleast_2d(ids), np.atleast_2d(mask).astype("bool")
        rows = [row[kept].tolist() for row, kept in zip(ids, mask, strict=True)]
        texts = self.tokenizer.led_tokenizer.batch_decode(
            rows, skip_special_tokens=True
        )
        texts = [text.strip() for text in texts]
        return texts[0] if single else texts

    # ---- files ------------------------------------------------------------

    @classmethod
    def from_preset(
        cls,
        preset: StrPath,
        config_file: str = "preprocessor.json",
        **kwargs: Any,
    ) -> Self:
        """Reads a preprocessor from a KerasHub preset or a Hugging Face folder.

        Args:
            preset: str or path, as for `LEDBackbone.from_preset`.
            config_file: str, the file of a KerasHub preset that describes it.
            **kwargs: arguments of the constructor; they win over the preset.
                In a Hugging Face folder, the lengths are those of the tables
                of positions.

        Raises:
            FileNotFoundError: If there is no such preset.
            ValueError: If it holds no LED.
        """
        content = find_transformers_config(cls, preset)
        if content is None:
            return super().from_preset(str(preset), config_file, **kwargs)
        if "tokenizer" not in kwargs:
            own = read_tokenizer(preset)
            kwargs["tokenizer"] = cls.tokenizer_cls(led_tokenizer=own)
        return cls(**{**read_limits(content), **kwargs})
