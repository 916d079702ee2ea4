"""What the encoder and the decoder have in common as models of their own."""

from typing import TYPE_CHECKING
from typing import Any
from typing import Self

import keras

from keras_led.models.checked_runs import CheckedRunsMixin
from keras_led.models.copies import CopyMixin
from keras_led.models.embedding import token_table

if TYPE_CHECKING:
    from keras_led.config import LEDConfig
    from keras_led.layers.decoder import LEDDecoder
    from keras_led.layers.encoder import LEDEncoder


class LEDPartModel(CheckedRunsMixin, CopyMixin, keras.Model):
    """Base of `LEDEncoderModel` and `LEDDecoderModel`.

    The first call argument may be a dict of call arguments. A copy, also one
    from a `.keras` file, has layers of its own.

    Args:
        embedding: The `keras.layers.Embedding` of the tokens.
        stack: `LEDEncoder` or `LEDDecoder`.
        **kwargs: `name` and other arguments of `keras.Model`.
    """

    config: "LEDConfig"

    integer_inputs: tuple[str, ...] = ("input_ids",)
    # Class of `stack`.
    stack_class = None

    def __init__(
        self,
        embedding: keras.layers.Embedding,
        stack: "LEDEncoder | LEDDecoder",
        **kwargs: Any,
    ):
        kwargs.setdefault("dtype", stack.dtype_policy)
        super().__init__(**kwargs)
        self.embedding = embedding
        self.config = stack.config

    @property
    def vocabulary_size(self) -> int:
        """int, token ids are below it."""
        return self.embedding.input_dim

    @classmethod
    def from_led_config(
        cls,
        config: "LEDConfig",
        name: str | None = None,
        dtype: Any = None,
        **options: Any,
    ) -> Self:
        """Makes a fresh model; see `CopyMixin`."""
        table = "shared" if config.tie_word_embeddings else "embed_tokens"
        with keras.name_scope(name or cls.__name__):
            embedding = token_table(config, table, dtype)
            stack = cls.stack_class(config, dtype=dtype)  # pyright: ignore[reportOptionalCall]
            embedding.build((None, None))
            stack.build()
        return cls(embedding, stack, name=name, **options)
