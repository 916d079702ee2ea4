"""What a recorded step does once for all layers, and what it does not."""

import keras
import pytest

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch's recordings"
)


def simplified(function, *arguments, weights=()):
    """The graph of a function, and the names of its operations."""
    from keras_led.backend.torch.replay import share_operations as shared
    from keras_led.backend.torch.replay import tape

    weights = list(weights)
    graph = tape.record(lambda *inputs: [function(*inputs)], arguments, weights)
    shared.drop_detached(graph)
    shared.share_operations(graph, weights)
    graph.graph.eliminate_dead_code()
    graph.recompile()
    names = [str(node.target) for node in graph.graph.nodes]
    return graph, [name for name in names if name.startswith("aten")]


def test_equal_operations_on_a_mask_run_once():
    import torch

    def function(x):
        return (x.float() * 2.0).detach() + (x.float() * 2.0) + x.float() * 3.0

    x = torch.tensor([True, False])
    graph, names = simplified(function, x)
    assert sorted(names) == [
        "aten._to_copy.default",
        "aten.add.Tensor",
        "aten.add.Tensor",
        "aten.mul.Tensor",
        "aten.mul.Tensor",
    ]
    torch.testing.assert_close(graph(~x)[0], function(~x))


def test_what_a_layer_computes_twice_stays_twice():
    import torch

    weight = torch.tensor([1.0, 3.0])

    def function(x):
        return torch.exp(x * weight) + torch.exp(x * weight)

    x = torch.ones(2)
    graph, names = simplified(function, x, weights=[weight])
    assert names.count("aten.exp.default") == 2
    weight += 1
    torch.testing.assert_close(graph(x)[0], function(x))


def test_what_is_written_to_is_not_shared():
    import torch

    def function(x):
        first, second = x * 2, x * 2
        first.split(1)[0].add_(1)
        return first + second + x * torch.bernoulli(x) + torch.bernoulli(x)

    x = torch.zeros(2)
    graph, names = simplified(function, x)
    assert names.count("aten.bernoulli.default") == 2
    torch.testing.assert_close(graph(x)[0], function(x))
