"""Names of the options of `generate` that a `config.json` may hold.

Released checkpoints keep them there, and many scripts set them on
`model.config`. LED's layers use none of them.
"""

from typing import Any

GENERATION_OPTIONS = (
    "assistant_early_exit",
    "bad_words_ids",
    "begin_suppress_tokens",
    "cache_implementation",
    "constraints",
    "diversity_penalty",
    "do_sample",
    "dola_layers",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "encoder_repetition_penalty",
    "epsilon_cutoff",
    "eta_cutoff",
    "exponential_decay_length_penalty",
    "force_words_ids",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "guidance_scale",
    "length_penalty",
    "low_memory",
    "max_length",
    "max_matching_ngram_size",
    "max_new_tokens",
    "max_time",
    "min_length",
    "min_new_tokens",
    "min_p",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "output_logits",
    "output_scores",
    "penalty_alpha",
    "prompt_lookup_num_tokens",
    "remove_invalid_values",
    "renormalize_logits",
    "repetition_penalty",
    "return_dict_in_generate",
    "sequence_bias",
    "stop_strings",
    "suppress_tokens",
    "temperature",
    "token_healing",
    "top_h",
    "top_k",
    "top_p",
    "typical_p",
    "use_mtp",
    "watermarking_config",
)


def take_generation_options(values: dict[str, Any]) -> dict[str, Any]:
    """Moves the options of `generate` out of a dict; returns them."""
    names = [name for name in GENERATION_OPTIONS if name in values]
    return {name: values.pop(name) for name in names}
