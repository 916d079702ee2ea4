"""How the models train: on their own loss, from labels wherever they are."""

import contextlib
from contextlib import nullcontext
from typing import Any

import keras
from keras import ops

from keras_led import backend
from keras_led.models.checked_runs import CheckedRunsMixin
from keras_led.models.checked_runs import refuse_weights_alone
from keras_led.models.counted_slots import CountedSlotsMixin
from keras_led.models.values import values_known
from keras_led.typing import Tensor


class FittingMixin(CountedSlotsMixin, CheckedRunsMixin):
    """Lets `compile` and `fit` use the loss that a model computes itself.

    Compiled without a loss, a model trains on the loss of its output. The
    labels may stand among the inputs or in `y`.
    """

    loss: Any
    train_function: Any
    # Whether `compile` asks for a compiled step of `fit`.
    _step_is_compiled: bool = False

    # Call arguments from which the model computes a loss.
    target_inputs: tuple[str, ...] = ("labels",)

    # Whether that loss can spread a share of each target over all tokens.
    smooths_labels = False
    _label_smoothing = 0.0
    # Of the step that `fit` or `evaluate` is in:
    _step_label_smoothing = 0.0
    _loss_alone = False

    def compile(
        self,
        *args: Any,
        jit_compile: bool | str = "auto",
        label_smoothing: float = 0.0,
        **kwargs: Any,
    ) -> None:
        """Configures training; see `keras.Model.compile`.

        Args:
            *args: as in Keras.
            jit_compile: bool, or "auto" for what the backend does best. On
                PyTorch, `True` records steps and replays them without Python.
            label_smoothing: float in `[0, 1)`, for the own loss of a model
                that generates, in `fit` and `evaluate`: the share of each
                target that is spread over all tokens alike.
            **kwargs: as in Keras.

        Raises:
            ValueError: If an argument is out of range, or `label_smoothing`
                stands beside a `loss`.
            TypeError: If the model has no labels to smooth.
        """
        check_label_smoothing(self, label_smoothing)
        # Keras 3.15 keeps the loss and the metrics of an earlier call where
        # this one names none.
        self.loss = self._compile_loss = self._compile_metrics = None
        self._requested_jit_compile = jit_compile
        if jit_compile == "auto":
            eager = kwargs.get("run_eagerly", False)
            jit_compile = backend.JIT_BY_DEFAULT and not eager
        self._step_is_compiled = bool(jit_compile)
        jit_compile = backend.CAN_JIT and jit_compile
        super().compile(*args, jit_compile=jit_compile, **kwargs)
        if label_smoothing and self._compile_loss is not None:
            raise ValueError(
                "`label_smoothing` is for the loss of the model itself. "
                f"Received: label_smoothing={label_smoothing} beside a "
                "`loss`. Give it to that loss."
            )
        self._label_smoothing = label_smoothing

    def get_compile_config(self) -> dict[str, Any] | None:
        config = super().get_compile_config()
        if config:
            # What "auto" means depends on the backend that loads it.
            config["jit_compile"] = self._requested_jit_compile
            if self._label_smoothing:
                config["label_smoothing"] = self._label_smoothing
        return config

    def compile_from_config(self, config: dict[str, Any]) -> None:
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def make_train_function(self, force: bool = False) -> Any:
        if self.train_function is not None and not force:
            return
        build_optimizer(self)
        step = backend.train_step(self)
        if step is None:
            super().make_train_function(force)
        else:
            self.train_function = self._make_function(step)

    def train_step(self, *args: Any, **kwargs: Any) -> Any:
        *state, data = args
        unseen = self._compile_loss is None and self._compile_metrics is None
        # `fit` has checked what lay on the host.
        known = values_known(data) if self.is_fitting else nullcontext()
        with (
            self._own_loss(alone=unseen),
            known,
            self._slots_of_data(),
            backend.updated_at_once(self.optimizer),
        ):
            data = self._with_labels(data)
            return _as_logs(super().train_step(*state, data, **kwargs))

    def test_step(self, *args: Any, **kwargs: Any) -> Any:
        *state, data = args
        with self._own_loss(alone=False), self._slots_of_data():
            data = self._with_labels(data)
            return _as_logs(super().test_step(*state, data, **kwargs))

    @contextlib.contextmanager
    def _own_loss(self, alone):
        """Tells the call inside a step of Keras how its loss is wanted.

        Args:
            alone: bool, whether nothing but the loss of the output is read.
        """
        self._step_label_smoothing = self._label_smoothing
        self._loss_alone = alone
        try:
            yield
        finally:
            self._step_label_smoothing = 0.0
            self._loss_alone = False

    def predict_step(self, *args: Any, **kwargs: Any) -> Any:
        *state, data = args
        x = self._without_targets(data)
        with self._slots_of_data():
            return super().predict_step(*state, x, **kwargs)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Asked by TensorFlow's `fit`, beside replicas.
        with _variable_scope(self):
            if iterator is not None and backend.spans_workers():
                data_batch = backend.local_batch(_first_batch(iterator))
                iterator = None
        super()._maybe_symbolic_build(iterator, data_batch)

    def _symbolic_build(self, iterator=None, data_batch=None):
        # Keras calls the model on `x` to see what its loss and metrics will
        # compare with `y`: without the labels, that would have other lengths.
        unbuilt = [
            part
            for part in (self._compile_loss, self._compile_metrics)
            if part is not None and not part.built
        ]
        if unbuilt:
            if data_batch is None:
                data_batch = _first_batch(iterator)
            data_batch = self._with_labels(data_batch)
        super()._symbolic_build(iterator, data_batch)

    def _with_labels(self, data):
        """Gives the model the labels of `y`: decoder inputs come from them."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        refuse_weights_alone(y, sample_weight=sample_weight)
        if not isinstance(x, dict):
            x = {"input_ids": x}
        x = {**x, **self.targets_as_inputs(y, x)}
        return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)

    def targets_as_inputs(self, y: Any, x: dict[str, Any]) -> dict[str, Any]:
        """Call arguments that hold the targets `y` of a training batch."""
        if y is None or "labels" in x or not self.target_inputs:
            return {}
        return {"labels": y}

    def _without_targets(self, data):
        """The inputs of a batch to predict.

        Keras joins the outputs of batches row by row: a loss has none.
        """
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.inputs_without_targets(x) if isinstance(x, dict) else x

    def inputs_without_targets(self, x: dict[str, Any]) -> dict[str, Any]:
        """Call arguments that give the outputs of `x` but for the loss."""
        kept = {k: v for k, v in x.items() if k not in self.target_inputs}
        # As in a call that computes a loss.
        return x if len(kept) == len(x) else {**kept, "use_cache": False}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        if self._compile_loss is not None:
            y_pred = self.predictions(y_pred)
            return super().compute_loss(
                x, y, y_pred, sample_weight, training=training
            )
        if not self.target_inputs:
            raise ValueError(
                f"`{type(self).__name__}` has no loss of its own. Pass `loss` "
                "to `compile`, or train a model with a head."
            )
        if sample_weight is not None:
            raise ValueError(
                "`sample_weight`, and `class_weight`, of which Keras makes "
                "one, do not reach the loss that the model computes itself. "
                "Received: one of them. Set labels to ignore to -100, or pass "
                "a `loss` to `compile`."
            )
        loss = y_pred.loss
        if loss is None:
            raise ValueError(
                "The inputs hold no `labels`, from which the model computes "
                f"its loss. Received: {', '.join(x)}. Pass `labels` among "
                "the inputs or as `y`, or a `loss` to `compile`."
            )
        for extra in self.losses:
            loss = loss + extra
        # The loss of a TFLED model has the shape (1,); Keras wants a scalar,
        # and shares it as a loss given to `compile`.
        return backend.share_of_sum(ops.mean(loss))

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        y_pred = self.predictions(y_pred)
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def predictions(self, output: Any) -> Any:
        """The part of `output` that losses and metrics compare with `y`."""
        return output.logits


def build_optimizer(model: keras.Model) -> None:
    """Makes the variables of the optimizer before the first step of `fit`.

    TensorFlow traces a step twice in which a variable is made: with them there,
    the first step of a small model took 19 s and not 31.
    """
    optimizer = model.optimizer
    if optimizer is not None and not optimizer.built:
        with _variable_scope(model):
            optimizer.build(model.trainable_variables)


def _variable_scope(model):
    """Where variables are made, for TensorFlow's replicas on each of them."""
    strategy = getattr(model, "distribute_strategy", None)
    return strategy.scope() if strategy else nullcontext()


def _as_logs(logs):
    """What a step returns, as `fit` can take its mean over processes."""
    if not isinstance(logs, dict) or not backend.spans_workers():
        return logs
    return {name: ops.reshape(value, (1,)) for name, value in logs.items()}


def check_label_smoothing(model: keras.Model, label_smoothing: float) -> None:
    """Raises unless `model` can be compiled with this `label_smoothing`."""
    if label_smoothing and not model.smooths_labels:
        raise TypeError(
            "`label_smoothing` is for models that generate. Received: "
            f"label_smoothing={label_smoothing} for a "
            f"`{type(model).__name__}`. Pass a `loss` that smooths labels."
        )
    if not 0.0 <= label_smoothing < 1.0:
        raise ValueError(
            "`label_smoothing` must be in [0, 1). "
            f"Received: label_smoothing={label_smoothing}."
        )


def _first_batch(iterator):
    """First batch of an iterator of Keras, which is reset afterwards."""
    for _, _, data in iterator:
        return data[0] if isinstance(data, (list, tuple)) else next(data)
