"""Gives memory back to the system while large arrays come and go."""

import ctypes


class Trimmer:
    """Returns freed memory to the system after every so many bytes.

    The C library keeps what is freed for later. While a checkpoint is loaded,
    the initial values of the variables are freed piece by piece, but what is
    kept of them is rarely reused: under JAX a led-large model of 1.75 GB grew
    the process to 3.5 GB. Only glibc can be asked to give memory back;
    elsewhere this does nothing.

    Args:
        every: int, bytes.
    """

    def __init__(self, every: int = 64 * 2**20):
        self._every = every
        self._count = 0
        try:
            self._trim = ctypes.CDLL(None).malloc_trim
        except (AttributeError, OSError, TypeError):
            self._trim = None

    def add(self, nbytes: int) -> None:
        """Counts bytes that went through; trims when they are enough.

        Args:
            nbytes: int.
        """
        self._count += nbytes
        if self._count >= self._every:
            self.trim()

    def trim(self) -> None:
        """Returns freed memory to the system now."""
        self._count = 0
        if self._trim is not None:
            self._trim(0)
