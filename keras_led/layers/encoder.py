"""The encoder: from embedded tokens to hidden states."""

from typing import TYPE_CHECKING
from typing import Any

import keras

from keras_led import backend
from keras_led.attention.dropout import fold_seed
from keras_led.config import LEDConfig
from keras_led.layers.encoder_layer import EncoderLayer
from keras_led.layers.encoder_masks import EncoderMasks
from keras_led.layers.encoder_masks import plan_for_layers
from keras_led.layers.gradient_checkpointing import recomputed_encoder_layer
from keras_led.layers.in_shards import encode_in_shards
from keras_led.layers.stack import LayerStack
from keras_led.outputs import LEDEncoderBaseModelOutput
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.attention.masks import TokenRoles


@keras.saving.register_keras_serializable(package="keras_led")
class LEDEncoder(LayerStack):
    """Position table, embedding norm and the layers of the encoder.

    This is the one forward pass that training, generation and serving call.

    Args:
        config: `LEDConfig`.

    Call arguments:
        inputs_embeds: Float tensor of shape `(B, L, D)`, token embeddings.
        roles: `TokenRoles`, which tokens are real and which global.
        max_global_tokens: int, slots for global tokens inside a trace.
        global_tokens_fit: bool, whether the caller knows that no document has
            more global tokens than slots; then no program for more is built.
        head_mask: Float tensor of shape `(layers, N)`, or `None` for ones.
        output_attentions: bool, whether to return the weights.
        output_hidden_states: bool, whether to return all hidden states.
        training: bool, whether to drop out.

    Returns:
        `LEDEncoderBaseModelOutput`.

    Source:
        `LEDEncoder` in transformers 5.23.
    """

    def __init__(self, config: LEDConfig, name: str = "encoder", **kwargs: Any):
        if isinstance(config, dict):
            config = LEDConfig.from_dict(config)
        super().__init__(
            config,
            config.max_encoder_position_embeddings,
            config.encoder_layerdrop,
            name=name,
            **kwargs,
        )
        self.layers = [
            EncoderLayer(
                window, name=f"layers_{i}", **self._layer_options("encoder")
            )
            for i, window in enumerate(config.attention_windows)
        ]

    def call(
        self,
        inputs_embeds: Tensor,
        roles: "TokenRoles",
        max_global_tokens: int,
        head_mask: Tensor | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
        training: bool = False,
        global_tokens_fit: bool = False,
    ) -> LEDEncoderBaseModelOutput:
        seed = self.draw_seed(training)
        options = {
            "head_mask": head_mask,
            "output_attentions": output_attentions,
            "output_hidden_states": output_hidden_states,
            "training": training,
        }
        shards = backend.document_shards()
        if shards is not None:
            return encode_in_shards(
                self,
                shards,
                inputs_embeds,
                plan_for_layers(
                    roles,
                    max_global_tokens,
                    training=training,
                    global_tokens_fit=global_tokens_fit,
                ),
                seed,
                **options,
            )
        masks = EncoderMasks.make(
            roles,
            max_global_tokens,
            exact=output_attentions,
            training=training,
            global_tokens_fit=global_tokens_fit,
        )
        hidden_states = self.embed(inputs_embeds, 0, fold_seed(seed, 0))
        return self.run_layers(hidden_states, masks, seed, seed, **options)

    def run_layers(
        self,
        hidden_states: Tensor,
        masks: EncoderMasks,
        seed: Tensor | None,
        noise_seed: Tensor | None,
        head_mask: Tensor | None,
        output_attentions: bool,
        output_hidden_states: bool,
        training: bool,
    ) -> LEDEncoderBaseModelOutput:
        """From embeddings with their positions to the output.

        Args:
            hidden_states: Float tensor of shape `(B, L, D)`.
            masks: `EncoderMasks`.
            seed: Int tensor of shape `(2,)`, or `None` for no randomness.
            noise_seed: Likewise, for noise on the tokens: in each part of a
                document another one.
            head_mask: As of the call.
            output_attentions: As of the call.
            output_hidden_states: As of the call.
            training: As of the call.
        """
        all_hidden_states, all_weights = [], []
        for i, layer in enumerate(self.layers):
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
            options = {
                "masks": masks,
                "seed": fold_seed(noise_seed, 2 * i + 1),
                "head_mask": None if head_mask is None else head_mask[i],
                "output_attentions": output_attentions,
            }
            run = layer
            if training and self.gradient_checkpointing:
                run = recomputed_encoder_layer(layer, options)
                options = {}
            output, *weights = run(hidden_states, **options)
            hidden_states = self.skip_at_random(
                hidden_states, output, fold_seed(seed, 2 * i + 2)
            )
            all_weights.append(weights)
        return LEDEncoderBaseModelOutput(
            last_hidden_state=hidden_states,
            hidden_states=(
                (*all_hidden_states, hidden_states)
                if output_hidden_states
                else None
            ),
            attentions=_column(all_weights, 0),
            global_attentions=_column(all_weights, 1),
        )


def _column(rows, index):
    column = tuple(row[index] for row in rows)
    return None if any(x is None for x in column) else column
