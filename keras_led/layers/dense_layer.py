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
        outputs = _int8_product(
            inputs,
            ops.convert_to_tensor(self._kernel),
            ops.convert_to_tensor(self.kernel_scale),
        )
        if self.lora_enabled:
            low = ops.matmul(inputs, self.lora_kernel_a)
            change = ops.matmul(low, self.lora_kernel_b)
            outputs += ops.cast(self._lora_scale() * change, outputs.dtype)
        return outputs if self.bias is None else outputs + self.bias

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
    """`inputs @ (kernel / scale)`, the rows of `inputs` rounded to int8.

    `keras.quantizers.AbsMaxQuantizer`, without a pass over them that makes
    int8 of whole floats. The rounding hands gradients on as they are.
    """

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream
        matrix = ops.cast(kernel, upstream.dtype) / scale
        return ops.matmul(upstream, ops.transpose(matrix)), None, None

    # Reductions read; `abs` would write all of `inputs` first.
    largest = ops.maximum(
        ops.max(inputs, axis=-1, keepdims=True),
        -ops.min(inputs, axis=-1, keepdims=True),
    )
    steps = ops.cast(127 / (largest + keras.config.epsilon()), inputs.dtype)
    whole = ops.round(inputs * steps)
    product = backend.int8_product(whole, kernel)
    return product / (steps * scale), gradient


def hold_as_array(layer: keras.layers.Layer, name: str) -> None:
    """Puts a numpy array in the place of a variable that `quantize` reads.

    It then deletes an array: with each variable Keras collects garbage, 0.3 s.
    """
    variable = getattr(layer, name)
    layer._untrack_variable(variable)
    setattr(layer, name, ops.convert_to_numpy(variable))
