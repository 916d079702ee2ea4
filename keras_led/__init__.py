"""LED, the Longformer encoder-decoder, for Keras 3.

Long documents in, short texts out, on TensorFlow, JAX or PyTorch: set
`KERAS_BACKEND` before the first import, as with Keras itself.
"""

from keras_led._version import __version__
