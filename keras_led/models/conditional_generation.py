"""LED with a language modeling head: the model that writes summaries."""

from typing import TYPE_CHECKING
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_led.attention.over_shards import document_in_shards
from keras_led.generation import GenerationMixin
from keras_led.layers.initializers import Normal
from keras_led.layers.resizing import replace_variable
from keras_led.layers.resizing import resized_table
from keras_led.losses.labels import shift_tokens_right
from keras_led.models.base import LEDPreTrainedModel
from keras_led.models.decoder_model import DecoderState
from keras_led.models.embedding import embed_decoder_tokens
from keras_led.models.embedding import embed_document
from keras_led.models.inputs import takes_inputs
from keras_led.models.language_modeling import LanguageModelingMixin
from keras_led.models.led import LEDModel
from keras_led.outputs import LEDSeq2SeqLMOutput
from keras_led.typing import Cache
from keras_led.typing import PastKeyValues
from keras_led.typing import Shape
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.config import LEDConfig
    from keras_led.outputs import LEDEncoderBaseModelOutput


@keras.saving.register_keras_serializable(package="keras_led")
class LEDForConditionalGeneration(
    GenerationMixin, LanguageModelingMixin, LEDPreTrainedModel
):
    """LED that gives the logits of the next tokens, and generates.

    Args:
        config: `LEDConfig`; the model keeps a copy.
        **kwargs: Arguments of `LEDPreTrainedModel`.

    Call arguments: those of `LEDModel`, and
        labels: Int tensor of shape `(B, T)`: token ids, or -100 for a token
            that does not count. With labels, the decoder reads them shifted
            right unless it is given inputs, and no cache is returned.

    Returns:
        `LEDSeq2SeqLMOutput`, or a tuple.

    Raises:
        ValueError: If an argument has a wrong shape or value.
        TypeError: If an argument is unknown or ids are no integers.

    Source:
        `LEDForConditionalGeneration` in transformers 5.23.
    """

    export_inputs = LEDModel.export_inputs

    def __init__(self, config: "LEDConfig", **kwargs: Any):
        super().__init__(config, **kwargs)
        with keras.name_scope(self.name):
            self.led = LEDModel(
                self.config,
                max_global_tokens=self.max_global_tokens,
                name="led",
                dtype=self.dtype_policy,
            )
        if not self.config.tie_word_embeddings:
            self.lm_head = keras.layers.Dense(
                self.config.vocab_size,
                use_bias=False,
                kernel_initializer=Normal(self.config.init_std),
                name="lm_head",
                dtype=self.dtype_policy,
            )
        self.build()

    def build(self, input_shape: Shape | None = None) -> None:
        if self.built:
            return
        if not self.config.tie_word_embeddings:
            self.lm_head.build((None, None, self.config.d_model))
        self.final_logits_bias = self.add_weight(
            name="final_logits_bias",
            shape=(1, self.config.vocab_size),
            initializer="zeros",
            trainable=False,
        )
        self.built = True

    @takes_inputs
    def call(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        global_attention_mask: Tensor | None = None,
        past_key_values: PastKeyValues | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> LEDSeq2SeqLMOutput | tuple[Any, ...]: ...

    def compute_outputs(
        self, labels: Tensor | None = None, **inputs: Any
    ) -> LEDSeq2SeqLMOutput:
        """What a call returns.

        Args:
            labels: Int tensor of shape `(B, T)`, or `None`.
            **inputs: The other call arguments, but for `return_dict`.

        Returns:
            `LEDSeq2SeqLMOutput`.
        """
        table = None
        if labels is not None:
            inputs = self._with_labels_shifted(labels, inputs)
            if self._reads_one_table():
                inputs, table = self._embedded(inputs)
        fields = dict(self.led.compute_outputs(**inputs))
        logits, loss = self.logits_and_loss(
            fields.pop("last_hidden_state"), labels, table
        )
        return LEDSeq2SeqLMOutput(fields, loss=loss, logits=logits)

    def _with_labels_shifted(self, labels, inputs):
        """Checks labels; the decoder reads them unless it has other inputs."""
        documents = ("input_ids", "inputs_embeds")
        self._check_labels(labels, **{x: inputs.get(x) for x in documents})
        inputs = {**inputs, "use_cache": False}
        names = ("decoder_input_ids", "decoder_inputs_embeds")
        if all(inputs.get(name) is None for name in names):
            inputs["decoder_input_ids"] = (
                self.prepare_decoder_input_ids_from_labels(labels)
            )
        return inputs

    def _embedded(self, inputs):
        """Looks tokens up in the table that the projection reads after them.

        Returns:
            Pair of `inputs` with embeddings in place of ids, and the table,
            `None` where the encoder does not read it.
        """
        names = ("encoder_outputs", "past_key_values")
        if any(inputs.get(name) is not None for name in names):
            return inputs, None
        embeds, table = embed_document(
            self.led.shared,
            self.led.encoder,
            inputs.pop("input_ids", None),
            inputs.get("inputs_embeds"),
        )
        decoder_embeds, table = embed_decoder_tokens(
            self.led.shared,
            self.led.decoder,
            inputs.pop("decoder_input_ids", None),
            inputs.get("decoder_inputs_embeds"),
            table=table,
        )
        inputs["inputs_embeds"] = embeds
        inputs["decoder_inputs_embeds"] = decoder_embeds
        return inputs, table

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """Shifts labels right, with pad for -100; both shape `(B, T)`."""
        return shift_tokens_right(
            ops.convert_to_tensor(labels),
            self.config.pad_token_id,
            self.config.decoder_start_token_id,
        )

    def get_output_embeddings(self) -> keras.layers.Layer:
        if self.config.tie_word_embeddings:
            return self.led.shared
        return self.lm_head

    def _resize_vocabulary(self, size, mean_resizing):
        super()._resize_vocabulary(size, mean_resizing)
        bias = ops.convert_to_numpy(self.final_logits_bias)[:, :size]
        bias = np.pad(bias, ((0, 0), (0, size - bias.shape[1])))
        self.final_logits_bias = replace_variable(
            self, self.final_logits_bias, bias
        )
        if not self.config.tie_word_embeddings:
            kernel = ops.convert_to_numpy(self.lm_head.kernel)
            kernel = resized_table(
                kernel.T, size, mean_resizing, self.config.init_std
            ).T
            self.lm_head._kernel = replace_variable(
                self.lm_head, self.lm_head._kernel, kernel
            )
            self.lm_head.units = size

    # ---- what generation asks of a model ----------------------------------

    def encode(
        self,
        input_ids: Tensor | None = None,
        max_global_tokens: float | None = None,
        **options: Any,
    ) -> "LEDEncoderBaseModelOutput":
        """Runs the encoder; see `encode_document` for the arguments."""
        return self.led.encode(input_ids, max_global_tokens, **options)

    def start_decoding(
        self,
        encoder_hidden_states: Tensor,
        encoder_attention_mask: Tensor | None = None,
        rows_per_document: int = 1,
        max_length: int | None = None,
    ) -> DecoderState:
        """Makes the state with which `decode_step` starts.

        Args:
            encoder_hidden_states: Float tensor of shape `(B, S, D)`.
            encoder_attention_mask: Tensor of shape `(B, S)`; 0 is padding.
                `None` means ones.
            rows_per_document: int, `K`, beams or samples of a document.
            max_length: int, slots of the self cache, in tokens, or `None`
                to decode without one.

        Returns:
            `DecoderState` for `R = B * K` rows; row `b * K + k` is beam `k`
            of document `b`.
        """
        decoder = self.led.decoder
        if encoder_attention_mask is not None:
            encoder_attention_mask = ops.not_equal(encoder_attention_mask, 0)
        encoder_hidden_states, encoder_mask = document_in_shards(
            encoder_hidden_states, encoder_attention_mask
        )
        self_cache = None
        rows = ops.shape(encoder_hidden_states)[0] * rows_per_document
        if max_length is not None:
            self_cache = decoder.empty_caches(rows, max_length)
        cross_cache = decoder.project_document(
            encoder_hidden_states, rows_per_document
        )
        return DecoderState(self_cache, cross_cache, encoder_mask)

    def past_key_values(
        self,
        self_cache: Cache,
        length: int,
        encoder_hidden_states: Tensor,
        rows_per_document: int = 1,
    ) -> PastKeyValues:
        """Brings the cache of a generation to the layout of `call`.

        Args:
            self_cache: as `DecoderState` has it.
            length: int, tokens read.
            encoder_hidden_states: Float tensor of shape `(B, S, D)`.
            rows_per_document: int, `K`.

        Returns:
            Tuple of one tuple of four tensors a layer: keys and values of the
            tokens `(R, N, length, H)`, then of the document `(R, N, S, H)`.
        """
        documents = [  # whole, also where processes have parts of them
            layer.encoder_attn.keys_and_values(encoder_hidden_states)
            for layer in self.led.decoder.layers
        ]
        return tuple(
            (
                *(slots[:, :, :length] for slots in own),
                *(ops.repeat(x, rows_per_document, axis=0) for x in document),
            )
            for own, document in zip(self_cache, documents, strict=True)
        )

    def decode_step(
        self,
        decoder_input_ids: Tensor,
        state: DecoderState,
        index: int | Tensor,
        decoder_attention_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
    ) -> tuple[LEDSeq2SeqLMOutput, DecoderState]:
        """Decodes the next tokens of every row.

        Args:
            decoder_input_ids: Int tensor of shape `(R, T)`.
            state: `DecoderState`.
            index: int or int32 scalar tensor, position of the first token.
            decoder_attention_mask: Tensor over all slots of the self cache
                (without one, over the tokens), `(R, max_length)`; 1 is a
                token, 0 padding. `None` means ones.
            decoder_head_mask: Float tensor of shape `(layers, N)`, or `None`.
            cross_attn_head_mask: Likewise, for the attention over the
                document.
            output_attentions: bool, whether to return the weights.
            output_hidden_states: bool, whether to return all hidden states.

        Returns:
            Tuple of `LEDSeq2SeqLMOutput`, with float32 logits `(R, T, V)`,
            and the state after the tokens.
        """
        cached = state.self_cache is not None
        if decoder_attention_mask is not None:
            decoder_attention_mask = ops.not_equal(decoder_attention_mask, 0)
        decoded, self_cache, _ = self.led.decoder(
            self.led.token_tables()[1](decoder_input_ids),
            encoder_mask=state.encoder_mask,
            decoder_mask=decoder_attention_mask,
            cross_caches=state.cross_cache,
            self_caches=state.self_cache,
            index=index if cached else None,
            head_mask=decoder_head_mask,
            cross_attn_head_mask=cross_attn_head_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        output = LEDSeq2SeqLMOutput(
            logits=ops.cast(self.logits(decoded.last_hidden_state), "float32"),
            decoder_hidden_states=decoded.hidden_states,
            decoder_attentions=decoded.attentions,
            cross_attentions=decoded.cross_attentions,
        )
        return output, state._replace(self_cache=self_cache if cached else None)
