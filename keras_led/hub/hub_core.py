"""The forward pass of LED as one layer with KerasHub's inputs."""

from typing import TYPE_CHECKING
from typing import Any
from typing import Self

import keras
from keras import ops

from keras_led.attention.global_tokens import slots_for
from keras_led.models.call_checks import check_length
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.models.conditional_generation import (
        LEDForConditionalGeneration,
    )

INPUTS = (
    "encoder_token_ids",
    "encoder_padding_mask",
    "decoder_token_ids",
    "decoder_padding_mask",
)
GLOBAL_MASK = "encoder_global_attention_mask"


@keras.saving.register_keras_serializable(package="keras_led")
class LEDCore(keras.layers.Layer):
    """Calls an LED, and knows the shapes of its outputs without a call.

    Args:
        led: `LEDForConditionalGeneration`; its weights are this layer's.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        encoder_token_ids: Int tensor of shape `(B, S)`.
        encoder_padding_mask: Tensor of shape `(B, S)`; 0 is padding.
        decoder_token_ids: Int tensor of shape `(B, T)`.
        decoder_padding_mask: Tensor of shape `(B, T)`; 0 is padding.
        encoder_global_attention_mask: Tensor of shape `(B, S)`; 1 is global.
            By default the first token of each row.
        training: bool, whether to drop out.

    Returns:
        Pair of float tensors, the hidden states of encoder `(B, S, D)` and
        decoder `(B, T, D)`.

    Raises:
        ValueError: If a row is longer than the model's table of positions.
    """

    def __init__(self, led: "LEDForConditionalGeneration", **kwargs: Any):
        super().__init__(dtype=led.dtype_policy, **kwargs)
        self.led = led
        self.built = True

    def call(
        self,
        encoder_token_ids: Tensor,
        encoder_padding_mask: Tensor,
        decoder_token_ids: Tensor,
        decoder_padding_mask: Tensor,
        encoder_global_attention_mask: Tensor | None = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor]:
        config = self.led.config
        for side, ids in (
            ("encoder", encoder_token_ids),
            ("decoder", decoder_token_ids),
        ):
            check_length(
                f"{side}_token_ids",
                ids.shape[1],
                getattr(config, f"max_{side}_position_embeddings"),
                f"max_{side}_position_embeddings",
                f"Lower `{side}_sequence_length` of the preprocessor, or make "
                "the table longer by `keras-led convert`.",
            )
        slots = None
        if encoder_global_attention_mask is None:
            encoder_global_attention_mask = first_tokens(encoder_token_ids)
            slots = slots_for(1)
        with self.led._slots_given(slots):
            output = self.led.led(
                input_ids=ops.cast(encoder_token_ids, "int32"),
                attention_mask=tokens_of(encoder_padding_mask),
                global_attention_mask=tokens_of(encoder_global_attention_mask),
                decoder_input_ids=ops.cast(decoder_token_ids, "int32"),
                decoder_attention_mask=tokens_of(decoder_padding_mask),
                use_cache=False,
                output_attentions=False,
                output_hidden_states=False,
                return_dict=True,
                training=training,
            )
        return output.encoder_last_hidden_state, output.last_hidden_state

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "led": keras.saving.serialize_keras_object(self.led),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        led = keras.saving.deserialize_keras_object(config["led"])
        return cls(**{**config, "led": led})

    def compute_output_spec(
        self,
        encoder_token_ids: Tensor,
        encoder_padding_mask: Tensor,
        decoder_token_ids: Tensor,
        decoder_padding_mask: Tensor,
        encoder_global_attention_mask: Tensor | None = None,
        training: bool = False,
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        width = self.led.config.d_model
        encoder, decoder = (
            keras.KerasTensor((*ids.shape, width), dtype=self.compute_dtype)
            for ids in (encoder_token_ids, decoder_token_ids)
        )
        return encoder, decoder


def first_tokens(token_ids: Tensor) -> Tensor:
    """Global attention mask of the first token of each row, `(B, S)`."""
    columns = ops.arange(ops.shape(token_ids)[1], dtype="int32")
    first = ops.cast(ops.equal(columns, 0), "int32")[None]
    return ops.zeros_like(token_ids, dtype="int32") + first


def tokens_of(mask: Tensor) -> Tensor:
    """1 where a mask is not 0, so that a 2 does not mean what LED's means."""
    return ops.cast(ops.not_equal(mask, 0), "int32")


@keras.saving.register_keras_serializable(package="keras_led")
class LEDVocabularyProjection(keras.layers.Layer):
    """From the decoder's hidden states to logits, by an LED's own head.

    Args:
        led: `LEDForConditionalGeneration`. Its weights are not this layer's:
            they are saved with the backbone.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        hidden_states: Float tensor of shape `(B, T, D)`.

    Returns:
        Float tensor of shape `(B, T, V)`.
    """

    def __init__(self, led: "LEDForConditionalGeneration", **kwargs: Any):
        super().__init__(dtype=led.dtype_policy, **kwargs)
        # A bound method: Keras tracks layers, and those in lists and dicts.
        self._logits = led.logits
        self._vocabulary_size = led.config.vocab_size
        self.built = True

    def call(self, hidden_states: Tensor) -> Tensor:
        return self._logits(hidden_states)

    def compute_output_spec(self, hidden_states: Tensor) -> keras.KerasTensor:
        shape = (*hidden_states.shape[:-1], self._vocabulary_size)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)
