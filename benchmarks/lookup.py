"""Counts decoder passes of prompt look-up on real pages.

    python benchmarks/lookup.py
    python benchmarks/lookup.py --model runs/manual-pages

Greedy search runs the decoder once a token; prompt look-up guesses tokens from
the document and runs it less often. How much less depends on how much the
summary copies, so it is counted on real text: with `--model`, on what that
model writes; without, on what the pages' own authors wrote, by a stand-in for
a model that writes exactly that. Counts, not seconds: a pass over a draft of
ten tokens costs about as much as one over a single token, as both read all
the weights and the document's keys once.
"""

import argparse
import json
from pathlib import Path
from typing import Any
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led.generation import GenerationMixin
from keras_led.generation.inputs.arguments import read_request
from keras_led.generation.loop.compiled import compiled
from keras_led.generation.loop.run import prepare

DATA = Path(__file__).parents[1] / "examples" / "data"


class Encoded(NamedTuple):
    """What the stand-in's encoder returns."""

    last_hidden_state: Any


class Logits(NamedTuple):
    """What one pass of the stand-in returns."""

    logits: Any


class State(NamedTuple):
    """The decoding state: nothing but the text to write."""

    self_cache: Any


class Scribe(GenerationMixin):
    """Writes one text, given beforehand, whatever the document says.

    Args:
        text: list of int, the tokens to write, start and end token included.
        vocab_size: int, `V`.
        limit: int, longest document, in tokens.
    """

    def __init__(self, text, vocab_size, limit):
        self.text = np.array([text], "int32")
        self.variables = []
        self.config = LEDConfig(
            vocab_size=vocab_size,
            d_model=1,
            encoder_attention_heads=1,
            decoder_attention_heads=1,
            max_encoder_position_embeddings=limit,
        )

    def encode(self, input_ids, **masks):
        """Makes hidden states that nobody reads."""
        shape = (*ops.shape(input_ids), 1)
        return Encoded(last_hidden_state=ops.zeros(shape))

    def start_decoding(self, hidden, mask, rows_per_document, max_length):
        """Puts the text where the cache would be."""
        missing = max_length + 1 - self.text.shape[1]
        text = np.pad(self.text, ((0, 0), (0, missing)))
        return State(self_cache=ops.convert_to_tensor(text))

    def decode_step(self, tokens, state, index, **masks):
        """Gives each token's successor in the text the highest logit."""
        place = index + 1 + ops.arange(tokens.shape[1], dtype="int32")
        following = ops.take(state.self_cache, place, axis=1)
        return Logits(ops.one_hot(following, self.config.vocab_size)), state


def parse():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="directory of model and tokenizer")
    parser.add_argument("--pages", type=Path, default=DATA / "test.jsonl")
    parser.add_argument("--drafts", type=int, nargs="+", default=[3, 10])
    parser.add_argument("--ngram", type=int, default=2)
    parser.add_argument("--max-new-tokens", type=int, default=48)
    parser.add_argument("--max-source", type=int, default=16384)
    return parser.parse_args()


def main():
    """Counts, and prints one line for each draft length."""
    chosen = parse()
    lines = chosen.pages.read_text(encoding="utf-8").splitlines()
    pages = [json.loads(line) for line in lines]
    limit, model = chosen.max_source, None
    if chosen.model:
        tokenizer = LEDTokenizer.from_pretrained(chosen.model)
        model = LEDForConditionalGeneration.from_pretrained(chosen.model)
        limit = min(limit, model.config.max_encoder_position_embeddings)
    else:
        texts = [page["document"] for page in pages]
        tokenizer = LEDTokenizer.train(texts, 8192)
    writer = chosen.model or "the pages' authors"
    print(f"{len(pages)} pages, as written by {writer}")
    for draft in chosen.drafts:
        counts = [
            count(model, tokenizer, page, draft, limit, chosen)
            for page in pages
        ]
        tokens, passes = (sum(column) for column in zip(*counts, strict=True))
        print(
            f"drafts of {draft:2d}: {tokens} tokens in {passes} passes, "
            f"{1 - passes / tokens:.1%} fewer"
        )


def count(model, tokenizer, page, draft, limit, chosen):
    """Returns the new tokens of one page, and the passes they took."""
    ids = tokenizer(page["document"], max_length=limit, truncation=True)
    if model is None:
        text = tokenizer(page["summary"])["input_ids"]
        # The decoder starts from </s>, and <s> is the first it writes.
        text = [tokenizer.eos_token_id, *text][: chosen.max_new_tokens + 1]
        model = Scribe(text, len(tokenizer), limit)
    ids = np.array([ids["input_ids"]], "int32")
    global_attention_mask = np.zeros_like(ids)
    global_attention_mask[:, 0] = 1
    arguments = {
        "input_ids": ids,
        "global_attention_mask": global_attention_mask,
        "prompt_lookup_num_tokens": draft,
        "max_matching_ngram_size": chosen.ngram,
        "max_new_tokens": chosen.max_new_tokens,
        "num_beams": 1,
        "do_sample": False,
    }
    request = read_request(model.config, model.generation_config, arguments)
    decoder, key, inputs, _ = prepare(model, request)
    run = compiled(model, ("run", *key), lambda: decoder.run)
    result = run(inputs)
    return int(result["length"]) - 1, int(result["passes"])


if __name__ == "__main__":
    main()
