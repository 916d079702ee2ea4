"""`LEDSeq2SeqLM`: the KerasHub task that writes texts about documents."""

from pathlib import Path
from typing import Any
from typing import Self

import keras
import keras_hub

from keras_led import backend
from keras_led.generation.options.generation_config import GenerationConfig
from keras_led.hub.hub_backbone import LEDBackbone
from keras_led.hub.hub_core import LEDVocabularyProjection
from keras_led.hub.hub_presets import find_transformers_config
from keras_led.hub.hub_presets import read_backbone
from keras_led.hub.keras_hub_loop import generate_with_sampler
from keras_led.hub.own_loop import batches_of
from keras_led.hub.own_loop import join_batches
from keras_led.hub.own_loop import read_stop_tokens
from keras_led.hub.own_loop import write_batch
from keras_led.hub.samplers import LEDSampler
from keras_led.hub.samplers import get_sampler
from keras_led.hub.samplers import options_of_sampler
from keras_led.hub.scoring import score
from keras_led.hub.seq2seq_preprocessor import LEDSeq2SeqLMPreprocessor
from keras_led.layers.changes import check_quantization
from keras_led.layers.changes import quantizable
from keras_led.models.training_step import build_optimizer
from keras_led.typing import StrPath
from keras_led.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_led")
class LEDSeq2SeqLM(keras_hub.models.Seq2SeqLM):
    """LED with its head: texts in, texts out.

    `fit`, `evaluate` and `predict` take pairs of texts: `fit((sources,
    targets))`, `fit(sources, targets)`, a dict of `"encoder_text"` and
    `"decoder_text"`, or a `tf.data.Dataset` of batches of either. `generate`
    takes a text, a list, or a `tf.data.Dataset` of batches.

    Args:
        backbone: `LEDBackbone`.
        preprocessor: `LEDSeq2SeqLMPreprocessor`, or `None` for inputs that
            are token ids already.
        generation_config: `keras_led.GenerationConfig`, or a dict of its
            options; by default what the backbone was read with. `generate`
            follows it until `compile` names a sampler.
        **kwargs: `name`, and `compile=False` to leave the model uncompiled.

    Call arguments:
        inputs: dict, the inputs of `LEDBackbone`.

    Returns:
        Float tensor of shape `(B, T, V)`, the logits of the next tokens.

    Raises:
        ValueError: If the preprocessor makes longer rows than the backbone's
            tables of positions have.
        TypeError: If an argument is of a wrong type.
    """

    backbone_cls = LEDBackbone
    preprocessor_cls = LEDSeq2SeqLMPreprocessor

    sampler: Any
    generate_function: Any
    batches_written: int

    def __init__(
        self,
        backbone: LEDBackbone,
        preprocessor: LEDSeq2SeqLMPreprocessor | None = None,
        generation_config: GenerationConfig | dict[str, Any] | None = None,
        **kwargs: Any,
    ):
        if not isinstance(backbone, LEDBackbone):
            raise TypeError(
                "`backbone` must be an `LEDBackbone`. Received: a "
                f"{type(backbone).__name__}. Use `LEDBackbone.from_led` for a "
                "`keras_led.LEDForConditionalGeneration`."
            )
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        projection = LEDVocabularyProjection(backbone.led, name="logits")

        # === Functional Model ===
        inputs = backbone.input
        hidden_states = backbone(inputs)["decoder_sequence_output"]
        super().__init__(
            inputs=inputs, outputs=projection(hidden_states), **kwargs
        )
        self.projection = projection
        if generation_config is not None:
            if isinstance(generation_config, dict):
                generation_config = GenerationConfig.from_dict(
                    generation_config
                )
            backbone.led.use_settings(generation_config)
        self.check_lengths()

    def call(
        self,
        inputs: dict[str, Tensor],
        training: bool | None = None,
        mask: Any = None,
    ) -> Tensor:
        # As in the functional graph, which has no place for an input that
        # may be missing.
        output = self.backbone(inputs, training=training)
        return self.projection(output["decoder_sequence_output"])

    @property
    def generation_config(self) -> GenerationConfig:
        """`keras_led.GenerationConfig` that `generate` starts from."""
        return self.backbone.led.generation_config

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "generation_config": self.generation_config.to_dict()
        }

    # ---- training ---------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "auto",
        loss: Any = "auto",
        *,
        weighted_metrics: Any = "auto",
        sampler: Any = "auto",
        jit_compile: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        """Configures training and generation.

        Args:
            optimizer: as in Keras; "auto" is `Adam(2e-5)`.
            loss: as in Keras; "auto" is the cross-entropy, averaged over the
                tokens that count: that of `keras_led`. (KerasHub's divides by
                the padding too.)
            weighted_metrics: as in Keras; "auto" is the accuracy.
            sampler: "auto" for the checkpoint's settings; "greedy", "random",
                "top_k", "top_p", "beam" or "contrastive"; a sampler object of
                KerasHub; or `keras_led.hub.LEDSampler(...)`. A class of one's
                own runs in KerasHub's loop, at its speed.
            jit_compile: bool, or "auto" for what is fastest.
            **kwargs: as in Keras.

        Raises:
            ValueError: If the sampler is unknown or cannot work here.
            TypeError: If it is no sampler.
        """
        sampler = get_sampler(sampler)
        if loss == "auto":
            loss = keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, reduction="mean_with_sample_weight"
            )
        if jit_compile == "auto":
            eager = kwargs.get("run_eagerly", False)
            jit_compile = backend.JIT_BY_DEFAULT and not eager
        super().compile(
            optimizer=optimizer,
            loss=loss,
            weighted_metrics=weighted_metrics,
            sampler=sampler,
            jit_compile=jit_compile,
            **kwargs,
        )
        self.batches_written = 0

    def get_compile_config(self) -> dict[str, Any] | None:
        config = super().get_compile_config()
        if config:
            own = keras.saving.serialize_keras_object(self.sampler)
            # What "auto" means depends on the backend that loads it.
            config = {**config, "sampler": own, "jit_compile": "auto"}
        return config

    def compile_from_config(self, config: dict[str, Any]) -> None:
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def make_train_function(self, force: bool = False) -> Any:
        build_optimizer(self)
        return super().make_train_function(force)

    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """Trains; see the class for the data and `keras.Model.fit` else.

        Rows come in the order they have: KerasHub makes a `tf.data.Dataset`
        of them, which Keras does not shuffle. So `shuffle` is `False` by
        default.
        """
        return super().fit(*args, **{"shuffle": False, **kwargs})

    def train_step(self, *args: Any, **kwargs: Any) -> Any:
        with backend.updated_at_once(self.optimizer):
            return super().train_step(*args, **kwargs)

    def preprocess_samples(
        self, x: Any, y: Any = None, sample_weight: Any = None
    ) -> Any:
        self.check_lengths()
        return super().preprocess_samples(x, y, sample_weight)

    def quantize(
        self,
        mode: str | None = None,
        config: Any = None,
        filters: Any = None,
        **kwargs: Any,
    ) -> None:
        """Quantizes the weights; see `LEDBackbone.quantize`."""
        check_quantization(mode)
        filters = quantizable if filters is None else filters
        super().quantize(mode, config=config, filters=filters, **kwargs)

    def score(
        self,
        inputs: Any,
        scoring_mode: str = "logits",
        target_ids: Tensor | None = None,
    ) -> Tensor:
        """Scores outputs that are there already.

        Args:
            inputs: dict of arrays, the inputs of `LEDBackbone`; or, with a
                preprocessor, pairs of texts as `fit` takes them.
            scoring_mode: "logits" or "loss".
            target_ids: int array of shape `(B, T)`, the tokens that the loss
                is of; by default those of the pairs of texts.

        Returns:
            Float tensor: the logits `(B, T, V)`, or the loss of each token,
            `(B, T)`, 0 at padding where texts were given.

        Raises:
            ValueError: If `scoring_mode` is unknown, or `target_ids` missing.
        """
        return score(self, inputs, scoring_mode, target_ids)

    def check_lengths(self) -> None:
        """Raises if the preprocessor makes rows that the model cannot read."""
        for side in ("encoder", "decoder"):
            name = f"{side}_sequence_length"
            length = getattr(self.preprocessor, name, None)
            limit = getattr(self.backbone, f"max_{name}")
            if isinstance(length, int) and length > limit:
                raise ValueError(
                    f"`{name}` of the preprocessor must be at most {limit}, "
                    f"the table of positions (`max_{name}` of the backbone). "
                    f"Received: {name}={length}. Lower it, or make the table "
                    "longer by `keras-led convert`."
                )

    # ---- generation -------------------------------------------------------

    def generate(
        self,
        inputs: Any,
        max_length: int | None = None,
        stop_token_ids: Any = "auto",
        strip_prompt: bool = False,
    ) -> Any:
        """Writes an output for each document.

        Args:
            inputs: str, list of str, dict of `"encoder_text"` and
                `"decoder_text"` (a prompt), or a `tf.data.Dataset` of batches
                of either; without a preprocessor dicts of token ids, as
                `preprocessor.generate_preprocess` makes them.
            max_length: int, longest output in tokens, start token and prompt
                included. By default as the sampler says, then the
                checkpoint's settings, then, for a sampler of KerasHub,
                `decoder_sequence_length` of the preprocessor; else 20 new
                tokens, as in Hugging Face.
            stop_token_ids: "auto" for the checkpoint's end tokens, an int or
                a list of int, or `None` to write on until `max_length`.
            strip_prompt: bool, whether to leave the prompt out.

        Returns:
            str for a str, list of str for more; without a preprocessor a dict
            of int arrays, `"decoder_token_ids"` and `"decoder_padding_mask"`.

        Raises:
            ValueError: If a value does not fit.
            TypeError: If something is no text.
        """
        stop_token_ids = read_stop_tokens(stop_token_ids)
        if self.preprocessor is not None:
            self.check_lengths()
        if getattr(self, "sampler", None) is None:  # `compile=False`
            self.sampler, self.batches_written = LEDSampler(), 0
        options = options_of_sampler(self.sampler)
        if options is not None:
            batches, single = batches_of(inputs, self.preprocessor is not None)
            outputs = [
                write_batch(
                    self,
                    batch,
                    options,
                    max_length=max_length,
                    stop_token_ids=stop_token_ids,
                    strip_prompt=strip_prompt,
                )
                for batch in batches
            ]
            pad = self.backbone.led.config.pad_token_id
            return join_batches(outputs, single, pad)
        if strip_prompt:
            raise ValueError(
                "`strip_prompt` must be `False` for a sampler of one's own. "
                f"Received: strip_prompt=True with a "
                f"{type(self.sampler).__name__}."
            )
        if isinstance(inputs, dict):
            inputs = dict(inputs)  # KerasHub writes into it
        if stop_token_ids == "auto":
            eos = self.generation_config.eos_token_id
            stop_token_ids = eos if isinstance(eos, list) else [eos]
        return super().generate(inputs, max_length, stop_token_ids)

    def generate_step(
        self, inputs: dict[str, Tensor], stop_token_ids: Any = None
    ) -> dict[str, Tensor]:
        """The step that KerasHub compiles for a sampler of one's own.

        Args:
            inputs: dict of int tensors, the inputs of `LEDBackbone`.
            stop_token_ids: list of int, or `None`.

        Returns:
            dict of int tensors `(B, T)`: `"decoder_token_ids"` and
            `"decoder_padding_mask"`.
        """
        return generate_with_sampler(
            self.backbone.led, self.sampler, inputs, stop_token_ids, self
        )

    # ---- files ------------------------------------------------------------

    @classmethod
    def from_preset(
        cls, preset: StrPath, load_weights: bool = True, **kwargs: Any
    ) -> Self:
        """Reads a model from a KerasHub preset or a Hugging Face folder.

        Args:
            preset: str or path, as for `LEDBackbone.from_preset`. Generation
                settings come with it.
            load_weights: bool, `False` for fresh weights.
            **kwargs: `dtype`, `preprocessor`, `generation_config`, `name`.

        Returns:
            `LEDSeq2SeqLM`.

        Raises:
            FileNotFoundError: If there is no such preset.
            ValueError: If it holds no LED.
        """
        content = find_transformers_config(cls, preset)
        if content is None:
            return super().from_preset(str(preset), load_weights, **kwargs)
        if "preprocessor" not in kwargs:
            kwargs["preprocessor"] = cls.preprocessor_cls.from_preset(preset)
        dtype = kwargs.pop("dtype", None)
        if "backbone" not in kwargs:
            kwargs["backbone"] = read_backbone(
                cls.backbone_cls, preset, load_weights, dtype
            )
        return cls(**kwargs)

    def export_to_transformers(self, path: StrPath) -> None:
        """Writes a directory that Hugging Face's LED loads unchanged.

        Weights, config, generation settings and, with a preprocessor, the
        tokenizer come in one step; see
        `keras_led.LEDForConditionalGeneration.save_pretrained`.

        Args:
            path: str or path of the directory.
        """
        tokenizer = getattr(self.preprocessor, "tokenizer", None)
        beside = None
        if tokenizer is not None:
            beside = tokenizer.led_tokenizer.save_pretrained
        self.backbone.led.save_pretrained(Path(path), write_beside=beside)
