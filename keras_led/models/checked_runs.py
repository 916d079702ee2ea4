"""`fit`, `evaluate` and `predict`, which a mistake in the data cannot hurt."""

import contextlib
import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

import keras

from keras_led import backend
from keras_led.models.call_checks import check_array
from keras_led.models.call_checks import check_ids
from keras_led.models.counted_slots import count_global_tokens
from keras_led.models.data_check import DataCheck
from keras_led.models.inputs import NamedInputsMixin
from keras_led.models.inputs import argument_names
from keras_led.models.placeholders import check_keras_inputs
from keras_led.models.placeholders import output_spec
from keras_led.models.values import on_host
from keras_led.typing import T
from keras_led.typing import Tensor


def _like(function: T) -> Callable[[Callable[..., Any]], T]:
    """`functools.wraps`, for editors too: the method has Keras' signature."""
    return functools.wraps(function)  # pyright: ignore


class CheckedRunsMixin(NamedInputsMixin, backend.TrainingState):
    """Checks values before Keras takes the data; keeps the model on errors.

    What lies on an accelerator already is not waited for, and not checked.
    """

    # Whether `fit` is running.
    is_fitting: bool = False
    # Slots for global tokens that its data need, where that is known.
    _slots_of_run: int | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        names = argument_names(type(self).call)
        inputs = self.name_inputs(args, kwargs, names)
        check_keras_inputs(self, inputs)
        # Before Keras converts it; tensors are checked inside the call.
        self.check_values(
            {
                name: value
                for name, value in inputs.items()
                if not keras.ops.is_tensor(value)
            }
        )
        return super().__call__(**inputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return output_spec(super().compute_output_spec, args, kwargs)

    @_like(keras.Model.fit)
    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        given = _by_name(super().fit, args, kwargs)
        with self._checked_run(self._check_training_batch) as check:
            given["x"] = check.source(*_data(given))
            given["validation_data"] = check.validation(
                given.get("validation_data")
            )
            self.is_fitting = True
            functions = ("train_function", "test_function")
            try:
                with self._slots_counted(check.slots, *functions):
                    return super().fit(**given)
            finally:
                self.is_fitting = False

    @_like(keras.Model.evaluate)
    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        given = _by_name(super().evaluate, args, kwargs)
        with self._checked_run(self._check_training_batch) as check:
            # Data of a validation was checked when `fit` began.
            slots = self._slots_of_run
            if not given.get("_use_cached_eval_dataset"):
                given["x"] = check.source(*_data(given))
                slots = check.slots
            with self._slots_counted(slots, "test_function"):
                return super().evaluate(**given)

    @_like(keras.Model.predict)
    def predict(self, *args: Any, **kwargs: Any) -> Any:
        given = _by_name(super().predict, args, kwargs)
        with self._checked_run(self._check_inputs) as check:
            given["x"] = check.source(given["x"])
            with self._slots_counted(check.slots, "predict_function"):
                return super().predict(**given)

    @_like(keras.Model.train_on_batch)
    def train_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        given = _by_name(super().train_on_batch, args, kwargs)
        with self._checked_run(self._check_training_batch) as check:
            check(_data(given))
            with self._slots_counted(None, "train_function"):
                return super().train_on_batch(**given)

    @_like(keras.Model.test_on_batch)
    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        given = _by_name(super().test_on_batch, args, kwargs)
        with self._checked_run(self._check_training_batch) as check:
            check(_data(given))
            with self._slots_counted(None, "test_function"):
                return super().test_on_batch(**given)

    @_like(keras.Model.predict_on_batch)
    def predict_on_batch(self, x: Tensor) -> Any:
        with self._checked_run(self._check_inputs) as check:
            check((x,))
            with self._slots_counted(None, "predict_function"):
                return super().predict_on_batch(x)

    def test_step(self, *args: Any, **kwargs: Any) -> Any:
        with backend.without_gradients():
            return super().test_step(*args, **kwargs)

    def predict_step(self, *args: Any, **kwargs: Any) -> Any:
        with backend.without_gradients():
            return super().predict_step(*args, **kwargs)

    @contextlib.contextmanager
    def _checked_run(self, check_batch):
        check = DataCheck(check_batch, self._count_slots)
        with self.state_kept():
            try:
                yield check
            except Exception as error:
                if check.error is None or check.error is error:
                    raise
                raise check.error from None

    def _check_training_batch(self, data):
        inputs, _, _ = keras.utils.unpack_x_y_sample_weight(
            self._with_labels(data)
        )
        self.check_values(inputs)
        limited = not backend.shapes_may_vary()
        if limited and backend.document_shards() is not None:
            check_slots(inputs, getattr(self, "max_global_tokens", math.inf))

    def _check_inputs(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        self._check_training_batch((x,))

    def _count_slots(self, data: Any) -> int | None:
        """Slots for the global tokens of data; `None` where it has none."""
        del data
        return None

    @contextlib.contextmanager
    def _slots_counted(self, slots: int | None, *functions: str) -> Any:
        """What a model with an encoder does with the slots of a run."""
        del slots, functions
        yield

    def _with_labels(self, data):
        """A training batch whose `x` is a dict of call arguments."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if not isinstance(x, dict):
            x = {"input_ids": x}
        return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)

    def check_values(self, inputs: dict[str, Any]) -> None:
        """Checks the call arguments whose values lie on the host.

        Args:
            inputs: dict of call arguments.

        Raises:
            ValueError: If an id is outside the vocabulary, or the like.
            TypeError: If an argument holds no integers.
        """
        for name in ("input_ids", "decoder_input_ids"):
            check_on_host(check_ids, name, inputs, self.vocabulary_size)


def check_on_host(
    check: Callable[..., Any], name: str, inputs: dict[str, Any], *limits: Any
) -> None:
    """Calls `check(name, array, *limits)` where `inputs[name]` can be read."""
    value = inputs.get(name)
    if isinstance(value, (str, bytes, int, float, list, tuple)):
        check_array(name, value)
    array = on_host(value)
    if array is not None:
        check(name, array, *limits)


def check_slots(inputs: dict[str, Any], max_global_tokens: float) -> None:
    """Raises if a document that is spread over devices has too few slots.

    Args:
        inputs: dict of call arguments.
        max_global_tokens: int, slots of a document.

    Raises:
        ValueError: If a document has more global tokens.
    """
    counted = count_global_tokens(inputs)
    most = 0 if counted is None else counted[0]
    if most > max_global_tokens:
        raise ValueError(
            "Documents that are spread over devices (`SequenceParallel`) must "
            "have at most `max_global_tokens` global tokens, "
            f"{max_global_tokens}. Received: {most} in the masks. Make or "
            f"load the model with `max_global_tokens={most}`."
        )


def check_between_fits(model: keras.Model, name: str) -> None:
    """Raises if `fit` runs, which would not notice what `name` changes.

    Args:
        model: LED model.
        name: str, the function to call at another time.

    Raises:
        RuntimeError: If `fit` runs.
    """
    if getattr(model, "is_fitting", False):
        raise RuntimeError(
            f"`{name}` must be called between two calls of `fit`: the compiled "
            "step and its optimizer know the weights they started with. "
            "Received: a call while `fit` runs, from a callback. Train in "
            f"parts: `fit`, `{name}`, `compile`, then `fit` with "
            "`initial_epoch`."
        )


def refuse_weights_alone(y: Tensor, **weights: Any) -> None:
    """Raises for weights without `y`, which Keras would drop."""
    for name, value in weights.items():
        if y is None and value is not None:
            raise ValueError(
                f"`{name}` does not reach labels among the inputs. "
                f"Received: {name} without `y`. Pass the labels as `y`, and a "
                "`loss` to `compile`; or set labels to ignore to -100."
            )


def _by_name(method, args, kwargs):
    """Arguments of a call of `method`, as a dict."""
    given = dict(inspect.signature(method).bind(*args, **kwargs).arguments)
    others = given.pop("kwargs", {})
    return {**given, **others}


def _data(given):
    """The data of a call, `(x, y, sample_weight)`."""
    x, y = given.get("x"), given.get("y")
    if isinstance(x, dict):  # arrays: a dataset brings its own `y`
        refuse_weights_alone(y, class_weight=given.get("class_weight"))
    return x, y, given.get("sample_weight")
