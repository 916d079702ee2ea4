"""The arguments that editors show are those that `generate` takes."""

import re

import pytest

from keras_led import LEDForConditionalGeneration
from keras_led.generation.inputs.arguments import CALL_ARGUMENTS
from keras_led.generation.inputs.arguments import MODEL_ARGUMENTS
from keras_led.generation.options.generation_config import FIELDS
from keras_led.generation.options.keywords import GenerateArguments
from keras_led.generation.options.keywords import GenerationOptions
from keras_led.generation.options.keywords import SummarizeOptions
from keras_led.generation.options.keywords import TFGenerateArguments

TAKEN = {*FIELDS, *MODEL_ARGUMENTS, *CALL_ARGUMENTS, "inputs"}


def test_generate_shows_every_argument_that_it_takes():
    shown = set(GenerateArguments.__annotations__)
    assert shown | {"input_ids"} == TAKEN


def test_the_options_are_those_of_the_config_in_its_order():
    assert tuple(GenerationOptions.__annotations__) == FIELDS


def test_tensorflow_shows_the_same():
    named = {"inputs", "generation_config", "logits_processor", "seed"}
    assert set(TFGenerateArguments.__annotations__) | named == TAKEN


@pytest.mark.parametrize("name", sorted(TAKEN))
def test_the_docstring_says_what_an_argument_means(name):
    text = LEDForConditionalGeneration.generate.__doc__
    assert re.search(rf"`{name}`|^ +{name}: ", text, re.M)


def test_summarize_hands_on_no_argument_of_its_own():
    assert set(SummarizeOptions.__annotations__) < TAKEN
