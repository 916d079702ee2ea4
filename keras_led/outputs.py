"""What the models return: the output classes of the Hugging Face LED.

Axis letters: `B` batch, `S` document length, `T` decoder length, `N` heads,
`H` head dim, `D` hidden dim, `V` vocabulary, `G` most global tokens of a
document, `W` attention window (both sides together).
"""

from collections import OrderedDict
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from keras_led import backend
from keras_led.typing import PastKeyValues
from keras_led.typing import Tensor


class ModelOutput(OrderedDict[str, Any]):
    """An ordered dict of the fields that are not `None`.

    A field is read as an attribute, by name, or by its index among the fields
    that are not `None`. Keras, JAX and TensorFlow see into it, so that it may
    leave `fit`, `predict`, `jax.jit` and `tf.function`.

    Args:
        fields: Mapping, or iterable of `(name, value)` pairs.
        **values: Fields by name.

    Raises:
        TypeError: If a field is not one of the class.
    """

    fields: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        backend.register_pytree(cls)

    def __init__(
        self,
        fields: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        **values: Any,
    ):
        super().__init__()
        values = {**dict(fields), **values}
        unknown = sorted(set(values) - set(self.fields))
        if unknown:
            raise TypeError(
                f"`{type(self).__name__}` has no such field. "
                f"Received: {', '.join(unknown)}. "
                f"Its fields are {', '.join(self.fields)}."
            )
        for name in self.fields:
            self[name] = values.get(name)

    def __setitem__(self, name: str, value: Any) -> None:
        if value is None:
            self.pop(name, None)
        else:
            super().__setitem__(name, value)

    def __getitem__(self, name: str | int | slice) -> Any:
        if isinstance(name, str):
            return super().__getitem__(name)
        return self.to_tuple()[name]

    def __getattr__(self, name: str) -> Any:
        if name in type(self).fields:
            return self.get(name)
        raise AttributeError(
            f"'{type(self).__name__}' object has no attribute '{name}'"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.fields:
            self[name] = value
        else:
            super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self.items()),)

    def to_tuple(self) -> tuple[Any, ...]:
        """Tuple of the fields that are not `None`, in order."""
        return tuple(self[name] for name in self.fields if name in self)


class LEDEncoderBaseModelOutput(ModelOutput):
    """What the encoder returns.

    Attributes:
        last_hidden_state: Float tensor of shape `(B, S, D)`.
        hidden_states: Tuple of `encoder_layers + 1` tensors of that shape:
            the embeddings, then the output of each layer.
        attentions: Tuple of one tensor a layer, `(B, N, S, G + W + 1)`: the
            weights of each local query. Slot `k < G` is the `k`-th global
            token of the document, slot `G + W / 2` the query itself. Rows of
            padding and of global tokens are 0.
        global_attentions: Tuple of one tensor a layer, `(B, N, S, G)`: the
            weight that global token `k` gives to each position; 0 for unused
            slots. `None` if no document has a global token.
    """

    fields: tuple[str, ...] = (
        "last_hidden_state",
        "hidden_states",
        "attentions",
        "global_attentions",
    )

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None
    global_attentions: tuple[Tensor, ...] | None


_DECODER_FIELDS = (
    "past_key_values",
    "decoder_hidden_states",
    "decoder_attentions",
    "cross_attentions",
)
_ENCODER_FIELDS = (
    "encoder_last_hidden_state",
    "encoder_hidden_states",
    "encoder_attentions",
    "encoder_global_attentions",
)


class LEDDecoderModelOutput(ModelOutput):
    """What the decoder returns.

    Attributes:
        last_hidden_state: Float tensor of shape `(B, T, D)`.
        past_key_values: Tuple of one tuple a layer, of four tensors: keys and
            values of the self-attention, `(B, N, T_total, H)`, then of the
            cross-attention, `(B, N, S, H)`.
        hidden_states: Tuple of `decoder_layers + 1` tensors `(B, T, D)`.
        attentions: Tuple of one tensor a layer, `(B, N, T, T_total)`.
        cross_attentions: Tuple of one tensor a layer, `(B, N, T, S)`.
    """

    fields: tuple[str, ...] = (
        "last_hidden_state",
        "past_key_values",
        "hidden_states",
        "attentions",
        "cross_attentions",
    )

    last_hidden_state: Tensor
    past_key_values: PastKeyValues | None
    hidden_states: tuple[Tensor, ...] | None
    attentions: tuple[Tensor, ...] | None
    cross_attentions: tuple[Tensor, ...] | None


