"""The rules that the values of a `GenerationConfig` keep."""

import math
import numbers
from typing import Any

from keras_led.argument_checks import wrong

# What a place or a length of the backends' int32 tensors can be.
LARGEST_INTEGER = 2**31 - 1
# Rows of a document. Each takes memory for all scores.
MOST_ROWS = 2**16


def check_option(name: str, value: Any) -> Any:
    """Checks one generation option and returns it as plain Python values.

    Args:
        name: str, field of `GenerationConfig`.
        value: the value to check; `None` means "not set" and always passes.

    Returns:
        The value, with numpy scalars and arrays, tuples and sets replaced by
        Python numbers and lists.

    Raises:
        TypeError: If the value has a wrong type.
        ValueError: If the value is out of range.
    """
    if value is None:
        return None
    return _RULES[name](name, _plain(value))


def check_together(options: dict[str, Any]) -> None:
    """Checks options against each other.

    Args:
        options: dict of field names to checked values, defaults filled in.

    Raises:
        ValueError: If two options contradict each other.
    """
    beams = options["num_beams"]
    returned = options["num_return_sequences"]
    if returned > beams and (beams > 1 or not options["do_sample"]):
        raise ValueError(
            "`num_return_sequences` must not exceed `num_beams`, unless "
            "`do_sample=True` draws them one by one with `num_beams=1`. "
            f"Received: num_return_sequences={returned}, num_beams={beams}. "
            f"Try num_beams={returned}."
        )
    alpha = options["penalty_alpha"]
    contrastive = bool(alpha) and (options["top_k"] or 0) > 1
    if alpha and (beams > 1 or options["do_sample"]):
        raise ValueError(
            "`penalty_alpha` asks for contrastive search, which takes one "
            "beam and no sampling. "
            f"Received: penalty_alpha={alpha}, num_beams={beams}, "
            f"do_sample={options['do_sample']}. Unset one of them."
        )
    if options["prompt_lookup_num_tokens"] and (
        beams > 1 or options["do_sample"] or contrastive
    ):
        raise ValueError(
            "`prompt_lookup_num_tokens` speeds up greedy search only. "
            "Received: prompt_lookup_num_tokens="
            f"{options['prompt_lookup_num_tokens']}, num_beams={beams}, "
            f"do_sample={options['do_sample']}, penalty_alpha={alpha}. "
            "Unset it, or use num_beams=1 and do_sample=False."
        )


