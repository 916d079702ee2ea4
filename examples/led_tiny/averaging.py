"""Weights between those before and those after a stage of training.

Training on new forms of text costs some of what a model could do before. The
weights on the line between both keep most of either.

Source: Wortsman et al., 2022, "Robust fine-tuning of zero-shot models",
https://arxiv.org/abs/2109.01903, section 3.
"""

from keras import ops

from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer


def write(before, after, target, share):
    """Writes a checkpoint of mean weights.

    Args:
        before: path of a checkpoint, whose config stays; likewise
        after: path.
        target: path of the folder to write.
        share: float, 0 to 1, what the weights of `after` count.
    """
    model = LEDForConditionalGeneration.from_pretrained(before)
    other = LEDForConditionalGeneration.from_pretrained(after)
    for variable, new in zip(model.weights, other.weights, strict=True):
        mean = (1 - share) * ops.convert_to_numpy(variable)
        variable.assign(mean + share * ops.convert_to_numpy(new))
    model.save_pretrained(target)
    LEDTokenizer.from_pretrained(before).save_pretrained(target)
