"""KerasHub's byte-pair merging, by names that are private to it.

They stand in this file only. KerasHub has no public way to merge the symbols
of words without its cache, which keeps every word it has ever seen.
"""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras_hub

from keras_led.typing import Tensor

# Of `BytePairTokenizer`, in KerasHub 0.25 to 0.32.
NAMES = ("_maybe_initialized_tf", "_bpe_merge_tf")


def byte_pair_merger(
    vocabulary: dict[str, int], merges: Sequence[Any]
) -> tuple[Any, Callable[[Tensor], Tensor]]:
    """Makes a function that merges symbols, as TensorFlow operations.

    Args:
        vocabulary: dict from token to id.
        merges: list of str "left right", or of pairs, the strongest first.

    Returns:
        Pair of the table of ranks that the function reads, to be tracked by
        its owner, and a callable from ragged string tensors `(words, None)`
        of symbols to such of merged ones.

    Raises:
        RuntimeError: If the installed KerasHub has moved what this stands on.
    """
    tokenizer = keras_hub.tokenizers.BytePairTokenizer
    lost = [name for name in NAMES if not hasattr(tokenizer, name)]
    if lost:
        version = getattr(keras_hub, "__version__", "unknown")
        raise RuntimeError(
            "An export with text must find KerasHub's byte-pair merging: "
            f"{', '.join(NAMES)} of `BytePairTokenizer`. Received: KerasHub "
            f"{version}, without {', '.join(lost)}. Install KerasHub 0.32, or "
            "export without text (tokenizer=None, --no-text)."
        )
    pairs = [x if isinstance(x, str) else " ".join(x) for x in merges]
    bpe = tokenizer(
        vocabulary=vocabulary, merges=pairs, _allow_python_workflow=False
    )
    bpe._maybe_initialized_tf()
    return bpe.merge_ranks, lambda symbols: bpe._bpe_merge_tf(symbols)
