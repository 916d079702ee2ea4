"""The special tokens of a tokenizer: names, ids, and adding new ones."""

from typing import TYPE_CHECKING
from typing import Any

from keras_led.argument_checks import check_list
from keras_led.tokenizer.byte_level_bpe import require_tokenizers

if TYPE_CHECKING:
    import tokenizers

# The order in which Hugging Face adds the ones a vocabulary does not have.
SPECIAL_TOKEN_NAMES = (
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
)
# The further ones, as transformers 4 and transformers 5 call them.
ADDITIONAL_NAMES = ("additional_special_tokens", "extra_special_tokens")
_FIELDS = ("content", "single_word", "lstrip", "rstrip", "normalized")


def make_special_token(value: Any, name: str = "") -> "tokenizers.AddedToken":
    """Makes a special token from its text.

    Args:
        value: str; `tokenizers.AddedToken`; or dict of its fields, as in the
            JSON files of a checkpoint.
        name: str, one of `SPECIAL_TOKEN_NAMES`, or "". A plain `mask_token`
            takes the white space before it (`lstrip`).

    Returns:
        A `tokenizers.AddedToken`, marked as special.
    """
    tokenizers = require_tokenizers()
    if isinstance(value, str):
        fields = {"content": value, "normalized": False}
        fields["lstrip"] = name == "mask_token"
    elif isinstance(value, dict):
        fields = {key: value[key] for key in _FIELDS if key in value}
    elif isinstance(value, tokenizers.AddedToken):
        fields = {key: getattr(value, key) for key in _FIELDS}
    else:
        raise TypeError(
            f"`{name or 'special token'}` must be a str or an AddedToken. "
            f"Received: {type(value).__name__}."
        )
    return tokenizers.AddedToken(**fields, special=True)


def make_special_tokens(
    name: str, values: Any
) -> "list[tokenizers.AddedToken]":
    """Makes a list of special tokens.

    Args:
        name: str, the argument that holds them.
        values: iterable of what `make_special_token` takes, or `None`.

    Returns:
        List of `tokenizers.AddedToken`.

    Raises:
        TypeError: If `values` is a single text, or holds something else.
    """
    values = () if values is None else values
    return [
        make_special_token(value)
        for value in check_list(name, values, "str or AddedToken")
    ]


def token_fields(token: "tokenizers.AddedToken") -> dict[str, Any]:
    """Returns the fields of a `tokenizers.AddedToken` as a dict."""
    return {name: getattr(token, name) for name in (*_FIELDS, "special")}


def _token(name) -> Any:
    def get(self):
        return self._special_tokens[name]

    def put(self, value):
        self._set_special_token(name, value)

    return property(get, put, doc=f"The `{name}` as a str, or `None`.")


def _token_id(name) -> Any:
    def get(self):
        token = self._special_tokens[name]
        return None if token is None else self.convert_tokens_to_ids(token)

    def put(self, value):
        token = None if value is None else self._backend.id_to_token(value)
        if value is not None and token is None:
            raise ValueError(
                f"`{name}_id` must be an id of the vocabulary, below "
                f"{len(self)}. Received: {name}_id={value}."
            )
        self._set_special_token(name, token)

    return property(get, put, doc=f"The id of `{name}`, or `None`.")


