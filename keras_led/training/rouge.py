"""ROUGE: how many words of a reference a summary shares."""

from collections.abc import Iterable
from types import ModuleType

from keras_led.argument_checks import check_list

ROUGE_TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")


def rouge_scores(
    predictions: list[str],
    references: list[str],
    use_stemmer: bool = True,
    types: Iterable[str] = ROUGE_TYPES,
) -> dict[str, float]:
    """Mean ROUGE F1 of summaries against their references.

    Args:
        predictions: list of str.
        references: list of str, as many.
        use_stemmer: bool, whether "summaries" and "summary" are one word.
        types: names of `rouge_score`; "rougeLsum" takes each line of a text
            for a sentence.

    Returns:
        Dict from each type to a float in percent, 0 to 100.

    Raises:
        ImportError: If `rouge-score` is not installed.
        TypeError: If one of the lists is a str.
        ValueError: If the numbers of texts differ, or there is none.
    """
    predictions = check_list("predictions", predictions, "str")
    references = check_list("references", references, "str")
    types = check_list("types", types, "str")
    if len(predictions) != len(references) or not references:
        raise ValueError(
            "`predictions` must be as many as `references`, and at least one. "
            f"Received: {len(predictions)} and {len(references)}."
        )
    scorer = require_rouge().RougeScorer(types, use_stemmer=use_stemmer)
    totals = dict.fromkeys(types, 0.0)
    for prediction, reference in zip(predictions, references, strict=True):
        for name, score in scorer.score(reference, prediction).items():
            totals[name] += score.fmeasure
    return {name: 100 * s / len(references) for name, s in totals.items()}


def require_rouge() -> ModuleType:
    """Imports `rouge_score.rouge_scorer`, or says how to install it."""
    try:
        from rouge_score import rouge_scorer
    except ImportError as error:
        raise ImportError(
            "ROUGE needs the package rouge-score, which is not installed. "
            'Install it with: pip install "keras-led[rouge]".'
        ) from error
    return rouge_scorer
