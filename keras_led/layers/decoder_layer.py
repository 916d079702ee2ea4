"""One layer of the decoder."""

from typing import TYPE_CHECKING
from typing import Any

from keras_led.attention import key_value_cache
from keras_led.attention.dropout import fold_seed
from keras_led.layers.decoder_attention import DecoderAttention
from keras_led.layers.initializers import layer_norm
from keras_led.layers.transformer_layer import TransformerLayer
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.layers.normalization import LayerNormalization


class DecoderLayer(TransformerLayer):
    """Self-attention, attention over the document, feed-forward.

    Args:
        **kwargs: Arguments of `TransformerLayer`.

    Call arguments:
        hidden_states: Float tensor of shape `(R, T, D)`; `R` rows are
            the beams of `B` documents, as in `DecoderAttention`.
        cross_cache: Pair of tensors `(B, N, S, H)`: the document's keys and
            values, from `cross_keys_and_values`.
        self_cache: Pair of tensors with the keys and values of the tokens
            before, or `None`.
        index: `None` for a cache that grows; otherwise an int or int32
            scalar, the slot of a fixed-size cache that the first token gets.
        self_mask: Bool tensor that broadcasts to `(R, 1, T, T_total)`.
        cross_mask: Bool tensor that broadcasts to `(B, 1, T, S)`, or `None`.
        seed: Int tensor of shape `(2,)`, or `None` for no dropout.
        head_mask: Float tensor of shape `(N,)`, or `None` for ones.
        cross_attn_head_mask: Likewise, for the attention over the document.
        output_attentions: bool, whether to return the weights.

    Returns:
        Tuple of the hidden states `(R, T, D)`, the pair of keys and values of
        all tokens so far, the self-attention weights `(R, N, T, T_total)` and
        the cross-attention weights `(R, N, T, S)`, or `None` for each.

    Source:
        `LEDDecoderLayer` in transformers 5.23.
    """

    self_attn: DecoderAttention
    encoder_attn: DecoderAttention
    encoder_attn_layer_norm: "LayerNormalization"

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.self_attn = self._attention("self_attn")
        self.encoder_attn = self._attention("encoder_attn")
        self.encoder_attn_layer_norm = layer_norm(
            "encoder_attn_layer_norm", self.dtype_policy
        )

    def _attention(self, name):
        return DecoderAttention(
            self.d_model,
            self.num_heads,
            dropout=self.attention_dropout,
            init_std=self.init_std,
            name=name,
            dtype=self.dtype_policy,
        )

    def cross_keys_and_values(
        self, encoder_hidden_states: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Projects the document `(B, S, D)` to its pair `(B, N, S, H)`.

        Where processes have parts of it, `document_in_shards` has come first.
        """
        return self.encoder_attn.document_keys_and_values(encoder_hidden_states)

    def call(
        self,
        hidden_states: Tensor,
        cross_cache: tuple[Any, Tensor],
        self_cache: tuple[Tensor, Tensor] | None = None,
        index: int | Tensor | None = None,
        self_mask: Tensor | None = None,
        cross_mask: Tensor | None = None,
        seed: Tensor | None = None,
        head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[Any, ...]:
        own = self.self_attn.keys_and_values(hidden_states)
        if index is None:
            self_cache = key_value_cache.append(self_cache, own)
        else:
            self_cache = key_value_cache.write(self_cache, own, index)  # pyright: ignore[reportArgumentType]
        attended, self_weights = self.self_attn(
            hidden_states,
            keys_and_values=self_cache,
            attention_mask=self_mask,
            seed=fold_seed(seed, 0),
            head_mask=head_mask,
            output_attentions=output_attentions,
        )
        hidden_states = self.add_and_norm(
            hidden_states,
            attended,
            self.self_attn_layer_norm,
            fold_seed(seed, 1),
        )
        attended, cross_weights = self.encoder_attn(
            hidden_states,
            keys_and_values=cross_cache,
            attention_mask=cross_mask,
            seed=fold_seed(seed, 2),
            head_mask=cross_attn_head_mask,
            output_attentions=output_attentions,
            over_document=True,
        )
        hidden_states = self.add_and_norm(
            hidden_states,
            attended,
            self.encoder_attn_layer_norm,
            fold_seed(seed, 3),
        )
        hidden_states = self.feed_forward(hidden_states, fold_seed(seed, 4))
        return hidden_states, self_cache, self_weights, cross_weights
