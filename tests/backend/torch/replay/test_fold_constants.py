"""What a recording computes once, and what it has to compute each time."""

import keras
import pytest

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch's recordings"
)


def record(function, *arguments, weights=()):
    from keras_led.backend.torch.replay import tape
    from keras_led.backend.torch.replay.fold_constants import fold_constants

    graph = tape.record(lambda *inputs: [function(*inputs)], arguments, weights)
    fold_constants(graph, list(weights))
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph


def targets(graph):
    return [str(node.target) for node in graph.graph.nodes]


def test_a_number_written_in_python_is_converted_once():
    import torch

    def function(x):
        return x * (torch.tensor(3.0).to(torch.float64) + 1)

    graph = record(function, torch.ones(2, dtype=torch.float64))
    operations = [name for name in targets(graph) if name.startswith("aten")]
    assert operations == ["aten.mul.Tensor"]
    x = torch.full((2,), 2.0, dtype=torch.float64)
    torch.testing.assert_close(graph(x)[0], function(x))


def test_what_follows_from_a_weight_is_computed_each_time():
    import torch

    weight = torch.ones(2)

    def function(x):
        return x + weight.double()

    x = torch.zeros(2, dtype=torch.float64)
    graph = record(function, x, weights=[weight])
    weight += 4
    torch.testing.assert_close(graph(x)[0], torch.full((2,), 5.0).double())


def test_a_constant_that_is_written_to_starts_anew():
    import torch

    def function(x):
        total = torch.tensor([1.0, 2.0]).double()
        total.view(2, 1)[0].add_(x)
        return total

    x = torch.ones(1, dtype=torch.float64)
    graph = record(function, x)
    for _ in range(2):
        torch.testing.assert_close(graph(x)[0], function(x))


def test_large_ones_are_not_kept():
    import torch

    from keras_led.backend.torch.replay.fold_constants import LARGEST

    table = torch.ones(LARGEST + 1)
    graph = record(lambda x: x + table.double(), torch.zeros(1).double())
    assert "aten._to_copy.default" in targets(graph)


def test_noise_is_drawn_each_time():
    import torch

    probability = torch.full((8,), 0.5)
    x = torch.zeros(8)
    graph = record(lambda x: x + torch.bernoulli(probability), x)
    assert any("bernoulli" in name for name in targets(graph))
