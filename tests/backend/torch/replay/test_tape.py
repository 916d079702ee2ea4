"""What a tape writes down, and what no graph can hold."""

import keras
import pytest

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch's recordings"
)


def test_inputs_may_come_while_it_records():
    import torch

    from keras_led.backend.torch.replay.tape import Tape

    x = torch.ones(2)
    tape = Tape([x], [])
    with tape:
        y = x + 1
        with tape.paused():
            noise = torch.rand(2) * 2
        tape.add_input(noise)
        z = y * noise
    graph = tape.finish([z])
    torch.testing.assert_close(graph(x, noise)[0], 2 * noise)
    torch.testing.assert_close(graph(x + 1, noise + 1)[0], 3 * (noise + 1))


def test_a_backward_pass_is_written_down_too():
    import torch

    from keras_led.backend.torch.replay.tape import Tape

    weight = torch.nn.Parameter(torch.tensor([2.0, 5.0]))
    x = torch.tensor([1.0, 3.0])
    tape = Tape([x], [weight], goes_on=True)
    with tape, torch.autograd.set_multithreading_enabled(False):
        loss = (torch.exp(x * weight.abs()) * 0.01).sum()
        loss.backward()
        with torch.no_grad():
            weight.sub_(weight.grad)
    graph = tape.finish([loss.detach()])
    assert tape.problem is None
    other = torch.nn.Parameter(weight.detach().clone())
    with torch.no_grad():
        graph(x / 2)
    (torch.exp(x / 2 * other.abs()) * 0.01).sum().backward()
    torch.testing.assert_close(weight, other - other.grad)


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_number_that_python_reads_is_a_problem(goes_on):
    import torch

    from keras_led.backend.torch.replay.tape import Tape

    x = torch.ones(2)
    tape = Tape([x], [], goes_on)
    constant = torch.tensor(3.0)
    with tape:
        assert float(constant + 1) == 4.0  # always the same
        if goes_on:
            assert float(x.sum()) == 2.0
        else:
            with pytest.raises(RuntimeError, match="reads a number"):
                float(x.sum())
    assert ("reads a number" in (tape.problem or "")) == goes_on


def test_a_tensor_from_elsewhere_is_a_problem_for_a_step():
    import torch

    from keras_led.backend.torch.replay.tape import Tape

    x = torch.ones(9)
    tape = Tape([x], [], goes_on=True)
    with tape:
        x + torch.tensor(1.0)
    assert tape.problem is None
    other = torch.ones(9)
    with tape:
        x + other
    assert "neither an input nor a weight" in tape.problem