class SpecialTokens:
    """The part of a tokenizer that knows its special tokens.

    A subclass has `_backend`, a `tokenizers.Tokenizer`, and
    `convert_tokens_to_ids`.
    """

    bos_token: str | None = _token("bos_token")
    bos_token_id: int | None = _token_id("bos_token")
    eos_token: str | None = _token("eos_token")
    eos_token_id: int | None = _token_id("eos_token")
    unk_token: str | None = _token("unk_token")
    unk_token_id: int | None = _token_id("unk_token")
    sep_token: str | None = _token("sep_token")
    sep_token_id: int | None = _token_id("sep_token")
    pad_token: str | None = _token("pad_token")
    pad_token_id: int | None = _token_id("pad_token")
    cls_token: str | None = _token("cls_token")
    cls_token_id: int | None = _token_id("cls_token")
    mask_token: str | None = _token("mask_token")
    mask_token_id: int | None = _token_id("mask_token")
    pad_token_type_id: int = 0

    def _init_special_tokens(self, named, additional, added):
        """Registers the special tokens; new ones go after the vocabulary.

        Args:
            named: dict from each of `SPECIAL_TOKEN_NAMES` to a str, an
                AddedToken, a dict of its fields, or `None`.
            additional: list of further special tokens, as AddedToken.
            added: dict from id to AddedToken or dict of its fields, of all
                added tokens of a saved tokenizer, special or not.
        """
        self._special_tokens = dict.fromkeys(SPECIAL_TOKEN_NAMES)
        self._additional_special_tokens = []
        self._register_saved(added or {})
        for name in SPECIAL_TOKEN_NAMES:
            self._register_named(name, named[name])
        for token in additional:
            self._register_additional(token)

    def _register_saved(self, added):
        tokenizers = require_tokenizers()
        for index, fields in sorted(added.items(), key=lambda x: int(x[0])):
            if isinstance(fields, dict):
                fields = tokenizers.AddedToken(
                    **{k: v for k, v in fields.items() if k != "__type"}
                )
            self._register([fields], special=fields.special)
            found = self._backend.token_to_id(fields.content)
            if found != int(index):
                raise ValueError(
                    "The added tokens of a saved tokenizer must keep their "
                    f"ids. Received: {fields.content!r} with id {index}, but "
                    f"after this vocabulary it gets id {found}. Check that "
                    "all files come from one tokenizer."
                )

    def _register_named(self, name, value):
        if value is None:
            self._set_special_token(name, None)
            return
        token = make_special_token(value, name)
        known = isinstance(value, str) and value in self.added_tokens_encoder
        if not known:
            self._register([token], special=True)
        self._special_tokens[name] = token.content

    def _register_additional(self, value):
        token = make_special_token(value)
        self._register([token], special=True)
        if token.content not in self._additional_special_tokens:
            self._additional_special_tokens.append(token.content)

    def _register(self, tokens, special):
        """Adds tokens to the backend; returns how many got a new id."""
        before = len(self)  # pyright: ignore[reportArgumentType]
        if special:
            self._backend.add_special_tokens(tokens)
        else:
            self._backend.add_tokens(tokens)
        model = self._backend.model
        for token in tokens:
            content = token if isinstance(token, str) else token.content
            index = self._backend.token_to_id(content)
            if index is not None and model.id_to_token(index) not in (
                None,
                content,
            ):
                raise ValueError(
                    f"{content!r} cannot be added: the next id, {index}, "
                    f"already belongs to {model.id_to_token(index)!r}, because "
                    "the ids of the vocabulary have gaps."
                )
        return len(self) - before  # pyright: ignore[reportArgumentType]

    def _set_special_token(self, name, value):
        if value is None:
            self._special_tokens[name] = None
            return
        content = make_special_token(value, name).content
        if self._backend.token_to_id(content) is None:
            raise ValueError(
                f"`{name}` must be in the vocabulary. Received: "
                f"{name}={content!r}. To add it, call "
                f"`add_special_tokens({{{name!r}: {content!r}}})`, then "
                "`model.resize_token_embeddings(len(tokenizer))`."
            )
        self._special_tokens[name] = content

    def check_marks(self) -> None:
        """Refuses to write special tokens around a text without having them.

        Raises:
            ValueError: If `cls_token` or `sep_token` is `None`.
        """
        for name in ("cls_token", "sep_token"):
            if getattr(self, name) is None:
                raise ValueError(
                    f"`{name}` must be set: it is written around each text. "
                    f"Received: {name}=None. Set it, or pass "
                    "`add_special_tokens=False`."
                )

    @property
    def additional_special_tokens(self) -> list[str]:
        """Special tokens beside the named ones, as a list of str."""
        return list(self._additional_special_tokens)

    @additional_special_tokens.setter
    def additional_special_tokens(self, values: Any) -> None:
        tokens = make_special_tokens("additional_special_tokens", values)
        self._additional_special_tokens = []
        for token in tokens:
            self._register_additional(token)

    # The name that transformers 5 gives to the same list.
    extra_special_tokens = additional_special_tokens

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        """Ids of `additional_special_tokens`."""
        return self.convert_tokens_to_ids(self._additional_special_tokens)

    @property
    def special_tokens_map(self) -> dict[str, Any]:
        """dict from name to str of the special tokens that are set."""
        named = {k: v for k, v in self._special_tokens.items() if v is not None}
        if self._additional_special_tokens:
            named["additional_special_tokens"] = self.additional_special_tokens
        return named

    @property
    def special_tokens_map_extended(self) -> dict[str, Any]:
        """`special_tokens_map` with `tokenizers.AddedToken` for str."""
        added = {
            token.content: token for token in self.added_tokens_decoder.values()
        }

        def extend(value):
            if isinstance(value, list):
                return [extend(content) for content in value]
            return added.get(value, value)

        named = self.special_tokens_map.items()
        return {name: extend(value) for name, value in named}

    @property
    def all_special_tokens(self) -> list[str]:
        """Every special token once, as a list of str."""
        named = [v for v in self._special_tokens.values() if v is not None]
        return list(dict.fromkeys(named + self._additional_special_tokens))

    @property
    def all_special_ids(self) -> list[int]:
        """Ids of `all_special_tokens`."""
        return self.convert_tokens_to_ids(self.all_special_tokens)

    @property
    def added_tokens_decoder(self) -> "dict[int, tokenizers.AddedToken]":
        """dict from id to `tokenizers.AddedToken`, in the order of the ids."""
        return dict(sorted(self._backend.get_added_tokens_decoder().items()))

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """dict from added token (str) to id, in the order of the ids."""
        return {v.content: k for k, v in self.added_tokens_decoder.items()}

    def get_added_vocab(self) -> dict[str, int]:
        """Returns `added_tokens_encoder`."""
        return self.added_tokens_encoder

    def add_tokens(self, new_tokens: Any, special_tokens: bool = False) -> int:
        """Adds tokens that are never split, after the vocabulary.

        The model does not know them yet: call
        `model.resize_token_embeddings(len(tokenizer))`.

        Args:
            new_tokens: str, `tokenizers.AddedToken`, or list of them.
            special_tokens: bool, whether decoding may skip them.

        Returns:
            int, how many were not in the vocabulary.
        """
        if not isinstance(new_tokens, list | tuple):
            new_tokens = [new_tokens]
        for token in new_tokens:
            if not isinstance(token, str) and not hasattr(token, "content"):
                raise TypeError(
                    "`new_tokens` must be str or AddedToken. Received: "
                    f"new_tokens of {type(token).__name__}."
                )
        return self._register(list(new_tokens), special=special_tokens)

    def add_special_tokens(
        self,
        special_tokens_dict: dict[str, Any],
        replace_additional_special_tokens: bool = True,
    ) -> int:
        """Sets special tokens, adding those that are not in the vocabulary.

        Args:
            special_tokens_dict: dict from a name such as "pad_token" to a str
                or `tokenizers.AddedToken`; "additional_special_tokens" (or
                "extra_special_tokens") takes a list of them.
            replace_additional_special_tokens: bool, whether that list
                replaces the present one or extends it.

        Returns:
            int, how many were not in the vocabulary.

        Raises:
            ValueError: If a key is no special token.
            TypeError: If a token is not a str or AddedToken, or the list is a
                str.
        """
        for name in special_tokens_dict:
            if name not in (*SPECIAL_TOKEN_NAMES, *ADDITIONAL_NAMES):
                known = ", ".join((*SPECIAL_TOKEN_NAMES, ADDITIONAL_NAMES[0]))
                raise ValueError(
                    "`special_tokens_dict` must have keys from "
                    f"{known}. "
                    f"Received: {name!r}."
                )
        # All of it is read before any token is added.
        tokens = {
            name: make_special_tokens(name, value)
            if name in ADDITIONAL_NAMES
            else make_special_token(value, name)
            for name, value in special_tokens_dict.items()
        }
        before = len(self)  # pyright: ignore[reportArgumentType]
        for name, found in tokens.items():
            if name not in ADDITIONAL_NAMES:
                self._register([found], special=True)
                self._set_special_token(name, found)
            else:
                if replace_additional_special_tokens:
                    self._additional_special_tokens = []
                for token in found:  # pyright: ignore[reportGeneralTypeIssues]
                    self._register_additional(token)
        return len(self) - before  # pyright: ignore[reportArgumentType]
