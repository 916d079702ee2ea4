"""The tokenizer of LED: byte-level BPE, as in BART and RoBERTa."""

from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

from keras_led.argument_checks import check_list
from keras_led.argument_checks import reject_unknown
from keras_led.files.reading import reading
from keras_led.files.together import read_together
from keras_led.tokenizer.byte_level_bpe import let_unknown_bytes_show
from keras_led.tokenizer.byte_level_bpe import make_backend
from keras_led.tokenizer.calling import TokenizerCalls
from keras_led.tokenizer.converting import TokenizerConversions
from keras_led.tokenizer.older_calls import OlderCalls
from keras_led.tokenizer.options import SETTINGS
from keras_led.tokenizer.options import check_settings
from keras_led.tokenizer.read_files import RULE
from keras_led.tokenizer.read_files import merge_arguments
from keras_led.tokenizer.read_files import read_pretrained
from keras_led.tokenizer.shared_backend import SharedBackend
from keras_led.tokenizer.special_tokens import ADDITIONAL_NAMES
from keras_led.tokenizer.special_tokens import SpecialTokens
from keras_led.tokenizer.special_tokens import make_special_tokens
from keras_led.tokenizer.training import train_bpe
from keras_led.tokenizer.training import train_like
from keras_led.tokenizer.write_files import save_tokenizer
from keras_led.tokenizer.write_files import save_vocabulary
from keras_led.typing import StrPath

if TYPE_CHECKING:
    import tokenizers

# LED's own, in the order of their ids; `<mask>` has the last id.
_SPECIAL_TOKENS = {
    "bos_token": "<s>",
    "pad_token": "<pad>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "cls_token": "<s>",
    "mask_token": "<mask>",
}
_OTHER_ARGUMENTS = ("added_tokens_decoder", *ADDITIONAL_NAMES)


