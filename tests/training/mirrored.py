"""Prints how far steps of two replicas are from those of one device."""

import keras
import numpy as np
import tensorflow as tf  # noqa: TID253

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration

(PROCESSOR,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(
    PROCESSOR, [tf.config.LogicalDeviceConfiguration()] * 2
)


def steps(strategy, make_optimizer):
    """The changes of all weights in two steps, and the second loss."""
    keras.utils.set_random_seed(2)
    with strategy.scope():
        model = LEDForConditionalGeneration(
            LEDConfig(
                vocab_size=60,
                d_model=16,
                encoder_layers=1,
                decoder_layers=1,
                encoder_attention_heads=2,
                decoder_attention_heads=2,
                encoder_ffn_dim=32,
                decoder_ffn_dim=32,
                attention_window=16,
                max_encoder_position_embeddings=48,
                max_decoder_position_embeddings=16,
                init_std=0.2,
                dropout=0.0,
                attention_dropout=0.0,
            )
        )
        model.compile(make_optimizer())
    random = np.random.default_rng(0)
    ids = random.integers(5, 60, (4, 32)).astype("int32")
    labels = random.integers(5, 60, (4, 8)).astype("int32")
    labels[0, 2:] = -100  # replicas with unequal numbers of labels
    labels[1, 7:] = -100
    mask = np.zeros_like(ids)
    mask[:, 0] = 1
    before = [variable.numpy() for variable in model.trainable_variables]
    history = model.fit(
        {"input_ids": ids, "global_attention_mask": mask},
        labels,
        batch_size=4,
        epochs=2,
        shuffle=False,
        verbose=0,
    )
    after = [variable.numpy() for variable in model.trainable_variables]
    changes = [new - old for new, old in zip(after, before, strict=True)]
    return changes, history.history["loss"][-1]


def main():
    devices = [each.name for each in tf.config.list_logical_devices("CPU")]
    mirrored = tf.distribute.MirroredStrategy(devices)
    # Adam hides a factor of all gradients, and shows parts not added up. The
    # large epsilon keeps it from making much of rounding.
    for make in (
        lambda: keras.optimizers.SGD(1.0),
        lambda: keras.optimizers.Adam(0.01, epsilon=1e-3),
    ):
        two, loss_of_two = steps(mirrored, make)
        one, loss_of_one = steps(tf.distribute.get_strategy(), make)
        gaps = [abs(a - b).max() for a, b in zip(two, one, strict=True)]
        print(  # noqa: T201
            len(devices),
            float(max(abs(change).max() for change in one)),
            float(max(gaps)),
            abs(loss_of_two - loss_of_one),
        )


if __name__ == "__main__":
    main()
