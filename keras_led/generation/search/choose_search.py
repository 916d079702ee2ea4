"""The search that a plan asks for, and what is kept of what it finds."""

from typing import TYPE_CHECKING
from typing import Any

from keras_led.generation.search.beam import BeamSearch
from keras_led.generation.search.greedy_and_sampling import TokenSearch
from keras_led.generation.tensor_ops import ops
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.generation.inputs.strategy import Plan


def make_search(plan: "Plan") -> TokenSearch | BeamSearch:
    """Makes the search that a plan asks for.

    Args:
        plan: `Plan` of mode `"token"` or `"beam"`.

    Returns:
        `TokenSearch` or `BeamSearch`.
    """
    options = plan.options
    if plan.mode == "beam":
        return BeamSearch(
            num_beams=options["num_beams"],
            max_length=plan.max_length,
            prompt_length=plan.prompt_length,
            num_eos_tokens=len(plan.eos_token_ids),
            fill=plan.fill,
            early_stopping=options["early_stopping"],
            length_penalty=options["length_penalty"],
            num_return_sequences=options["num_return_sequences"],
            do_sample=options["do_sample"],
        )
    return TokenSearch(
        max_length=plan.max_length,
        fill=plan.fill,
        pads=bool(plan.eos_token_ids),
        do_sample=options["do_sample"],
    )


def trim(plan: "Plan", result: dict[str, Any]) -> dict[str, Tensor]:
    """Cuts the fixed-size buffers to what was generated.

    Args:
        plan: `Plan`.
        result: dict of tensors of a search's `result`.

    Returns:
        Dict of tensors: output fields.
    """
    others = ("length", "passes", "cache")
    fields = {k: v for k, v in result.items() if k not in others}
    length = int(result["length"])
    if "beam_indices" in fields:
        indices = ops.convert_to_numpy(fields["beam_indices"])
        new_tokens = int((indices >= 0).sum(axis=1).max())
        length = plan.prompt_length + new_tokens
        fields["beam_indices"] = fields["beam_indices"][:, :new_tokens]
    fields["sequences"] = fields["sequences"][:, :length]
    return fields
