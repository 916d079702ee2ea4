"""What the padding and truncation arguments mean together."""

import codecs
import dataclasses
import warnings
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer

# Hugging Face's sign for "no limit known"; anything above 1e20 counts as one.
NO_LIMIT = int(1e30)
_LARGEST_LIMIT = int(1e20)

# Arguments of the constructor beside vocabulary and tokens.
SETTINGS: dict[str, Any] = {
    "add_prefix_space": False,
    "clean_up_tokenization_spaces": False,
    "errors": "replace",
    "model_input_names": ("input_ids", "attention_mask"),
    "model_max_length": NO_LIMIT,
    "padding_side": "right",
    "split_special_tokens": False,
    "trim_offsets": True,
    "truncation_side": "right",
}

SIDES = ("right", "left")
FLAGS = (
    "add_prefix_space",
    "clean_up_tokenization_spaces",
    "split_special_tokens",
    "trim_offsets",
)
PADDINGS = ("longest", "max_length", "do_not_pad")
TRUNCATIONS = ("longest_first", "only_first", "only_second", "do_not_truncate")


@dataclasses.dataclass(frozen=True)
class Lengths:
    """How long the encoded rows may be, and how long they are made.

    Attributes:
        padding: str, one of `PADDINGS`.
        truncation: str, one of `TRUNCATIONS`.
        max_length: int, in tokens, special ones included, or `None`.
        pad_to_multiple_of: int, or `None`.
        padding_side: str, "right" or "left".
    """

    padding: str
    truncation: str
    max_length: int | None
    pad_to_multiple_of: int | None
    padding_side: str

    @property
    def truncates(self) -> bool:
        """Whether too long rows are cut."""
        return self.truncation != "do_not_truncate"

    @property
    def pads(self) -> bool:
        """Whether too short rows are filled up."""
        return self.padding != "do_not_pad"

    def padded_length(self, lengths: list[int]) -> int:
        """Returns the length, in tokens, that every row is filled up to.

        Args:
            lengths: list of int, the lengths of the rows.

        Returns:
            int. Rows that are longer stay as they are.
        """
        length = self.max_length
        if self.padding == "longest":
            length = max(lengths, default=0)
        multiple = self.pad_to_multiple_of or 1
        return -(-length // multiple) * multiple  # rounded up


def resolve_lengths(
    tokenizer: "LEDTokenizer",
    padding: bool | str,
    truncation: bool | str | None,
    max_length: int | None,
    pad_to_multiple_of: int | None,
    padding_side: str | None,
    verbose: bool = True,
) -> Lengths:
    """Turns the arguments of a call into one `Lengths`.

    Args:
        tokenizer: the tokenizer; its `model_max_length`, `padding_side` and
            `pad_token` count.
        padding: bool or str; `True` means "longest".
        truncation: bool, str or `None`. `True` means "longest_first"; so does
            `None` when there is a `max_length` and no padding.
        max_length: int or `None`; where it is needed, `model_max_length`.
        pad_to_multiple_of: int or `None`.
        padding_side: str, or `None` for the tokenizer's.
        verbose: bool, whether to warn of arguments without effect.

    Returns:
        A `Lengths`.

    Raises:
        ValueError: If an argument is not one of the above, or if padding is
            asked for and there is no `pad_token`.
    """
    if max_length is not None and padding is False and truncation is None:
        truncation = "longest_first"
    ignored = padding is True and truncation in (None, False, "do_not_truncate")
    if max_length is not None and ignored and verbose:
        warnings.warn(
            "`max_length` has no effect with `padding=True` and no truncation. "
            "Pass `padding='max_length'` to pad to it, or `truncation=True` to "
            "cut to it.",
            stacklevel=4,
        )
    padding = _choice("padding", padding, PADDINGS)
    truncation = _choice("truncation", truncation, TRUNCATIONS)
    _check_count("max_length", max_length)
    _check_count("pad_to_multiple_of", pad_to_multiple_of)
    if max_length is None and (
        padding == "max_length" or truncation != "do_not_truncate"
    ):
        max_length = tokenizer.model_max_length
        if max_length > _LARGEST_LIMIT:
            if verbose:
                tokenizer.warn_once(
                    "no limit",
                    "`padding='max_length'` and `truncation` have no effect: "
                    "there is no `max_length`, and the tokenizer has no "
                    "`model_max_length`. Pass `max_length=`.",
                )
            max_length, truncation = None, "do_not_truncate"
            padding = "do_not_pad" if padding == "max_length" else padding
    lengths = Lengths(
        padding,
        truncation,
        max_length,
        pad_to_multiple_of,
        check_side("padding_side", padding_side or tokenizer.padding_side),
    )
    if lengths.pads and tokenizer.pad_token is None:
        raise ValueError(
            "`padding` needs a `pad_token`, and this tokenizer has none. "
            f"Received: padding={padding!r}. Set one, for example "
            "`tokenizer.pad_token = tokenizer.eos_token`."
        )
    if (
        lengths.pads
        and lengths.truncates
        and max_length % (pad_to_multiple_of or 1)
    ):
        raise ValueError(
            "`max_length` must be a multiple of `pad_to_multiple_of` when rows "
            f"are both cut and padded. Received: max_length={max_length}, "
            f"pad_to_multiple_of={pad_to_multiple_of}."
        )
    return lengths


def check_settings(tokenizer: "LEDTokenizer") -> None:
    """Checks the settings with which a tokenizer is made.

    Args:
        tokenizer: the tokenizer.

    Raises:
        TypeError: If a flag is no bool.
        ValueError: If a setting cannot be; it is named.
    """
    for flag in FLAGS:
        value = getattr(tokenizer, flag)
        if not isinstance(value, bool):
            raise TypeError(
                f"`{flag}` must be True or False. Received: {flag}={value!r}."
            )
    names = tokenizer.model_input_names
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(
            "`model_input_names` must be a list of names. Received: "
            f"model_input_names={names!r}."
        )
    check_side("padding_side", tokenizer.padding_side)
    check_side("truncation_side", tokenizer.truncation_side)
    limit = tokenizer.model_max_length
    # A float, too: Hugging Face's files write 1e30 for "no limit".
    if type(limit) not in (int, float) or not limit >= 1:
        raise ValueError(
            "`model_max_length` must be a positive number of tokens. Received: "
            f"model_max_length={limit!r}."
        )
    try:
        codecs.lookup_error(tokenizer.errors)
    except LookupError as error:
        raise ValueError(
            "`errors` must be an error handler of `bytes.decode`, such as "
            f"'replace' or 'strict'. Received: errors={tokenizer.errors!r}."
        ) from error


def check_side(argument: str, side: str) -> str:
    """Returns `side`; raises ValueError unless it is "right" or "left"."""
    if side not in SIDES:
        raise ValueError(
            f"`{argument}` must be 'right' or 'left'. Received: "
            f"{argument}={side!r}."
        )
    return side


def _choice(argument, value, choices):
    if value is True:
        return choices[0]
    if value is False or value is None:
        return choices[-1]
    value = getattr(value, "value", value)  # an enum of transformers
    if value not in choices:
        raise ValueError(
            f"`{argument}` must be True, False or one of {', '.join(choices)}. "
            f"Received: {argument}={value!r}."
        )
    return value


def _check_count(argument, value):
    if value is None:
        return
    # numpy integers are welcome; True is not a length.
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        raise ValueError(
            f"`{argument}` must be a positive integer, in tokens, or None. "
            f"Received: {argument}={value!r}."
        )
