"""From token ids to the hidden states of the document."""

from typing import TYPE_CHECKING
from typing import Any

import keras
from keras import ops

from keras_led.attention.masks import token_roles
from keras_led.layers.encoder import LEDEncoder
from keras_led.models.call_checks import check_mask
from keras_led.models.call_checks import check_shape
from keras_led.models.embedding import embed_document
from keras_led.models.inputs import takes_inputs
from keras_led.models.parts import LEDPartModel
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.outputs import LEDEncoderBaseModelOutput

# Slots for the global tokens of a document inside a trace, where their
# number cannot be read; a document with more takes a slower, exact way.
DEFAULT_MAX_GLOBAL_TOKENS = 16


def encode_document(
    embedding: keras.layers.Embedding,
    encoder: LEDEncoder,
    input_ids: Tensor | None = None,
    attention_mask: Tensor | None = None,
    global_attention_mask: Tensor | None = None,
    head_mask: Tensor | None = None,
    inputs_embeds: Tensor | None = None,
    output_attentions: bool | None = None,
    output_hidden_states: bool | None = None,
    max_global_tokens: float = DEFAULT_MAX_GLOBAL_TOKENS,
    training: bool = False,
    global_tokens_fit: bool = False,
) -> "LEDEncoderBaseModelOutput":
    """Checks the inputs, embeds the tokens and runs the encoder.

    Args:
        embedding: The `keras.layers.Embedding` of the tokens.
        encoder: `LEDEncoder`.
        input_ids: Int tensor of shape `(B, S)`.
        attention_mask: Tensor of shape `(B, S)`; 1 is a token, 0 padding.
        global_attention_mask: Tensor of shape `(B, S)`; 1 is global.
        head_mask: Float tensor of shape `(layers, N)`, or `None` for ones.
        inputs_embeds: Float tensor of shape `(B, S, D)`, instead of ids.
        output_attentions: bool, or `None` for the config's.
        output_hidden_states: bool, or `None` for the config's.
        max_global_tokens: int, slots for global tokens inside a trace.
        training: bool, whether to drop out.
        global_tokens_fit: bool, whether the caller knows that no document has
            more global tokens than slots; then no program for more is built.

    Returns:
        `LEDEncoderBaseModelOutput`.

    Raises:
        ValueError: If an argument has a wrong shape or value.
        TypeError: If `input_ids` does not hold integers.
    """
    config = encoder.config
    inputs_embeds, _ = embed_document(
        embedding, encoder, input_ids, inputs_embeds
    )
    shape = inputs_embeds.shape[:2]
    check_mask("attention_mask", attention_mask, shape)
    check_mask("global_attention_mask", global_attention_mask, shape)
    if head_mask is not None:
        expected = (config.encoder_layers, config.encoder_attention_heads)
        check_shape("head_mask", head_mask, expected)
    sizes = ops.shape(inputs_embeds)[:2]
    return encoder(
        inputs_embeds,
        roles=token_roles(attention_mask, global_attention_mask, sizes),
        max_global_tokens=max_global_tokens,
        head_mask=head_mask,
        output_attentions=_choose(output_attentions, config.output_attentions),
        output_hidden_states=_choose(
            output_hidden_states, config.output_hidden_states
        ),
        training=training,
        global_tokens_fit=global_tokens_fit,
    )


def _choose(value, default):
    return default if value is None else value


@keras.saving.register_keras_serializable(package="keras_led")
class LEDEncoderModel(LEDPartModel):
    """The encoder of an LED model, with the Hugging Face call.

    It shares its layers with the model that `get_encoder` was called on.

    Args:
        embedding: The `keras.layers.Embedding` of the tokens.
        encoder: `LEDEncoder`.
        max_global_tokens: int, slots for global tokens inside a trace.

    Call arguments are those of `encode_document`, and `return_dict`: bool,
    `False` for a tuple.

    Returns:
        `LEDEncoderBaseModelOutput`, or a tuple.
    """

    stack_class = LEDEncoder

    def __init__(
        self,
        embedding: keras.layers.Embedding,
        encoder: LEDEncoder,
        max_global_tokens: int,
        **kwargs: Any,
    ):
        super().__init__(embedding, encoder, **kwargs)
        self.encoder = encoder
        self.max_global_tokens = max_global_tokens
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "max_global_tokens": self.max_global_tokens
        }

    @takes_inputs
    def call(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        global_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> "LEDEncoderBaseModelOutput | tuple[Any, ...]": ...

    def compute_outputs(self, **inputs: Any) -> "LEDEncoderBaseModelOutput":
        """`encode_document` of this encoder."""
        return encode_document(
            self.embedding,
            self.encoder,
            max_global_tokens=self.max_global_tokens,
            **inputs,
        )
