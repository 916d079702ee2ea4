"""Learning a vocabulary from texts."""

from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from keras_led.tokenizer.byte_level_bpe import model_files
from keras_led.tokenizer.byte_level_bpe import require_tokenizers
from keras_led.tokenizer.special_tokens import SPECIAL_TOKEN_NAMES
from keras_led.tokenizer.special_tokens import make_special_tokens
from keras_led.tokenizer.special_tokens import token_fields

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer

_BYTES = 256


def train_bpe(
    text_iterator: Iterable[Any],
    vocab_size: int,
    first: list[str],
    last: list[str],
    *,
    min_frequency: int = 0,
    max_token_length: int | None = None,
    length: int | None = None,
    show_progress: bool = False,
    normalizer: Any = None,
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Learns a byte-level BPE vocabulary.

    Args:
        text_iterator: iterable of str or of lists of str.
        vocab_size: int, largest number of tokens, special ones included.
        first: list of str, special tokens with the ids from 0 on.
        last: list of str, special tokens with the highest ids.
        min_frequency: int, how often a pair must occur to be merged.
        max_token_length: int, longest token in characters, or `None`.
        length: int, number of items of the iterator, for the progress bar.
        show_progress: bool, whether to show a progress bar.
        normalizer: `tokenizers` normalizer that runs before, or `None`.

    Returns:
        Pair of the dict from token to id and the list of merges.

    Raises:
        TypeError: If the iterable gives something other than text.
        ValueError: If `vocab_size` is too small, or there is no text at all.
    """
    tokenizers = require_tokenizers()
    smallest = len(first) + _BYTES + len(last)
    if not hasattr(vocab_size, "__index__") or vocab_size < smallest:
        raise ValueError(
            f"`vocab_size` must be an integer of at least {smallest}: "
            f"{_BYTES} bytes and {len(first) + len(last)} special tokens. "
            f"Received: vocab_size={vocab_size!r}."
        )
    backend = tokenizers.Tokenizer(tokenizers.models.BPE())
    backend.normalizer = normalizer
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(
        add_prefix_space=False
    )
    options = {}
    if max_token_length is not None:
        options["max_token_length"] = max_token_length
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size - len(last),
        min_frequency=min_frequency,
        special_tokens=list(first),
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=show_progress,
        **options,
    )
    texts = _Texts(text_iterator)
    backend.train_from_iterator(texts, trainer=trainer, length=length)
    if not texts.found:
        raise ValueError(
            "`text_iterator` must give at least one text that is not empty. "
            "Received: none. A generator that was read before is empty: make "
            "a new one."
        )
    vocabulary, merges = model_files(backend)
    for token in last:
        # A token of this text may have been learnt from the corpus.
        vocabulary.setdefault(token, len(vocabulary))
    return vocabulary, merges


class _Texts:
    """Passes on the items of an iterable, checking that each is text."""

    def __init__(self, items):
        if isinstance(items, str) or not hasattr(items, "__iter__"):
            raise TypeError(
                "`text_iterator` must be an iterable of str, or of lists of "
                f"str. Received: {type(items).__name__}."
            )
        self._items = items
        self.found = False

    def __iter__(self):
        for number, item in enumerate(self._items):
            texts = [item] if isinstance(item, str) else item
            if not isinstance(texts, list | tuple) or not all(
                isinstance(text, str) for text in texts
            ):
                raise TypeError(
                    "`text_iterator` must give str or lists of str. Received: "
                    f"item {number} of type {type(item).__name__}."
                )
            self.found = self.found or any(texts)
            yield item


def train_like(
    tokenizer: "LEDTokenizer",
    text_iterator: Iterable[Any],
    vocab_size: int,
    new_tokens: Sequence[Any],
    renamed: dict[str, str],
    **options: Any,
) -> "LEDTokenizer":
    """Learns a tokenizer with the settings and special tokens of another.

    Args:
        tokenizer: the other tokenizer; it stays as it is.
        text_iterator: see `train_bpe`.
        vocab_size: int, largest number of tokens. The bytes and the special
            tokens are there in any case, as in Hugging Face.
        new_tokens: list of str or `tokenizers.AddedToken`, further special
            tokens, which go last.
        renamed: dict from a present special token to the one in its place.
        **options: of `train_bpe`.

    Returns:
        A tokenizer of the same class.
    """
    new_tokens = make_special_tokens("new_special_tokens", new_tokens)
    first, last = _split_special_tokens(tokenizer)
    first = [renamed.get(token, token) for token in first]
    last = [renamed.get(token, token) for token in last]
    last += [token.content for token in new_tokens]
    if isinstance(vocab_size, int):
        vocab_size = max(vocab_size, len(first) + _BYTES + len(last))
    normalizer = tokenizer.backend_tokenizer.normalizer
    vocab, merges = train_bpe(
        text_iterator,
        vocab_size,
        first,
        last,
        normalizer=normalizer,
        **options,
    )

    added = {
        token.content: token
        for token in tokenizer.added_tokens_decoder.values()
    }

    def rename(content):
        fields = token_fields(added[content])
        return {**fields, "content": renamed.get(content, content)}

    special = tokenizer.special_tokens_map
    additional = special.pop("additional_special_tokens", [])
    trained = type(tokenizer)(
        vocab=vocab,
        merges=merges,
        additional_special_tokens=[*map(rename, additional), *new_tokens],
        **{
            name: rename(special[name]) if name in special else None
            for name in SPECIAL_TOKEN_NAMES
        },
        **tokenizer.settings(),
    )
    trained.backend_tokenizer.normalizer = normalizer
    return trained


def _split_special_tokens(tokenizer):
    """Splits the special tokens of a tokenizer by where its ids put them.

    Args:
        tokenizer: the tokenizer.

    Returns:
        Pair of lists of str: those before all ordinary tokens, and the others,
        each in the order of the ids.
    """
    special = set(tokenizer.all_special_tokens)
    added = [
        (index, token.content)
        for index, token in tokenizer.added_tokens_decoder.items()
        if token.special or token.content in special
    ]
    first = [content for i, (index, content) in enumerate(added) if index == i]
    return first, [content for _, content in added if content not in first]
