"""Keys and values of the decoder that go from one call to the next."""

from typing import TYPE_CHECKING

from keras_led.generation.tensor_ops import ops
from keras_led.typing import Cache
from keras_led.typing import PastKeyValues

if TYPE_CHECKING:
    from keras_led.config import LEDConfig
    from keras_led.generation.inputs.strategy import Plan


def read_past(
    past_key_values: PastKeyValues | None,
    config: "LEDConfig",
    plan: "Plan",
    size: int,
) -> Cache | None:
    """Checks `past_key_values` and takes what belongs to the tokens.

    What belongs to the document is computed anew: it costs less than to bring
    it to the layout of the loop.

    Args:
        past_key_values: tuple of one tuple of four tensors a layer, as a
            call or `generate` returned it, or `None`.
        config: `LEDConfig`.
        plan: `Plan` of the call.
        size: int, `B`.

    Returns:
        Tuple of one pair of tensors `(B, N, P_past, H)` a layer, or `None`.

    Raises:
        ValueError: If they do not fit the call.
    """
    if past_key_values is None:
        return None
    if plan.mode != "token" or plan.rows != 1 or not plan.options["use_cache"]:
        raise ValueError(
            "`past_key_values` continue one sequence a document, greedy or "
            f"drawn, with use_cache=True. Received: {plan.mode} search with "
            f"{plan.rows} rows, use_cache={plan.options['use_cache']}."
        )
    heads = config.decoder_attention_heads
    layers = [tuple(layer) for layer in past_key_values]
    shapes = {tuple(x.shape) for layer in layers for x in layer[:2]}
    (_, _, length, _) = shape = next(iter(shapes), (0, 0, 0, 0))
    expected = (size, heads, length, config.d_model // heads)
    complete = len(layers) == config.decoder_layers and len(shapes) == 1
    if not complete or shape != expected or length >= plan.prompt_length:
        raise ValueError(
            f"`past_key_values` must have {config.decoder_layers} layers of "
            f"keys and values of the shape {expected}, of fewer tokens than "
            f"the {plan.prompt_length} of the prompt. Received: {len(layers)} "
            f"layers, shapes {sorted(shapes)}. Pass what `generate` returned, "
            "with its `sequences` as `decoder_input_ids`."
        )
    return tuple(
        tuple(ops.convert_to_tensor(x) for x in layer[:2]) for layer in layers
    )
