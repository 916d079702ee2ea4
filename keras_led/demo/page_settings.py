"""What the page has to know of a model: the content of `demo.json`."""

import dataclasses
from typing import Any

from keras_led.generation.processors.chain import build_chain
from keras_led.serving.export_checks import exported_plan
from keras_led.serving.exported_folder import ExportedFolder
from keras_led.serving.exported_folder import tokenizer_of
from keras_led.serving.onnx_sessions import DECODER
from keras_led.serving.onnx_sessions import ENCODER
from keras_led.tokenizer.decoding import skipped_ids

# The processors that `page/rules.js` has, by their names.
RULES = (
    "EncoderRepetitionPenalty",
    "RepetitionPenalty",
    "NoRepeatNGram",
    "MinLength",
    "MinNewTokens",
    "ForcedBOS",
    "ForcedEOS",
    "SuppressTokens",
    "BeginSuppressTokens",
)
# The page searches greedily, whatever the model's own options say.
GREEDY = {"num_beams": 1, "do_sample": False, "num_return_sequences": 1}


def page_settings(found: ExportedFolder, name: str) -> dict[str, Any]:
    """Returns what the page reads, made of plain JSON values.

    Args:
        found: `ExportedFolder` of ONNX files with a tokenizer.
        name: str, the model's name for the reader.

    Raises:
        ValueError: If the model has no tokenizer, or an option of its
            generation that the page does not have.
    """
    config, tokenizer = found.config, tokenizer_of(found)
    plan = exported_plan(found, GREEDY, "onnx")
    added = tokenizer.added_tokens_decoder
    special = sorted(skipped_ids(tokenizer))
    vocabulary = tokenizer.get_vocab()
    return {
        "name": name,
        "encoder": ENCODER,
        "decoder": DECODER,
        "files": {
            file: (found.path / file).stat().st_size
            for file in (ENCODER, DECODER)
        },
        "layers": config.decoder_layers,
        "heads": config.decoder_attention_heads,
        "head_dim": config.d_model // config.decoder_attention_heads,
        "d_model": config.d_model,
        "limit": config.max_encoder_position_embeddings,
        "longest_token": max(map(len, vocabulary)),
        "start_token_ids": [plan.options["decoder_start_token_id"]],
        "eos_token_ids": list(plan.possible_ends),
        "max_length": plan.max_length,
        "rules": [_rule(stage) for stage in build_chain(plan).stages],
        "special_token_ids": special,
        "special_tokens": tokenizer.convert_ids_to_tokens(special),
        "added_tokens": [token.content for token in added.values()],
        "add_prefix_space": tokenizer.add_prefix_space,
        "truncation_side": tokenizer.truncation_side,
        "clean_up": bool(tokenizer.clean_up_tokenization_spaces),
        "notes": _notes(found.generation_config),
    }


def _rule(stage):
    rule = type(stage).__name__
    if rule not in RULES:
        raise ValueError(
            "The page has the processors "
            f"{', '.join(RULES)}. Received: a model whose generation needs "
            f"{rule} ({stage}). Export it with other options."
        )
    return {"rule": rule, **dataclasses.asdict(stage)}


def _notes(options):
    """Sentences on what of the model's own options the page leaves out."""
    beams = options.num_beams or 1
    if beams > 1:
        return [
            "It takes the likeliest token at each step, where Python "
            f"keeps {beams} beams."
        ]
    if options.do_sample:
        return ["It takes the likeliest token at each step, and draws none."]
    return []
