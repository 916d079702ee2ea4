"""What the layers of encoder and decoder share: residuals, feed-forward."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

import keras
from keras import ops

from keras_led import backend
from keras_led.attention.dropout import dropout
from keras_led.attention.dropout import fold_seed
from keras_led.layers.activations import activation
from keras_led.layers.initializers import dense
from keras_led.layers.initializers import layer_norm
from keras_led.layers.nested_calls import OuterLayer
from keras_led.typing import Shape
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.layers.dense_layer import Dense
    from keras_led.layers.normalization import LayerNormalization


class TransformerLayer(OuterLayer):
    """Base of the two layers: a post-norm transformer layer.

    Dropout takes its randomness from the `seed` call argument, so a layer
    has no state but its weights and may be rematerialized.

    Args:
        d_model: int, `D`, hidden dim.
        num_heads: int, `N`, divides `d_model`.
        ffn_dim: int, inner dim of the feed-forward block.
        activation_function: str, a Hugging Face activation name.
        dropout: float in `[0, 1)`, after each block.
        attention_dropout: float in `[0, 1)`, of the attention weights.
        activation_dropout: float in `[0, 1)`, inside the feed-forward block.
        init_std: float, standard deviation of fresh kernels.
    """

    self_attn_layer_norm: "LayerNormalization"
    fc1: "Dense"
    fc2: "Dense"
    final_layer_norm: "LayerNormalization"

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        ffn_dim: int,
        activation_function: str = "gelu",
        dropout: float = 0.1,
        attention_dropout: float = 0.0,
        activation_dropout: float = 0.0,
        init_std: float = 0.02,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.d_model = d_model
        self.num_heads = num_heads
        self.ffn_dim = ffn_dim
        self.activation_function = activation_function
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.activation_dropout = activation_dropout
        self.init_std = init_std
        self.self_attn_layer_norm = layer_norm(
            "self_attn_layer_norm", self.dtype_policy
        )
        self.fc1 = dense(ffn_dim, init_std, "fc1", self.dtype_policy)
        self.fc2 = dense(d_model, init_std, "fc2", self.dtype_policy)
        self.final_layer_norm = layer_norm(
            "final_layer_norm", self.dtype_policy
        )

    def build(self, input_shape: Shape | None = None) -> None:
        shape = (None, None, self.d_model)
        for layer in self._layers:
            inner = layer is self.fc2
            layer.build((None, None, self.ffn_dim) if inner else shape)
        self.built = True

    def add_and_norm(
        self,
        hidden_states: Tensor,
        block_output: Tensor,
        norm: keras.layers.Layer,
        seed: Tensor | None,
    ) -> Tensor:
        """Ends a block: dropout, residual, layer normalization."""
        block_output = dropout(block_output, self.dropout, seed)
        return norm(hidden_states + block_output)

    def feed_forward(
        self, hidden_states: Tensor, seed: Tensor | None
    ) -> Tensor:
        """The feed-forward block with its residual, `(B, T, D)` to same."""
        return self.by_rows(self.feed_forward_rows, seed, hidden_states)

    def feed_forward_rows(self, seed: Tensor | None, rows: Tensor) -> Tensor:
        """`feed_forward` of a matrix `(rows, D)`."""
        inner = activation(self.activation_function)(self.fc1(rows))
        inner = dropout(inner, self.activation_dropout, fold_seed(seed, 0))
        return self.add_and_norm(
            rows, self.fc2(inner), self.final_layer_norm, fold_seed(seed, 1)
        )

    def by_rows(
        self,
        function: Callable[..., Any],
        seed: Tensor | None,
        hidden_states: Tensor,
        *others: Any,
    ) -> Tensor:
        """Calls a function that works on each token apart from the others.

        Args:
            function: Callable from a seed and matrices `(rows, D)` to one.
            seed: Int tensor of shape `(2,)` that the function draws noise
                from, or `None` for none; some of the rows may have another.
            hidden_states: Float tensor of shape `(B, T, D)`.
            *others: Float tensors likewise, the last of them not to be read
                any more.

        Returns:
            Float tensor of the shape of `hidden_states`.
        """
        # As matrices: see `linear` of the TensorFlow backend.
        rows = [
            backend.reshape(x, (-1, self.d_model))
            for x in (hidden_states, *others)
        ]
        output = backend.map_rows(function, seed, *rows)
        return backend.reshape(output, backend.shape(hidden_states))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "d_model": self.d_model,
            "num_heads": self.num_heads,
            "ffn_dim": self.ffn_dim,
            "activation_function": self.activation_function,
            "dropout": self.dropout,
            "attention_dropout": self.attention_dropout,
            "activation_dropout": self.activation_dropout,
            "init_std": self.init_std,
        }


def keep_finite(hidden_states: Tensor) -> Tensor:
    """Keeps float16 hidden states 1,000 below the largest number.

    Source: the clamp of `LEDEncoderLayer` in transformers 5.23, which the
    peer applies once a value has overflowed.
    """
    if keras.backend.standardize_dtype(hidden_states.dtype) != "float16":
        return hidden_states
    return ops.clip(hidden_states, -64504.0, 64504.0)
