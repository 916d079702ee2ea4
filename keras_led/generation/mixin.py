"""The methods that a model inherits to generate text."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import Self
from typing import Unpack

from keras_led.config import LEDConfig
from keras_led.generation.inputs.arguments import read_request
from keras_led.generation.loop.run import run_request
from keras_led.generation.options.generation_config import GenerationConfig
from keras_led.generation.options.generation_config import options_of
from keras_led.generation.options.keywords import GenerateArguments
from keras_led.generation.results.streamers import ended_after_an_error
from keras_led.generation.results.transition_scores import transition_scores
from keras_led.generation.summary_mixin import SummaryMixin
from keras_led.typing import StrPath
from keras_led.typing import Tensor

if TYPE_CHECKING:
    import numpy as np


class GenerationMixin(SummaryMixin):
    """Adds `generate`, and what stands on it, to a model.

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
    def generation_config(self, value: GenerationConfig) -> None:
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
        if not isinstance(own, dict | None):
            raise ValueError(
                '`config["generation_config"]` must be a dict of generation '
                f"options. Received: {own!r}."
            )
        model = super().from_config(config, custom_objects)
        if own is not None:
            model.generation_config = GenerationConfig.from_dict(own)
        return model

    def generate(
        self,
        input_ids: Tensor | Mapping[str, Any] | None = None,
        **arguments: Unpack[GenerateArguments],
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
            **arguments: by name, each of them. What there is to read and how:

                - `attention_mask`: 1 at tokens, 0 at padding, `(B, S)`; found
                  from the padding ids when absent.
                - `global_attention_mask`: 1 at global tokens, `(B, S)`.
                - `inputs_embeds`: floats `(B, S, D)` instead of ids.
                - `encoder_outputs`: output of an earlier run of the encoder.
                - `decoder_input_ids`: integers `(B, P)`, a prompt.
                - `decoder_attention_mask`: 0 at the prompt's padding, `(B, P)`.
                - `head_mask`: floats `(layers, N)` for the encoder;
                  `decoder_head_mask` and `cross_attn_head_mask` for the
                  decoder.
                - `past_key_values`: keys and values of the first tokens of the
                  prompt, as a call returns them.
                - `generation_config`: `GenerationConfig` for this call.
                - `logits_processor`: list of callables `(input_ids, scores) ->
                  scores` or `LogitsProcessor`s.
                - `stopping_criteria`: list of callables `(input_ids, scores)`
                  that return a bool or one per row.
                - `prefix_allowed_tokens_fn`: callable `(document, tokens)` that
                  returns the ids allowed next.
                - `streamer`: object with `put` and `end`.
                - `tokenizer`: `LEDTokenizer`, for `stop_strings`.
                - `seed`: int or pair of ints.
                - `progress`: bool, show a progress bar.

                The options; one that is left out is as in `generation_config`,
                one that is `None` is unset:

                - `max_length`: int, longest output in tokens, prompt included.
                - `max_new_tokens`: int, most tokens to generate; wins over
                  `max_length`.
                - `min_length`: int, no end before this many tokens, prompt
                  included.
                - `min_new_tokens`: int, no end before this many new tokens.
                - `early_stopping`: `True`, `False` or `"never"`, when beam
                  search ends.
                - `max_time`: float, seconds after which generation stops.
                - `stop_strings`: str or list of str that end a sequence.
                - `do_sample`: bool, draw tokens instead of taking the best.
                - `num_beams`: int, beams per document.
                - `use_cache`: bool, keep keys and values of earlier tokens.
                - `penalty_alpha`: float in [0, 1], contrastive search with
                  `top_k` > 1.
                - `temperature`: float > 0, divides the scores before sampling.
                - `top_k`: int, candidates kept for sampling; 0 keeps all.
                - `top_p`: float in (0, 1], probability mass kept for sampling.
                - `min_p`: float in [0, 1], least probability relative to the
                  best token.
                - `typical_p`: float in (0, 1], mass kept by local typicality.
                - `epsilon_cutoff`: float in [0, 1), least probability, or 0.
                - `eta_cutoff`: float in [0, 1), entropy-dependent cutoff.
                - `repetition_penalty`: float > 0, above 1 punishes tokens used
                  already.
                - `encoder_repetition_penalty`: float > 0, above 1 favours
                  tokens of the document.
                - `length_penalty`: float, exponent of the length by which beam
                  search divides scores.
                - `no_repeat_ngram_size`: int, n-grams of this size occur once;
                  0 is off.
                - `encoder_no_repeat_ngram_size`: int, n-grams of this size of
                  the document do not occur; 0 is off.
                - `bad_words_ids`: list of lists of ids that must not occur.
                - `sequence_bias`: dict from id tuples to a bias of their last
                  token, or a list of such pairs.
                - `suppress_tokens`: list of ids that never occur.
                - `begin_suppress_tokens`: list of ids that do not come first.
                - `forced_bos_token_id`: int, id after the start token.
                - `forced_eos_token_id`: int or list of int, id at `max_length`.
                - `renormalize_logits`: bool, log-softmax after all processors.
                - `remove_invalid_values`: bool, replace NaN and infinity.
                - `exponential_decay_length_penalty`: pair of an int (new tokens
                  after which it starts) and a float (growth factor of the end's
                  score).
                - `num_return_sequences`: int, sequences per document.
                - `output_attentions`, `output_hidden_states`, `output_scores`,
                  `output_logits`: bool, return them, of each step.
                - `return_dict_in_generate`: bool, return an output object.
                - `pad_token_id`, `bos_token_id`, `eos_token_id`,
                  `decoder_start_token_id`: as in the config.
                - `prompt_lookup_num_tokens`: int, most tokens copied from the
                  document and verified in one step of greedy search.
                - `max_matching_ngram_size`: int, longest n-gram used for the
                  look-up.

        Returns:
            int32 tensor `(B * num_return_sequences, length)`, padded at the
            end; with `return_dict_in_generate=True` a
            `GenerateEncoderDecoderOutput` or, for beams, a
            `GenerateBeamEncoderDecoderOutput`.

        Raises:
            TypeError: If an argument is unknown or of a wrong type.
            ValueError: If a value does not fit. Both before the encoder runs.
        """
        given = {**arguments, "input_ids": input_ids}
        with ended_after_an_error(arguments.get("streamer")):
            request = read_request(self.config, self.generation_config, given)
            return run_request(self, request)  # pyright: ignore[reportArgumentType]

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
