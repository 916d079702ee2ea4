"""Makes the golden files of what `transformers` 5 no longer has.

Run from the repository root, in the environment that README.md describes:

    python -m tests.golden.make_goldens
"""

import pathlib
import shutil
import tempfile

import numpy as np
import transformers

from tests import peer
from tests.golden.files import write_golden

HERE = pathlib.Path(__file__).parent
EOS = 2


def weights_of(model):
    """The drawn weights of a PyTorch model, aliases left out."""
    return {
        name: value.numpy()
        for name, value in model.state_dict().items()
        if not peer.is_alias(name, model.config)
    }


def run(model, **inputs):
    """One case of a PyTorch model: its inputs and its output fields."""
    outputs = peer.peer_fields(peer.call_peer(model, **inputs))
    outputs.pop("past_key_values", None)
    return {"inputs": inputs, "outputs": outputs}


def sentences(batch, length, seed):
    """Ids with two `</s>` a row, at places that differ between the rows."""
    ids = peer.token_ids(batch, length, seed)
    for row in range(batch):
        ids[row, 1 + row] = EOS
        ids[row, length - 2 - 2 * row] = EOS
    return ids


def classification():
    """Logits and losses of LEDForSequenceClassification, each problem type."""
    name = "LEDForSequenceClassification"
    batch, length = 3, 11
    random = np.random.default_rng(1)
    inputs = {
        "input_ids": sentences(batch, length, 2),
        "attention_mask": peer.padding_mask("right", batch, length),
        "global_attention_mask": peer.global_mask("mixed", batch, length),
    }
    labels = {
        "single_label_classification": np.array([2, 0, 1], "int32"),
        "multi_label_classification": random.integers(0, 2, (3, 3)).astype(
            "float32"
        ),
        "regression": random.standard_normal((3, 3)).astype("float32"),
    }
    cases = {}
    for problem, target in labels.items():
        for declared in (problem, None):
            if problem == "regression" and declared is None:
                continue  # float labels of several columns mean multi-label
            model = peer.build(name, 3, num_labels=3, problem_type=declared)
            case = run(model, **inputs, labels=target)
            case["inputs"]["problem_type"] = declared
            kept = ("loss", "logits", "encoder_last_hidden_state")
            case["outputs"] = {key: case["outputs"][key] for key in kept}
            cases[f"{problem}-{'declared' if declared else 'inferred'}"] = case
    model = peer.build(name, 3, num_labels=3)
    cases["decoder_input_ids"] = run(
        model, **inputs, decoder_input_ids=peer.token_ids(batch, length, 4)
    )
    config = {**peer.TINY, "num_labels": 3}
    write_golden(HERE / "classification.npz", config, weights_of(model), cases)

    model = peer.build(name, 3, num_labels=1)
    cases = {
        "scores": run(
            model, **inputs, labels=random.standard_normal(3).astype("float32")
        )
    }
    config = {**peer.TINY, "num_labels": 1}
    write_golden(
        HERE / "classification_one_label.npz", config, weights_of(model), cases
    )


def head_masks():
    """Outputs and attentions of LEDModel under each head mask and all three."""
    model = peer.build("LEDModel", 5, attention_window=[4, 6])
    config, batch, length, targets = model.config, 3, 10, 7
    random = np.random.default_rng(6)

    def mask(layers, heads):
        values = random.integers(0, 2, (layers, heads)).astype("float32")
        values[0, 0], values[-1, -1] = 0.0, 0.5  # parts are allowed too
        return values

    inputs = {
        "input_ids": peer.token_ids(batch, length, 7),
        "attention_mask": peer.padding_mask("right", batch, length),
        "global_attention_mask": peer.global_mask("mixed", batch, length),
        "decoder_input_ids": peer.token_ids(batch, targets, 8),
        "output_attentions": True,
    }
    encoder = config.encoder_layers, config.encoder_attention_heads
    decoder = config.decoder_layers, config.decoder_attention_heads
    masks = {
        "head_mask": mask(*encoder),
        "decoder_head_mask": mask(*decoder),
        "cross_attn_head_mask": mask(*decoder),
    }
    cases = {"all": run(model, **inputs, **masks)}
    for name, values in masks.items():
        case = run(model, **inputs, **{name: values})
        del case["outputs"]["encoder_attentions"]
        cases[name] = case
    changes = {"attention_window": [4, 6]}
    write_golden(
        HERE / "head_masks.npz",
        {**peer.TINY, **changes},
        weights_of(model),
        cases,
    )


def to_tensorflow(model, class_name):
    """The TensorFlow model with the weights of a PyTorch model."""
    with tempfile.TemporaryDirectory() as directory:
        model.save_pretrained(directory, safe_serialization=False)
        return getattr(transformers, class_name).from_pretrained(
            directory, from_pt=True
        )


def run_tensorflow(model, **inputs):
    """One case of a TensorFlow model, with field names and tuple layout."""
    given = {key: value for key, value in inputs.items() if value is not None}
    result = model(**given)
    as_tuple = model(**given, return_dict=False)
    outputs = {name: peer.to_numpy(value) for name, value in result.items()}
    outputs["tuple_length"] = len(as_tuple)
    return {"inputs": given, "outputs": outputs}


