"""How fast this machine multiplies matrices and reads memory, by library.

Measured in the process whose figures they are compared with, after its
measurements, so that they share the framework, its threads and the hour.
"""

import concurrent.futures
import time

from benchmarks.processes import processor
from benchmarks.processes import turn_on_device

REPEATS = 10
# A side of a square product: 17 and 1,100 GFLOP.
SIDE = {"cpu": 2048, "gpu": 8192}
READ_BYTES = 2**29


def best_seconds(call, repeats=REPEATS):
    """Shortest time of some calls after one that does not count.

    Args:
        call: callable that waits for its result.
        repeats: int.

    Returns:
        float, seconds.
    """
    call()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


def product(library, rows, side, dtype):
    """A call that multiplies `(rows, side)` with `(side, side)` and waits.

    Args:
        library: str, "tensorflow", "jax" or "torch".
        rows: int.
        side: int.
        dtype: str, "float32" or "bfloat16".

    Returns:
        Callable without arguments.
    """
    shapes = (rows, side), (side, side)
    if library == "torch":
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
        options = {"dtype": getattr(torch, dtype), "device": device}
        x, y = (torch.ones(shape, **options) for shape in shapes)
        return lambda: float((x @ y)[0, 0])
    if library == "jax":
        import jax

        x, y = (jax.numpy.ones(shape, dtype) for shape in shapes)
        multiply = jax.jit(jax.numpy.matmul)
        return lambda: float(multiply(x, y)[0, 0])
    import tensorflow as tf

    x, y = (tf.ones(shape, dtype) for shape in shapes)
    multiply = tf.function(tf.matmul)
    return lambda: float(multiply(x, y)[0, 0])


def flops_per_second(library, dtype, kind):
    """The matrix-product rate of a library: a large square product.

    Args:
        library: str, as in `product`.
        dtype: str, as in `product`.
        kind: str, "cpu" or "gpu".

    Returns:
        float, FLOP/s; the best of some products.
    """
    side = SIDE[kind]
    return 2 * side**3 / best_seconds(product(library, side, side, dtype))


def bytes_per_second(library, kind):
    """How fast memory is read: the best of what was tried.

    Tried are a product of one row and of four rows with a large matrix, which
    is what decoding does, and on a CPU plain sums, one array a core.

    Args:
        library: str, as in `product`.
        kind: str, "cpu" or "gpu".

    Returns:
        float, bytes a second.
    """
    side = int((READ_BYTES / 4) ** 0.5)
    size = 4 * side * side
    times = [
        best_seconds(product(library, rows, side, "float32")) / size
        for rows in (1, 4)
    ]
    if kind == "cpu":
        times.append(_summing())
    return 1 / min(times)


def _summing():
    """Seconds a byte of summing one large array on each core at once."""
    import numpy as np

    _, cores = processor()
    count = READ_BYTES // 4 // cores
    arrays = [np.ones(count, "float32") for _ in range(cores)]
    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        # `numpy.sum` lets go of the interpreter's lock.
        seconds = best_seconds(lambda: list(pool.map(np.sum, arrays)))
    return seconds / (4 * count * cores)


def measure_rates(library, kind, dtype="float32", memory=False):
    """Both rates of this process, as a dict ready for JSON.

    Args:
        library: str, as in `product`.
        kind: str, "cpu" or "gpu".
        dtype: str; another than float32 adds the rate of its own products.
        memory: bool, whether to measure how fast memory is read too.

    Returns:
        Dict: "flops_per_second" of float32, perhaps "flops_per_second_DTYPE"
        and "bytes_per_second".
    """
    rates = {}
    with turn_on_device():
        rates["flops_per_second"] = flops_per_second(library, "float32", kind)
        if "bfloat16" in dtype:
            rate = flops_per_second(library, "bfloat16", kind)
            rates["flops_per_second_bfloat16"] = rate
        if memory:
            rates["bytes_per_second"] = bytes_per_second(library, kind)
    return rates
