"""Times beam search beside Hugging Face PyTorch, the same weights in both.

    python benchmarks/generation.py --lengths 4096 16384

Each measurement runs in a process of its own, so that its peak memory is its
own. The model has the shape of led-base-16384 and random weights; the end
token is held back, so that both write all the tokens. Decoding is timed apart
from the encoder: it begins with the encoder's output, and so includes the
projection of the document to keys and values.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

SIZES = {
    "vocab_size": 50265,
    "d_model": 768,
    "encoder_layers": 6,
    "decoder_layers": 6,
    "encoder_attention_heads": 12,
    "decoder_attention_heads": 12,
    "encoder_ffn_dim": 3072,
    "decoder_ffn_dim": 3072,
    "max_encoder_position_embeddings": 16384,
    "max_decoder_position_embeddings": 1024,
    "attention_window": 1024,
}


def parse():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=[4096])
    parser.add_argument("--beams", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer-repeats", type=int, default=1)
    parser.add_argument(
        "--backends", nargs="+", default=["tensorflow", "jax", "torch"]
    )
    parser.add_argument("--no-peer", action="store_true")
    # Of the processes that measure:
    parser.add_argument("--measure", choices=["ours", "peer", "save"])
    parser.add_argument("--directory")
    return parser.parse_args()


def main():
    """Measures in this process, or compares in others."""
    chosen = parse()
    if chosen.measure == "save":
        save(chosen.directory)
    elif chosen.measure:
        measure = measure_ours if chosen.measure == "ours" else measure_peer
        print(json.dumps(measure(chosen, chosen.lengths[0])))
    else:
        compare(chosen)


def compare(chosen):
    """Runs every measurement in a process of its own; prints a table."""
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} "
        f"cores; {chosen.beams} beams, {chosen.tokens} new tokens, float32; "
        f"median of {chosen.repeats} (peer: {chosen.peer_repeats}) after one "
        "warm-up each"
    )
    with tempfile.TemporaryDirectory() as directory:
        run(chosen, "save", directory, 0, "torch")
        for length in chosen.lengths:
            peer = None
            if not chosen.no_peer:
                peer = run(chosen, "peer", directory, length, "torch")
                show(length, peer, peer)
            for backend in chosen.backends:
                ours = run(chosen, "ours", directory, length, backend)
                show(length, ours, peer)


def run(chosen, measure, directory, length, backend):
    """Runs this script once more, for one measurement."""
    command = [sys.executable, __file__, "--measure", measure]
    command += ["--directory", directory, "--lengths", str(length)]
    for name in ("beams", "tokens", "repeats", "peer_repeats"):
        option = "--" + name.replace("_", "-")
        command += [option, str(getattr(chosen, name))]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    environment["PYTHONPATH"] = os.pathsep.join(
        [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
        + ([os.environ["PYTHONPATH"]] if "PYTHONPATH" in os.environ else [])
    )
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    result = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(result.stdout.splitlines()[-1]) if length else None


def show(length, found, peer):
    """Prints one line of the table."""
    line = (
        f"{length:6d} tokens  {found['name']:34s} encoder "
        f"{found['encoder']:7.2f} s  decoding {found['decoding']:7.2f} s  "
        f"(first call {found['first']:.1f} s)  peak {found['peak']:6.2f} GB"
    )
    if peer is not None and peer is not found:
        same = "the same" if found["ids"] == peer["ids"] else "OTHER"
        line += (
            f"  decoding {peer['decoding'] / found['decoding']:5.1f} x faster,"
            f" memory {found['peak'] / peer['peak']:.2f} x, {same} tokens"
        )
    print(line, flush=True)


def save(directory):
    """Writes the random model as a Hugging Face directory."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.LEDConfig(**SIZES, init_std=0.05)
    model = transformers.LEDForConditionalGeneration(config)
    model.save_pretrained(directory)


def inputs(length):
    """Random documents, global attention on the first token."""
    import numpy as np

    ids = np.random.default_rng(0).integers(5, SIZES["vocab_size"], (1, length))
    mask = np.zeros_like(ids)
    mask[:, 0] = 1
    return {
        "input_ids": ids.astype("int32"),
        "attention_mask": np.ones_like(ids),
        "global_attention_mask": mask,
    }


def timed(function, repeats):
    """First call and median of the others, in seconds, and the result."""
    begin = time.perf_counter()
    result = function()
    first = time.perf_counter() - begin
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - begin)
    return first, statistics.median(times), result


def peak():
    """Largest resident memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def options(chosen):
    """Options of `generate`: a fixed number of tokens."""
    return {
        "num_beams": chosen.beams,
        "max_new_tokens": chosen.tokens,
        "min_new_tokens": chosen.tokens,
    }


def measure_ours(chosen, length):
    """Times keras_led on the backend that KERAS_BACKEND names."""
    import keras
    import numpy as np
    from keras import ops

    import keras_led
    from keras_led.generation.encoding import encode
    from keras_led.generation.request import read_request

    model = keras_led.LEDForConditionalGeneration.from_pretrained(
        chosen.directory
    )
    arguments = {**inputs(length), **options(chosen)}
    request = read_request(model.config, model.generation_config, arguments)

    def run_encoder():
        _, outputs = encode(model, request)
        # Reading the numbers waits for them.
        ops.convert_to_numpy(outputs.last_hidden_state[:, -1])
        return outputs

    _, encoder, outputs = timed(run_encoder, 1)
    given = {name: arguments[name] for name in ("attention_mask",)}

    def decode():
        return ops.convert_to_numpy(
            model.generate(encoder_outputs=outputs, **given, **options(chosen))
        )

    first, decoding, ids = timed(decode, chosen.repeats)
    backend = keras.backend.backend()
    version = __import__(backend).__version__
    return {
        "name": f"keras_led, {backend} {version}",
        "encoder": encoder,
        "decoding": decoding,
        "first": first,
        "peak": peak(),
        "ids": np.asarray(ids).tolist(),
    }


def measure_peer(chosen, length):
    """Times transformers on PyTorch."""
    import torch
    import transformers
    from transformers.modeling_outputs import BaseModelOutput

    model = transformers.LEDForConditionalGeneration.from_pretrained(
        chosen.directory
    ).eval()
    arrays = {k: torch.from_numpy(v).long() for k, v in inputs(length).items()}
    with torch.no_grad():
        _, encoder, outputs = timed(lambda: model.get_encoder()(**arrays), 1)

        def decode():
            # `generate` repeats the hidden states in the caller's object.
            own = BaseModelOutput(outputs.last_hidden_state.clone())
            return model.generate(
                encoder_outputs=own,
                attention_mask=arrays["attention_mask"],
                **options(chosen),
            ).numpy()

        first, decoding, ids = timed(decode, chosen.peer_repeats)
    return {
        "name": f"transformers {transformers.__version__}, PyTorch",
        "encoder": encoder,
        "decoding": decoding,
        "first": first,
        "peak": peak(),
        "ids": ids.tolist(),
    }


if __name__ == "__main__":
    main()
