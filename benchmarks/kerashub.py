"""KerasHub's BART of base shape: what Keras does without a window.

BART reads 1,024 tokens. Up to there its encoder does the work of ours with a
window that holds the whole document, so its row shows whether our layers cost
more than Keras' own.
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
        contender: str.
        case: dict, as for `benchmarks.ours.encoder`.

    Returns:
        `Subject`.
    """
    config = config_of(case["layers"])
    if case["tokens"] > LONGEST:
        raise ValueError(
            f"BART reads {LONGEST} tokens. Received: tokens={case['tokens']}."
        )
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.BartBackbone(
        vocabulary_size=config["vocab_size"],
        num_layers=config["encoder_layers"],
        num_heads=config["encoder_attention_heads"],
        hidden_dim=config["d_model"],
        intermediate_dim=config["encoder_ffn_dim"],
        max_sequence_length=LONGEST,
        dtype=case["dtype"],
    )
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
