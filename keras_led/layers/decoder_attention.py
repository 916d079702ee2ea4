"""Attention of the decoder: over its own tokens, and over the document."""

from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led import backend
from keras_led.attention.dense import dot_product_attention
from keras_led.attention.over_shards import attention_over_shards
from keras_led.attention.over_shards import keys_in_shards
from keras_led.attention.split_heads import merge_heads
from keras_led.attention.split_heads import scale_heads
from keras_led.attention.split_heads import split_heads
from keras_led.layers.in_shards import refuse_weights
from keras_led.layers.initializers import dense
from keras_led.layers.nested_calls import InnerLayer
from keras_led.typing import Shape
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.layers.dense_layer import Dense


class DecoderAttention(InnerLayer):
    """Multi-head attention over keys and values made beforehand.

    `keys_and_values` projects hidden states once; `call` attends to them. So
    a cache is nothing but the pair that the caller keeps.

    Args:
        d_model: int, `D`, hidden dim.
        num_heads: int, `N`, divides `d_model`.
        dropout: float in `[0, 1)`, of the attention weights.
        init_std: float, standard deviation of fresh kernels.

    Call arguments:
        hidden_states: Float tensor of shape `(R, T, D)`. `R` is a multiple
            of `B`: rows `b * R / B` and following are the beams of document
            `b`, which share its keys and values without a copy.
        keys_and_values: Tuple of two float tensors of shape `(B, N, S, H)`;
            the first may be `cross_keys` of one.
        attention_mask: Bool tensor that broadcasts to
            `(B, 1, T * R / B, S)`, `True`
            may attend, or `None`.
        seed: Int tensor of shape `(2,)`, or `None` for no dropout.
        head_mask: Float tensor of shape `(N,)` that multiplies the weights of
            each head, or `None`.
        output_attentions: bool, whether to return the weights.
        over_document: bool, whether the keys are those of the document, which
            may lie on many devices.

    Returns:
        Tuple of the projected context `(R, T, D)`, and the weights before
        dropout, `(R, N, T, S)`, or `None`.

    Source:
        `LEDDecoderAttention` in transformers 5.23.
    """

    q_proj: "Dense"
    k_proj: "Dense"
    v_proj: "Dense"
    out_proj: "Dense"

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        dropout: float = 0.0,
        init_std: float = 0.02,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.d_model = d_model
        self.num_heads = num_heads
        self.dropout = dropout
        self.init_std = init_std

        def projection(name):
            return dense(d_model, init_std, name, self.dtype_policy)

        self.q_proj = projection("q_proj")
        self.k_proj = projection("k_proj")
        self.v_proj = projection("v_proj")
        self.out_proj = projection("out_proj")

    def build(self, input_shape: Shape | None = None) -> None:
        for projection in self._flatten_layers(include_self=False):
            projection.build((None, None, self.d_model))
        self.built = True

    def keys_and_values(self, hidden_states: Tensor) -> tuple[Tensor, Tensor]:
        """Projects `(B, S, D)` to a pair of tensors `(B, N, S, H)`."""
        return (
            split_heads(self.k_proj(hidden_states), self.num_heads),
            split_heads(self.v_proj(hidden_states), self.num_heads),
        )

    def document_keys_and_values(
        self, hidden_states: Tensor
    ) -> tuple[Tensor, Tensor]:
        """`keys_and_values` of the document, of `document_in_shards`."""
        variables = [*self.k_proj.variables, *self.v_proj.variables]
        return keys_in_shards(self.keys_and_values, hidden_states, variables)

    def call(
        self,
        hidden_states: Tensor,
        keys_and_values: tuple[Any, Tensor],
        attention_mask: Tensor | None = None,
        seed: Tensor | None = None,
        head_mask: Tensor | None = None,
        output_attentions: bool = False,
        over_document: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        key, value = keys_and_values
        shards = backend.document_shards() if over_document else None
        rows, length = backend.shape(hidden_states)[:2]
        documents = backend.shape(value)[0]
        head_dim = self.d_model // self.num_heads
        query = self.q_proj(hidden_states) / head_dim**0.5
        # Beams become further queries of their document.
        query = backend.reshape(query, (documents, -1, self.d_model))
        query = split_heads(query, self.num_heads)
        options = {"rate": self.dropout, "seed": seed}
        weights = None
        if shards is not None:
            refuse_weights(output_attentions)
            context = attention_over_shards(
                query, key, value, attention_mask, shards, **options
            )
        else:
            context, weights = dot_product_attention(
                query,
                key,
                value,
                attention_mask,
                return_weights=output_attentions,
                **options,
            )
        context = merge_heads(scale_heads(context, head_mask))
        context = backend.reshape(context, (rows, length, self.d_model))
        if output_attentions:
            weights = scale_heads(weights, head_mask)
            weights = self._by_row(weights, rows, length)
        return self.out_proj(context), weights if output_attentions else None

    def _by_row(self, weights, rows, length):
        """`(B, N, beams * T, S) -> (R, N, T, S)`."""
        documents, num_heads, _, num_keys = backend.shape(weights)
        shape = (documents, num_heads, -1, length, num_keys)
        weights = ops.transpose(
            backend.reshape(weights, shape), (0, 2, 1, 3, 4)
        )
        return backend.reshape(weights, (rows, num_heads, length, num_keys))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "d_model": self.d_model,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "init_std": self.init_std,
        }
