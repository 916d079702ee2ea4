"""Directories as transformers 4 and 5 write them, and damaged ones."""

import json
import shutil

import pytest

from keras_led.tokenizer import LEDTokenizer
from keras_led.tokenizer import LEDTokenizerFast

TEXT = "a <mask> größer the dog"


def write(path, content):
    path.write_text(
        content if isinstance(content, str) else json.dumps(content), "utf-8"
    )


@pytest.fixture
def plain(directory, tmp_path):
    """A directory with `vocab.json` and `merges.txt` only."""
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(directory / name, tmp_path)
    return tmp_path


@pytest.fixture
def ids(tokenizer):
    return tokenizer(TEXT)["input_ids"]


@pytest.mark.parametrize("cls", [LEDTokenizer, LEDTokenizerFast])
def test_two_files_are_enough(plain, ids, cls):
    loaded = cls.from_pretrained(plain)
    assert type(loaded) is cls
    assert loaded(TEXT)["input_ids"] == ids  # also takes the space
    made = cls(plain / "vocab.json", str(plain / "merges.txt"))
    assert made(TEXT)["input_ids"] == ids
    assert loaded.name_or_path == str(plain)
    assert loaded.model_max_length > 1e29


def test_merges_without_a_version_line(plain, ids):
    lines = (plain / "merges.txt").read_text("utf-8").split("\n")
    write(plain / "merges.txt", "\r\n".join(lines[1:]))
    assert LEDTokenizer.from_pretrained(plain)(TEXT)["input_ids"] == ids


def test_vocabulary_in_memory(plain, ids):
    vocab = json.loads((plain / "vocab.json").read_text("utf-8"))
    lines = (plain / "merges.txt").read_text("utf-8").split("\n")[1:-1]
    pairs = [tuple(line.split()) for line in lines]
    for merges in (lines, pairs):
        made = LEDTokenizer(vocab=vocab, merges=merges)
        assert made(TEXT)["input_ids"] == ids


def test_the_one_file_alone(directory, ids):
    path = directory / "tokenizer.json"
    assert LEDTokenizer.from_pretrained(path)(TEXT)["input_ids"] == ids
    assert LEDTokenizer(tokenizer_file=path)(TEXT)["input_ids"] == ids


def test_settings_of_the_file_and_of_the_caller(plain):
    settings = {
        "model_max_length": 16384,
        "add_prefix_space": True,
        "padding_side": "left",
        "truncation_side": "left",
        "errors": "ignore",
        "trim_offsets": False,
        "clean_up_tokenization_spaces": True,
        "tokenizer_class": "LEDTokenizer",
    }
    write(plain / "tokenizer_config.json", settings)
    loaded = LEDTokenizer.from_pretrained(plain, padding_side="right")
    for name, value in {**settings, "padding_side": "right"}.items():
        if name != "tokenizer_class":
            assert getattr(loaded, name) == value
    assert loaded("dog").tokens()[1].startswith("Ġ")


def test_unknown_keys_survive(plain, tmp_path):
    unknown = {"chat_template": None, "my_key": {"a": [1]}}
    write(plain / "tokenizer_config.json", unknown)
    loaded = LEDTokenizer.from_pretrained(plain)
    loaded.save_pretrained(tmp_path / "again")
    saved = json.loads((tmp_path / "again/tokenizer_config.json").read_text())
    assert {key: saved[key] for key in unknown} == unknown


def test_paths_in_the_file_are_not_followed(plain, ids):
    foreign = {"vocab_file": "/etc/passwd", "tokenizer_file": "/nowhere.json"}
    write(plain / "tokenizer_config.json", foreign)
    loaded = LEDTokenizer.from_pretrained(plain)
    assert loaded(TEXT)["input_ids"] == ids
    assert loaded.unknown_settings == {}  # nor written back


def test_files_of_transformers_4_before_added_tokens_decoder(plain):
    # An older layout: names in special_tokens_map.json, ids of the added
    # tokens in added_tokens.json, and both win over tokenizer_config.json.
    vocab = json.loads((plain / "vocab.json").read_text("utf-8"))
    size = len(vocab)
    write(plain / "tokenizer_config.json", {"pad_token": "<s>"})
    write(
        plain / "special_tokens_map.json",
        {
            "pad_token": "[PAD]",
            "mask_token": {"content": "<mask>", "lstrip": False},
            "additional_special_tokens": ["<doc>"],
        },
    )
    write(
        plain / "added_tokens.json",
        {"<new>": size + 2, "[PAD]": size, "<doc>": size + 1},
    )
    loaded = LEDTokenizer.from_pretrained(plain)
    assert loaded.pad_token_id == size
    assert loaded.get_vocab()["<new>"] == size + 2
    assert loaded.additional_special_tokens_ids == [size + 1]
    assert loaded.tokenize("a <mask><new>") == ["a", "Ġ", "<mask>", "<new>"]
    ids = loaded("<doc>x<new>")["input_ids"]
    assert loaded.decode(ids, skip_special_tokens=True) == "x<new>"


