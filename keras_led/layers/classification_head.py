"""The head of sequence classification."""

from typing import TYPE_CHECKING
from typing import Any

import keras
from keras import ops

from keras_led.attention.dropout import draw_seed
from keras_led.attention.dropout import dropout
from keras_led.attention.dropout import fold_seed
from keras_led.layers.initializers import dense
from keras_led.typing import Shape
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.layers.dense_layer import Dense


class ClassificationHead(keras.layers.Layer):
    """Two dense layers with tanh between, each after a dropout.

    Args:
        d_model: int, `D`, hidden dim.
        num_labels: int, number of classes.
        dropout: float in `[0, 1)`, before each dense layer.
        init_std: float, standard deviation of fresh kernels.

    Call arguments:
        hidden_states: Float tensor of shape `(B, D)`.
        training: bool, whether to drop out.

    Returns:
        Float tensor of shape `(B, num_labels)`.

    Source:
        `LEDClassificationHead` in transformers 4.57.
    """

    dense: "Dense"
    out_proj: "Dense"
    seed_generator: keras.random.SeedGenerator | None

    def __init__(
        self,
        d_model: int,
        num_labels: int,
        dropout: float = 0.0,
        init_std: float = 0.02,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.d_model = d_model
        self.num_labels = num_labels
        self.dropout = dropout
        self.init_std = init_std
        self.dense = dense(d_model, init_std, "dense", self.dtype_policy)
        self.out_proj = dense(
            num_labels, init_std, "out_proj", self.dtype_policy
        )
        self.seed_generator = keras.random.SeedGenerator() if dropout else None

    def build(self, input_shape: Shape | None = None) -> None:
        self.dense.build((None, self.d_model))
        self.out_proj.build((None, self.d_model))
        self.built = True

    def call(self, hidden_states: Tensor, training: bool = False) -> Tensor:
        seed = None
        if training and self.seed_generator is not None:
            seed = draw_seed(self.seed_generator)
        x = dropout(hidden_states, self.dropout, fold_seed(seed, 0))
        x = ops.tanh(self.dense(x))
        return self.out_proj(dropout(x, self.dropout, fold_seed(seed, 1)))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "d_model": self.d_model,
            "num_labels": self.num_labels,
            "dropout": self.dropout,
            "init_std": self.init_std,
        }
