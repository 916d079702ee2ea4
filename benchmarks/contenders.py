"""Who is measured: our three backends and the peers, each by a short name."""

import dataclasses
import os
import sys

from benchmarks.processes import ROOT

BACKENDS = ("tensorflow", "jax", "torch")
PEER = "hf-torch"

TFLED_PYTHON = "KERAS_LED_TFLED_PYTHON"


@dataclasses.dataclass(frozen=True)
class Contender:
    """One of those who are compared.

    Args:
        name: str, short, for the command line and the JSON.
        label: str, for tables and plots.
        library: str, the framework that computes: "tensorflow", "jax" or
            "torch".
        environment: dict of str to str, variables its process needs.
        own_interpreter: bool, whether it runs in the environment that
            make_tfled_environment.sh makes.
    """

    name: str
    label: str
    library: str
    environment: dict = dataclasses.field(default_factory=dict)
    own_interpreter: bool = False
    remedy = "make it with benchmarks/make_tfled_environment.sh"

    def python(self):
        """Path of its interpreter, str."""
        if not self.own_interpreter:
            return sys.executable
        default = ROOT / ".venv-tfled" / "bin" / "python"
        return os.environ.get(TFLED_PYTHON, str(default))


def _keras(backend):
    return {"KERAS_BACKEND": backend}


CONTENDERS = {
    contender.name: contender
    for contender in (
        *(
            Contender(name, f"keras_led, {label}", name, _keras(name))
            for name, label in zip(
                BACKENDS, ("TensorFlow", "JAX", "PyTorch"), strict=True
            )
        ),
        Contender(PEER, "Hugging Face, PyTorch", "torch"),
        Contender("hf-compile", "Hugging Face, torch.compile", "torch"),
        Contender(
            "hf-tensorflow",
            "Hugging Face, TensorFlow",
            "tensorflow",
            {"TF_USE_LEGACY_KERAS": "1"},
            own_interpreter=True,
        ),
        Contender(
            "kerashub",
            "KerasHub BART, TensorFlow",
            "tensorflow",
            _keras("tensorflow"),
        ),
        Contender(
            "kerashub-t5gemma2",
            "KerasHub T5Gemma 2, TensorFlow",
            "tensorflow",
            _keras("tensorflow"),
        ),
    )
}
