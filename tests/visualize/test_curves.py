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


def test_each_metric_has_axes_of_its_own_and_whole_epochs():
    history = {"loss": [3.0, 2.0, 1.5], "accuracy": [0.1, 0.2, 0.4]}
    first = visualize.plot_history(history, ["loss", "accuracy"])
    assert [ax.get_ylabel() for ax in first.figure.axes] == list(history)
    for ax in first.figure.axes:
        assert [tick for tick in ax.get_xticks() if tick % 1] == []
    assert visualize.plot_history(history, list(history), ax=first) is first
    assert len(first.get_lines()) == 3
    assert first.get_ylabel() == ""


def test_unknown_metric_is_refused():
    with pytest.raises(ValueError, match=r"\['loss'\].*'rouge'"):
        visualize.plot_history({"loss": [1.0]}, names=["rouge"])
