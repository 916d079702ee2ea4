"""Loops on a GPU: the order of work, seen on a CPU by stand-ins for CUDA."""

import contextlib

import keras
import pytest

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch's loops on a GPU"
)


class Stream:
    def wait_event(self, event):
        assert event.recorded


class Event:
    recorded = True

    def record(self, stream):
        self.recorded = True


@pytest.fixture
def graphs(monkeypatch):
    import torch

    from keras_led.backend.torch.replay import cuda_graph

    monkeypatch.setattr(
        cuda_graph, "own_stream", lambda: contextlib.nullcontext(Stream())
    )
    monkeypatch.setattr(torch.cuda, "Event", Event)
    return cuda_graph


def kept(graphs, monkeypatch):
    """A kept graph of `[2 x, {"sum": x + y}]`, and the runs of its function."""
    runs = []

    def capture(function):
        function()  # a stand-in has no other way to the memory of the output
        return function

    monkeypatch.setattr(graphs, "capture", capture)

    def function(operands, static):
        runs.append([x.data_ptr() for x in operands])
        x, y = operands
        assert static == ["static"]
        return [2 * x, {"sum": x + y, "missing": None}]

    return graphs.KeptGraph(function), runs


def test_a_kept_graph_works_in_memory_of_its_own(graphs, monkeypatch):
    import torch

    graph, runs = kept(graphs, monkeypatch)
    outputs = []
    for number in range(4):
        x = torch.full((3,), float(number))
        double, more = graph([x, torch.ones(3)], ["static"])
        assert more["missing"] is None
        outputs.append((number, double, more["sum"]))
    # Those of earlier calls are still what they were.
    for number, double, total in outputs:
        torch.testing.assert_close(double, torch.full((3,), 2.0 * number))
        torch.testing.assert_close(total, torch.full((3,), 1.0 + number))
    assert runs[1:] == [runs[1]] * (len(runs) - 1)
    assert runs[0] != runs[1]


def test_a_large_output_needs_no_graph(graphs, monkeypatch):
    import torch

    graph, runs = kept(graphs, monkeypatch)
    monkeypatch.setattr(graphs, "LARGE_OUTPUT", 23)  # bytes; it has 24
    operands = [torch.zeros(3), torch.ones(3)]
    for _ in range(3):
        graph(operands, ["static"])
    assert runs == [[x.data_ptr() for x in operands]] * 3


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