def test_mask_token_as_a_plain_str_in_every_file(plain, ids):
    # transformers 5 loses the space here (an extra "Ġ").
    vocab = json.loads((plain / "vocab.json").read_text("utf-8"))
    mask = vocab.pop("<mask>")
    write(plain / "vocab.json", vocab)
    write(plain / "tokenizer_config.json", {"mask_token": "<mask>"})
    write(plain / "special_tokens_map.json", {"mask_token": "<mask>"})
    write(plain / "added_tokens.json", {"<mask>": mask})
    assert LEDTokenizer.from_pretrained(plain)(TEXT)["input_ids"] == ids


def test_added_token_with_another_id_is_an_error(plain):
    write(plain / "added_tokens.json", {"<new>": 7000})
    message = "'<new>' with id 7000, but .* gets id 459. Check"
    with pytest.raises(ValueError, match=message):
        LEDTokenizer.from_pretrained(plain)


@pytest.mark.parametrize("names", [{}, {"image_token": "<doc>"}, ["<doc>"]])
def test_extra_special_tokens_of_either_version(plain, names):
    write(plain / "tokenizer_config.json", {"extra_special_tokens": names})
    loaded = LEDTokenizer.from_pretrained(plain)
    assert loaded.additional_special_tokens == (["<doc>"] if names else [])


def test_directory_that_transformers_5_wrote(peer, tmp_path, ids):
    peer.save_pretrained(tmp_path)
    loaded = LEDTokenizer.from_pretrained(tmp_path)
    assert loaded(TEXT)["input_ids"] == ids
    assert loaded.model_max_length == 64


def test_flags_of_tokenizer_json_are_kept(directory, tmp_path):
    content = json.loads((directory / "tokenizer.json").read_text("utf-8"))
    content["added_tokens"][-1]["lstrip"] = False
    write(tmp_path / "tokenizer.json", content)
    loaded = LEDTokenizer.from_pretrained(tmp_path)
    assert loaded.tokenize("a <mask>") == ["a", "Ġ", "<mask>"]


def test_lengths_saved_in_tokenizer_json_are_not_used(directory, tmp_path):
    from tokenizers import Tokenizer

    backend = Tokenizer.from_file(str(directory / "tokenizer.json"))
    backend.enable_truncation(3)
    backend.enable_padding(length=9)
    backend.save(str(tmp_path / "tokenizer.json"))
    loaded = LEDTokenizer.from_pretrained(tmp_path)
    assert len(loaded("1234")["input_ids"]) == 6


# -- errors ------------------------------------------------------------------


def test_no_such_directory(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        LEDTokenizer.from_pretrained(tmp_path / "nowhere")


@pytest.mark.parametrize("missing", ["vocab.json", "merges.txt"])
def test_missing_file_is_named(plain, missing):
    (plain / missing).unlink()
    with pytest.raises(FileNotFoundError, match=missing):
        LEDTokenizer.from_pretrained(plain)
    argument = "vocab_file" if missing == "vocab.json" else "merges_file"
    with pytest.raises(FileNotFoundError, match=f"`{argument}` .*{missing}"):
        LEDTokenizer(plain / "vocab.json", plain / "merges.txt")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("vocab.json", '{"a": 1', r"vocab\.json must be a JSON file"),
        ("vocab.json", "[]", r"vocab\.json must hold a JSON object.*list"),
        ("vocab.json", "{}", r"vocab\.json must hold at least one token"),
        ("vocab.json", {"a": "0"}, r"vocab\.json must map .*'a': '0'"),
        ("vocab.json", {"a": -1}, r"vocab\.json .*Received: 'a': -1"),
        ("vocab.json", {"a": 0, "b": 0}, "id 0 for 'a' and 'b'"),
        ("vocab.json", {"a": 0}, r"merges\.txt must belong to .*vocab\.json"),
        (
            "merges.txt",
            "#version\na b\nabc\n",
            r"txt .*'abc' in line 3",
        ),
        ("merges.txt", "t zzz\n", "merge 't' 'zzz', but 'zzz' is not in the"),
        ("merges.txt", "a b c\n", "two tokens a line. Received: 'a b c'"),
        ("tokenizer_config.json", "{", r"tokenizer_config\.json must be"),
        ("special_tokens_map.json", "3", r"special_tokens_map\.json must hold"),
        ("tokenizer.json", "{", r"tokenizer\.json must be a tokenizer.json of"),
        ("tokenizer.json", "{}", r"tokenizer\.json must .* Model missing"),
    ],
)
def test_damaged_file_is_named(plain, name, content, message):
    write(plain / name, content)
    with pytest.raises(ValueError, match=message):
        LEDTokenizer.from_pretrained(plain)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("tokenizer_config.json", {"padding_side": "top"}, "side='top'"),
        ("tokenizer_config.json", {"add_prefix_space": "no"}, "`add_prefix"),
        ("tokenizer_config.json", {"model_max_length": float("nan")}, "=nan"),
        ("tokenizer_config.json", {"model_input_names": [3]}, "=.3."),
        ("tokenizer_config.json", {"errors": 3}, "must be str|errors=3"),
        ("tokenizer_config.json", {"pad_token": 3}, "`pad_token` must be"),
        ("tokenizer_config.json", {"pad_token": {"a": "b"}}, "content"),
        ("tokenizer_config.json", {"extra_special_tokens": 3}, "3"),
        (
            "tokenizer_config.json",
            {"added_tokens_decoder": {"x": {"content": "y"}}},
            "invalid literal",
        ),
        (
            "tokenizer_config.json",
            {"added_tokens_decoder": {"3": 3}},
            "AttributeError",
        ),
        ("special_tokens_map.json", {"cls_token": {"content": []}}, ""),
        ("added_tokens.json", {"<x>": [1]}, ""),
        ("added_tokens.json", {"<x>": 10**9}, "keep their ids"),
    ],
)
def test_what_cannot_lie_beside_a_vocabulary_is_named(
    plain, name, content, reason
):
    write(plain / name, content)
    where = f"^{plain}/vocab.json must make a tokenizer with the files beside"
    for arguments in ({}, {"trim_offsets": False}):
        with pytest.raises(ValueError, match=f"{where}.*{reason}"):
            LEDTokenizer.from_pretrained(plain, **arguments)