def tensorflow_cases(model, batch, length):
    """Cases of TFLEDForConditionalGeneration: masks, outputs, cache, loss."""
    ids = peer.token_ids(batch, length, 9)
    decoder = peer.token_ids(batch, 6, 10)
    masks = {
        "attention_mask": peer.padding_mask("right", batch, length),
        "global_attention_mask": peer.global_mask("mixed", batch, length),
    }
    common = {"input_ids": ids, "decoder_input_ids": decoder}
    cases = {
        "no_masks": run_tensorflow(model, **common),
        "masks": run_tensorflow(
            model, **common, **masks, output_attentions=True
        ),
        "hidden_states": run_tensorflow(
            model, **common, **masks, output_hidden_states=True, use_cache=False
        ),
    }
    past = model(**common, **masks, use_cache=True).past_key_values
    step = {"decoder_input_ids": peer.token_ids(batch, 1, 11)}
    after = model(input_ids=ids, **masks, **step, past_key_values=past)
    cases["cached_step"] = {
        "inputs": {
            **common,
            **masks,
            "next_decoder_input_ids": step["decoder_input_ids"],
        },
        "outputs": {
            "logits": after.logits.numpy(),
            "past_key_values": peer.to_numpy(past),
        },
    }
    labels = peer.token_ids(batch, 6, 12)
    cases["loss"] = run_tensorflow(model, input_ids=ids, **masks, labels=labels)
    labels = labels.copy()
    labels[0, 3:] = 1
    cases["loss_with_pads"] = run_tensorflow(
        model, input_ids=ids, **masks, labels=labels
    )
    return cases


def tensorflow():
    """Forward values, fields, cache and losses of the TensorFlow classes."""
    changes = {"decoder_layers": 1, "attention_window": [8, 4]}
    model = peer.build("LEDForConditionalGeneration", 13, **changes)
    cases = tensorflow_cases(
        to_tensorflow(model, "TFLEDForConditionalGeneration"), 2, 11
    )
    write_golden(
        HERE / "tensorflow.npz",
        {**peer.TINY, **changes},
        weights_of(model),
        cases,
    )

    # PyTorch's LED crashes with a window of two tokens, TensorFlow's does not.
    changes = {"decoder_layers": 1, "attention_window": [2, 4]}
    model = peer.build("LEDModel", 14, **changes)
    other = to_tensorflow(model, "TFLEDModel")
    inputs = {
        "input_ids": peer.token_ids(3, 9, 15),
        "attention_mask": peer.padding_mask("right", 3, 9),
        "decoder_input_ids": peer.token_ids(3, 4, 16),
        "output_attentions": True,
    }
    cases = {
        kind: run_tensorflow(
            other, **inputs, global_attention_mask=peer.global_mask(kind, 3, 9)
        )
        for kind in ("absent", "first", "mixed")
    }
    for case in cases.values():
        del case["outputs"]["past_key_values"]
    write_golden(
        HERE / "tensorflow_window_two.npz",
        {**peer.TINY, **changes},
        weights_of(model),
        cases,
    )


def tensorflow_checkpoints():
    """Checkpoint directories as `save_pretrained` of TensorFlow wrote them."""
    small = {
        "vocab_size": 19,
        "d_model": 12,
        "encoder_ffn_dim": 10,
        "decoder_ffn_dim": 14,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "max_encoder_position_embeddings": 16,
        "max_decoder_position_embeddings": 9,
    }
    home = HERE / "tensorflow_checkpoints"
    shutil.rmtree(home, ignore_errors=True)
    model = peer.build("LEDForConditionalGeneration", 17, **small)
    other = to_tensorflow(model, "TFLEDForConditionalGeneration")
    other.save_pretrained(home / "h5")
    other.save_pretrained(home / "sharded", max_shard_size="12KB")
    other.save_pretrained(home / "safetensors", safe_serialization=True)
    bare = to_tensorflow(model.led, "TFLEDModel")
    bare.save_pretrained(home / "bare")
    inputs = {
        "input_ids": peer.token_ids(2, 7, 18, small["vocab_size"]),
        "global_attention_mask": peer.global_mask("mixed", 2, 7),
        "decoder_input_ids": peer.token_ids(2, 5, 19, small["vocab_size"]),
    }
    outputs = {"logits": other(**inputs).logits.numpy()}
    np.testing.assert_allclose(
        outputs["logits"],
        peer.call_peer(model, **inputs).logits.numpy(),
        atol=1e-4,
    )
    write_golden(
        home / "expected.npz",
        {**peer.TINY, **small},
        weights_of(model),
        {"forward": {"inputs": inputs, "outputs": outputs}},
    )


def main():
    """Makes all golden files beside this script."""
    classification()
    head_masks()
    tensorflow()
    tensorflow_checkpoints()
    for path in sorted(HERE.rglob("*")):
        if path.is_file() and path.suffix in {".npz", ".h5", ".safetensors"}:
            print(f"{path.relative_to(HERE)}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
