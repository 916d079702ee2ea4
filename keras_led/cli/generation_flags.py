"""The flags of every command that generates, named as in `generate`."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated
from typing import Any

import typer

from keras_led.cli.shared_options import show_parameters
from keras_led.typing import GeneratingLED


def _flag(kind, help, **limits):
    option = typer.Option(
        help=help,
        metavar={int: "N", float: "X"}.get(kind),
        rich_help_panel="Generation",
        show_default=False,
        **limits,
    )
    return Annotated[kind | None, option]


FLAGS = {
    "max_new_tokens": _flag(int, "Longest summary, in tokens.", min=1),
    "min_new_tokens": _flag(int, "Shortest summary, in tokens.", min=0),
    "num_beams": _flag(int, "Beams; 1 is greedy.", min=1),
    "length_penalty": _flag(
        float, "Above 0 favors long summaries among beams, below 0 short."
    ),
    "early_stopping": _flag(
        bool, "End as soon as there are as many summaries as beams."
    ),
    "no_repeat_ngram_size": _flag(
        int, "Never write the same n tokens twice; 0 for no rule.", min=0
    ),
    "encoder_no_repeat_ngram_size": _flag(
        int, "Never write n tokens of the document; 0 for no rule.", min=0
    ),
    "repetition_penalty": _flag(
        float, "Above 1 makes tokens less likely that are there already."
    ),
    "do_sample": _flag(bool, "Draw the tokens instead of the likeliest."),
    "temperature": _flag(float, "Of the draw; below 1 is closer to greedy."),
    "top_k": _flag(int, "Draw from the k likeliest tokens; 0 for all.", min=0),
    "top_p": _flag(float, "Draw from tokens that have this probability."),
}

# Flags that change nothing unless another one is on, with their neutral value.
_OF_SAMPLING = {"temperature": 1.0, "top_k": 0, "top_p": 1.0}
_OF_BEAMS = {"length_penalty": 1.0, "early_stopping": False}


def generation_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `FLAGS` to a command, ahead of `--backend` and `--debug`.

    Args:
        command: Function with the keyword argument `generation`.

    Returns:
        Function with the flags in its place; `command` gets a dict of those
        that were given.
    """
    signature = inspect.signature(command)
    added = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind
        )
        for name, kind in FLAGS.items()
    ]
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in signature.parameters.values()
    ]
    place = [parameter.name for parameter in own].index("generation")
    parameters = [*own[:place], *added, *own[place + 1 :]]

    @functools.wraps(command)
    def with_dict(**values):
        given = {name: values.pop(name, None) for name in FLAGS}
        given = {name: v for name, v in given.items() if v is not None}
        return command(**values, generation=given)

    show_parameters(with_dict, parameters)
    return with_dict


def check_effect(generation: dict[str, Any], model: GeneratingLED) -> None:
    """Refuses flags that would be ignored.

    Args:
        generation: dict of the flags that were given.
        model: LED model whose `generation_config` says the rest.

    Raises:
        ValueError: If a flag of sampling is given without sampling, or a flag
            of beam search without beams.
    """
    neutral = _OF_SAMPLING | _OF_BEAMS
    given = {k: v for k, v in generation.items() if v != neutral.get(k, v)}
    if not given:
        return
    options = model.generation_config.resolve(**generation)
    needs = {}
    # Contrastive search takes `top_k` too.
    if not (options["do_sample"] or options["penalty_alpha"]):
        needs |= dict.fromkeys(_OF_SAMPLING, "--do-sample")
    if options["num_beams"] == 1:
        needs |= dict.fromkeys(_OF_BEAMS, "--num-beams above 1")
    for name in given.keys() & needs:
        flag = "--" + name.replace("_", "-")
        raise ValueError(
            f"`{flag}` changes nothing without {needs[name]}. Received: "
            f"{flag} {given[name]} alone. Add {needs[name]}, or leave it out."
        )
