"""Contrastive search against a plain loop over the definition."""

import numpy as np
import pytest

from tests import peer
from tests.generation.pairs import documents
from tests.generation.pairs import models
from tests.generation.search.test_search import random_documents
from tests.generation.search.test_search import random_model


def softmax(scores):
    scores = np.exp(scores - scores.max())
    return scores / scores.sum()


def reference(read, start, alpha, count, length, ban=()):
    """One row of contrastive search, written as in the paper.

    Args:
        read: callable from a list of tokens to the logits after the last one
            and the last hidden state of each token.
    """
    tokens = list(start)
    while len(tokens) < length:
        logits, context = read(tokens)
        logits = logits.copy()
        logits[list(ban)] = -np.inf
        probability = softmax(logits)
        best, best_value = None, -np.inf
        for token in np.argsort(-probability, kind="stable")[:count]:
            _, hidden = read([*tokens, int(token)])
            new = hidden[-1] / np.linalg.norm(hidden[-1])
            norms = np.linalg.norm(context, axis=1)
            similarity = (context @ new / norms).max()
            value = (1 - alpha) * probability[token] - alpha * similarity
            if value > best_value:
                best, best_value = int(token), value
        tokens.append(best)
        if best == 2:
            break
    return tokens + [1] * (length - len(tokens))


@pytest.mark.parametrize("alpha", [0.3, 0.8])
def test_real_model(alpha):
    theirs, ours = models(seed=2, eos_bias=4.0, scale=1.0)
    inputs = documents(batch=2)
    output = ours.generate(
        **inputs,
        penalty_alpha=alpha,
        top_k=4,
        max_length=9,
        suppress_tokens=[34],
    )
    output = peer.to_numpy(output).astype(int).tolist()
    for row, found in enumerate(output):
        own = {name: value[row : row + 1] for name, value in inputs.items()}

        def read(tokens, own=own):
            result = peer.call_peer(
                theirs,
                **own,
                decoder_input_ids=np.array([tokens]),
                output_hidden_states=True,
            )
            logits = result.logits[0, -1].numpy()
            return logits, result.decoder_hidden_states[-1][0].numpy()

        expected = reference(read, [2], alpha, 4, 9, ban=[34])
        assert found == expected[: len(found)]


def test_without_a_penalty_it_is_greedy():
    """alpha -> 0 takes the most probable candidate."""
    model, ids = random_model(3), random_documents(3)
    options = {
        "max_length": 12,
        "global_attention_mask": np.zeros_like(ids),
    }
    greedy = model.generate(ids, **options)
    found = model.generate(ids, penalty_alpha=1e-6, top_k=3, **options)
    np.testing.assert_array_equal(peer.to_numpy(found), peer.to_numpy(greedy))


def test_there_are_no_more_candidates_than_tokens():
    model, ids = random_model(3), random_documents(3)
    options = {
        "max_length": 8,
        "global_attention_mask": np.zeros_like(ids),
        "penalty_alpha": 0.6,
    }
    size = model.config.vocab_size
    expected, found = (
        peer.to_numpy(model.generate(ids, top_k=count, **options))
        for count in (size, 1000 * size)
    )
    np.testing.assert_array_equal(found, expected)


def test_padding_of_the_prompt_is_no_context():
    model, ids = random_model(4), random_documents(4, batch=1)
    options = {
        "max_length": 8,
        "global_attention_mask": np.zeros_like(ids),
        "penalty_alpha": 0.9,
        "top_k": 4,
    }
    prompt = np.array([[2, 6, 5]])
    masked = model.generate(
        ids,
        decoder_input_ids=prompt,
        decoder_attention_mask=[[0, 0, 1]],
        **options,
    )
    # The fake model has no positions: without its masked tokens the text is
    # the same.
    options["max_length"] = 6
    short = model.generate(
        ids, decoder_input_ids=[[5]], decoder_start_token_id=5, **options
    )
    masked, short = peer.to_numpy(masked)[:, 2:], peer.to_numpy(short)
    np.testing.assert_array_equal(masked, short)


def test_the_scores_of_each_step():
    _, ours = models(seed=2, eos_bias=4.0, scale=1.0)
    inputs = documents(batch=2)
    options = {"penalty_alpha": 0.5, "top_k": 4, "max_length": 9}
    options["suppress_tokens"] = [34]
    plain = peer.to_numpy(ours.generate(**inputs, **options))
    found = ours.generate(
        **inputs,
        return_dict_in_generate=True,
        output_scores=True,
        output_logits=True,
        **options,
    )
    sequences = peer.to_numpy(found.sequences).astype("int32")
    np.testing.assert_array_equal(sequences, plain)
    assert len(found.scores) == len(found.logits) == plain.shape[1] - 1
    # The logits are those of the forward pass over the tokens so far.
    whole = ours(**inputs, decoder_input_ids=sequences[:, :-1])
    expected = peer.to_numpy(whole.logits)
    first = min(np.argmax(np.append(row[1:], 2) == 2) for row in sequences)
    for step in range(first + 1):
        logits = peer.to_numpy(found.logits[step]).copy()
        np.testing.assert_allclose(logits, expected[:, step], atol=1e-4)
        logits[:, 34] = -np.inf
        np.testing.assert_array_equal(peer.to_numpy(found.scores[step]), logits)
    with pytest.raises(ValueError, match="`penalty_alpha`.*output_attentions"):
        ours.generate(
            **inputs,
            return_dict_in_generate=True,
            output_attentions=True,
            **options,
        )
