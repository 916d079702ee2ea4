"""Memory and messages of a document spread over devices, as compiled.

    export KERAS_BACKEND=jax
    export XLA_FLAGS=--xla_force_host_platform_device_count=8
    python -m benchmarks.sequence_parallel
    python -m benchmarks.sequence_parallel --tokens 65536

Nothing runs: XLA says of each program what memory a device needs for it, and
its text holds the messages between devices. So eight devices that one
processor stands for are as good as real ones. The third way, in which every
device asks for all keys, is no program of ours: its bytes are by formula.
"""

import argparse
import re

import keras
import numpy as np

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led.training import SequenceParallel

BYTES = {"f32": 4, "s32": 4, "u32": 4, "bf16": 2, "u8": 1, "pred": 1}
MESSAGE = re.compile(
    r"= (.*?) (collective-permute|all-gather|all-reduce|reduce-scatter|"
    r"all-to-all)(?:-start)?\("
)
# Of a sum over an axis of one device, which sends nothing.
ALONE = "replica_groups={{0},{1}"


def add_arguments(parser, tokens):
    """Adds the sizes to an `argparse` parser, so many tokens by default."""
    parser.add_argument("--tokens", type=int, default=tokens)
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument("--d-model", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--targets", type=int, default=16)


def make_model(options, layers):
    """A fresh model with a position table as long as the document."""
    keras.utils.set_random_seed(0)
    config = LEDConfig(
        vocab_size=512,
        d_model=options.d_model,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=options.d_model // 32,
        decoder_attention_heads=options.d_model // 32,
        encoder_ffn_dim=2 * options.d_model,
        decoder_ffn_dim=2 * options.d_model,
        max_encoder_position_embeddings=options.tokens,
        max_decoder_position_embeddings=64,
        attention_window=options.window,
        dropout=0.0,
        attention_dropout=0.0,
    )
    return LEDForConditionalGeneration(config, max_global_tokens=1)


def compile_program(model, options, training):
    """Compiles the encoder, or loss and gradients of a training step."""
    import jax

    trained, others = model.trainable_variables, model.non_trainable_variables
    inputs = {
        "input_ids": np.ones((1, options.tokens), "int32"),
        "attention_mask": np.ones((1, options.tokens), "int32"),
        "global_attention_mask": np.zeros((1, options.tokens), "int32"),
    }

    def encode(values, rest, inputs):
        mapping = zip([*trained, *others], [*values, *rest], strict=True)
        with keras.StatelessScope(state_mapping=list(mapping)):
            encoded = model.encode(**inputs, global_tokens_fit=True)
        return encoded.last_hidden_state

    def loss_of(values, rest, inputs):
        output, _ = model.stateless_call(values, rest, **inputs, training=True)
        return output.loss

    run = encode
    if training:
        run = jax.value_and_grad(loss_of)
        inputs["labels"] = np.ones((1, options.targets), "int32")
    values, rest = ([v.value for v in part] for part in (trained, others))
    # Gradients lie as the weights do, so that an optimizer could go on.
    kept = None
    if training:
        kept = (None, [x.sharding for x in values])
    run = jax.jit(run, out_shardings=kept)
    return run.lower(values, rest, inputs).compile()


def messages(compiled):
    """Kinds of messages of a program to how many and how many bytes."""
    found = {}
    for line in compiled.as_text().splitlines():
        match = MESSAGE.search(line)
        if match is None or ALONE in line:
            continue
        size = 0
        for dtype, sizes in re.findall(r"(\w+)\[([\d,]*)\]", match[1]):
            numbers = [int(n) for n in sizes.split(",") if n]
            size += BYTES[dtype] * int(np.prod(numbers, dtype=np.int64))
        count, total = found.get(match[2], (0, 0))
        found[match[2]] = count + 1, total + size
    return found


def report(name, compiled):
    """Prints what a device needs and what it is sent."""
    memory = compiled.memory_analysis()
    parts = [
        f"{count} {kind} of {size / 1e6:.3f} MB in all"
        for kind, (count, size) in messages(compiled).items()
    ]
    print(
        f"{name}: {memory.temp_size_in_bytes / 1e6:.0f} MB of temporaries, "
        f"{memory.argument_size_in_bytes / 1e6:.0f} MB of arguments; "
        f"{', '.join(parts) or 'no message'}",
        flush=True,
    )


def main():
    """Compiles the programs and prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser, tokens=262144)
    options = parser.parse_args()
    devices = len(keras.distribution.list_devices())
    mesh = keras.distribution.DeviceMesh((1, devices), ["data", "sequence"])
    spread = SequenceParallel(mesh)
    for training, what in ((False, "encoder"), (True, "step")):
        model = make_model(options, options.layers)
        report(f"1 device, {what}", compile_program(model, options, training))
        with spread.scope():
            # The difference of two programs is what one layer sends.
            for layers in (options.layers, options.layers + 1):
                model = make_model(options, layers)
                report(
                    f"{devices} devices, {layers} layers, {what}",
                    compile_program(model, options, training),
                )
    gathered = 2 * 4 * options.d_model * options.tokens
    print(f"all-gather of keys and values: {gathered / 1e6:.0f} MB a layer")


if __name__ == "__main__":
    main()
