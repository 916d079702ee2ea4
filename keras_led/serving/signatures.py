"""The functions of an exported model, with shapes that may vary.

Generation is `keras_led.generation`'s own loop, traced once for any batch and
any length.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

import tensorflow as tf

from keras_led.formats.forward_pass import DOCUMENT
from keras_led.formats.forward_pass import IDS
from keras_led.formats.forward_pass import ForwardModule
from keras_led.formats.forward_pass import specs
from keras_led.formats.forward_pass import trace
from keras_led.formats.graph_checks import require
from keras_led.generation.loop.run import make_loop
from keras_led.generation.processors.chain import build_chain
from keras_led.generation.processors.scores import ForcedEOS
from keras_led.generation.search.choose_search import make_search
from keras_led.typing import GeneratingLED
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.generation.inputs.strategy import Plan
    from keras_led.serving.text import GraphTokenizer

SCALAR = tf.TensorSpec([], "int32")


class ServedModel(ForwardModule):
    """A model with the functions that a SavedModel offers.

    Args:
        model: `LEDForConditionalGeneration`.
        plan: `Plan` of mode `"token"` or `"beam"` with a prompt of one token.
        text: `GraphTokenizer`, or `None` for a model without text.
        limit_is_input: bool, whether the generating functions take
            `max_new_tokens`, int32 scalar, at most the plan's.
    """

    # What draws, as `backend.uniform`; `None` for that.
    uniform: Any = None

    def __init__(
        self,
        model: GeneratingLED,
        plan: "Plan",
        text: "GraphTokenizer | None" = None,
        limit_is_input: bool = False,
    ):
        super().__init__(model)
        self.text = text
        self._plan = plan
        self.limit_is_input = limit_is_input
        # Once for all that call it; out of sight, as the model is.
        encode = tf.function(super()._encode, autograph=False)
        self._traced_encode = lambda: encode

    def signatures(self) -> dict[str, Any]:
        """Dict of the name of each signature to its traced function.

        What several of them run is traced once, and stands in the file once.
        """
        limit = {"max_new_tokens": SCALAR} if self.limit_is_input else {}
        ids = {"input_ids": IDS, "attention_mask": IDS}
        generate = trace(self.generate, {**ids, **limit})
        traced = {"serving_default": generate}
        for name, (function, inputs) in pure_functions(self).items():
            traced[name] = trace(function, inputs)
        if self.text is not None:
            summarize = functools.partial(self.summarize, generate)
            texts = {"text": tf.TensorSpec([None], tf.string)}
            traced["summarize"] = trace(summarize, {**texts, **limit})
        return traced

    def generate(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        max_new_tokens: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Token ids to generated ids; global attention on the first token."""
        checked = self._checked(
            {"input_ids": input_ids, "attention_mask": attention_mask}
        )
        input_ids, attention_mask = checked.values()
        global_mask = tf.concat(
            [
                tf.ones_like(input_ids[:, :1]),
                tf.zeros_like(input_ids[:, 1:]),
            ],
            axis=1,
        )
        # One global token: no other number has to be provided for.
        document = {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "global_attention_mask": global_mask,
            "max_global_tokens": 1,
            "global_tokens_fit": True,
        }
        seed = None
        if self._plan.options["do_sample"]:
            # Another one for each request.
            seed = tf.random.uniform([2], maxval=2**31 - 1, dtype="int32")
        return self.write_tokens(document, max_new_tokens, seed)

    def summarize(
        self, generate: Callable[..., Any], text: Tensor, **limit: Tensor
    ) -> dict[str, Tensor]:
        """Texts to summaries; the summary of an empty text is empty.

        Args:
            generate: `generate` as it was traced.
            text: string tensor of shape `(B,)`.
            **limit: `max_new_tokens`, int32 scalar, if it is an input.

        Returns:
            Dict of `summary`, a string tensor of shape `(B,)`.
        """
        text = require(
            tf.ensure_shape(text, [None]),
            (tf.size(text) > 0, "`text` must hold at least one text."),
        )
        input_ids, attention_mask = self.text.encode(text)
        found = generate(
            input_ids=input_ids, attention_mask=attention_mask, **limit
        )
        summaries = self.text.decode(found["sequences"])
        # <s> and </s> alone.
        empty = tf.reduce_sum(attention_mask, axis=1) <= 2
        count = self._plan.options["num_return_sequences"]
        empty = tf.repeat(empty, count)
        return {"summary": tf.where(empty, "", summaries)}

    def _encode(self, **inputs):
        return self._traced_encode()(**inputs)

    def write_tokens(
        self,
        document: dict[str, Any],
        limit: Tensor | None,
        seed: Tensor | None,
    ) -> dict[str, Tensor]:
        """Generates.

        Args:
            document: dict of arguments of the encoder.
            limit: int32 scalar, `max_new_tokens`, or `None` for the plan's.
            seed: int32 tensor `(2,)`, or `None` without sampling.

        Returns:
            Dict of `sequences`, int32 `(B * num_return_sequences, T)`, and
            with beams `sequences_scores`.
        """
        plan = self._plan
        loop = self._loop(limit)
        input_ids = document["input_ids"]
        batch = tf.shape(input_ids)[0]
        start = plan.options["decoder_start_token_id"]
        inputs = {
            "hidden": self._encode(**document),
            "mask": document["attention_mask"],
            "prompt": tf.fill([batch, 1], tf.constant(start, "int32")),
            "ids": input_ids,
            "width": tf.shape(input_ids)[1],
        }
        inputs["prompt"].set_shape([None, 1])
        if seed is not None:
            inputs["seed"] = seed
        found = loop.run(inputs)
        length = found["length"]
        if "beam_indices" in found:
            written = tf.reduce_sum(
                tf.cast(found["beam_indices"] >= 0, "int32"), axis=1
            )
            length = plan.prompt_length + tf.reduce_max(written)
        result = {"sequences": found["sequences"][:, :length]}
        if "sequences_scores" in found:
            result["sequences_scores"] = found["sequences_scores"]
        return result

    def _loop(self, limit):
        """`DecodingLoop` for the plan, which ends at `limit` new tokens."""
        model = self._model()
        plan = self._plan
        chain, search = build_chain(plan), make_search(plan)
        search = dataclasses.replace(search, uniform=self.uniform)
        if limit is None:
            return make_loop(model, search, chain, plan)
        most = plan.max_length - plan.prompt_length
        limit = plan.prompt_length + require(
            limit,
            (
                tf.logical_and(limit >= 1, limit <= most),
                f"`max_new_tokens` must be between 1 and {most}.",
            ),
        )
        if plan.mode == "beam":
            search = dataclasses.replace(search, length_limit=limit)
        chain.stages = tuple(
            dataclasses.replace(stage, max_length=limit)
            if isinstance(stage, ForcedEOS)
            else stage
            for stage in chain.stages
        )
        loop = make_loop(model, search, chain, plan)
        loop.length_limit = limit
        return loop


def pure_functions(module: ForwardModule, **sizes: Any) -> dict[str, Any]:
    """The functions that any runtime can run: no loop over tokens, no text.

    Args:
        module: `ForwardModule` of `LEDForConditionalGeneration`.
        **sizes: of the one shape, as for `specs`; any shape without.

    Returns:
        Dict of name to a pair of the function and the dict of the
        `TensorSpec`s of its inputs.
    """
    names = (*DOCUMENT, "decoder_input_ids")
    return {
        "encode": (module.encode, specs(DOCUMENT, **sizes)),
        "forward": (module.forward, specs(names, **sizes)),
    }
