"""Model, trained weights and optimizer of `keras-led train`."""

import json
from typing import TYPE_CHECKING
from typing import Any

import keras

from keras_led.config import LEDConfig
from keras_led.data.files import STANDARD_INPUT
from keras_led.models.adapters import TARGETS
from keras_led.models.adapters import enable_lora
from keras_led.models.freezing import PARTS
from keras_led.models.freezing import freeze
from keras_led.training.linear_decay import LinearDecay
from keras_led.typing import AnyLED

if TYPE_CHECKING:
    from keras_led.cli.training_options import TrainOptions
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer

SCHEDULES = ("cosine", "linear", "constant")
# Variables that weight decay leaves alone: biases, and the scales of the
# layer normalizations.
UNDECAYED = ("bias", "gamma", "beta")


def parse_settings(settings: list[str] | None) -> dict[str, Any]:
    """Reads `--set KEY=VALUE`; values are JSON, or else plain text.

    Args:
        settings: list of str, or `None`.

    Returns:
        Dict of config keys to values.

    Raises:
        ValueError: If one has no `=`.
    """
    values = {}
    for setting in settings or ():
        key, found, value = setting.partition("=")
        if not found:
            raise ValueError(
                "`--set` must be KEY=VALUE. "
                f"Received: --set {setting}. Try --set {setting}=..."
            )
        try:
            values[key] = json.loads(value)
        except json.JSONDecodeError:
            values[key] = value
    return values


def fresh_config(
    options: "TrainOptions", tokenizer: "LEDTokenizer", values: dict[str, Any]
) -> LEDConfig:
    """The config of a model that starts from scratch.

    Args:
        options: `TrainOptions`.
        tokenizer: `LEDTokenizer`, gives the vocabulary's size and the ids of
            the special tokens.
        values: dict of config keys to values, which win.

    Returns:
        `LEDConfig`.

    Raises:
        ValueError: If neither `--config` nor `--set` says what it shall be.
    """
    if options.config is None and not values:
        raise ValueError(
            "A model must be chosen. Received: none. Give --model to start "
            "from a checkpoint, or --config or --set for a fresh model."
        )
    defaults = {
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "decoder_start_token_id": tokenizer.eos_token_id,
    }
    if options.config is not None:
        content = json.loads(options.config.read_text("utf-8"))
        return LEDConfig.from_dict(content, **{**defaults, **values})
    defaults["max_encoder_position_embeddings"] = options.max_source_tokens
    defaults["max_decoder_position_embeddings"] = max(
        options.max_target_tokens + 8, 64
    )
    return LEDConfig(**{**defaults, **values})


def check_what_trains(options: "TrainOptions") -> None:
    """Refuses flags of adapters and of freezing that make no sense.

    Raises:
        ValueError: If a name is unknown, or two flags do not go together.
    """
    for flag, known in (("lora_targets", TARGETS), ("freeze", PARTS)):
        for name in getattr(options, flag) or ():
            if name not in known:
                raise ValueError(
                    f"`{_flag_name(flag)}` must be among {', '.join(known)}. "
                    f"Received: {_flag_name(flag)} {name}."
                )
    adapted = options.lora_rank is not None
    for flag in ("lora_alpha", "lora_targets"):
        if getattr(options, flag) and not adapted:
            raise ValueError(
                f"`{_flag_name(flag)}` belongs to `--lora-rank`. "
                "Received: one without the other."
            )
    if adapted and _kept(options):
        raise ValueError(
            "`--freeze` must not stand beside `--lora-rank`, which keeps all "
            "weights but the adapters. Received: both. Name the layers with "
            "adapters by --lora-targets."
        )


def check_standard_input(options: "TrainOptions") -> None:
    """Makes sure that standard input is not read twice.

    Raises:
        ValueError: If it would be: the second reader finds nothing.
    """
    files = (options.files, options.validation or [])
    readers = {
        "FILE": files[0],
        "--vocab-size": files[0] if options.vocab_size else [],
        "--validation": files[1],
        "--rouge-documents": (files[1] if options.rouge_documents else []),
    }
    found = [
        name
        for name, names in readers.items()
        for _ in range(names.count(STANDARD_INPUT))
    ]
    if len(found) > 1:
        raise ValueError(
            "Standard input must be read once. Received: `-` for "
            f"{' and '.join(found)}. Write it to a file first."
        )


def choose_what_trains(model: AnyLED, options: "TrainOptions") -> None:
    """Adds the adapters, or freezes the parts, that the options ask for.

    Args:
        model: LED model, which is changed.
        options: `TrainOptions`.
    """
    if options.lora_rank is not None:
        targets = options.lora_targets
        chosen = {"targets": tuple(targets)} if targets else {}
        enable_lora(model, options.lora_rank, options.lora_alpha, **chosen)
    elif _kept(options):
        freeze(model, *_kept(options))  # pyright: ignore[reportArgumentType]


def _kept(options):
    """The last arguments of `freeze`; nothing where nothing is frozen."""
    first = [
        getattr(options, f"freeze_{side}_layers")
        for side in ("encoder", "decoder")
    ]
    parts = tuple(options.freeze or ())
    return (parts, *first) if parts or any(first) else ()


def _flag_name(name):
    return "--" + name.replace("_", "-")


def make_optimizer(
    options: "TrainOptions", batches_per_epoch: int
) -> keras.optimizers.AdamW:
    """AdamW with a warm-up and a schedule.

    Args:
        options: `TrainOptions`.
        batches_per_epoch: int.

    Returns:
        `keras.optimizers.AdamW`.

    Raises:
        ValueError: If the schedule is unknown, or the warm-up too long.
    """
    accumulated = options.gradient_accumulation
    optimizer = keras.optimizers.AdamW(
        learning_rate_of(options, batches_per_epoch * options.epochs),
        weight_decay=options.weight_decay,
        global_clipnorm=options.clip_norm or None,
        gradient_accumulation_steps=accumulated if accumulated > 1 else None,
    )
    optimizer.exclude_from_weight_decay(var_names=list(UNDECAYED))
    return optimizer


def learning_rate_of(options: "TrainOptions", steps: int) -> Any:
    """The learning rate, or its schedule over `steps` batches."""
    peak, warmup = options.learning_rate, options.warmup_steps
    schedule = options.schedule
    if schedule not in SCHEDULES:
        raise ValueError(
            f"`--schedule` must be one of {', '.join(SCHEDULES)}. "
            f"Received: --schedule {schedule}."
        )
    if warmup >= steps:
        raise ValueError(
            f"`--warmup-steps` must be below {steps}, all steps of the run. "
            f"Received: --warmup-steps {warmup}."
        )
    if schedule == "constant" and not warmup:
        return peak
    if schedule == "linear":
        return LinearDecay(peak, warmup, steps)
    rise = {}
    if warmup:
        rise = {"warmup_target": peak, "warmup_steps": warmup}
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else peak,
        steps - warmup,
        # Where it ends, as a share of the peak: a cosine that stays is one.
        alpha=1.0 if schedule == "constant" else 0.0,
        **rise,
    )
