"""Token-for-token equality with transformers, over many options."""

import numpy as np
import pytest

from tests.generation.pairs import check
from tests.generation.pairs import documents

# The option sets share sizes wherever an option does not need its own: the
# encoder is compiled once.
TOKEN = [
    {},
    {"max_new_tokens": 3},
    {"min_length": 9},
    {"min_new_tokens": 10},
    {"no_repeat_ngram_size": 1},
    {"no_repeat_ngram_size": 2},
    {"no_repeat_ngram_size": 3, "min_length": 12},
    {"encoder_no_repeat_ngram_size": 1},
    {"encoder_no_repeat_ngram_size": 2},
    {"repetition_penalty": 1.4},
    {"repetition_penalty": 0.7, "min_new_tokens": 4},
    {"encoder_repetition_penalty": 1.5},
    {"encoder_repetition_penalty": 0.6, "repetition_penalty": 1.2},
    {"bad_words_ids": [[5], [26, 49], [2], [17, 5, 8]]},
    {"sequence_bias": [[[5], -4.0], [[5, 26], 9.0], [[2], 1.5]]},
    {"suppress_tokens": [5, 26, 49]},
    {"begin_suppress_tokens": [5, 26, 2]},
    {"begin_suppress_tokens": [5, 2], "forced_bos_token_id": 0},
    {"forced_bos_token_id": 0},
    {"forced_eos_token_id": 2},
    {"forced_eos_token_id": [2, 7], "min_length": 12},
    {"exponential_decay_length_penalty": (3, 1.8)},
    {"renormalize_logits": True, "repetition_penalty": 1.3},
    {"remove_invalid_values": True, "suppress_tokens": [5]},
    {"eos_token_id": [2, 26]},
    {"eos_token_id": 26, "pad_token_id": 0},
    {"eos_token_id": None},
    {"eos_token_id": -1, "pad_token_id": -1, "min_length": 3},
    {"use_cache": False},
    {"max_length": 21, "eos_token_id": None},  # the decoder has 20 positions
    {"max_length": 21, "eos_token_id": None, "use_cache": False},
    {"decoder_start_token_id": 0},
    {"decoder_start_token_id": [0, 2, 5]},
    {"do_sample": True, "top_k": 1},
]
BEAM = [
    {"num_beams": 2},
    {"num_return_sequences": 3},
    {"num_return_sequences": 4, "early_stopping": True},
    {"early_stopping": "never"},
    {"early_stopping": "never", "length_penalty": -1.0},
    {"length_penalty": 2.0, "num_return_sequences": 2},
    {"length_penalty": 0.0},
    {"length_penalty": -0.5, "early_stopping": True},
    {"num_beams": 5, "length_penalty": 1.7, "early_stopping": True},
    {"max_new_tokens": 2, "num_return_sequences": 4},
    {"max_new_tokens": 1, "num_return_sequences": 3},
    {"min_length": 9, "num_return_sequences": 2},
    {"min_new_tokens": 11, "early_stopping": "never"},
    {"no_repeat_ngram_size": 1, "num_return_sequences": 2},
    {"no_repeat_ngram_size": 2, "length_penalty": 2.0},
    {"no_repeat_ngram_size": 3, "early_stopping": True, "min_length": 10},
    {"encoder_no_repeat_ngram_size": 1},
    {"encoder_no_repeat_ngram_size": 3, "no_repeat_ngram_size": 3},
    {"repetition_penalty": 1.5, "num_return_sequences": 2},
    {"encoder_repetition_penalty": 1.4},
    {"encoder_repetition_penalty": 0.5, "repetition_penalty": 1.1},
    {"bad_words_ids": [[5], [26, 49], [2], [17, 5, 8]]},
    {"sequence_bias": [[[5], -4.0], [[5, 26], 9.0], [[2], 1.5]]},
    {"suppress_tokens": [5, 26], "num_return_sequences": 2},
    {"begin_suppress_tokens": [5, 26, 2], "early_stopping": True},
    {"forced_bos_token_id": 0, "forced_eos_token_id": 2},
    {"forced_bos_token_id": 0, "begin_suppress_tokens": [5, 2]},
    {"forced_eos_token_id": 7, "early_stopping": "never"},
    {"exponential_decay_length_penalty": (2, 1.3)},
    {"renormalize_logits": True, "no_repeat_ngram_size": 2},
    {"remove_invalid_values": True, "suppress_tokens": [5]},
    {"eos_token_id": [2, 26], "num_return_sequences": 4},
    {"eos_token_id": [2, 5, 26], "early_stopping": True},
    {"eos_token_id": 5, "pad_token_id": 0, "num_return_sequences": 4},
    {"eos_token_id": None, "num_return_sequences": 2},
    {"eos_token_id": -1, "min_length": 3, "num_return_sequences": 2},
    {"max_length": 21, "min_length": 21},
    {"use_cache": False, "num_return_sequences": 2},
]
OTHER_MODEL = {"seed": 2, "eos_bias": 4.0, "scale": 1.0}


