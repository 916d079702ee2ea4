"""Noise of a recorded step, drawn before each run of it.

A recording holds operations on tensors alone, and seeds are numbers that Python
hashes. So what is drawn from them is an input of the recording: the same
numbers as without one, for each run anew.
"""

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

from keras_led.backend.torch.replay.tape import Tape
from keras_led.backend.torch.seeds import Seed
from keras_led.backend.torch.seeds import next_seed
from keras_led.backend.torch.seeds import recorded_noise
from keras_led.typing import Tensor

if TYPE_CHECKING:
    import keras


class RecordedNoise:
    """The noise of one step, which a tape records.

    Args:
        tape: `Tape`.
    """

    def __init__(self, tape: Tape):
        self._tape = tape
        self._generators = []
        # By what is drawn: a step that computes a layer twice draws it once.
        self._found = {}

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Lets all noise that is drawn within come from here."""
        token = recorded_noise.set(self)  # pyright: ignore[reportArgumentType]
        try:
            yield
        finally:
            recorded_noise.reset(token)
            self._found = dict.fromkeys(self._found)  # lets the tensors go

    def next_seed(self, generator: "keras.random.SeedGenerator") -> Any:
        """The next seed of a generator, which each run will draw from."""
        with self._tape.paused():
            seed = next_seed(generator)
        self._generators.append(generator)
        return dataclasses.replace(seed, drawn=len(self._generators) - 1)

    def take(
        self, draw: Callable[..., Any], seed: Seed, arguments: tuple[Any, ...]
    ) -> Tensor:
        """`draw(seed, *arguments)` as an input of the recording."""
        key = (draw, seed.drawn, seed.path, arguments)
        if key not in self._found:
            with self._tape.paused():
                self._found[key] = draw(seed, *arguments)
            self._tape.add_input(self._found[key])
        return self._found[key]

    def draw(self) -> list[Tensor]:
        """Draws the noise of the next run, in the order of the inputs."""
        seeds = [next_seed(generator) for generator in self._generators]
        return [
            draw(functools.reduce(Seed.fold_in, path, seeds[drawn]), *arguments)
            for draw, drawn, path, arguments in self._found
        ]
