"""What encoder and decoder share: embeddings, randomness, running layers."""

from typing import TYPE_CHECKING
from typing import Any

import keras
from keras import ops

from keras_led import backend
from keras_led.attention.dropout import draw_seed
from keras_led.attention.dropout import dropout
from keras_led.attention.dropout import fold_seed
from keras_led.layers.initializers import Normal
from keras_led.layers.initializers import layer_norm
from keras_led.layers.lookup import look_up
from keras_led.typing import Shape
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.config import LEDConfig
    from keras_led.layers.normalization import LayerNormalization


class LayerStack(keras.layers.Layer):
    """Base of `LEDEncoder` and `LEDDecoder`.

    Args:
        config: `LEDConfig`; kept, never written to.
        max_positions: int, rows of the position table.
        layerdrop: float in `[0, 1)`, probability to skip a layer in training.
    """

    embed_positions: keras.layers.Embedding
    layernorm_embedding: "LayerNormalization"
    seed_generator: keras.random.SeedGenerator | None
    layers: list[Any]

    def __init__(
        self,
        config: "LEDConfig",
        max_positions: int,
        layerdrop: float,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.config = config
        self.max_positions = max_positions
        self.layerdrop = layerdrop
        self.gradient_checkpointing = False
        self.embed_positions = keras.layers.Embedding(
            max_positions,
            config.d_model,
            embeddings_initializer=Normal(config.init_std),
            name="embed_positions",
            dtype=self.dtype_policy,
        )
        self.layernorm_embedding = layer_norm(
            "layernorm_embedding", self.dtype_policy
        )
        rates = (
            config.dropout,
            config.attention_dropout,
            config.activation_dropout,
            layerdrop,
        )
        self.seed_generator = None
        if any(rates):
            self.seed_generator = keras.random.SeedGenerator()
        self.layers = []

    def _layer_options(self, side):
        config = self.config
        return {
            "d_model": config.d_model,
            "num_heads": getattr(config, f"{side}_attention_heads"),
            "ffn_dim": getattr(config, f"{side}_ffn_dim"),
            "activation_function": config.activation_function,
            "dropout": config.dropout,
            "attention_dropout": config.attention_dropout,
            "activation_dropout": config.activation_dropout,
            "init_std": config.init_std,
            "dtype": self.dtype_policy,
        }

    def build(self, input_shape: Shape | None = None) -> None:
        shape = (None, None, self.config.d_model)
        self.embed_positions.build((None, None))
        self.layernorm_embedding.build(shape)
        for layer in self.layers:
            layer.build(shape)
        self.built = True

    def draw_seed(self, training: bool) -> Tensor | None:
        """A seed for one training call, or `None` without randomness."""
        if not training or self.seed_generator is None:
            return None
        return draw_seed(self.seed_generator)

    def embed(
        self,
        inputs_embeds: Tensor,
        first_position: int | Tensor,
        seed: Tensor | None,
    ) -> Tensor:
        """Adds positions, normalizes and drops out, `(B, T, D)` to same.

        Args:
            inputs_embeds: Float tensor of shape `(B, T, D)`.
            first_position: int or int32 scalar tensor, in tokens.
            seed: Int tensor of shape `(2,)`, or `None` for no dropout.
        """
        length = backend.shape(inputs_embeds)[1]
        positions = ops.arange(length, dtype="int32") + first_position
        rows, _ = look_up(self.embed_positions, positions)
        return self.add_positions(inputs_embeds, rows, seed)

    def add_positions(
        self, inputs_embeds: Tensor, rows: Tensor, seed: Tensor | None
    ) -> Tensor:
        """What `embed` does with rows of the position table, `(T, D)`."""
        hidden_states = inputs_embeds + rows[None]
        hidden_states = self.layernorm_embedding(hidden_states)
        return dropout(hidden_states, self.config.dropout, fold_seed(seed, 0))

    def skip_at_random(
        self, hidden_states: Tensor, layer_output: Tensor, seed: Tensor | None
    ) -> Tensor:
        """Layer drop: with probability `layerdrop` the layer did nothing.

        The layer has run all the same, so that one program serves both.
        """
        if seed is None or not self.layerdrop:
            return layer_output
        runs = backend.uniform(seed, ()) >= self.layerdrop
        return ops.where(runs, layer_output, hidden_states)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"config": self.config.to_dict()}
