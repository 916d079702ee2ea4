"""The decoder: from embedded tokens and a document to hidden states."""

from typing import Any

import keras
from keras import ops

from keras_led import backend
from keras_led.attention.cross_keys import cross_keys
from keras_led.attention.dropout import fold_seed
from keras_led.attention.masks import causal_mask
from keras_led.attention.over_shards import document_in_shards
from keras_led.config import LEDConfig
from keras_led.layers.decoder_layer import DecoderLayer
from keras_led.layers.gradient_checkpointing import recomputed_decoder_layer
from keras_led.layers.stack import LayerStack
from keras_led.outputs import LEDDecoderModelOutput
from keras_led.typing import Cache
from keras_led.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_led")
class LEDDecoder(LayerStack):
    """Position table, embedding norm and the layers of the decoder.

    Args:
        config: `LEDConfig`.

    Call arguments:
        inputs_embeds: Float tensor of shape `(R, T, D)`, token embeddings;
            `R` rows are the beams of `B` documents.
        encoder_hidden_states: Float tensor of shape `(B, S, D)`; not needed
            with `cross_caches`.
        encoder_mask: Bool tensor of shape `(B, S)`, `True` may be attended
            to, or `None` for all.
        decoder_mask: Bool tensor of shape `(R, T_total)`, likewise, over all
            tokens so far (over all slots with `index`), or `None`.
        cross_caches: Tuple of one pair a layer, from `project_document` or
            of tensors `(B, N, S, H)`, or `None`.
        self_caches: Tuple of one pair of tensors a layer, or `None`.
        index: `None` for caches that grow; otherwise the slot of fixed-size
            caches that the first token gets.
        head_mask: Float tensor of shape `(layers, N)`, or `None` for ones.
        cross_attn_head_mask: Likewise, for the attention over the document.
        output_attentions: bool, whether to return the weights.
        output_hidden_states: bool, whether to return all hidden states.
        training: bool, whether to drop out.

    Returns:
        Tuple of `LEDDecoderModelOutput` (without `past_key_values`), the
        self caches and the cross caches.

    Source:
        `LEDDecoder` in transformers 5.23.
    """

    def __init__(self, config: LEDConfig, name: str = "decoder", **kwargs: Any):
        if isinstance(config, dict):
            config = LEDConfig.from_dict(config)
        super().__init__(
            config,
            config.max_decoder_position_embeddings,
            config.decoder_layerdrop,
            name=name,
            **kwargs,
        )
        self.layers = [
            DecoderLayer(name=f"layers_{i}", **self._layer_options("decoder"))
            for i in range(config.decoder_layers)
        ]

    def project_document(
        self, encoder_hidden_states: Tensor, rows_per_document: int = 1
    ) -> tuple[tuple[Any, Tensor], ...]:
        """The keys and values of the document for every layer.

        Args:
            encoder_hidden_states: Float tensor of shape `(B, S, D)`, from
                `document_in_shards`.
            rows_per_document: int, queries that a step has for a document.

        Returns:
            Tuple of one pair a layer: `cross_keys`, and a tensor of values,
            `(B, N, S, H)`.
        """
        return tuple(
            (cross_keys(key, rows_per_document), backend.contiguous(value))
            for key, value in (
                layer.cross_keys_and_values(encoder_hidden_states)
                for layer in self.layers
            )
        )

    def empty_caches(self, rows: int | Tensor, max_length: int) -> Cache:
        """Fixed-size self-attention caches of zeros.

        Args:
            rows: int or int32 scalar tensor, `R`.
            max_length: int, slots, in tokens.

        Returns:
            Tuple of one pair of tensors `(R, N, max_length, H)` a layer.
        """
        num_heads = self.config.decoder_attention_heads
        head_dim = self.config.d_model // num_heads
        shape = (rows, num_heads, max_length, head_dim)
        return tuple(
            tuple(ops.zeros(shape, dtype=self.compute_dtype) for _ in range(2))
            for _ in self.layers
        )

    def call(
        self,
        inputs_embeds: Tensor,
        encoder_hidden_states: Tensor | None = None,
        encoder_mask: Tensor | None = None,
        decoder_mask: Tensor | None = None,
        cross_caches: tuple[tuple[Any, Tensor], ...] | None = None,
        self_caches: Cache | None = None,
        index: int | Tensor | None = None,
        head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
        training: bool = False,
    ) -> tuple[LEDDecoderModelOutput, Any, Any]:
        first, self_mask = self._positions_and_mask(
            inputs_embeds, self_caches, index, decoder_mask
        )
        encoder_hidden_states, encoder_mask = document_in_shards(
            encoder_hidden_states, encoder_mask
        )
        if encoder_mask is not None:
            encoder_mask = encoder_mask[:, None, None, :]
        seed = self.draw_seed(training)
        hidden_states = self.embed(inputs_embeds, first, fold_seed(seed, 0))
        all_hidden_states, runs = [], []
        for i, layer in enumerate(self.layers):
            if output_hidden_states:
                all_hidden_states.append(hidden_states)
            options = {
                "self_cache": _row(self_caches, i),
                "index": index,
                "self_mask": self_mask,
                "cross_mask": encoder_mask,
                "seed": fold_seed(seed, 2 * i + 1),
                "head_mask": _row(head_mask, i),
                "cross_attn_head_mask": _row(cross_attn_head_mask, i),
                "output_attentions": output_attentions,
            }
            output, *run = self._run_layer(
                layer,
                hidden_states,
                encoder_hidden_states,
                _row(cross_caches, i),
                options,
                rematerialize=training and self.gradient_checkpointing,
            )
            hidden_states = self.skip_at_random(
                hidden_states, output, fold_seed(seed, 2 * i + 2)
            )
            runs.append(run)
        columns = zip(*runs, strict=True)
        self_caches, weights, cross_weights, cross_caches = columns
        output = LEDDecoderModelOutput(
            last_hidden_state=hidden_states,
            hidden_states=(
                (*all_hidden_states, hidden_states)
                if output_hidden_states
                else None
            ),
            attentions=weights if output_attentions else None,
            cross_attentions=cross_weights if output_attentions else None,
        )
        return output, self_caches, cross_caches

    def _positions_and_mask(
        self, inputs_embeds, self_caches, index, decoder_mask
    ):
        """Position of the first token, and the `(R, 1, T, T_total)` mask."""
        length = backend.shape(inputs_embeds)[1]
        first, total = 0, length
        if index is not None:
            first, total = index, backend.shape(self_caches[0][0])[2]
        elif self_caches is not None:
            first = backend.shape(self_caches[0][0])[2]
            total = first + length
        mask = causal_mask(length, total, first)[None, None]
        if decoder_mask is not None:
            mask = mask & decoder_mask[:, None, None, :]
        return first, mask

    def _run_layer(
        self,
        layer,
        hidden_states,
        encoder_hidden_states,
        cross_cache,
        options,
        rematerialize,
    ):
        """The output, then the caches and weights, `None` where unknown."""
        if rematerialize and not options["output_attentions"]:
            run = recomputed_decoder_layer(layer, options)
            output = run(hidden_states, encoder_hidden_states)
            return output, None, None, None, None
        if cross_cache is None:
            cross_cache = layer.cross_keys_and_values(encoder_hidden_states)
        outputs = layer(hidden_states, cross_cache=cross_cache, **options)
        return (*outputs, cross_cache)


def _row(x, index):
    return None if x is None else x[index]
