"""Our models, on the backend that KERAS_BACKEND names."""

import keras
import numpy as np
from keras import ops

import keras_led
from benchmarks.shapes import GLOBAL_TOKENS
from benchmarks.shapes import config_of
from benchmarks.shapes import make_batch
from benchmarks.shapes import make_inputs
from benchmarks.subjects import Subject
from benchmarks.subjects import distance
from keras_led import backend

LEARNING_RATE = 1e-5


def versions():
    """Versions of Keras and of the backend, a dict."""
    name = keras.backend.backend()
    library = __import__(name)
    return {"keras": keras.__version__, name: library.__version__}


def make(cls, config, dtype, **options):
    """Makes a model with random weights, the same ones for the same dtype.

    Args:
        cls: class of the model.
        config: dict of arguments of `LEDConfig`.
        dtype: str, a dtype policy, or "int8" for float32 quantized after.
        **options: of the model.

    Returns:
        The model.
    """
    keras.utils.set_random_seed(0)
    policy = "float32" if dtype == "int8" else dtype
    model = cls(keras_led.LEDConfig(**config), dtype=policy, **options)
    if dtype == "int8":
        model.quantize("int8")
    return model


def compiled_encoder(model):
    """The encoder as one compiled function of the three arrays.

    As `generate` compiles it: the masks are read before, so that there are as
    many slots for global tokens as documents need.

    Args:
        model: the model.

    Returns:
        Function of a dict of tensors to hidden states.
    """

    def encode(inputs):
        outputs = model.encode(
            **inputs, max_global_tokens=GLOBAL_TOKENS, global_tokens_fit=True
        )
        return outputs.last_hidden_state

    return backend.jit(encode, model, recordable=True)


def tensors(case):
    """The encoder's inputs for a case, a dict of tensors."""
    arrays = make_inputs(case["tokens"], case.get("batch", 1))
    return {name: ops.convert_to_tensor(x) for name, x in arrays.items()}


def numbers(tensor):
    """A tensor of any dtype as a float32 array."""
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


def encoder(contender, case):
    """The encoder's forward pass.

    Args:
        contender: str, the backend.
        case: dict with "tokens", "batch", "layers", "positions", "dtype".

    Returns:
        `Subject`.
    """
    config = config_of(case["layers"], case["positions"])
    dtype = case["dtype"]
    model = make(keras_led.LEDModel, config, dtype)
    run, inputs = compiled_encoder(model), tensors(case)

    def error():
        # Only now, after the peak memory has been read.
        plain = make(keras_led.LEDModel, config, "float32")
        expected = numbers(compiled_encoder(plain)(inputs))
        if dtype == "int8":
            plain.quantize("int8")
            return distance(numbers(compiled_encoder(plain)(inputs)), expected)
        model.set_weights(plain.get_weights())
        return distance(numbers(run(inputs)), expected)

    return Subject(
        # Reading one number waits for the device.
        call=lambda: float(numbers(run(inputs)[0, -1, 0])),
        versions=versions(),
        error=None if dtype == "float32" else error,
    )


def generation(contender, case):
    """Encoder and decoding, timed apart.

    Args:
        contender: str, the backend.
        case: dict with "directory", "tokens", "new_tokens", "beams", "dtype".

    Returns:
        Pair of `Subject`: the encoder, whose call returns its output; and
        decoding, whose call takes that and returns ids.
    """
    dtype = case["dtype"]
    model = keras_led.LEDForConditionalGeneration.from_pretrained(
        case["directory"], dtype="float32" if dtype == "int8" else dtype
    )
    if dtype == "int8":
        model.quantize("int8")
    return generation_of(model, case)


def generation_of(model, case):
    """Encoder and decoding of a model, as `generation`.

    Args:
        model: `LEDForConditionalGeneration`.
        case: dict with "tokens", "new_tokens", "beams".

    Returns:
        Pair of `Subject`.
    """
    from keras_led.generation.inputs.arguments import read_request
    from keras_led.generation.loop.encode import encode

    arrays = make_inputs(case["tokens"])
    options = {
        "num_beams": case["beams"],
        "max_new_tokens": case["new_tokens"],
        "min_new_tokens": case["new_tokens"],
    }
    arguments = {**arrays, **options}
    request = read_request(model.config, model.generation_config, arguments)

    def run_encoder():
        inputs, outputs = encode(model, request)
        numbers(outputs.last_hidden_state[:, -1])  # waits for them
        # Lengths are rounded up before compiling, and the mask with them.
        return ops.convert_to_numpy(inputs["mask"]), outputs

    def decode(encoded):
        mask, outputs = encoded
        ids = model.generate(
            encoder_outputs=outputs,
            attention_mask=mask,
            **options,
        )
        return np.asarray(ops.convert_to_numpy(ids)).tolist()

    return Subject(run_encoder, versions()), Subject(decode, versions())


def training(contender, case):
    """A step of `fit`: forward, loss, backward, AdamW.

    Args:
        contender: str, the backend.
        case: dict with "tokens", "targets", "layers", "checkpointing",
            "dtype".

    Returns:
        `Subject`.
    """
    model = make(
        keras_led.LEDForConditionalGeneration,
        config_of(case["layers"]),
        case["dtype"],
    )
    if case["checkpointing"]:
        model.gradient_checkpointing_enable()
    return Subject(step_of(model, case), versions())


def step_of(model, case):
    """A step of training, a callable without arguments.

    Args:
        model: `LEDForConditionalGeneration`.
        case: dict with "tokens" and "targets".
    """
    model.compile(keras.optimizers.AdamW(LEARNING_RATE))
    batch = make_batch(case["tokens"], case["targets"])
    return lambda: float(model.train_on_batch(batch))
