"""A learning rate that rises in a line and falls in another."""

import keras


@keras.saving.register_keras_serializable(package="keras_led")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Up to the peak in a line, and down to 0 in another.

    Keras has decays in a line but no warm-up for them.

    Args:
        peak: float, highest learning rate.
        warmup_steps: int.
        steps: int, all steps.
    """

    def __init__(self, peak, warmup_steps, steps):
        super().__init__()
        self.peak = peak
        self.warmup_steps = warmup_steps
        self.steps = steps

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        up = step / max(self.warmup_steps, 1)
        down = (self.steps - step) / (self.steps - self.warmup_steps)
        return self.peak * keras.ops.clip(
            keras.ops.where(step < self.warmup_steps, up, down), 0.0, 1.0
        )

    def get_config(self):
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "steps": self.steps,
        }
