"""What all LED models share: construction, weights, training, saving."""

import weakref
from typing import TYPE_CHECKING
from typing import Any

import keras

from keras_led.config import LEDConfig
from keras_led.layers.changes import check_quantization
from keras_led.layers.changes import quantizable
from keras_led.models import adapters
from keras_led.models.call_checks import check_document_length
from keras_led.models.changed_variables import variables_changed
from keras_led.models.checked_runs import check_between_fits
from keras_led.models.copies import CopyMixin
from keras_led.models.decoder_model import LEDDecoderModel
from keras_led.models.encoder_model import DEFAULT_MAX_GLOBAL_TOKENS
from keras_led.models.encoder_model import LEDEncoderModel
from keras_led.models.export_method import ExportMixin
from keras_led.models.pretrained import PretrainedMixin
from keras_led.models.training_step import FittingMixin
from keras_led.typing import ArrayLike

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keras_led.models.led import LEDModel


class LEDPreTrainedModel(
    FittingMixin, PretrainedMixin, CopyMixin, ExportMixin, keras.Model
):
    """Base class of the LED models.

    All weights exist once the model is made; no input is needed. The first
    call argument may be a dict of call arguments. Compiled without a loss, a
    model trains on its own, from the labels among the inputs or in `y`.

    Args:
        config: `LEDConfig`; the model keeps a copy.
        max_global_tokens: int, slots for the global tokens of a document
            inside compiled code, where their number cannot be read. A
            document with more takes a slower, exact way.
        **kwargs: `name`, `dtype` (a Keras dtype policy) and other arguments
            of `keras.Model`.
    """

    config: LEDConfig
    train_function: Any
    test_function: Any
    predict_function: Any

    encoder_class = LEDEncoderModel
    decoder_class = LEDDecoderModel
    # Call arguments that hold integers.
    integer_inputs: tuple[str, ...] = (
        "input_ids",
        "decoder_input_ids",
        "labels",
        "start_positions",
        "end_positions",
    )

    def __init__(
        self,
        config: LEDConfig,
        max_global_tokens: int = DEFAULT_MAX_GLOBAL_TOKENS,
        **kwargs: Any,
    ):
        if not isinstance(config, LEDConfig):
            raise TypeError(
                "`config` must be an `LEDConfig`. "
                f"Received: a {type(config).__name__}. "
                f"Use `{type(self).__name__}.from_pretrained` for a checkpoint."
            )
        if not isinstance(max_global_tokens, int) or max_global_tokens < 1:
            raise ValueError(
                "`max_global_tokens` must be a positive number of tokens. "
                f"Received: max_global_tokens={max_global_tokens}."
            )
        kwargs.setdefault("name", _snake_case(type(self).__name__))
        super().__init__(**kwargs)
        self.config = config.copy()
        self.max_global_tokens = max_global_tokens
        self._parts = weakref.WeakValueDictionary()

    def check_values(self, inputs: dict[str, Any]) -> None:
        super().check_values(inputs)
        # A graph that takes any length raises after its weights have decayed.
        document = inputs.get("input_ids")
        if len(getattr(document, "shape", ())) == 2:
            check_document_length(
                "input_ids",
                document.shape[1],
                self.config.max_encoder_position_embeddings,
            )

    @classmethod
    def can_generate(cls) -> bool:
        """Whether models of this class have `generate`."""
        return False

    # ---- layers -----------------------------------------------------------

    def enable_lora(
        self,
        rank: int,
        alpha: float | None = None,
        targets: "str | Iterable[str]" = adapters.DEFAULT_TARGETS,
    ) -> int:
        """Adds low-rank adapters and freezes the rest.

        Args:
            rank: int, at least 1.
            alpha: float above 0, or `None` for `rank`.
            targets: str or tuple of str, see `keras_led.training.enable_lora`,
                which this calls.

        Returns:
            int, number of the adapters' weights.

        Raises:
            ValueError: If an argument is out of range, or there are adapters.
        """
        return adapters.enable_lora(self, rank, alpha, targets)

    def gradient_checkpointing_enable(
        self, gradient_checkpointing_kwargs: dict[str, Any] | None = None
    ) -> None:
        """Recomputes each layer in the backward pass instead of storing it.

        Training then holds the hidden states between the layers and the
        intermediates of one layer, for about a fifth more time.

        Args:
            gradient_checkpointing_kwargs: dict of what PyTorch's checkpointing
                takes. `use_reentrant` changes nothing here: both ways give
                the same gradients.

        Raises:
            ValueError: If it holds another key.
        """
        others = set(gradient_checkpointing_kwargs or ()) - {"use_reentrant"}
        if others:
            raise ValueError(
                "`gradient_checkpointing_kwargs` may hold 'use_reentrant' "
                f"only. Received: {', '.join(sorted(map(repr, others)))}. "
                "Leave them out."
            )
        self._set_gradient_checkpointing(True)

    def gradient_checkpointing_disable(self) -> None:
        """Stores what the backward pass needs, the default."""
        self._set_gradient_checkpointing(False)

    @property
    def is_gradient_checkpointing(self) -> bool:
        """Whether layers are recomputed in the backward pass."""
        return self.get_base_model().encoder.gradient_checkpointing

    def _set_gradient_checkpointing(self, value):
        check_between_fits(self, "gradient_checkpointing_enable")
        self.get_base_model().encoder.gradient_checkpointing = value
        self.get_base_model().decoder.gradient_checkpointing = value
        # A compiled training step holds the former choice.
        self.train_function = None

    def quantize(
        self,
        mode: str | None = None,
        config: Any = None,
        filters: Any = None,
        **kwargs: Any,
    ) -> None:
        """Quantizes the weights; see `keras.Model.quantize`.

        Without `filters`, what cannot be quantized is left alone, without a
        warning for each layer.

        Args:
            mode: `"int8"`, `"int4"` or `"float8"`, or `None` for that of
                `config`.
            config: `keras.quantizers.QuantizationConfig`, or `None`.
            filters: Which layers, as in Keras, or `None` for all.
            **kwargs: as in Keras.

        Raises:
            ValueError: If `mode` is one that calibrates, GPTQ or AWQ.
        """
        check_quantization(mode)  # Keras has read it from `config`
        filters = quantizable if filters is None else filters
        super().quantize(mode, config=config, filters=filters, **kwargs)
        variables_changed(self)

    @property
    def vocabulary_size(self) -> int:
        """int, token ids are below it."""
        return self.config.vocab_size

    def get_base_model(self) -> "LEDModel":
        """The `LEDModel` inside."""
        return self.led

    def get_encoder(self) -> LEDEncoderModel:
        """The encoder, callable by itself; it shares this model's layers."""
        base = self.get_base_model()
        return self._part(
            self.encoder_class,
            base.token_tables()[0],
            base.encoder,
            self.max_global_tokens,
        )

    def get_decoder(self) -> LEDDecoderModel:
        """The decoder, callable by itself; it shares this model's layers."""
        base = self.get_base_model()
        return self._part(
            self.decoder_class, base.token_tables()[1], base.decoder
        )

    def _part(self, cls, *arguments):
        """The same object for each call, as long as anything holds it.

        Keras saves the weights of two objects with the same layers once, and
        could not find those of the second again.
        """
        part = self._parts.get(cls)
        if part is None:
            part = self._parts[cls] = cls(*arguments)
        return part

    def get_input_embeddings(self) -> keras.layers.Embedding:
        """The `keras.layers.Embedding` of the tokens."""
        return self.get_base_model().shared

    def set_input_embeddings(
        self, embeddings: keras.layers.Embedding | ArrayLike
    ) -> None:
        """Copies the table of another embedding layer or array in.

        Args:
            embeddings: A built `keras.layers.Embedding`, or an array of shape
                `(vocab_size, d_model)`.

        Raises:
            ValueError: If the shape differs from the table's.
        """
        table = getattr(embeddings, "embeddings", embeddings)
        self.get_base_model().set_token_tables(table)

    def get_output_embeddings(self) -> keras.layers.Layer | None:
        """The layer that turns hidden states to logits; `None` without one."""
        return None

    def resize_token_embeddings(
        self,
        new_num_tokens: int | None = None,
        pad_to_multiple_of: int | None = None,
        mean_resizing: bool = True,
    ) -> keras.layers.Embedding:
        """Cuts the vocabulary, or adds tokens at its end.

        Args:
            new_num_tokens: int, tokens afterwards; `None` for as many as
                there are.
            pad_to_multiple_of: int, to round `new_num_tokens` up to, or
                `None`.
            mean_resizing: bool, whether new rows start at the mean of the old
                ones, else normal with `config.init_std`.

        Returns:
            The embedding layer, resized. Compile the model again afterwards:
            an optimizer's state has the old shapes.

        Raises:
            ValueError: If a number is not positive, or too small for the
                special tokens.
        """
        size = new_num_tokens
        if size is None:
            size = self.config.vocab_size
        if pad_to_multiple_of is not None:
            if pad_to_multiple_of < 1:
                raise ValueError(
                    "`pad_to_multiple_of` must be positive. Received: "
                    f"pad_to_multiple_of={pad_to_multiple_of}."
                )
            size = -(-size // pad_to_multiple_of) * pad_to_multiple_of
        if size < 1:
            raise ValueError(
                "`new_num_tokens` must be positive. "
                f"Received: new_num_tokens={new_num_tokens}."
            )
        if size != self.config.vocab_size:
            check_between_fits(self, "resize_token_embeddings")
            self.config.copy(vocab_size=size)  # raises if a token is cut off
            self._resize_vocabulary(size, mean_resizing)
            variables_changed(self)
        return self.get_input_embeddings()

    def _resize_vocabulary(self, size, mean_resizing):
        self.get_base_model().resize_tables(size, mean_resizing)
        self.config.vocab_size = size

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "max_global_tokens": self.max_global_tokens
        }

    def save(self, *args: Any, **kwargs: Any) -> None:
        keras.saving.serialize_keras_object(self)  # may raise
        super().save(*args, **kwargs)


def _snake_case(name):
    words = name.replace("LED", "Led")
    return "".join(
        "_" + letter.lower() if letter.isupper() and i else letter.lower()
        for i, letter in enumerate(words)
    )
