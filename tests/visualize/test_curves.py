import keras
import pytest

from keras_led import visualize


def test_training_and_validation_are_drawn_in_one_colour():
    history = keras.callbacks.History()
    history.history = {"loss": [3.0, 2.0], "val_loss": [3.1, 2.5], "lr": [1, 1]}
    lines = visualize.plot_history(history).get_lines()
    assert [line.get_label() for line in lines] == ["loss", "val_loss"]
    assert lines[0].get_color() == lines[1].get_color()
    assert list(lines[1].get_ydata()) == [3.1, 2.5]
    assert list(lines[1].get_xdata()) == [1, 2]


def test_unknown_metric_is_refused():
    with pytest.raises(ValueError, match=r"\['loss'\].*'rouge'"):
        visualize.plot_history({"loss": [1.0]}, names=["rouge"])
