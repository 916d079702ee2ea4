"""A model whose next-token scores can be written down by hand."""

from typing import Any
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_led.config import LEDConfig
from keras_led.generation import GenerationMixin


class Outputs(NamedTuple):
    logits: Any
    decoder_hidden_states: Any = None
    decoder_attentions: Any = None
    cross_attentions: Any = None

    def __getitem__(self, name):
        return getattr(self, name)


class State(NamedTuple):
    self_cache: Any
    cross_cache: Any
    encoder_mask: Any

    def reorder(self, beam_rows):
        moved = tuple(
            tuple(ops.take(part, beam_rows, axis=0) for part in pair)
            for pair in self.self_cache
        )
        return self._replace(self_cache=moved)


class FakeModel(GenerationMixin):
    """Next-token logits from tables, through a cache that matters.

    The logits after the tokens `t_0 .. t_n` of a row are `last[t_n]`, plus
    the sum of `history[t_i]` over all tokens that are not masked, plus
    `document[x]` summed over the unmasked tokens `x` of the document. The
    cache holds the tokens, so that a wrong reorder changes the logits.

    Args:
        last: float array `(V, V)`, logits by last token.
        history: float array `(V, V)`, or None for zeros.
        document: float array `(V, V)`, or None for zeros.
        **config: `LEDConfig` values.
    """

    def __init__(self, last, history=None, document=None, **config):
        self.last = np.asarray(last, "float32")
        vocab_size = len(self.last)
        zeros = np.zeros((vocab_size, vocab_size), "float32")
        self.history = zeros if history is None else history
        self.history = self.history.astype("float32")
        self.document = zeros if document is None else document
        self.document = self.document.astype("float32")
        defaults = {
            "vocab_size": vocab_size,
            "max_decoder_position_embeddings": 16,
            "max_encoder_position_embeddings": 64,
            "d_model": vocab_size,
            "encoder_attention_heads": 1,
            "decoder_attention_heads": 1,
            "encoder_layers": 1,
            "decoder_layers": 1,
            "attention_window": 4,
            "pad_token_id": 1,
        }
        self.config = LEDConfig(**{**defaults, **config})
        self.variables = []
        self.encoder_runs = 0

    def encode(
        self,
        input_ids=None,
        attention_mask=None,
        global_attention_mask=None,
        head_mask=None,
        inputs_embeds=None,
        output_attentions=False,
        output_hidden_states=False,
        max_global_tokens=None,
        global_tokens_fit=False,
    ):
        self.encoder_runs += 1
        hidden = inputs_embeds
        if hidden is None:
            hidden = ops.one_hot(input_ids, self.config.vocab_size)
        return Encoded(last_hidden_state=ops.cast(hidden, "float32"))

    def start_decoding(
        self,
        encoder_hidden_states,
        encoder_attention_mask=None,
        rows_per_document=1,
        max_length=None,
    ):
        rows = ops.shape(encoder_hidden_states)[0] * rows_per_document
        empty = ops.zeros((rows, 1, max_length, 1))
        return State(
            self_cache=((empty, empty),),
            cross_cache=((encoder_hidden_states, encoder_hidden_states),),
            encoder_mask=encoder_attention_mask,
        )

    def decode_step(
        self,
        decoder_input_ids,
        state,
        index,
        decoder_attention_mask=None,
        decoder_head_mask=None,
        cross_attn_head_mask=None,
        output_attentions=False,
        output_hidden_states=False,
    ):
        hidden = state.cross_cache[0][0]
        mask = ops.cast(state.encoder_mask, "float32")[:, :, None]
        counts = ops.sum(hidden * mask, axis=1)  # (B, V)
        rows = ops.shape(decoder_input_ids)[0] // ops.shape(hidden)[0]
        bias = ops.matmul(counts, self.document)
        bias = ops.repeat(bias, int(rows), axis=0)[:, None, :]
        seen = ops.cast(decoder_input_ids, "float32")[:, None, :, None]
        if state.self_cache is not None:
            keys = ops.slice_update(
                state.self_cache[0][0], (0, 0, index, 0), seen
            )
            state = state._replace(self_cache=((keys, keys),))
            seen = keys
        tokens = ops.cast(seen[:, 0, :, 0], "int32")
        place = ops.arange(tokens.shape[1], dtype="int32")[None, None, :]
        own = index + ops.arange(decoder_input_ids.shape[1], dtype="int32")
        allowed = ops.cast(place <= own[None, :, None], "float32")
        if decoder_attention_mask is not None:
            given = ops.cast(decoder_attention_mask, "float32")
            allowed = allowed * given[:, None, :]
        effects = ops.take(self.history, tokens, axis=0)  # (R, L, V)
        logits = ops.take(self.last, decoder_input_ids, axis=0)
        logits = logits + ops.matmul(allowed, effects) + bias
        hidden_states = None
        if output_hidden_states:
            hidden_states = (ops.one_hot(decoder_input_ids, logits.shape[-1]),)
        return Outputs(logits, hidden_states), state


class Encoded(NamedTuple):
    last_hidden_state: Any