def name(options):
    return "-".join(f"{k}={v}" for k, v in options.items()).replace(" ", "")


@pytest.mark.parametrize("options", TOKEN, ids=name)
def test_greedy(options):
    check({"max_length": 14, **options})


@pytest.mark.parametrize("options", BEAM, ids=name)
def test_beams(options):
    check({"max_length": 14, "num_beams": 4, **options})


@pytest.mark.parametrize("early_stopping", [False, True, "never"])
@pytest.mark.parametrize("seed", [2, 4])
def test_beams_of_other_weights(seed, early_stopping):
    options = {
        "num_beams": 3,
        "max_length": 16,
        "early_stopping": early_stopping,
        "num_return_sequences": 3,
        "length_penalty": 1.3,
    }
    check(options, seed=seed, eos_bias=4.0, scale=1.0)


PROMPT = np.array([[2, 5, 6], [2, 7, 8], [2, 9, 9]])
LEFT_PADDED = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 1]])


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize(
    "prompt",
    [PROMPT, PROMPT[:, 1:], np.array([[2, 5], [7, 8], [9, 9]])],
    ids=["start-token", "no-start-token", "mixed"],
)
def test_prompt(prompt, beams):
    options = {"num_beams": beams, "max_length": 14, "min_new_tokens": 2}
    options["begin_suppress_tokens"] = [26]
    check({**options, "decoder_input_ids": prompt})


@pytest.mark.parametrize("beams", [1, 3])
def test_left_padded_prompt(beams):
    """The peer honours the mask only without its cache; we always do."""
    options = {
        "num_beams": beams,
        "max_length": 14,
        "repetition_penalty": 1.4,
        "decoder_input_ids": PROMPT,
        "decoder_attention_mask": LEFT_PADDED,
    }
    check({**options, "use_cache": True}, only_theirs={"use_cache": False})
    check({**options, "use_cache": False})


@pytest.mark.parametrize("spread", ["absent", "first", "all", "minus"])
@pytest.mark.parametrize("padding", ["holes", "left"])
def test_masks(padding, spread):
    inputs = documents(padding=padding, spread=spread)
    check({"num_beams": 2, "max_length": 14}, inputs=inputs)


def test_a_fraction_of_a_mask_is_global():
    inputs = documents(spread="first")
    inputs["global_attention_mask"] = inputs["global_attention_mask"] * 0.5
    check({"num_beams": 2, "max_length": 14}, inputs=inputs)


def test_embedded_documents():
    from tests.generation.pairs import models

    theirs, _ = models()
    inputs = documents()
    ids = inputs.pop("input_ids")
    table = theirs.get_input_embeddings().weight.detach().numpy()
    inputs["inputs_embeds"] = table[ids]
    check({"num_beams": 2, "max_length": 14}, inputs=inputs)


@pytest.mark.parametrize("rows", [1, 3])
def test_without_a_document_the_start_token_is_one(rows):
    given = {}
    if rows > 1:
        given["decoder_input_ids"] = PROMPT
    options = {"num_beams": 2, "max_length": 14, **given}
    found, _ = check(options, inputs={"inputs": None})
    assert found.sequences.shape[0] == rows


def test_documents_by_their_other_name():
    inputs = documents()
    inputs["inputs"] = inputs.pop("input_ids")
    check({"max_length": 14}, inputs=inputs)


@pytest.mark.parametrize("kind", ["static", "dynamic"])
def test_a_cache_of_either_kind_is_ours(kind):
    from tests.generation.pairs import models

    # Hugging Face's static cache gives other tokens than its dynamic one.
    check(
        {"max_length": 14, "cache_implementation": kind},
        only_theirs={"cache_implementation": "dynamic"},
    )
    with pytest.raises(ValueError, match="'static' or 'dynamic'"):
        models()[1].generate(**documents(), cache_implementation="offloaded")