class LEDSeq2SeqModelOutput(ModelOutput):
    """What `LEDModel` returns.

    Attributes:
        last_hidden_state: Float tensor of shape `(B, T, D)`, the decoder's.
        past_key_values: As in `LEDDecoderModelOutput`.
        decoder_hidden_states: Its `hidden_states`.
        decoder_attentions: Its `attentions`.
        cross_attentions: As in `LEDDecoderModelOutput`.
        encoder_last_hidden_state: Float tensor of shape `(B, S, D)`.
        encoder_hidden_states: As in `LEDEncoderBaseModelOutput`.
        encoder_attentions: Its `attentions`.
        encoder_global_attentions: Its `global_attentions`.
    """

    fields: tuple[str, ...] = (
        "last_hidden_state",
        *_DECODER_FIELDS,
        *_ENCODER_FIELDS,
    )

    last_hidden_state: Tensor
    past_key_values: PastKeyValues | None
    decoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: tuple[Tensor, ...] | None
    cross_attentions: tuple[Tensor, ...] | None
    encoder_last_hidden_state: Tensor
    encoder_hidden_states: tuple[Tensor, ...] | None
    encoder_attentions: tuple[Tensor, ...] | None
    encoder_global_attentions: tuple[Tensor, ...] | None


class LEDSeq2SeqLMOutput(ModelOutput):
    """What `LEDForConditionalGeneration` returns.

    Attributes:
        loss: Float scalar, if `labels` were given.
        logits: Float tensor of shape `(B, T, V)`, before softmax.

    The other fields are those of `LEDSeq2SeqModelOutput`.
    """

    fields: tuple[str, ...] = (
        "loss",
        "logits",
        *_DECODER_FIELDS,
        *_ENCODER_FIELDS,
    )

    loss: Tensor
    logits: Tensor
    past_key_values: PastKeyValues | None
    decoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: tuple[Tensor, ...] | None
    cross_attentions: tuple[Tensor, ...] | None
    encoder_last_hidden_state: Tensor
    encoder_hidden_states: tuple[Tensor, ...] | None
    encoder_attentions: tuple[Tensor, ...] | None
    encoder_global_attentions: tuple[Tensor, ...] | None


class LEDSeq2SeqSequenceClassifierOutput(ModelOutput):
    """What `LEDForSequenceClassification` returns.

    Attributes:
        loss: Float scalar, if `labels` were given.
        logits: Float tensor of shape `(B, num_labels)`, before softmax.

    The other fields are those of `LEDSeq2SeqModelOutput`.
    """

    fields: tuple[str, ...] = (
        "loss",
        "logits",
        *_DECODER_FIELDS,
        *_ENCODER_FIELDS,
    )

    loss: Tensor
    logits: Tensor
    past_key_values: PastKeyValues | None
    decoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: tuple[Tensor, ...] | None
    cross_attentions: tuple[Tensor, ...] | None
    encoder_last_hidden_state: Tensor
    encoder_hidden_states: tuple[Tensor, ...] | None
    encoder_attentions: tuple[Tensor, ...] | None
    encoder_global_attentions: tuple[Tensor, ...] | None


class LEDSeq2SeqQuestionAnsweringModelOutput(ModelOutput):
    """What `LEDForQuestionAnswering` returns.

    Attributes:
        loss: Float scalar, if `start_positions` and `end_positions` were
            given.
        start_logits: Float tensor of shape `(B, T)`, over decoder positions.
        end_logits: Float tensor of shape `(B, T)`, likewise.

    The other fields are those of `LEDSeq2SeqModelOutput`.
    """

    fields: tuple[str, ...] = (
        "loss",
        "start_logits",
        "end_logits",
        *_DECODER_FIELDS,
        *_ENCODER_FIELDS,
    )

    loss: Tensor
    start_logits: Tensor
    end_logits: Tensor
    past_key_values: PastKeyValues | None
    decoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: tuple[Tensor, ...] | None
    cross_attentions: tuple[Tensor, ...] | None
    encoder_last_hidden_state: Tensor
    encoder_hidden_states: tuple[Tensor, ...] | None
    encoder_attentions: tuple[Tensor, ...] | None
    encoder_global_attentions: tuple[Tensor, ...] | None
