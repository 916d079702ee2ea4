"""The methods that a model inherits to generate text."""

from keras_led.generation.config import GenerationConfig
from keras_led.generation.generating import run_request
from keras_led.generation.request import read_request


class GenerationMixin:
    """Adds `generate`, `stream` and `summarize` to a model.

    The model offers `config`, `encode`, `start_decoding` and `decode_step`.
    """

    @property
    def generation_config(self):
        """`GenerationConfig` that `generate` starts from.

        At first what the model's own config says.
        """
        own = self.__dict__.get("_generation_config")
        if own is None:
            own = GenerationConfig.from_model_config(self.config)
            object.__setattr__(self, "_generation_config", own)
        return own

    @generation_config.setter
    def generation_config(self, value):
        if not isinstance(value, GenerationConfig):
            raise TypeError(
                "`generation_config` must be a `GenerationConfig`. "
                f"Received: {type(value).__name__}."
            )
        object.__setattr__(self, "_generation_config", value)

    def load_settings(self, name_or_path, **hub):
        """Reads the generation options of a checkpoint.

        Args:
            name_or_path: str or path: a directory, or a hub id.
            **hub: as in `GenerationConfig.from_pretrained`.
        """
        super().load_settings(name_or_path, **hub)
        own = GenerationConfig.from_pretrained(name_or_path, **hub)
        tokens = GenerationConfig.from_model_config(self.config)
        for name in ("pad", "bos", "eos", "decoder_start"):
            name = f"{name}_token_id"
            if getattr(own, name) is None:
                own.update(**{name: getattr(tokens, name)})
        self.generation_config = own

    def save_pretrained(self, directory, **options):
        """Writes a checkpoint with its `generation_config.json`.

        Args:
            directory: str or path, made when missing.
            **options: as in the base class.
        """
        super().save_pretrained(directory, **options)
        self.generation_config.save_pretrained(directory)

    def generate(self, input_ids=None, **arguments):
        """Writes an output for each document, token by token.

        The encoder runs once per document; beams and returned sequences share
        its keys and values. Unless a Python hook has to see every step, the
        whole decoding is one compiled loop, kept with the model and reused
        for documents of the same bucket of lengths.

        Args:
            input_ids: integers `(B, S)`, or a dict with them and the masks.
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
        request = read_request(self.config, self.generation_config, arguments)
        return run_request(self, request)
