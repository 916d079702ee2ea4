"""The methods that a model inherits to generate text."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

from keras_led.config import LEDConfig
from keras_led.generation.inputs.arguments import read_request
from keras_led.generation.loop.run import run_request
from keras_led.generation.loop.run import stream_request
from keras_led.generation.options.generation_config import GenerationConfig
from keras_led.generation.options.generation_config import options_of
from keras_led.generation.results.streamers import ended_after_an_error
from keras_led.generation.results.transition_scores import transition_scores
from keras_led.generation.summaries import TokenizedDocuments
from keras_led.generation.summaries import summarize_texts
from keras_led.typing import StrPath
from keras_led.typing import Tensor

if TYPE_CHECKING:
    import numpy as np

    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


class GenerationMixin:
    """Adds `generate`, `stream` and `summarize` to a model.

    The model offers `config`, `encode`, `start_decoding` and `decode_step`.
    """

    @property
    def generation_config(self) -> GenerationConfig:
        """`GenerationConfig` that `generate` starts from.

        At first what the model's own config says. An option that is set on
        `config` later replaces that of the `generation_config`.
        """
        own = self.__dict__.get("_generation_config")
        if own is None:
            own = GenerationConfig.from_model_config(self.config)
            # Keras on TensorFlow reads a property before it sets it.
            self._keep_options(own)
            return own
        now, before = options_of(self.config), self._options_of_config
        if now != before:
            _take_over(
                own,
                {
                    name: now.get(name)
                    for name in {**before, **now}
                    if now.get(name) != before.get(name)
                },
            )
            object.__setattr__(self, "_options_of_config", now)
        return own

    @generation_config.setter
    def generation_config(self, value: GenerationConfig) -> GenerationConfig:
        if not isinstance(value, GenerationConfig):
            raise TypeError(
                "`generation_config` must be a `GenerationConfig`. "
                f"Received: {type(value).__name__}."
            )
        self._keep_options(value)

    def _keep_options(self, value):
        # Past Keras' own `__setattr__`, which would track them.
        object.__setattr__(self, "_options_of_config", options_of(self.config))
        object.__setattr__(self, "_generation_config", value)

    @classmethod
    def can_generate(cls) -> bool:
        """Whether models of this class generate text: they do."""
        return True

    @classmethod
    def read_settings(
        cls,
        name_or_path: StrPath,
        config: LEDConfig | None = None,
        overrides: dict[str, Any] | None = None,
        **hub: Any,
    ) -> GenerationConfig:
        """Reads the generation options of a checkpoint.

        Args:
            name_or_path: str or path: a directory, or a hub id.
            config: `LEDConfig` to use instead of the checkpoint's, or `None`:
                options in which it differs from the file were set by hand.
            overrides: dict of what else replaces values of the file.
            **hub: as in `GenerationConfig.from_pretrained`.

        Returns:
            A `GenerationConfig`.
        """
        settings = GenerationConfig.from_pretrained(name_or_path, **hub)
        if config is not None:
            _take_over(settings, _set_by_hand(config, name_or_path, hub))
        _take_over(settings, options_of(overrides or {}))
        return settings

    def use_settings(self, settings: GenerationConfig) -> None:
        """Takes the generation options of a checkpoint for its own.

        Args:
            settings: `GenerationConfig`.
        """
        tokens = GenerationConfig.from_model_config(self.config)
        for name in ("pad", "bos", "eos", "decoder_start"):
            name = f"{name}_token_id"
            if getattr(settings, name) is None:
                settings.update(**{name: getattr(tokens, name)})
        self.generation_config = settings

    def save_settings(self, directory: StrPath) -> LEDConfig:
        """Writes the files beside the weights, with the generation options.

        Args:
            directory: str or path.
        """
        config = super().save_settings(directory)
        self.generation_config.save_pretrained(directory)
        return config

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.__dict__.get("_generation_config") is not None:
            config["generation_config"] = self.generation_config.to_dict()
        return config

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: dict[str, Any] | None = None,
    ) -> Self:
        config = dict(config)
        own = config.pop("generation_config", None)
        model = super().from_config(config, custom_objects)
        if own is not None:
            model.generation_config = GenerationConfig.from_dict(own)
        return model

    def generate(
        self,
        input_ids: Tensor | Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Any:
        """Writes an output for each document, token by token.

        The encoder runs once per document; beams and returned sequences share
        its keys and values. Unless a Python hook has to see every step, the
        whole decoding is one compiled loop, kept with the model and reused
        for documents of the same bucket of lengths.

        Args:
            input_ids: integers `(B, S)`, or a dict with them and the masks;
                may also be given as `inputs`. Without any document, it is one
                of the start token `<s>` alone.
            **arguments: `attention_mask`, 1 at tokens, 0 at padding, `(B, S)`
                (found from the padding ids when absent);
                `global_attention_mask`, 1 at global tokens, `(B, S)`;
                `inputs_embeds` `(B, S, D)` instead of ids; `encoder_outputs`
                of an earlier run; `decoder_input_ids` `(B, P)`, a prompt,
                with `decoder_attention_mask`; `head_mask`,
                `decoder_head_mask`, `cross_attn_head_mask`, `(layers, N)`;
                `generation_config`; `logits_processor`, a list of callables
                `(input_ids, scores) -> scores` or `LogitsProcessor`s;
                `stopping_criteria`, a list of callables `(input_ids, scores)`
                that return a bool or one per row;
                `prefix_allowed_tokens_fn`, a callable `(document, tokens)`
                that returns the ids allowed next; `streamer`, an object with
                `put` and `end`; `tokenizer`, for `stop_strings`; `seed`, int
                or pair of ints; `progress`, bool, shows a progress bar; and
                every option of `GenerationConfig`.

        Returns:
            int32 tensor `(B * num_return_sequences, length)`, padded at the
            end; with `return_dict_in_generate=True` a
            `GenerateEncoderDecoderOutput` or, for beams, a
            `GenerateBeamEncoderDecoderOutput`.

        Raises:
            TypeError: If an argument is unknown or of a wrong type.
            ValueError: If a value does not fit. Both before the encoder runs.
        """
        arguments["input_ids"] = input_ids
        with ended_after_an_error(arguments.get("streamer")):
            request = read_request(
                self.config, self.generation_config, arguments
            )
            return run_request(self, request)

    def compute_transition_scores(
        self,
        sequences: Tensor,
        scores: tuple[Tensor, ...],
        beam_indices: Tensor | None = None,
        normalize_logits: bool = False,
    ) -> "np.ndarray":
        """Finds the score of each generated token; see `transition_scores`."""
        return transition_scores(
            sequences, scores, beam_indices, normalize_logits
        )

    def stream(
        self, text: str, *, tokenizer: "LEDTokenizer", **arguments: Any
    ) -> Iterator[str]:
        """Writes a summary piece by piece.

        Args:
            text: str, the document.
            tokenizer: `LEDTokenizer`.
            **arguments: as in `generate`; one beam, one sequence.

        Yields:
            str, pieces of the summary, which joined are the whole.

        Raises:
            TypeError: If `text` is not a string or an argument is unknown.
            ValueError: If a value does not fit, for example `num_beams=2`.
        """
        limit = self.config.max_encoder_position_embeddings
        documents = TokenizedDocuments([text], tokenizer, limit)
        arguments = {"num_beams": 1, "num_return_sequences": 1, **arguments}
        arguments = {**documents.batch([0]), **arguments}
        arguments["tokenizer"] = tokenizer
        request = read_request(self.config, self.generation_config, arguments)
        return stream_request(self, request, tokenizer)

    def summarize(
        self,
        text: str | Sequence[str],
        *,
        tokenizer: "LEDTokenizer",
        batch_size: int = 1,
        max_input_length: int | None = None,
        progress: bool = False,
        **options: Any,
    ) -> str | list[str]:
        """Summarizes one text, or many.

        Global attention is on `<s>`; the generation options are the
        checkpoint's own unless given. A text longer than the model reads is
        cut, with a warning that says how much.

        Args:
            text: str, or list of str.
            tokenizer: `LEDTokenizer`.
            batch_size: int, documents at once. Documents are sorted by
                length, so that a batch holds little padding.
            max_input_length: int, longest document in tokens; by default what
                the model's position table holds.
            progress: bool, show a progress bar over the documents.
            **options: arguments of `generate`.

        Returns:
            str, or list of str in the order of `text`.

        Raises:
            TypeError: If `text` is not a string, or an option is unknown.
            ValueError: If a value does not fit.
        """
        for name, value in (
            ("batch_size", batch_size),
            ("max_input_length", max_input_length),
        ):
            if value is not None and value < 1:
                raise ValueError(
                    f"`{name}` must be at least 1. Received: {name}={value}."
                )
        for name, plain in (
            ("return_dict_in_generate", False),
            ("num_return_sequences", 1),
        ):
            if options.get(name, plain) != plain:
                raise ValueError(
                    f"`{name}` does not fit `summarize`, which returns one "
                    f"text a document. Received: {name}={options[name]}. "
                    "Use `generate`."
                )
        single = isinstance(text, str)
        texts = [text] if single else list(text)
        options = {
            "return_dict_in_generate": False,
            "num_return_sequences": 1,
            **options,
        }
        summaries = summarize_texts(
            self,
            texts,
            tokenizer,
            batch_size,
            max_input_length,
            progress,
            options,
        )
        return summaries[0] if single else summaries


def _take_over(own, options):
    """Sets options of a `GenerationConfig`, so that they are what counts."""
    replaced = {}
    for name, winner in (
        ("max_length", "max_new_tokens"),
        ("min_length", "min_new_tokens"),
    ):
        if options.get(name) is not None:
            replaced[winner] = None  # a checkpoint's, which would win
    own.update(**{**replaced, **options})


def _set_by_hand(config, name_or_path, hub):
    """The options of `generate` in which a config differs from the file's."""
    try:
        of_file = options_of(LEDConfig.from_pretrained(name_or_path, **hub))
    except (FileNotFoundError, ValueError):  # it describes no LED
        of_file = options_of(LEDConfig())
    own = options_of(config)
    return {k: v for k, v in own.items() if of_file.get(k) != v}
