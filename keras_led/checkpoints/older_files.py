"""Which files of an older save must not stay beside those of a new one."""

from collections.abc import Callable
from collections.abc import Collection

from keras_led.checkpoints.sharding import is_weight_file

_CONFIGS = ("config.json", "generation_config.json")


def older_files(
    *weights: tuple[str, str],
) -> Callable[[str, Collection[str]], bool]:
    """Makes the rule by which `staged_directory` deletes files.

    Args:
        *weights: pairs of str, the stem and the suffix of weight files, such
            as `("model", ".safetensors")`: shards and index of these go.

    Returns:
        Callable that takes the name of an older file and the set of the new
        names, and returns a bool.
    """
    from keras_led.tokenizer.write_files import FILE_NAMES as TOKENIZER_FILES

    # Files that describe one thing together: where a save writes some of them,
    # the others would be those of another model, or of another tokenizer.
    groups = (_CONFIGS, TOKENIZER_FILES)

    def obsolete(name, new):
        if any(is_weight_file(name, *kind) for kind in weights):
            return True
        return any(
            name in group and not new.isdisjoint(group) for group in groups
        )

    return obsolete
