"""What `generate(..., return_dict_in_generate=True)` returns."""

from typing import Any

from keras_led.outputs import ModelOutput
from keras_led.typing import PastKeyValues
from keras_led.typing import Tensor


class GenerateEncoderDecoderOutput(ModelOutput):
    """Output of greedy search, sampling, contrastive and look-up search.

    Rows are documents, each repeated `num_return_sequences` times. One entry
    of each per-step tuple belongs to one generated token.

    Attributes:
        sequences: int32 tensor `(rows, length)`.
        scores: tuple of float32 tensors `(rows, V)`, processed.
        logits: tuple of float32 tensors `(rows, V)`, as the model gave them.
        encoder_attentions: tuple of a tensor per encoder layer.
        encoder_hidden_states: tuple of tensors `(B, S, D)`.
        decoder_attentions: per step, a tuple of a tensor `(rows, N, T,
            length so far)` per layer. `T` is the prompt's length at the first
            step and 1 afterwards; with `use_cache=False` the length so far.
        cross_attentions: per step, a tuple of tensors `(rows, N, T, S)`.
        decoder_hidden_states: per step, a tuple of tensors `(rows, T, D)`.
        past_key_values: after greedy search and sampling with a cache, what
            `call` and `generate` take: keys and values of all tokens but the
            last. Made when it is first read, as an attribute.
    """

    fields: tuple[str, ...] = (
        "sequences",
        "scores",
        "logits",
        "encoder_attentions",
        "encoder_hidden_states",
        "decoder_attentions",
        "cross_attentions",
        "decoder_hidden_states",
        "past_key_values",
    )

    sequences: Tensor
    scores: tuple[Tensor, ...] | None
    logits: tuple[Tensor, ...] | None
    encoder_attentions: tuple[Tensor, ...] | None
    encoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: tuple[tuple[Tensor, ...], ...] | None
    cross_attentions: tuple[tuple[Tensor, ...], ...] | None
    decoder_hidden_states: tuple[tuple[Tensor, ...], ...] | None
    past_key_values: PastKeyValues | None

    def __getattr__(self, name: str) -> Any:
        if name == "past_key_values" and "make_past" in vars(self):
            self[name] = vars(self).pop("make_past")()
        return super().__getattr__(name)


class GenerateBeamEncoderDecoderOutput(ModelOutput):
    """Output of beam search and beam sampling.

    `sequences`, `sequences_scores` and `beam_indices` have a row for each
    returned sequence; the per-step fields have one for each beam.

    Attributes:
        sequences: int32 tensor `(B * num_return_sequences, length)`.
        sequences_scores: float32 tensor `(B * num_return_sequences,)`, the
            sum of log-probabilities over length to the power of
            `length_penalty`. There whenever beams were searched.
        scores: tuple of float32 tensors `(B * K, V)`: processed
            log-probabilities, without those of earlier tokens.
        logits: tuple of float32 tensors `(B * K, V)`.
        beam_indices: int32 tensor `(B * num_return_sequences, new tokens)`:
            row of `scores` that each token was taken from; -1 after the end.
        encoder_attentions: as in `GenerateEncoderDecoderOutput`; so are all
            fields below.
        encoder_hidden_states: per layer, not repeated for the beams.
        decoder_attentions: per step and layer.
        cross_attentions: per step and layer.
        decoder_hidden_states: per step and layer.
    """

    fields: tuple[str, ...] = (
        "sequences",
        "sequences_scores",
        "scores",
        "logits",
        "beam_indices",
        "encoder_attentions",
        "encoder_hidden_states",
        "decoder_attentions",
        "cross_attentions",
        "decoder_hidden_states",
    )

    sequences: Tensor
    sequences_scores: Tensor
    scores: tuple[Tensor, ...] | None
    logits: tuple[Tensor, ...] | None
    beam_indices: Tensor
    encoder_attentions: tuple[Tensor, ...] | None
    encoder_hidden_states: tuple[Tensor, ...] | None
    decoder_attentions: tuple[tuple[Tensor, ...], ...] | None
    cross_attentions: tuple[tuple[Tensor, ...], ...] | None
    decoder_hidden_states: tuple[tuple[Tensor, ...], ...] | None
