"""Operations of `keras.ops`, and of the backends, over numpy arrays.

What is not defined here has the name and the meaning that it has in numpy.
Floats stay float32, as on the backends: the last bits decide close calls.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def __getattr__(name: str) -> Any:
    return getattr(np, name)


def convert_to_tensor(x: Any, dtype: str | None = None) -> np.ndarray:
    """An array, of a dtype if one is given."""
    return np.asarray(x, dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    """The array itself."""
    return np.asarray(x)


def shape(x: np.ndarray) -> tuple[int, ...]:
    """Tuple of int."""
    return x.shape


def cast(x: Any, dtype: str) -> np.ndarray:
    """The numbers in another dtype."""
    return np.asarray(x).astype(dtype)


def arange(count: int, dtype: str = "int32") -> np.ndarray:
    """0 to `count - 1`."""
    return np.arange(count, dtype=dtype)


def where(condition: Any, x: Any, y: Any) -> np.ndarray:
    """`x` where `condition` holds, else `y`."""
    return _single(np.where(condition, x, y))


def power(x: Any, y: Any) -> np.ndarray:
    """`x` to the power of `y`, elementwise."""
    return _single(np.power(x, y))


def pad(x: np.ndarray, widths: Any, constant_values: Any = 0) -> np.ndarray:
    """Surrounds an array with a constant."""
    return np.pad(x, widths, constant_values=constant_values)


def argmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Index of the largest entry, int32; the first of equal ones."""
    return np.argmax(x, axis=axis).astype("int32")


def argsort(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Indices in ascending order of the entries, equal ones as they come."""
    return np.argsort(x, axis=axis, kind="stable").astype("int32")


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Probabilities of logits."""
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def log_softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Log-probabilities of logits."""
    x = x - np.max(x, axis=axis, keepdims=True)
    return x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))


def scatter_update(
    x: np.ndarray, indices: np.ndarray, updates: np.ndarray
) -> np.ndarray:
    """`x` with other entries at `indices`, of shape `(places, rank)`."""
    changed = x.copy()
    changed[tuple(indices.T)] = updates
    return changed


def top_k(x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The `k` largest entries of each row, and their places.

    Args:
        x: Array of shape `(..., V)`.
        k: int.

    Returns:
        Pair of arrays `(..., k)`, the largest first, of equal ones the first
        first; the places are int32.
    """
    rows = x.reshape(-1, x.shape[-1])
    places = np.stack([_largest(row, k) for row in rows]).astype("int32")
    places = places.reshape(*x.shape[:-1], k)
    return np.take_along_axis(x, places, axis=-1), places


def _largest(row, k):
    """Places of the `k` largest entries, without sorting the whole row."""
    limit = np.partition(row, len(row) - k)[len(row) - k]
    above = np.flatnonzero(row > limit)
    equal = np.flatnonzero(row == limit)[: k - len(above)]
    found = np.concatenate([above, equal])
    if len(found) < k:  # not a number
        return np.argsort(-row, kind="stable")[:k]
    return found[np.argsort(-row[found], kind="stable")]


def fold_in(seed: np.ndarray, data: Any) -> np.ndarray:
    """Derives a new seed, uint32 `(2,)`, from one and a number."""
    parts = [*map(int, seed), int(data)]
    return np.random.SeedSequence(parts).generate_state(2)


def uniform(seed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Draws float32 numbers from `[0, 1)`; the same `seed` gives the same."""
    generator = np.random.default_rng([int(part) for part in seed])
    return generator.random(shape, "float32")


def while_loop(
    condition: Callable[[Any], Any],
    body: Callable[[Any, Any], Any],
    carry: Any,
    constants: Any,
    recordable: bool = False,
) -> Any:
    """Runs `body` while `condition` holds; see `backend.while_loop`."""
    del recordable
    while condition(carry):
        carry = body(carry, constants)
    return carry


def is_concrete(x: Any) -> bool:
    """Whether a tensor has values: what numpy reads always has."""
    del x
    return True


def _single(x):
    """Float64, which plain Python numbers become, as float32."""
    return x.astype("float32") if x.dtype == np.float64 else x
