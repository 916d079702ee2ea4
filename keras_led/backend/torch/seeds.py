"""Seeds of PyTorch: two numbers of Python's, from which noise is drawn.

In a tensor they would be read again for each use, from a GPU by waiting for all
that it has still to do.
"""

import contextvars
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

import torch
from keras import ops

from keras_led.backend.torch.shapes import shapes_only
from keras_led.typing import Tensor

if TYPE_CHECKING:
    import keras

# The `RecordedNoise` of the step that is being recorded, or `None`.
recorded_noise = contextvars.ContextVar("keras_led_noise", default=None)


@dataclasses.dataclass(frozen=True, slots=True)
class Seed:
    """A seed, and for a recording how it was made.

    Attributes:
        first: int of 32 bits.
        second: int of 32 bits.
        drawn: int, which of the seeds that a recorded step draws it comes
            from, or `None`.
        path: tuple of int, what was folded in since.
    """

    first: int
    second: int
    drawn: int | None = None
    path: tuple[int, ...] = ()

    def fold_in(self, data: int) -> "Seed":
        """The seed for one of several uses, of which `data` tells."""
        mixed = _mix(_mix(self.first, self.second), data)
        other = _mix(mixed, self.first ^ self.second)
        return Seed(mixed, other, self.drawn, (*self.path, data))


def next_seed(generator: "keras.random.SeedGenerator") -> Any:
    """Draws a `Seed`; a tensor where the generator holds no numbers."""
    drawn = generator.next()
    return drawn if shapes_only(drawn) else as_seed(drawn)


def as_seed(seed: Any) -> Seed:
    """A `Seed` of one, or of an int tensor of shape `(2,)`."""
    return seed if isinstance(seed, Seed) else Seed(*seed.tolist())


def noise(draw: Callable[..., Any], seed: Any, *arguments: Any) -> Tensor:
    """`draw(seed, *arguments)`, or what a recording takes for it."""
    source = recorded_noise.get()
    if source is None:
        return draw(as_seed(seed), *arguments)
    return source.take(draw, as_seed(seed), arguments)


def draw_uniform(seed: Seed, shape: tuple[int, ...]) -> Tensor:
    """Draws float32 numbers from `[0, 1)`."""
    device = ops.zeros((0,)).device  # the one that Keras uses
    generator = torch.Generator(device=device)
    # The CPU's generator reads 32 bits of its seed: all of ours go into them.
    generator.manual_seed(_mix(seed.first, seed.second))
    return torch.rand(shape, generator=generator, device=device)


def draw_bools(seed: Seed, shape: tuple[int, ...], rate: float) -> Tensor:
    """Draws bools, `False` with probability `rate`."""
    return draw_uniform(seed, shape) >= rate


def _mix(first, second):
    """Hashes two ints to 32 bits, keeping neighbours apart.

    The odd multipliers are the golden ratio and two of xxHash's primes.
    """
    mixed = (first * 0x9E3779B1 + second * 0x85EBCA77) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 15)) * 0xC2B2AE3D) & 0xFFFFFFFF
    return mixed ^ (mixed >> 13)
