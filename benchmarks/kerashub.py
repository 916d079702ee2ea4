"""KerasHub's own encoders of base shape: what Keras does without LED.

BART reads 1,024 tokens. Up to there its encoder does the work of ours with a
window that holds the whole document, so its row shows whether our layers cost
more than Keras' own. Beyond, T5Gemma 2 is the sequence-to-sequence model of
KerasHub that reads the longest documents: its attention has a window of the
same width, but as a mask over scores of the length squared.
"""

import keras
import keras_hub
from keras import ops

from benchmarks.shapes import config_of
from benchmarks.shapes import make_inputs
from benchmarks.subjects import Subject

LONGEST = 1024


def encoder(contender, case):
    """The encoder's forward pass as one compiled function.

    Args:
        contender: str, "kerashub" or "kerashub-t5gemma2".
        case: dict, as for `benchmarks.ours.encoder`.

    Returns:
        `Subject`.
    """
    keras.utils.set_random_seed(0)
    make = _bart if contender == "kerashub" else _t5gemma2
    backbone = make(case, config_of(case["layers"]))
    names = "encoder_token_ids", "encoder_padding_mask"
    layers = [backbone.get_layer(name).output for name in names]
    hidden = backbone.output["encoder_sequence_output"]
    model = keras.Model(dict(zip(names, layers, strict=True)), hidden)
    arrays = make_inputs(case["tokens"], case["batch"])
    arrays = arrays["input_ids"], arrays["attention_mask"]
    inputs = dict(zip(names, map(ops.convert_to_tensor, arrays), strict=True))

    import tensorflow as tf

    run = tf.function(lambda inputs: model(inputs, training=False))
    return Subject(
        lambda: float(ops.cast(run(inputs)[0, -1, 0], "float32")),
        {
            "keras_hub": keras_hub.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
    )


def _bart(case, config):
    if case["tokens"] > LONGEST:
        raise ValueError(
            f"BART reads {LONGEST} tokens. Received: tokens={case['tokens']}."
        )
    return keras_hub.models.BartBackbone(
        vocabulary_size=config["vocab_size"],
        num_layers=config["encoder_layers"],
        num_heads=config["encoder_attention_heads"],
        hidden_dim=config["d_model"],
        intermediate_dim=config["encoder_ffn_dim"],
        max_sequence_length=LONGEST,
        dtype=case["dtype"],
    )


def _t5gemma2(case, config):
    layers, heads = config["encoder_layers"], config["encoder_attention_heads"]
    sizes = {
        "hidden_dim": config["d_model"],
        # Three matrices of it have the weights of two of LED's.
        "intermediate_dim": config["encoder_ffn_dim"] * 2 // 3,
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "head_dim": config["d_model"] // heads,
    }
    encoder = {f"encoder_{name}": size for name, size in sizes.items()}
    # Of the decoder, which does not run, one layer.
    decoder = {f"decoder_{name}": size for name, size in sizes.items()}
    return keras_hub.models.T5Gemma2Backbone(
        vocabulary_size=config["vocab_size"],
        encoder_num_layers=layers,
        encoder_layer_types=["sliding_attention"] * layers,
        decoder_num_layers=1,
        decoder_layer_types=["sliding_attention"],
        sliding_window=config["attention_window"][0],
        dtype=case["dtype"],
        **encoder,
        **decoder,
    )
