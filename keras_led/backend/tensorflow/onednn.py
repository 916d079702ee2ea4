"""Whether TensorFlow computes products by oneDNN.

By default it does on processors with AVX-512 VNNI or newer; on others, and with
`TF_ENABLE_ONEDNN_OPTS=0`, by Eigen, which copies a wide transposed matrix.
"""

import functools


@functools.cache
def multiplies() -> bool:
    """Whether oneDNN computes products here; `False` where nobody can say."""
    try:
        # A private name, which TensorFlow's own tests ask.
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return False
    return bool(getattr(_pywrap_util_port, "IsMklEnabled", bool)())
