"""What has to know that a model has other variables, or trains others."""

from typing import Any

from keras_led import backend


def variables_changed(model: Any) -> None:
    """Has Keras trace its steps anew, and PyTorch list the parameters anew.

    Args:
        model: LED model.
    """
    model.train_function = None
    model.test_function = None
    model.predict_function = None
    backend.list_parameters(model)
