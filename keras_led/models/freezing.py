"""Which weights train: parts of a model, frozen and set free."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from keras_led.models.changed_variables import variables_changed
from keras_led.models.checked_runs import check_between_fits
from keras_led.typing import AnyLED

if TYPE_CHECKING:
    import keras

    from keras_led.models.led import LEDModel

PARTS = ("embeddings", "encoder", "decoder", "head")


def freeze(
    model: AnyLED,
    parts: str | Iterable[str] = (),
    encoder_layers: int = 0,
    decoder_layers: int = 0,
) -> None:
    """Keeps weights as they are in training; what is frozen stays so.

    Call it before `compile`: an optimizer knows the weights it started with.
    To free parts step by step, end `fit`, `unfreeze`, `compile`, and `fit` on.

    Args:
        model: LED model.
        parts: str or tuple of str: "embeddings" (the tables of tokens and
            positions and the normalization behind them, on both sides; where
            the tables are tied, so the projection to the vocabulary),
            "encoder" and "decoder" (all their layers), "head" (all beside
            the bare model).
        encoder_layers: int, freezes that many first layers of the encoder.
        decoder_layers: int, likewise of the decoder.

    Raises:
        ValueError: If there is nothing to freeze, no such part, or not so
            many layers.
        TypeError: If `model` is no LED model.
        RuntimeError: If `fit` runs.
    """
    check_between_fits(model, "freeze")
    chosen = part_layers(model, parts, encoder_layers, decoder_layers)
    _set_trainable(model, chosen, False)


def unfreeze(
    model: AnyLED,
    parts: str | Iterable[str] = (),
    encoder_layers: int = 0,
    decoder_layers: int = 0,
) -> None:
    """Lets weights train again: all that can, where no part is named.

    Of a layer with adapters the adapters train, and never what lies under
    them; see `merge_adapters` for a way back.

    Args:
        model: LED model.
        parts: see `freeze`.
        encoder_layers: see `freeze`.
        decoder_layers: see `freeze`.

    Raises:
        ValueError: If there is no such part, or not so many layers.
        TypeError: If `model` is no LED model.
        RuntimeError: If `fit` runs.
    """
    check_between_fits(model, "unfreeze")
    if not parts and not encoder_layers and not decoder_layers:
        parts = PARTS
    chosen = part_layers(model, parts, encoder_layers, decoder_layers)
    _set_trainable(model, chosen, True)


def freeze_all_but(
    model: AnyLED, chosen: "Iterable[keras.layers.Layer]"
) -> None:
    """Freezes every layer of `model` that is not in the list `chosen`."""
    kept = {id(layer) for layer in chosen}
    others = [x for x in innermost_layers(model) if id(x) not in kept]
    _set_trainable(model, others, False)


def part_layers(
    model: AnyLED,
    parts: str | Iterable[str],
    encoder_layers: int,
    decoder_layers: int,
) -> "list[keras.layers.Layer]":
    """Lists the innermost layers of parts; arguments and errors of `freeze`."""
    base = base_of(model)
    parts = (parts,) if isinstance(parts, str) else tuple(parts)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise ValueError(
            f"`parts` must be among {', '.join(PARTS)}. "
            f"Received: parts={parts}. Use `encoder_layers` or "
            "`decoder_layers` for the first layers of a side."
        )
    sides = (("encoder", encoder_layers), ("decoder", decoder_layers))
    chosen = []
    for side, count in sides:
        layers = getattr(base, side).layers
        if not isinstance(count, int) or not 0 <= count <= len(layers):
            raise ValueError(
                f"`{side}_layers` must be a number from 0 to {len(layers)}, "
                f"all layers of the {side}. Received: {side}_layers={count}."
            )
        chosen += layers if side in parts else layers[:count]
    if "embeddings" in parts:
        chosen += _embeddings(base)
    if "head" in parts:
        inside = {id(layer) for layer in base._flatten_layers()}
        chosen += [x for x in model._flatten_layers() if id(x) not in inside]
    if not parts and not encoder_layers and not decoder_layers:
        raise ValueError(
            "`parts`, `encoder_layers` or `decoder_layers` must name "
            f"something. Received: parts={parts}. Try parts=('embeddings',)."
        )
    unread = _unread_table(base)
    found = [
        layer
        for owner in chosen
        if owner is not model
        for layer in innermost_layers(owner)
        if layer is not unread
    ]
    if not found:
        raise ValueError(
            "`parts` must name a part that the model has. "
            f"Received: parts={parts} for a {type(model).__name__}, whose "
            "output projection is the table of tokens."
        )
    return found


def base_of(model: AnyLED) -> "LEDModel":
    """The bare `LEDModel` in `model`, or a `TypeError`."""
    try:
        return model.get_base_model()
    except AttributeError as error:
        raise TypeError(
            "`model` must be an LED model of this package. "
            f"Received: a {type(model).__name__}."
        ) from error


def innermost_layers(layer: "keras.layers.Layer") -> "list[keras.layers.Layer]":
    """The layers inside (or `layer` itself) that hold no other layers."""
    return [x for x in layer._flatten_layers() if not x._layers]


def keep_under_adapters(layer: "keras.layers.Layer") -> None:
    """Freezes the weights of a layer with LoRA that its adapters stand on."""
    for name in ("_kernel", "_embeddings", "bias"):
        variable = getattr(layer, name, None)
        if variable is not None:
            variable.trainable = False


def has_adapters(layer: "keras.layers.Layer") -> bool:
    """Whether Keras' LoRA is on in a layer."""
    return getattr(layer, "lora_enabled", False)


def _embeddings(base):
    tables = [base.shared, *base.token_tables()]
    for side in (base.encoder, base.decoder):
        tables += [side.embed_positions, side.layernorm_embedding]
    return list({id(layer): layer for layer in tables}.values())


def _unread_table(base):
    """The shared table, where each side has its own: nothing reads it."""
    return None if base.config.tie_word_embeddings else base.shared


def _set_trainable(model, chosen, value):
    layers = innermost_layers(model)
    wanted = {id(layer): layer.trainable for layer in layers}
    wanted |= {id(layer): value for layer in chosen}
    # A layer that is not trainable hides what it holds: the flags belong to
    # the innermost layers alone.
    model.trainable = True
    for layer in layers:
        layer.trainable = wanted[id(layer)]
        if has_adapters(layer):
            keep_under_adapters(layer)
    variables_changed(model)
