"""Encoder and decoder as functions with the names that Optimum reads.

The decoder is two functions: one for the first call, which also projects the
document to keys and values, and one for all the others, which gets them back.
"""

from typing import Any

import tensorflow as tf

from keras_led.backend.block_layout import without_loops
from keras_led.formats.forward_pass import ForwardModule
from keras_led.typing import Tensor

# What stands for a `global_attention_mask` that is not given.
FIRST_TOKEN = -1


class OnnxModule(ForwardModule):
    """A model with the functions of an ONNX folder, of any batch and length.

    Args:
        model: `LEDForConditionalGeneration`, under TensorFlow.
    """

    def functions(self) -> dict[str, Any]:
        """Dict of name to a pair of a function and its `TensorSpec`s."""
        past = past_specs(self._model().config)
        hidden = (None, None, self._model().config.d_model)
        ids = {name: _ids() for name in ("encoder_attention_mask", "input_ids")}
        document = ("input_ids", "attention_mask", "global_attention_mask")
        return {
            "encoder": (self.encode_any, {name: _ids() for name in document}),
            "first": (
                self.decode_first,
                {**ids, "encoder_hidden_states": tf.TensorSpec(hidden)},
            ),
            "next": (self.decode_next, {**ids, **past}),
        }

    def encode_any(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        global_attention_mask: Tensor,
    ) -> dict[str, Tensor]:
        """Document to hidden states; a mask of -1 is the first token's."""
        first = tf.cast(tf.range(tf.shape(input_ids)[1]) == 0, "int64")
        wide = tf.where(
            global_attention_mask == FIRST_TOKEN, first, global_attention_mask
        )
        inputs = {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "global_attention_mask": wide + tf.zeros_like(input_ids),
        }
        return self.encode(
            **{k: tf.cast(x, "int32") for k, x in inputs.items()}
        )

    def decode_first(
        self,
        encoder_attention_mask: Tensor,
        input_ids: Tensor,
        encoder_hidden_states: Tensor,
    ) -> dict[str, Tensor]:
        """First tokens and a document to logits, and all keys and values."""
        return self._decode(
            encoder_attention_mask,
            input_ids,
            encoder_hidden_states=encoder_hidden_states,
        )

    def decode_next(
        self,
        encoder_attention_mask: Tensor,
        input_ids: Tensor,
        **past: Tensor,
    ) -> dict[str, Tensor]:
        """Next tokens to logits, and the decoder's keys and values."""
        layers = range(self._model().config.decoder_layers)
        pairs = {
            kind: tuple(
                tuple(past[name] for name in names(PAST, layer, kind))
                for layer in layers
            )
            for kind in ("decoder", "encoder")
        }
        # Few queries: all of them at once.
        with without_loops():
            found = self._decode(
                encoder_attention_mask,
                input_ids,
                self_caches=pairs["decoder"],
                cross_caches=pairs["encoder"],
            )
        return {k: x for k, x in found.items() if ".encoder." not in k}

    def _decode(self, encoder_attention_mask, input_ids, **caches):
        model = self._model()
        _, look_up = model.led.token_tables()
        decoded, own, cross = model.led.decoder(
            look_up(tf.cast(input_ids, "int32")),
            encoder_mask=encoder_attention_mask != 0,
            output_attentions=True,
            **caches,
        )
        logits = model.logits(decoded.last_hidden_state)
        found = {"logits": tf.cast(logits, "float32")}
        for layer, weights in enumerate(decoded.cross_attentions):
            found[f"{WEIGHTS}.{layer}"] = tf.cast(weights, "float32")
        for kind, pairs in (("decoder", own), ("encoder", cross)):
            for layer, pair in enumerate(pairs):
                found |= zip(names(PRESENT, layer, kind), pair, strict=True)
        return found


PAST, PRESENT = "past_key_values", "present"
# What the tokens look at in the document: output that may be left unread.
WEIGHTS = "cross_attentions"


def names(prefix: str, layer: int, kind: str) -> tuple[str, str]:
    """Names of the keys and values of a layer, of the decoder or encoder."""
    return tuple(f"{prefix}.{layer}.{kind}.{x}" for x in ("key", "value"))  # pyright: ignore[reportReturnType]


def past_specs(config: Any) -> dict[str, Any]:
    """Dict of the `TensorSpec` of each of `past_key_values`."""
    heads = config.decoder_attention_heads
    shape = (None, heads, None, config.d_model // heads)
    return {
        name: tf.TensorSpec(shape, "float32", name)
        for layer in range(config.decoder_layers)
        for kind in ("decoder", "encoder")
        for name in names(PAST, layer, kind)
    }


def _ids():
    return tf.TensorSpec((None, None), "int64")


def free_axes(name: str, in_decoder: bool) -> tuple[str | None, ...]:
    """Names of the axes of an input or output, `None` for fixed ones.

    Those of a past are all free: at the first call, when nobody reads it,
    Optimum gives one with as many heads as the encoder has.
    """
    if in_decoder and name in ("input_ids", "logits"):
        return "rows", "decoder_sequence_length"
    if name.startswith(WEIGHTS):
        return (
            "rows",
            None,
            "decoder_sequence_length",
            "encoder_sequence_length",
        )
    given = name.startswith(PAST)
    heads, head_dim = ("heads", "head_dim") if given else (None, None)
    if ".decoder." in name:
        length = "past" if given else "present"
        return "rows", heads, f"{length}_decoder_sequence_length", head_dim
    if ".encoder." in name:
        return "documents", heads, "encoder_sequence_length", head_dim
    return "documents", "encoder_sequence_length"
