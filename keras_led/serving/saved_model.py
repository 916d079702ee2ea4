"""The SavedModel of `export`, with its warm-up requests."""

from pathlib import Path
from typing import TYPE_CHECKING

from keras_led.formats import forward_saved_model
from keras_led.serving.signatures import ServedModel
from keras_led.serving.warmup import write_warmup
from keras_led.typing import GeneratingLED

if TYPE_CHECKING:
    from keras_led.generation.inputs.strategy import Plan
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


def write_saved_model(
    model: GeneratingLED,
    directory: Path,
    plan: "Plan",
    tokenizer: "LEDTokenizer | None",
    max_new_tokens_input: bool,
) -> None:
    """Writes a SavedModel into an existing directory.

    Args:
        model: `LEDForConditionalGeneration`.
        directory: `pathlib.Path`.
        plan: `Plan` of the generation.
        tokenizer: `LEDTokenizer`, or `None` for no text.
        max_new_tokens_input: bool, whether requests give `max_new_tokens`.
    """
    text = None
    if tokenizer is not None:
        from keras_led.serving.text import GraphTokenizer

        limit = model.config.max_encoder_position_embeddings
        text = GraphTokenizer(tokenizer, limit)
    served = ServedModel(model, plan, text, max_new_tokens_input)
    forward_saved_model.write_saved_model(
        served, directory, served.signatures()
    )
    write_warmup(directory, _warmup_requests(plan, served))


def _warmup_requests(plan, served):
    """One small request for each signature that generates."""
    # Of any tokens: a config may have no first or last one, or several.
    ids = [[0, 0]]
    most = plan.max_length - plan.prompt_length
    limit = {"max_new_tokens": min(2, most)} if served.limit_is_input else {}

    def with_limit(inputs):
        return {**inputs, **limit}

    requests = [
        (
            "serving_default",
            with_limit({"input_ids": ids, "attention_mask": [[1, 1]]}),
        )
    ]
    if served.text is not None:
        requests.append(("summarize", with_limit({"text": ["Warm up."]})))
    return requests