class LEDTokenizer(
    SpecialTokens, TokenizerCalls, OlderCalls, TokenizerConversions
):
    """Byte-level BPE tokenizer of LED, with the call options of Hugging Face.

    A text becomes `<s> A </s>`, a pair `<s> A </s></s> B </s>`. Any Unicode
    text comes back from its ids unchanged. A space belongs to the word after
    it, so "Hello" and " Hello" are different tokens; `<mask>` takes the space
    before it. One tokenizer may be used by several threads.

    Args:
        vocab_file: str or path of a `vocab.json`.
        merges_file: str or path of a `merges.txt`.
        tokenizer_file: str or path of a `tokenizer.json`, instead of both.
        vocab: dict from token to id, instead of `vocab_file`.
        merges: list of pairs of tokens, instead of `merges_file`.
        bos_token: str or `tokenizers.AddedToken`, start of a text. This and
            the other special tokens are added when the vocabulary does not
            have them.
        eos_token: str or AddedToken, end of a text.
        unk_token: str or AddedToken, for tokens that are not there.
        sep_token: str or AddedToken, written after each text.
        pad_token: str or AddedToken, or `None`.
        cls_token: str or AddedToken, written before each text.
        mask_token: str or AddedToken. A str takes the space before it.
        additional_special_tokens: list of str or AddedToken, further special
            tokens. transformers 5 calls it `extra_special_tokens`; so may you.
        added_tokens_decoder: dict from id to AddedToken or to its fields, as
            in `tokenizer_config.json`.
        add_prefix_space: bool, whether to put a space before each text, and
            (as the `tokenizers` library does) after special tokens inside it.
        clean_up_tokenization_spaces: bool, whether decoding removes spaces
            before punctuation.
        errors: str, what decoding does with bytes that are no UTF-8, as in
            `bytes.decode`: "replace", "strict" or "ignore".
        model_input_names: names of the outputs of a call; the first one names
            the ids.
        model_max_length: int, longest input of the model, in tokens.
        padding_side: "right" or "left".
        split_special_tokens: bool, whether "<s>" in a text is plain
            characters instead of the special token.
        trim_offsets: bool, whether offsets leave out the space of a word.
        truncation_side: "right" or "left", the end that is cut.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file is damaged, the two files do not belong together,
            or no vocabulary is given.
        TypeError: If an argument is unknown, or a list of tokens is a str.
        ImportError: If the `tokenizers` library is not installed.

    Example:
        >>> tokenizer = LEDTokenizer.train(["Long documents."], vocab_size=300)
        >>> ids = tokenizer("Long documents.")["input_ids"]
        >>> tokenizer.decode(ids, skip_special_tokens=True)
        'Long documents.'
    """

    unknown_settings: dict[str, Any]
    model_input_names: list[str]

    def __init__(
        self,
        vocab_file: StrPath | dict[str, int] | None = None,
        merges_file: StrPath | Sequence[Any] | None = None,
        *,
        tokenizer_file: StrPath | None = None,
        vocab: dict[str, int] | None = None,
        merges: Sequence[Any] | None = None,
        **arguments: Any,
    ):
        known = (*_SPECIAL_TOKENS, *SETTINGS, *_OTHER_ARGUMENTS)
        files = ("vocab_file", "merges_file", "tokenizer_file")
        unknown = {k: v for k, v in arguments.items() if k not in known}
        reject_unknown("LEDTokenizer", unknown, (*known, *files))
        # Hugging Face's files write null for "not set".
        given = {k: v for k, v in arguments.items() if v is not None}
        self._warned = set()
        self.name_or_path = ""
        self.unknown_settings = {}
        for name, default in SETTINGS.items():
            setattr(self, name, given.get(name, default))
        self.model_input_names = check_list(
            "model_input_names", self.model_input_names, "str"
        )
        check_settings(self)
        self._shared_backend = SharedBackend(
            make_backend(
                vocab_file if vocab is None else vocab,
                merges_file if merges is None else merges,
                tokenizer_file,
            )
        )
        self._init_special_tokens(
            {k: arguments.get(k, v) for k, v in _SPECIAL_TOKENS.items()},
            [
                token
                for name in ADDITIONAL_NAMES
                for token in make_special_tokens(name, given.get(name))
            ],
            given.get("added_tokens_decoder"),
        )
        let_unknown_bytes_show(self._backend, self.unk_token)

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: StrPath,
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: StrPath | None = None,
        local_files_only: bool = False,
        subfolder: str = "",
        **arguments: Any,
    ) -> Self:
        """Loads a tokenizer that transformers 4 or 5, or we, saved.

        Args:
            name_or_path: str or path: a directory or Hugging Face hub id with
                `tokenizer.json`, or `vocab.json` and `merges.txt`; or the path
                of a `tokenizer.json`.
            revision: str, branch, tag or commit on the hub.
            token: str or bool, hub access token.
            cache_dir: str or path of the download cache.
            local_files_only: bool. If `True`, only the cache is looked at.
            subfolder: str, folder that holds the files.
            **arguments: of the constructor; they win over the files. A
                `tokenizer_file`, or `vocab_file` and `merges_file`, is read
                instead of that of the directory.

        Returns:
            A tokenizer.

        Raises:
            FileNotFoundError: If there is no such tokenizer.
            ConnectionError: If the hub cannot be reached.
            ValueError: If a file is damaged or of another kind of tokenizer.
        """
        known = (*_SPECIAL_TOKENS, *SETTINGS, *_OTHER_ARGUMENTS)
        hub = {
            "revision": revision,
            "token": token,
            "cache_dir": cache_dir,
            "local_files_only": local_files_only,
            "subfolder": subfolder,
        }

        def read():
            settings, unknown = read_pretrained(name_or_path, known, hub)
            try:
                tokenizer = cls(**merge_arguments(settings, arguments))
            except Exception:
                # The files' fault, unless they are sound without arguments.
                main = settings.get(
                    "tokenizer_file", settings.get("vocab_file")
                )
                with reading(main, RULE):  # pyright: ignore[reportArgumentType]
                    cls(**settings)
                raise
            tokenizer.unknown_settings = unknown
            tokenizer.name_or_path = str(name_or_path)
            return tokenizer

        return read_together(name_or_path, read, subfolder=subfolder)

    @classmethod
    def train(
        cls,
        text_iterator: Iterable[str | list[str]],
        vocab_size: int,
        *,
        additional_special_tokens: Iterable[str] = (),
        min_frequency: int = 0,
        max_token_length: int | None = None,
        length: int | None = None,
        show_progress: bool = False,
        **settings: Any,
    ) -> Self:
        """Learns a new tokenizer from texts.

        The ids are laid out as in LED: `<s>`, `<pad>`, `</s>`, `<unk>` are 0
        to 3, `<mask>` is the last one, after `additional_special_tokens`.

        Args:
            text_iterator: iterable of str, or of lists of str.
            vocab_size: int, largest number of tokens; a small corpus gives
                fewer. At least 261.
            additional_special_tokens: list of str.
            min_frequency: int, how often a pair must occur to be merged.
            max_token_length: int, longest token in characters, or `None`.
            length: int, number of items, for the progress bar.
            show_progress: bool, whether to show a progress bar.
            **settings: of the constructor, such as `model_max_length`.

        Returns:
            A tokenizer.
        """
        reject_unknown(
            "LEDTokenizer.train",
            {k: v for k, v in settings.items() if k not in SETTINGS},
            SETTINGS,
        )
        additional_special_tokens = check_list(
            "additional_special_tokens", additional_special_tokens, "str"
        )
        *first, mask = dict.fromkeys(_SPECIAL_TOKENS.values())
        vocab, merges = train_bpe(
            text_iterator,
            vocab_size,
            first,
            [*additional_special_tokens, mask],
            min_frequency=min_frequency,
            max_token_length=max_token_length,
            length=length,
            show_progress=show_progress,
        )
        return cls(
            vocab=vocab,
            merges=merges,
            additional_special_tokens=additional_special_tokens,
            **settings,
        )

    def train_new_from_iterator(
        self,
        text_iterator: Iterable[Any],
        vocab_size: int,
        length: int | None = None,
        new_special_tokens: list[Any] | None = None,
        special_tokens_map: dict[str, str] | None = None,
        *,
        min_frequency: int = 0,
        max_token_length: int | None = None,
        show_progress: bool = False,
    ) -> "LEDTokenizer":
        """Learns a tokenizer with the settings and special tokens of this one.

        Special tokens that come first here come first there, those that come
        last come last, as LED's `<mask>`.

        Args:
            text_iterator: iterable of str, or of lists of str.
            vocab_size: int, largest number of tokens; fewer than the 256 bytes
                and the special tokens give those alone.
            length: int, number of items, for the progress bar.
            new_special_tokens: list of str or `tokenizers.AddedToken`, put
                after the present special tokens.
            special_tokens_map: dict from a present special token (str) to the
                one that takes its place.
            min_frequency: int, how often a pair must occur to be merged.
            max_token_length: int, longest token in characters, or `None`.
            show_progress: bool, whether to show a progress bar.

        Returns:
            A new tokenizer; this one stays as it is.
        """
        return train_like(
            self,
            text_iterator,
            vocab_size,
            new_special_tokens or (),
            special_tokens_map or {},
            length=length,
            min_frequency=min_frequency,
            max_token_length=max_token_length,
            show_progress=show_progress,
        )

    @property
    def _backend(self):
        return self._shared_backend.tokenizer

    @property
    def vocab_size(self) -> int:
        """Number of tokens of the vocabulary, without added ones."""
        return self._backend.get_vocab_size(with_added_tokens=False)

    def __len__(self) -> int:
        """Number of all tokens, with added ones."""
        return self._backend.get_vocab_size(with_added_tokens=True)

    def __bool__(self) -> bool:
        return True

    def get_vocab(self) -> dict[str, int]:
        """Returns the dict from token (str) to id, with added tokens."""
        return self._backend.get_vocab(with_added_tokens=True)

    vocab: Any = property(get_vocab, doc="The dict from token to id.")

    @property
    def backend_tokenizer(self) -> "tokenizers.Tokenizer":
        """The `tokenizers.Tokenizer` that does the work."""
        self._shared_backend.configure(self._backend_state())
        return self._backend

    def settings(self) -> dict[str, Any]:
        """Returns the constructor arguments beside vocabulary and tokens."""
        return {name: getattr(self, name) for name in SETTINGS}

    def __getstate__(self) -> dict[str, Any]:
        # The same content before and after use: what was warned of, and the
        # options of the last call, are no part of it.
        self._shared_backend.configure(self._backend_state())
        return {**self.__dict__, "_warned": set()}

    def save_vocabulary(
        self, save_directory: StrPath, filename_prefix: str | None = None
    ) -> tuple[str, ...]:
        """Writes `vocab.json` and `merges.txt`, without added tokens.

        Args:
            save_directory: str or path of an existing directory.
            filename_prefix: str, put before each name with a dash.

        Returns:
            Tuple of str, the two paths.
        """
        return save_vocabulary(self, save_directory, filename_prefix)

    def save_pretrained(
        self,
        save_directory: StrPath,
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
    ) -> tuple[str, ...]:
        """Writes a directory that transformers 4 and 5 load, too.

        Args:
            save_directory: str or path; made when missing.
            legacy_format: bool. `True` leaves out `tokenizer.json`, `False`
                leaves out `vocab.json` and `merges.txt`, `None` writes all.
            filename_prefix: str, put before each name with a dash.

        Returns:
            Tuple of str, the paths written.
        """
        return save_tokenizer(
            self, save_directory, filename_prefix, legacy_format
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(name_or_path={self.name_or_path!r}, "
            f"tokens={len(self)}, model_max_length={self.model_max_length}, "
            f"special_tokens={self.special_tokens_map})"
        )


class LEDTokenizerFast(LEDTokenizer):
    """The same tokenizer under Hugging Face's second name."""
