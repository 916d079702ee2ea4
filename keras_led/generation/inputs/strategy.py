"""What one call of `generate` is going to do, settled before any work."""

import dataclasses
import warnings
from collections.abc import Collection
from typing import Any

# New tokens when nobody says how many: Hugging Face's default.
DEFAULT_NEW_TOKENS = 20


@dataclasses.dataclass(frozen=True)
class Plan:
    """The static side of one call: strategy, sizes, special tokens.

    Attributes:
        options: dict, every generation option with defaults filled in.
        mode: str, `"token"` (greedy and sampling), `"beam"`, `"contrastive"`
            or `"lookup"`.
        rows: int, rows per document.
        prompt_length: int, `P`.
        max_length: int, `L`, prompt included.
        eos_token_ids: tuple of int; -1 is an end that never comes.
        pad_token_id: int or `None`.
    """

    options: dict[str, Any]
    mode: str
    rows: int
    prompt_length: int
    max_length: int
    eos_token_ids: tuple[int, ...]
    pad_token_id: Any

    @property
    def possible_ends(self) -> tuple[int, ...]:
        """Tuple of int, the ids of `eos_token_ids` that tokens have."""
        return tuple(token for token in self.eos_token_ids if token >= 0)

    @property
    def fill(self) -> int:
        """int, token in the places after the end of a sequence.

        As in Hugging Face: in beam search a padding id of 0 counts as missing,
        and without any end token the fill is -1.
        """
        eos, pad = self.eos_token_ids, self.pad_token_id
        if self.mode == "beam":
            return (pad or eos[0]) if eos else -1
        return pad if pad is not None else 0


def make_plan(
    options: dict[str, Any],
    prompt_length: int,
    limit: int,
    vocab_size: int,
    explicit: Collection[str] = (),
) -> Plan:
    """Settles strategy and sizes, and checks them.

    Args:
        options: dict from `GenerationConfig.resolve`.
        prompt_length: int, `P`, start token included.
        limit: int, positions of the decoder's table.
        vocab_size: int, `V`.
        explicit: names of the options given in the call itself.

    Returns:
        `Plan`.

    Raises:
        ValueError: If lengths or token ids do not fit.
    """
    options = dict(options)
    mode, rows = _mode(options, vocab_size)
    # The last token is written and not read: it needs no position, unless a
    # step looks ahead.
    longest = limit + 1 if mode in ("token", "beam") else limit
    max_length = _max_length(options, prompt_length, longest, limit)
    _set_min_length(options, prompt_length, max_length, explicit)
    eos = options["eos_token_id"]
    eos = () if eos is None else tuple(eos if isinstance(eos, list) else [eos])
    pad = options["pad_token_id"]
    if pad is None and eos:
        pad = eos[0]
    _check_tokens(options, vocab_size)
    return Plan(
        options=options,
        mode=mode,
        rows=rows,
        prompt_length=prompt_length,
        max_length=max_length,
        eos_token_ids=eos,
        pad_token_id=pad,
    )


def _mode(options, vocab_size):
    """Chooses the strategy; returns it with its rows per document."""
    beams, top_k = options["num_beams"], options["top_k"] or 0
    if beams > 1:
        return "beam", beams
    if options["do_sample"]:
        return "token", options["num_return_sequences"]
    if options["penalty_alpha"] and top_k > 1:
        return "contrastive", min(top_k, vocab_size)
    if options["prompt_lookup_num_tokens"]:
        return "lookup", 1
    return "token", 1


def _max_length(options, prompt_length, longest, positions):
    if options["max_new_tokens"] is not None:
        name, value = "max_new_tokens", options["max_new_tokens"]
        max_length = prompt_length + value
    elif options["max_length"] is not None:
        name, value = "max_length", options["max_length"]
        max_length = value
    else:
        wanted = prompt_length + DEFAULT_NEW_TOKENS
        max_length = min(wanted, max(longest, prompt_length + 1))
        name, value = "max_length", max_length
    if prompt_length >= max_length:
        raise ValueError(
            "`max_length` must leave room after the prompt. "
            f"Received: max_length={max_length}, a prompt of {prompt_length} "
            "tokens (start token included). Raise it, or use max_new_tokens."
        )
    if max_length > longest:
        raise ValueError(
            f"`{name}` must fit the decoder's {positions} positions "
            "(`config.max_decoder_position_embeddings`): the output may have "
            f"{longest} tokens. "
            f"Received: {name}={value}, a prompt of {prompt_length} tokens. "
            f"Try {name}={max(1, value - (max_length - longest))}."
        )
    return max_length


def _set_min_length(options, prompt_length, max_length, explicit):
    """Folds `min_new_tokens` into `min_length`; refuses the impossible."""
    name, value = "min_length", options["min_length"]
    if options["min_new_tokens"] is not None:
        name, value = "min_new_tokens", options["min_new_tokens"]
        options["min_length"] = prompt_length + value
    if options["min_length"] <= max_length:
        return
    message = (
        f"`{name}` must not exceed the longest output, {max_length} tokens "
        f"with the prompt's {prompt_length}. Received: {name}={value}. "
        f"Lower {name}, or raise max_new_tokens."
    )
    if name in explicit:
        raise ValueError(message)
    # From a checkpoint: a shorter output was asked for, and is what comes.
    warnings.warn(message, stacklevel=4)


def _check_tokens(options, vocab_size):
    """Refuses token ids that the vocabulary does not have."""
    for name in (
        "eos_token_id",
        "decoder_start_token_id",
        "forced_bos_token_id",
        "forced_eos_token_id",
        "suppress_tokens",
        "begin_suppress_tokens",
        "bad_words_ids",
        "sequence_bias",
    ):
        value = options[name]
        if name == "sequence_bias":
            value = [ids for ids, _ in value or ()]
        for token in _flatten(value):
            if token >= vocab_size:
                raise ValueError(
                    f"`{name}` must hold ids below the vocabulary size, "
                    f"{vocab_size}. Received: {name}={options[name]!r}."
                )


def _flatten(value):
    if isinstance(value, list):
        return [token for item in value for token in _flatten(item)]
    return [] if value is None else [value]