def _plain(value):
    """Turns numpy values and tuples into Python numbers and lists."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (tuple, set, frozenset)):
        value = list(value)
    return value


def _flag(name, value):
    if not isinstance(value, bool):
        raise TypeError(wrong(name, "`True` or `False`", value))
    return value


def _integer(minimum, maximum=LARGEST_INTEGER):
    def rule(name, value):
        whole = isinstance(value, numbers.Integral) or (
            isinstance(value, float) and value.is_integer()
        )
        if isinstance(value, bool) or not whole:
            raise TypeError(wrong(name, "an integer", value))
        value = int(value)
        if value < minimum:
            raise ValueError(wrong(name, f"an integer >= {minimum}", value))
        if value > maximum:
            raise ValueError(wrong(name, f"an integer <= {maximum}", value))
        return value

    return rule


def _number(rule_text, accepts):
    def rule(name, value):
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(wrong(name, "a number", value))
        if not math.isfinite(value) or not accepts(value):
            raise ValueError(wrong(name, rule_text, value))
        return float(value)

    return rule


def _temperature(name, value):
    if value == 0:
        raise ValueError(
            wrong(name, "a number > 0", value)
            + " For the most probable token at each step use do_sample=False."
        )
    return _positive(name, value)


_positive = _number("a number > 0", lambda value: value > 0)
_share = _number("a number in (0, 1]", lambda value: 0 < value <= 1)
_closed_share = _number("a number in [0, 1]", lambda value: 0 <= value <= 1)
_cutoff = _number("a number in [0, 1)", lambda value: 0 <= value < 1)
_finite = _number("a finite number", lambda value: True)
_token = _integer(0)
_token_or_none = _integer(-1)
_size = _integer(1)
_count = _integer(0)
_rows = _integer(1, MOST_ROWS)


def _early_stopping(name, value):
    if value != "never" and not isinstance(value, bool):
        raise ValueError(wrong(name, "`True`, `False` or 'never'", value))
    return value


def _tokens(name, value, token=_token):
    """An id or a list of ids; a list stays a list."""
    if isinstance(value, list):
        if not value:
            raise ValueError(wrong(name, "an id or a non-empty list", value))
        return [token(name, item) for item in value]
    return token(name, value)


def _end_tokens(name, value):
    """As `_tokens`; -1 is an id that no token has, so that nothing ends."""
    return _tokens(name, value, _token_or_none)


def _token_list(name, value):
    if not isinstance(value, list):
        raise TypeError(wrong(name, "a list of token ids", value))
    return [_token(name, item) for item in value]


def _words(name, value):
    words = [_plain(word) for word in value] if isinstance(value, list) else []
    if not words or not all(isinstance(w, list) and w for w in words):
        raise ValueError(
            wrong(name, "a non-empty list of non-empty lists of ids", value)
        )
    return [[_token(name, item) for item in word] for word in words]


def _sequence_bias(name, value):
    """A dict from ids to a bias, or a list of pairs; kept as the latter."""
    text = "a non-empty dict of id tuples to numbers, or a list of such pairs"
    pairs = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(pairs, list) or not pairs:
        raise ValueError(wrong(name, text, value))
    result = []
    for pair in pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ValueError(wrong(name, text, value))
        ids, bias = _plain(pair[0]), pair[1]
        if not isinstance(ids, list) or not ids:
            raise ValueError(wrong(name, text, value))
        if isinstance(bias, bool) or not isinstance(bias, numbers.Real):
            raise TypeError(wrong(name, text, value))
        if math.isnan(bias) or bias == math.inf:
            raise ValueError(wrong(name, "finite or -inf", value))
        result.append([[_token(name, item) for item in ids], float(bias)])
    return result


def _decay(name, value):
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(wrong(name, "a pair (start, factor)", value))
    return [_count(name, value[0]), _positive(name, value[1])]


def _strings(name, value):
    strings = [value] if isinstance(value, str) else value
    if not isinstance(strings, list) or not strings:
        raise TypeError(wrong(name, "a string or a list of strings", value))
    if not all(isinstance(text, str) and text for text in strings):
        raise ValueError(wrong(name, "made of non-empty strings", value))
    return value


_RULES = {
    "max_length": _size,
    "max_new_tokens": _size,
    "min_length": _count,
    "min_new_tokens": _count,
    "early_stopping": _early_stopping,
    "max_time": _positive,
    "stop_strings": _strings,
    "do_sample": _flag,
    "num_beams": _rows,
    "use_cache": _flag,
    "penalty_alpha": _closed_share,
    "temperature": _temperature,
    "top_k": _count,
    "top_p": _share,
    "min_p": _closed_share,
    "typical_p": _share,
    "epsilon_cutoff": _cutoff,
    "eta_cutoff": _cutoff,
    "repetition_penalty": _positive,
    "encoder_repetition_penalty": _positive,
    "length_penalty": _finite,
    "no_repeat_ngram_size": _count,
    "encoder_no_repeat_ngram_size": _count,
    "bad_words_ids": _words,
    "sequence_bias": _sequence_bias,
    "suppress_tokens": _token_list,
    "begin_suppress_tokens": _token_list,
    "forced_bos_token_id": _token,
    "forced_eos_token_id": _tokens,
    "renormalize_logits": _flag,
    "remove_invalid_values": _flag,
    "exponential_decay_length_penalty": _decay,
    "num_return_sequences": _rows,
    "output_attentions": _flag,
    "output_hidden_states": _flag,
    "output_scores": _flag,
    "output_logits": _flag,
    "return_dict_in_generate": _flag,
    "pad_token_id": _token_or_none,
    "bos_token_id": _token,
    "eos_token_id": _end_tokens,
    "decoder_start_token_id": _tokens,
    "prompt_lookup_num_tokens": _size,
    "max_matching_ngram_size": _size,
}
