"""One layer of the encoder."""

from typing import TYPE_CHECKING
from typing import Any

from keras_led.attention.dropout import fold_seed
from keras_led.layers.encoder_attention import EncoderSelfAttention
from keras_led.layers.transformer_layer import TransformerLayer
from keras_led.layers.transformer_layer import keep_finite
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.layers.encoder_masks import EncoderMasks


class EncoderLayer(TransformerLayer):
    """Windowed self-attention, then a feed-forward block.

    Args:
        attention_window: int, in tokens, both sides together; even.
        **kwargs: Arguments of `TransformerLayer`.

    Call arguments:
        hidden_states: Float tensor of shape `(B, L, D)`.
        masks: `EncoderMasks`.
        seed: Int tensor of shape `(2,)`, or `None` for no dropout.
        head_mask: Float tensor of shape `(N,)`, or `None` for ones.
        output_attentions: bool, whether to return the weights.

    Returns:
        Tuple of the hidden states `(B, L, D)`, and the local and global
        weights as in `WindowedSelfAttention`, or `None` for each.

    Source:
        `LEDEncoderLayer` in transformers 5.23.
    """

    self_attn: EncoderSelfAttention

    def __init__(self, attention_window: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.attention_window = attention_window
        self.self_attn = EncoderSelfAttention(
            self.d_model,
            self.num_heads,
            attention_window,
            dropout=self.attention_dropout,
            init_std=self.init_std,
            name="self_attn",
            dtype=self.dtype_policy,
        )

    def call(
        self,
        hidden_states: Tensor,
        masks: "EncoderMasks",
        seed: Tensor | None = None,
        head_mask: Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[Any, ...]:
        context, *weights = self.self_attn(
            hidden_states,
            masks=masks,
            seed=fold_seed(seed, 0),
            head_mask=head_mask,
            output_attentions=output_attentions,
        )

        def after_attention(seed, rows, context):
            rows = self.add_and_norm(
                rows,
                self.self_attn.project(context),
                self.self_attn_layer_norm,
                fold_seed(seed, 1),
            )
            return self.feed_forward_rows(fold_seed(seed, 2), rows)

        hidden_states = self.by_rows(
            after_attention, seed, hidden_states, context
        )
        return (keep_finite(hidden_states), *weights)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "attention_window": self.attention_window
        }
