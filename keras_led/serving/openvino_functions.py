"""Generation as one function for OpenVINO: all inputs are tensors."""

import math
from typing import TYPE_CHECKING
from typing import Any

import tensorflow as tf

from keras_led.formats.forward_pass import DOCUMENT
from keras_led.formats.forward_pass import specs
from keras_led.serving.counted_noise import counted_uniform
from keras_led.serving.signatures import SCALAR
from keras_led.serving.signatures import ServedModel
from keras_led.typing import GeneratingLED
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.generation.inputs.strategy import Plan


class OpenVINOModule(ServedModel):
    """A model with the one function that its OpenVINO file holds.

    Args:
        model: `LEDForConditionalGeneration`, under TensorFlow.
        plan: `Plan` of mode `"token"` or `"beam"` with a prompt of one token.
    """

    uniform = staticmethod(counted_uniform)

    def __init__(self, model: GeneratingLED, plan: "Plan"):
        super().__init__(model, plan, limit_is_input=True)
        self.max_global_tokens = math.inf

    def inputs(self) -> dict[str, Any]:
        """Dict of the `TensorSpec` of each input."""
        found = {**specs(DOCUMENT), "max_new_tokens": SCALAR}
        if self._plan.options["do_sample"]:
            found["seed"] = tf.TensorSpec([2], "int32")
        return found

    def generate_any(
        self,
        max_new_tokens: Tensor,
        seed: Tensor | None = None,
        **document: Tensor,
    ) -> dict[str, Tensor]:
        """Documents, of any global tokens, to generated ids."""
        return self.write_tokens(self._checked(document), max_new_tokens, seed)
