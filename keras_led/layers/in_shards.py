"""The encoder with each document spread over devices along its length."""

from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led import backend
from keras_led.attention.dropout import fold_seed
from keras_led.attention.global_tokens import SlotPlan
from keras_led.attention.masks import TokenRoles
from keras_led.layers.encoder_masks import EncoderMasks
from keras_led.layers.lookup import look_up
from keras_led.outputs import LEDEncoderBaseModelOutput
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.backend.shard_layout import DocumentShards
    from keras_led.layers.encoder import LEDEncoder


def encode_in_shards(
    encoder: "LEDEncoder",
    shards: "DocumentShards",
    inputs_embeds: Tensor,
    planned: tuple[TokenRoles, SlotPlan],
    seed: Tensor | None,
    head_mask: Tensor | None = None,
    output_attentions: bool = False,
    **options: Any,
) -> LEDEncoderBaseModelOutput:
    """Runs the encoder on every device, each with some tokens of a document.

    There is no program for more global tokens than slots, which would take the
    memory of the whole document on each device: then the hidden states are
    NaN, and `models/checked_runs.py` raises before that where it can read the
    masks.

    Args:
        encoder: `LEDEncoder`.
        shards: `DocumentShards`.
        inputs_embeds: Float tensor of shape `(B, L, D)`.
        planned: What `plan_for_layers` returns.
        seed: Int tensor of shape `(2,)`, or `None` for no randomness.
        head_mask: Float tensor of shape `(layers, N)`, or `None` for ones.
        output_attentions: bool; attention weights are not given.
        **options: `output_hidden_states` and `training` of the call.

    Returns:
        `LEDEncoderBaseModelOutput`.

    Raises:
        ValueError: If attention weights are asked for.
    """
    refuse_weights(output_attentions)
    (padding_mask, global_mask), plan = planned

    def encode(embeds, rows, padding_mask, global_mask, seed, head_mask):
        masks = EncoderMasks.of_shard(
            TokenRoles(padding_mask, global_mask),
            plan,
            shards,
            encoder.config.attention_windows,
        )
        noise_seed = backend.shard_seed(seed)
        output = encoder.run_layers(
            encoder.add_positions(embeds, rows, fold_seed(noise_seed, 0)),
            masks,
            seed,
            noise_seed,
            head_mask,
            output_attentions=False,
            **options,
        )
        return output.hidden_states or (output.last_hidden_state,)

    layers = (encoder.layernorm_embedding, *encoder.layers)
    hidden_states = backend.run_in_shards(
        encode,
        shards,
        (
            inputs_embeds,
            _position_rows(encoder, inputs_embeds.shape[1]),
            padding_mask,
            global_mask,
            seed,
            head_mask,
        ),
        ("BLD", "LD", "BL", "BL", "", ""),
        "BLD",
        [variable for layer in layers for variable in layer.variables],
    )
    if plan.fits is not None:
        nan = ops.cast(float("nan"), hidden_states[-1].dtype)
        hidden_states = tuple(
            ops.where(plan.fits, x, nan) for x in hidden_states
        )
    output = LEDEncoderBaseModelOutput(last_hidden_state=hidden_states[-1])
    if options["output_hidden_states"]:
        output["hidden_states"] = hidden_states
    return output


def refuse_weights(output_attentions: bool) -> None:
    """Raises where attention weights are asked for of a spread document."""
    if output_attentions:
        raise ValueError(
            "`output_attentions` must be False where documents are spread over "
            "devices (`SequenceParallel`): no device has all the weights. "
            "Received: output_attentions=True. Ask for them outside of the "
            "distribution's scope."
        )


def _position_rows(encoder, length):
    """The first rows of the position table, `(L, D)`.

    As a slice, whose gradient each device keeps where the table lies in
    shards.
    """
    table = encoder.embed_positions
    if table.quantization_mode is not None:
        return look_up(table, ops.arange(length, dtype="int32"))[0]
    rows = ops.convert_to_tensor(table.embeddings)[:length]
    return ops.cast(rows, table.compute_dtype)
