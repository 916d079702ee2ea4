"""What the C library keeps, asked in a process of its own."""

import os
import platform
import subprocess
import sys

import pytest

from keras_led import backend

SCRIPT = """
import resource, torch
from keras_led.backend.torch.workspace import keep_freed_memory

keep_freed_memory()

def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def touch():
    tensors = [torch.ones(12 * 2**18) for _ in range(4)]  # 12,288 pages

for _ in range(8):  # the heap grows until a piece fits where one was
    touch()
before = pages()
for _ in range(4):
    touch()
print(pages() - before)
"""


pytestmark = pytest.mark.skipif(
    backend.name != "torch", reason="PyTorch's own tensors"
)


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another C library"
)
def test_freed_memory_is_kept_for_the_next_tensor():
    tunables = ("GLIBC_TUNABLES", "MALLOC_")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(tunables)
    }
    output = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(output.stdout) < 12288


def test_who_takes_a_tensor_again_gets_the_same_memory():
    import torch

    from keras_led.backend.torch import workspace

    like = torch.zeros(1)
    assert not workspace.is_shared()
    with workspace.shared():
        assert workspace.is_shared()
        first = workspace.take("key", (2, 3), like)
        assert workspace.take("key", (2, 3), like) is first
        value = workspace.take("value", (2, 3), like)
        assert value is not first
        assert workspace.take("key", (3, 2), like).shape == (3, 2)
        half = workspace.take("key", (3, 2), like.half())
        assert half.dtype == torch.float16
        with workspace.shared():  # of another call
            assert workspace.take("value", (2, 3), like) is not value
        assert workspace.take("value", (2, 3), like) is value
    assert not workspace.is_shared()
