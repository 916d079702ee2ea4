"""Self-attention of the encoder: sliding window plus global tokens."""

from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led import backend
from keras_led.attention.dropout import fold_seed
from keras_led.attention.global_rows import low_rank_global_rows
from keras_led.attention.global_rows import low_rank_is_cheaper
from keras_led.attention.global_rows import projected_global_rows
from keras_led.attention.global_tokens import gather_tokens
from keras_led.attention.global_tokens import write_tokens_
from keras_led.attention.split_heads import merge_heads
from keras_led.attention.split_heads import scale_heads
from keras_led.attention.split_heads import split_heads
from keras_led.attention.windowed import attend_with_halo
from keras_led.attention.windowed import windowed_attention
from keras_led.layers.initializers import dense
from keras_led.layers.nested_calls import InnerLayer
from keras_led.typing import Shape
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.layers.dense_layer import Dense
    from keras_led.layers.encoder_masks import EncoderMasks


class WindowedSelfAttention(InnerLayer):
    """Multi-head attention in a window, with a few global tokens.

    A local token attends to its window and to all global tokens. A global
    token attends to the whole document, through projections of its own.

    Args:
        d_model: int, `D`, hidden dim.
        num_heads: int, `N`, divides `d_model`.
        attention_window: int, in tokens, both sides together; even.
        dropout: float in `[0, 1)`, of the attention weights.
        init_std: float, standard deviation of fresh kernels.

    Call arguments:
        hidden_states: Float tensor of shape `(B, L, D)`.
        masks: `EncoderMasks`.
        seed: Int tensor of shape `(2,)`, or `None` for no dropout.
        head_mask: Float tensor of shape `(N,)` that multiplies the weights of
            each head, or `None`.
        output_attentions: bool, whether to return the weights. Inside a trace
            they are NaN where the document has more global tokens than slots.

    Returns:
        Tuple of the context `(B, L, D)`, the local weights
        `(B, N, L, G + attention_window + 1)` and the global weights
        `(B, N, L, G)`, the last two `None` unless asked for.

    Source:
        Beltagy et al., 2020, section 3.1; `LEDEncoderSelfAttention` in
        transformers 5.23.
    """

    query: "Dense"
    key: "Dense"
    value: "Dense"
    query_global: "Dense"
    key_global: "Dense"
    value_global: "Dense"

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        attention_window: int,
        dropout: float = 0.0,
        init_std: float = 0.02,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.d_model = d_model
        self.num_heads = num_heads
        self.attention_window = attention_window
        self.dropout = dropout
        self.init_std = init_std

        def projection(name):
            return dense(d_model, init_std, name, self.dtype_policy)

        self.query = projection("query")
        self.key = projection("key")
        self.value = projection("value")
        self.query_global = projection("query_global")
        self.key_global = projection("key_global")
        self.value_global = projection("value_global")

    def build(self, input_shape: Shape | None = None) -> None:
        for projection in self._flatten_layers(include_self=False):
            projection.build((None, None, self.d_model))
        self.built = True

    def call(
        self,
        hidden_states: Tensor,
        masks: "EncoderMasks",
        seed: Tensor | None = None,
        head_mask: Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[Any, ...]:
        if masks.shards is not None:
            context = self._attend_in_shard(
                hidden_states, masks, seed, head_mask
            )
            return context, None, None
        tokens = masks.global_tokens
        every_token_fits = tokens is None or tokens.fits is None
        operands = backend.map_operands(self._operands, hidden_states)

        def attend(return_weights):
            return windowed_attention(
                *operands,
                masks.padding_mask,  # pyright: ignore[reportCallIssue]
                self.attention_window,  # pyright: ignore[reportCallIssue]
                tokens,  # pyright: ignore[reportCallIssue]
                scale=(self.d_model // self.num_heads) ** -0.5,
                rate=self.dropout,
                seed=fold_seed(seed, 0),
                return_weights=return_weights,
            )

        def global_rows(slots, hidden_states, return_weights=False):
            rows, weights = self._global_rows(
                gather_tokens(hidden_states, slots.positions),
                hidden_states,
                masks,
                masks.bound_of(slots),
                fold_seed(seed, 1),
                return_weights,
            )
            return merge_heads(scale_heads(rows, head_mask)), weights

        context, weights = attend(output_attentions and every_token_fits)
        # Masked tokens attend to nothing: their context is 0.
        attends = backend.cast(masks.padding_mask, context.dtype)
        context = merge_heads(scale_heads(context, head_mask))
        context = backend.scale_rows_(context, attends[:, :, None])
        if tokens is not None:
            context = tokens.with_slots(
                lambda slots, hidden_states, context: write_tokens_(
                    context, slots, global_rows(slots, hidden_states)[0]
                ),
                (hidden_states, context),
                backend.recomputed_cond,
            )
        if not output_attentions:
            return context, None, None
        if not every_token_fits:
            _, weights = attend(True)
        global_weights = None
        if tokens is not None:
            _, global_weights = global_rows(tokens.slots, hidden_states, True)
        found = self._in_huggingface_layout(
            weights, global_weights, masks, head_mask
        )
        if every_token_fits:
            return context, *found
        # There is no place for the weights of a token without a slot, and the
        # others would not add up.
        return context, *(
            ops.where(tokens.fits, weights, float("nan")) for weights in found
        )

    def _operands(self, hidden_states):
        return tuple(
            split_heads(projection(hidden_states), self.num_heads)
            for projection in (self.query, self.key, self.value)
        )

    def _attend_in_shard(self, hidden_states, masks, seed, head_mask):
        """The context of the tokens of a part of the document."""
        query, key, value = backend.map_operands(self._operands, hidden_states)
        width = self.attention_window // 2
        # Keys and values in one message to each side.
        both = ops.concatenate([key, value], axis=-1)
        before, behind = backend.halo(both, width, 2, masks.shards)
        both = ops.concatenate([before, both, behind], axis=2)
        slots, tokens, beside = masks.global_tokens, None, None
        if slots is not None:
            tokens = slots.gather(hidden_states)
            beside = (*self._operands(tokens)[1:], slots.valid)
        context = attend_with_halo(
            query,
            *ops.split(both, 2, axis=-1),
            masks.window_keys[width],
            self.attention_window,
            beside,
            scale=(self.d_model // self.num_heads) ** -0.5,
            rate=self.dropout,
            seed=fold_seed(seed, 0),
        )
        attends = ops.cast(masks.padding_mask, context.dtype)
        context = merge_heads(scale_heads(context, head_mask))
        context = context * attends[:, :, None]
        if slots is None:
            return context
        rows, _ = self._global_rows(
            tokens, hidden_states, masks, masks.bound, fold_seed(seed, 1)
        )
        return slots.write_(context, merge_heads(scale_heads(rows, head_mask)))

    def _global_rows(
        self, tokens, hidden_states, masks, bound, seed, return_weights=False
    ):
        query = self._scaled_heads(self.query_global(tokens))
        options = {
            "rate": self.dropout,
            "seed": seed,
            "shards": masks.shards,
        }
        if low_rank_is_cheaper(
            bound,
            self.num_heads,
            self.d_model,
            hidden_states.shape[1],
        ):
            key, value = self.key_global.matrix(), self.value_global.matrix()
            if key is not None and value is not None:
                return low_rank_global_rows(
                    query,
                    hidden_states,
                    (key, self.key_global.bias),
                    (value, self.value_global.bias),
                    masks.padding_mask,
                    **options,
                )
        return projected_global_rows(
            query,
            split_heads(self.key_global(hidden_states), self.num_heads),
            split_heads(self.value_global(hidden_states), self.num_heads),
            masks.padding_mask,
            return_weights=return_weights,
            **options,
        )

    def _in_huggingface_layout(self, weights, global_weights, masks, head_mask):
        tokens, local_rows = masks.global_tokens, masks.padding_mask
        if tokens is not None:
            local_rows = local_rows & ~tokens.mask
        zero = ops.zeros((), dtype=weights.dtype)
        weights = ops.where(local_rows[:, None, :, None], weights, zero)
        weights = scale_heads(weights, head_mask)
        if global_weights is not None:
            used = tokens.slots.valid[:, None, :, None]
            global_weights = ops.where(used, global_weights, zero)
            global_weights = scale_heads(global_weights, head_mask)
            global_weights = ops.transpose(global_weights, (0, 1, 3, 2))
        return weights, global_weights

    def _scaled_heads(self, query):
        head_dim = self.d_model // self.num_heads
        return split_heads(query / head_dim**0.5, self.num_heads)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "d_model": self.d_model,
            "num_heads": self.num_heads,
            "attention_window": self.attention_window,
            "dropout": self.dropout,
            "init_std": self.init_std,
        }


class EncoderSelfAttention(InnerLayer):
    """`WindowedSelfAttention`, and `project` for its output.

    All arguments and what is returned are those of `WindowedSelfAttention`.
    """

    longformer_self_attn: WindowedSelfAttention
    output_projection: "Dense"

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        attention_window: int,
        dropout: float = 0.0,
        init_std: float = 0.02,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.longformer_self_attn = WindowedSelfAttention(
            d_model,
            num_heads,
            attention_window,
            dropout=dropout,
            init_std=init_std,
            name="longformer_self_attn",
            dtype=self.dtype_policy,
        )
        self.output_projection = dense(
            d_model, init_std, "output", self.dtype_policy
        )

    def build(self, input_shape: Shape | None = None) -> None:
        shape = (None, None, self.longformer_self_attn.d_model)
        self.longformer_self_attn.build(shape)
        self.output_projection.build(shape)
        self.built = True

    def call(
        self,
        hidden_states: Tensor,
        masks: "EncoderMasks",
        seed: Tensor | None = None,
        head_mask: Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[Any, ...]:
        return self.longformer_self_attn(
            hidden_states,
            masks=masks,
            seed=seed,
            head_mask=head_mask,
            output_attentions=output_attentions,
        )

    def project(self, context: Tensor) -> Tensor:
        """The projection of the output, `(..., D)` to same."""
        return self.output_projection(context)

    def get_config(self) -> dict[str, Any]:
        inner = self.longformer_self_attn.get_config()
        names = ("d_model", "num_heads", "attention_window", "dropout")
        names += ("init_std",)
        return super().get_config() | {name: inner[name] for name in names}
