"""What a checkpoint holds beside config and weights."""

from pathlib import Path

from keras_led.files.hub import resolve

# Files of a tokenizer or about generation, copied as they are. A name after
# the colon is Hugging Face's for a file of a KerasHub preset.
_NAMES = {
    "vocab.json": "vocab.json",
    "merges.txt": "merges.txt",
    "tokenizer.json": "tokenizer.json",
    "tokenizer_config.json": "tokenizer_config.json",
    "special_tokens_map.json": "special_tokens_map.json",
    "added_tokens.json": "added_tokens.json",
    "generation_config.json": "generation_config.json",
    "assets/tokenizer/vocabulary.json": "vocab.json",
    "assets/tokenizer/merges.txt": "merges.txt",
}
_KERAS_HUB_SKIPS = ("tokenizer.json",)


def read_side_files(directory: Path, family: str) -> dict[str, bytes]:
    """Reads the files of a tokenizer and about generation.

    Args:
        directory: `pathlib.Path` of a checkpoint.
        family: str, the kind of checkpoint.

    Returns:
        Dict of Hugging Face's file names to bytes.
    """
    contents = {}
    for old, new in _NAMES.items():
        if family == "keras_hub" and old in _KERAS_HUB_SKIPS:
            continue
        found = resolve(directory, old, required=False)
        if found is not None:
            contents[new] = found.read_bytes()
    return contents
