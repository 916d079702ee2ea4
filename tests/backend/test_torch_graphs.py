"""Loops on a GPU: the order of work, seen on a CPU by stand-ins for CUDA."""

import contextlib

import keras
import pytest

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch's loops on a GPU"
)


@pytest.fixture
def graphs(monkeypatch):
    from keras_led.backend import torch_graphs

    monkeypatch.setattr(torch_graphs, "own_stream", contextlib.nullcontext)
    return torch_graphs


def test_a_loop_works_in_memory_of_its_own(graphs, monkeypatch):
    import torch

    captured = []

    def capture(advance):
        captured.append(advance)
        return advance

    monkeypatch.setattr(graphs, "capture", capture)
    count, pair = torch.tensor(0), torch.tensor([1.0, 2.0])
    steps = []

    def step(state, constants):
        steps.append([x.data_ptr() for x in state])
        number, x, y = state
        # Two that change places, one of which is the memory of the other.
        return [number + constants[0], y, x]

    state = [count, pair, pair + 10]
    found = graphs.run_loop(
        lambda state: bool(state[0] < 3), step, state, [torch.tensor(1)]
    )
    assert int(found[0]) == 3
    torch.testing.assert_close(found[1], torch.tensor([11.0, 12.0]))
    torch.testing.assert_close(found[2], torch.tensor([1.0, 2.0]))
    assert int(count) == 0
    torch.testing.assert_close(pair, torch.tensor([1.0, 2.0]))
    assert len(captured) == 1
    assert steps[0] == steps[-1] == [x.data_ptr() for x in found]


def test_a_loop_that_ends_at_once_needs_no_graph(graphs, monkeypatch):
    import torch

    monkeypatch.setattr(graphs, "capture", None)
    found = graphs.run_loop(
        lambda state: bool(state[0] < 1),
        lambda state, constants: [state[0] + 1],
        [torch.tensor(0)],
        [],
    )
    assert int(found[0]) == 1


def test_says_when_there_can_be_no_graph(graphs, monkeypatch):
    import torch

    class Graph:
        def capture_begin(self, capture_error_mode):
            raise RuntimeError("no memory")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    with pytest.warns(UserWarning, match="CUDA graph.*no memory"):
        found = graphs.run_loop(
            lambda state: bool(state[0] < 5),
            lambda state, constants: [state[0] + 1],
            [torch.tensor(0)],
            [],
        )
    assert int(found[0]) == 5


def test_a_cpu_needs_no_graph(graphs):
    import torch

    assert not graphs.takes([torch.tensor(0)])
