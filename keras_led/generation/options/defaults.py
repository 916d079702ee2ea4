"""What generation options mean when unset, and which are not offered."""

from typing import Any

# What an option means while nobody has set it: Hugging Face's defaults.
DEFAULTS = {
    "min_length": 0,
    "early_stopping": False,
    "do_sample": False,
    "num_beams": 1,
    "use_cache": True,
    "temperature": 1.0,
    "top_k": 50,
    "top_p": 1.0,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "length_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "renormalize_logits": False,
    "remove_invalid_values": False,
    "num_return_sequences": 1,
    "output_attentions": False,
    "output_hidden_states": False,
    "output_scores": False,
    "output_logits": False,
    "return_dict_in_generate": False,
    "max_matching_ngram_size": 2,
}

# Options of Hugging Face that are not offered here, each with the values that
# ask for what happens anyway. Any other is an error at `generate`.
NOT_OFFERED: dict[str, tuple[Any, ...]] = {
    "assistant_early_exit": (None,),
    # Ours has a fixed size, is compiled, and gives the tokens of both.
    "cache_implementation": (None, "static", "dynamic"),
    "constraints": (None, []),
    "diversity_penalty": (None, 0, 0.0),
    "dola_layers": (None,),
    "force_words_ids": (None,),
    "guidance_scale": (None, 1, 1.0),
    "low_memory": (None, False),
    "num_beam_groups": (None, 1),
    "token_healing": (None, False),
    "top_h": (None,),
    "use_mtp": (None, False),
    "watermarking_config": (None,),
}


def check_offered(options: dict[str, Any]) -> None:
    """Refuses options of Hugging Face that would have to be ignored here.

    Args:
        options: dict of names to values; other names pass.

    Raises:
        ValueError: If an option that is not offered is switched on.
    """
    for name, value in options.items():
        if name in NOT_OFFERED and value not in NOT_OFFERED[name]:
            allowed = " or ".join(map(repr, NOT_OFFERED[name]))
            raise ValueError(
                f"`{name}` is not offered by keras_led. "
                f"Received: {name}={value!r}. "
                f"Leave it out, or set it to {allowed}."
            )
