"""The layers with a matrix of weights."""

from collections.abc import MutableMapping
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_led import backend
from keras_led.layers.nested_calls import InnerLayer
from keras_led.typing import Tensor

_ADAPTERS = ("lora_kernel_a", "lora_kernel_b")


class Dense(InnerLayer, keras.layers.Dense):
    """`keras.layers.Dense` without an activation, its bias in the product.

    Adding the bias afterwards writes the result twice: on PyTorch the widest
    product of led-base, 4,096 tokens, took 140 ms so and 117 ms in one (two
    cores). Adapters and `quantize` work as in Keras, but that files keep
    adapters apart from the weights under them.
    """

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return backend.linear(inputs, self.kernel, self.bias)

    def quantized_call(
        self, inputs: Tensor, training: bool | None = None
    ) -> Tensor:
        if self.quantization_mode != "int8" or self.inputs_quantizer is None:
            return super().quantized_call(inputs, training=training)
        if backend.multiplies_int8(inputs):
            kernel, scale = map(
                ops.convert_to_tensor, (self._kernel, self.kernel_scale)
            )
            outputs = _int8_product(inputs, kernel, scale)
            if self.bias is not None:
                outputs = outputs + self.bias
        else:
            matrix = self._dequantized()
            outputs = backend.linear(_round_rows(inputs), matrix, self.bias)
        if self.lora_enabled:
            low = ops.matmul(inputs, self.lora_kernel_a)
            change = ops.matmul(low, self.lora_kernel_b)
            change = ops.cast(self._lora_scale() * change, outputs.dtype)
            outputs = outputs + change
        return outputs

    def matrix(self) -> Any:
        """The kernel as floats `(I, O)`, adapters included.

        Returns:
            Float tensor or variable; `None` if the layer is in another mode
            than int8, where it has to be called.
        """
        if self.quantization_mode is None:
            return self.kernel
        if self.quantization_mode != "int8":
            return None
        matrix = self._dequantized()
        if self.lora_enabled:
            change = ops.matmul(self.lora_kernel_a, self.lora_kernel_b)
            matrix += ops.cast(self._lora_scale() * change, matrix.dtype)
        return matrix

    def _dequantized(self):
        return ops.cast(self._kernel, self.compute_dtype) / self.kernel_scale

    def quantize(
        self,
        mode: str | None = None,
        type_check: bool = True,
        config: Any = None,
    ) -> None:
        del type_check  # would refuse any subclass
        if mode in ("int8", "int4"):
            hold_as_array(self, "_kernel")
        super().quantize(mode, type_check=False, config=config)

    def enable_lora(
        self, rank: int, lora_alpha: float | None = None, **initializers: Any
    ) -> None:
        # Keras would name the weights of all layers alike.
        with self._open_name_scope():
            super().enable_lora(rank, lora_alpha, **initializers)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        if not self.lora_enabled:
            super().save_own_variables(store)
            return
        for index, variable in enumerate(self._variables_under_adapters()):
            store[str(index)] = variable
        for name in _ADAPTERS:
            store[name] = getattr(self, name)
        store["lora_scale"] = np.array(self._lora_scale())

    def load_own_variables(self, store: MutableMapping[str, Any]) -> None:
        if _ADAPTERS[0] not in store.keys():
            super().load_own_variables(store)  # sets adapters to 0
        elif self.lora_enabled:
            self._load_adapters(store)
        else:
            self._load_merged(store)

    def _load_adapters(self, store):
        scale = float(np.asarray(store["lora_scale"]))
        if scale != self._lora_scale():
            raise ValueError(
                "The adapters in a file must have the `alpha / rank` of those "
                f"in the model, {self._lora_scale()}. Received: {scale}."
            )
        for index, variable in enumerate(self._variables_under_adapters()):
            variable.assign(store[str(index)])
        for name in _ADAPTERS:
            getattr(self, name).assign(store[name])

    def _load_merged(self, store):
        if self.quantization_mode is not None:
            raise ValueError(
                "Adapters cannot be merged into quantized weights. Received: "
                f"a file with adapters for {self.path} in "
                f"{self.quantization_mode}. Call `enable_lora` before."
            )
        names = ("0", "lora_scale", *_ADAPTERS)
        kernel, scale, first, second = (np.asarray(store[x]) for x in names)
        self._kernel.assign(kernel + scale * (first @ second))
        if self.bias is not None:
            self.bias.assign(store["1"])

    def _lora_scale(self):
        return float(self.lora_alpha / self.lora_rank)

    def _variables_under_adapters(self):
        """Variables in the order of a file without adapters."""
        names = self.variable_serialization_spec[self.quantization_mode]
        names = ["_kernel" if name == "kernel" else name for name in names]
        found = [getattr(self, name, None) for name in names]
        return [variable for variable in found if variable is not None]


@ops.custom_gradient
def _int8_product(inputs, kernel, scale):
    """`_round_rows(inputs) @ (kernel / scale)`, as a product of int8."""

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream
        matrix = ops.cast(kernel, upstream.dtype) / scale
        return ops.matmul(upstream, ops.transpose(matrix)), None, None

    whole, steps = _whole_rows(inputs)
    product = backend.scale_rows_(backend.int8_product(whole, kernel), steps)
    product = backend.scale_rows_(product, 1 / ops.cast(scale, "float32"))
    return ops.cast(product, inputs.dtype), gradient


@ops.custom_gradient
def _round_rows(inputs):
    """Rounds each row to 255 values, as `keras.quantizers.AbsMaxQuantizer`.

    Gradients are handed on as they are.
    """

    def gradient(*args, upstream=None):
        return args[0] if upstream is None else upstream

    whole, steps = _whole_rows(inputs)
    return ops.cast(whole * steps, inputs.dtype), gradient


def _whole_rows(inputs):
    """Rows as whole numbers from -127 to 127, and the step of each; float32.

    In float32 whatever the policy: the step of a row of zeros has an inverse.
    """
    # Reductions read; `abs` would write all of `inputs` first.
    largest = ops.maximum(
        ops.max(inputs, axis=-1, keepdims=True),
        -ops.min(inputs, axis=-1, keepdims=True),
    )
    largest = ops.cast(largest, "float32") + keras.config.epsilon()
    whole = ops.round(ops.cast(inputs, "float32") * (127 / largest))
    return whole, largest / 127


def hold_as_array(layer: keras.layers.Layer, name: str) -> None:
    """Puts a numpy array in the place of a variable that `quantize` reads.

    It then deletes an array: with each variable Keras collects garbage, 0.3 s.
    """
    variable = getattr(layer, name)
    layer._untrack_variable(variable)
    setattr(layer, name, ops.convert_to_numpy(variable))