def test_argument_is_not_blamed_on_the_files(plain):
    with pytest.raises(ValueError, match="^`padding_side` must be"):
        LEDTokenizer.from_pretrained(plain, padding_side="top")
    write(plain / "tokenizer_config.json", {"padding_side": "top"})
    LEDTokenizer.from_pretrained(plain, padding_side="left")


def test_files_that_are_no_text(plain):
    (plain / "merges.txt").write_bytes(b"\xff\xfe a b")
    with pytest.raises(ValueError, match=r"merges\.txt must be a UTF-8 text"):
        LEDTokenizer.from_pretrained(plain)


def test_damaged_merges_in_tokenizer_json(directory, tmp_path):
    content = json.loads((directory / "tokenizer.json").read_text("utf-8"))
    content["model"]["merges"].append(["zz", "zz"])
    write(tmp_path / "tokenizer.json", content)
    with pytest.raises(ValueError, match="cannot be read: Token `zz` out of"):
        LEDTokenizer.from_pretrained(tmp_path)


def test_tokenizer_of_another_kind(tmp_path):
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece

    Tokenizer(WordPiece()).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ValueError, match="byte-level BPE.*model=WordPiece"):
        LEDTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "`vocab_file` must be given"),
        ({"vocab": {"a": 0}}, "`merges_file` must be given"),
        (
            {"vocab": {"a": 0}, "tokenizer_file": "t.json"},
            "must come alone.*tokenizer_file=t.json",
        ),
        (
            {"vocab": {"a": 0}, "merges": [], "padding_side": "top"},
            "padding_side='top'",
        ),
        (
            {"vocab": {"a": 0}, "merges": [], "truncation_side": "top"},
            "truncation_side='top'",
        ),
        (
            {"vocab": {"a": 0}, "merges": [], "model_max_length": "512"},
            "positive number of tokens. .*model_max_length='512'",
        ),
    ],
)
def test_arguments_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        LEDTokenizer(**arguments)


def test_unknown_argument_is_named_with_the_nearest(plain):
    with pytest.raises(TypeError, match="'pad_tok'. Did you mean 'pad_token'"):
        LEDTokenizer.from_pretrained(plain, pad_tok="<pad>")
    with pytest.raises(TypeError, match="'vocab_fil'. .* 'vocab_file'"):
        LEDTokenizer(vocab_fil=plain / "vocab.json")


# -- the hub -----------------------------------------------------------------


def test_files_of_the_hub(plain, ids, monkeypatch):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    asked = []

    def download(repo_id, name, **options):
        asked.append((repo_id, options["revision"], options["token"]))
        if not (plain / name).exists():
            raise LocalEntryNotFoundError(name)
        return str(plain / name)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    loaded = LEDTokenizer.from_pretrained(
        "owner/led", revision="v2", token="secret"
    )
    assert loaded(TEXT)["input_ids"] == ids
    assert set(asked) == {("owner/led", "v2", "secret")}


def test_hub_that_cannot_be_reached(tmp_path):
    with pytest.raises(ConnectionError, match=r"tokenizer\.json of owner/led"):
        LEDTokenizer.from_pretrained(
            "owner/led", cache_dir=tmp_path, local_files_only=True
        )
