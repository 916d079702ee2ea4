"""Hugging Face's LED on PyTorch, eager or through `torch.compile`."""

import torch
import transformers
from transformers.modeling_outputs import BaseModelOutput

from benchmarks.shapes import config_of
from benchmarks.shapes import make_batch
from benchmarks.shapes import make_inputs
from benchmarks.subjects import Subject
from benchmarks.subjects import distance

LEARNING_RATE = 1e-5
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def versions():
    """Versions of the libraries, a dict."""
    return {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def tensors(arrays):
    """A dict of arrays as tensors of the model's device."""
    return {
        name: torch.from_numpy(x).long().to(DEVICE)
        for name, x in arrays.items()
    }


def to_dtype(model, dtype):
    """Moves a model to the device, in a dtype; int8 it does not have."""
    if dtype not in ("float32", "bfloat16"):
        raise ValueError(
            "Hugging Face's LED is measured in float32 and bfloat16. "
            f"Received: dtype={dtype}."
        )
    return model.to(DEVICE, getattr(torch, dtype))


def encoder(contender, case):
    """The encoder's forward pass.

    Args:
        contender: str; "hf-compile" compiles.
        case: dict, as for `benchmarks.ours.encoder`.

    Returns:
        `Subject`.
    """
    torch.manual_seed(0)
    config = config_of(case["layers"], case["positions"])
    plain = transformers.LEDModel(transformers.LEDConfig(**config)).eval()
    model = to_dtype(plain, case["dtype"]).get_encoder()
    run = torch.compile(model) if contender == "hf-compile" else model
    inputs = tensors(make_inputs(case["tokens"], case["batch"]))

    def hidden(function):
        with torch.inference_mode():
            return function(**inputs).last_hidden_state

    def error():
        torch.manual_seed(0)
        same = transformers.LEDModel(transformers.LEDConfig(**config)).eval()
        expected = hidden(same.to(DEVICE).get_encoder()).cpu().numpy()
        return distance(hidden(run).float().cpu().numpy(), expected)

    return Subject(
        call=lambda: float(hidden(run)[0, -1, 0]),
        versions=versions(),
        error=None if case["dtype"] == "float32" else error,
    )


def generation(contender, case):
    """Encoder and decoding, timed apart.

    Args:
        contender: str; "hf-compile" compiles the model's forward pass.
        case: dict, as for `benchmarks.ours.generation`.

    Returns:
        Pair of `Subject`, as for ours.
    """
    model = transformers.LEDForConditionalGeneration.from_pretrained(
        case["directory"]
    ).eval()
    model = to_dtype(model, case["dtype"])
    if contender == "hf-compile":
        model.forward = torch.compile(model.forward)
    arrays = tensors(make_inputs(case["tokens"]))

    def run_encoder():
        with torch.no_grad():
            outputs = model.get_encoder()(**arrays)
        float(outputs.last_hidden_state[0, -1, 0])
        return outputs

    def decode(outputs):
        # `generate` repeats the hidden states in the caller's object.
        own = BaseModelOutput(outputs.last_hidden_state.clone())
        with torch.no_grad():
            return model.generate(
                encoder_outputs=own,
                attention_mask=arrays["attention_mask"],
                num_beams=case["beams"],
                max_new_tokens=case["new_tokens"],
                min_new_tokens=case["new_tokens"],
            ).tolist()

    return Subject(run_encoder, versions()), Subject(decode, versions())


def training(contender, case):
    """A step: forward, loss, backward, AdamW.

    Args:
        contender: str; "hf-compile" compiles.
        case: dict, as for `benchmarks.ours.training`; "mixed_bfloat16" is
            autocast.

    Returns:
        `Subject`.
    """
    config = transformers.LEDConfig(**config_of(case["layers"]))
    model = transformers.LEDForConditionalGeneration(config).train().to(DEVICE)
    if case["checkpointing"]:
        model.gradient_checkpointing_enable()
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE)
    batch = tensors(make_batch(case["tokens"], case["targets"]))
    run = torch.compile(model) if contender == "hf-compile" else model
    mixed = case["dtype"] == "mixed_bfloat16"

    def step():
        optimizer.zero_grad()
        with torch.autocast(DEVICE, torch.bfloat16, enabled=mixed):
            loss = run(**batch).loss
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return Subject(step, versions())
