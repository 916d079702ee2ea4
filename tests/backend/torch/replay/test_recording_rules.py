"""Which steps of training are not recorded, and that they say so."""

import keras
import pytest

from keras_led import LEDForConditionalGeneration
from keras_led.training import TokenAccuracy
from tests.backend.torch.replay.test_recorded_training import BATCHES
from tests.backend.torch.replay.test_recorded_training import SETTINGS
from tests.backend.torch.replay.test_recorded_training import adamw
from tests.backend.torch.replay.test_recorded_training import assert_same
from tests.backend.torch.replay.test_recorded_training import make
from tests.backend.torch.replay.test_recorded_training import train

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch's recordings"
)


class Own(LEDForConditionalGeneration):
    """A class that may do anything."""


def no_change(model):
    pass


def returns_attentions(model):
    model.config.output_attentions = True


REFUSED = {
    "metrics": (no_change, {"metrics": [TokenAccuracy()]}),
    "run_eagerly": (no_change, {"run_eagerly": True}),
    "use_ema": (no_change, {"optimizer": lambda: adamw(use_ema=True)}),
    # It reads its learning rate.
    "none of Adam": (no_change, {"optimizer": keras.optimizers.SGD}),
    "attention weights": (returns_attentions, {}),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_refused_step_says_why_and_trains_as_ever(reason):
    change, options = REFUSED[reason]

    def trained(jit_compile):
        model = make()
        change(model)
        keras.utils.set_random_seed(5)
        given = {**options, "optimizer": options.get("optimizer", adamw)()}
        model.compile(jit_compile=jit_compile, **given)
        found = []
        for inputs, labels in BATCHES[:2]:
            logs = model.train_on_batch(inputs, labels, return_dict=True)
            found.append(logs["loss"])
        return found, train(model, [])[1]

    expected = trained(False)
    with pytest.warns(UserWarning, match=f"cannot be recorded.*{reason}"):
        found = trained(True)
    assert_same(found, expected)


def test_the_scale_that_float16_looks_for_is_not_recorded():
    from keras_led.backend.torch.replay.recording_rules import why_not_recorded

    model = make("mixed_float16")
    model.compile(adamw())
    assert "optimizer" in why_not_recorded(model)


def test_only_classes_of_this_package_are_known():
    from keras_led.backend.torch.replay.recording_rules import why_not_recorded

    model = Own(make().config)
    model.compile(adamw())
    assert "not of this package" in why_not_recorded(model)
    model = make()
    model.compile(adamw())
    assert why_not_recorded(model) is None
    model.train_step = model.train_step
    assert "not of this package" in why_not_recorded(model)


def test_nothing_is_recorded_unasked():
    from keras_led import backend

    for options in ({}, {"jit_compile": False}):
        model = make()
        model.compile(adamw(), **options)
        assert backend.train_step(model) is None
    assert SETTINGS["dropout"] == model.config.dropout
