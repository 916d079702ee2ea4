"""The functions of an exported model, with shapes that may vary.

Generation is `keras_led.generation`'s own loop, traced once for any batch and
any length.
"""

import dataclasses

import tensorflow as tf

from keras_led.generation.chain import build_chain
from keras_led.generation.generating import DECODERS
from keras_led.generation.generating import make_search
from keras_led.generation.loop import Decoder
from keras_led.generation.processors import ForcedEOS

IDS = tf.TensorSpec([None, None], "int32")
SCALAR = tf.TensorSpec([], "int32")
DOCUMENT = ("input_ids", "attention_mask", "global_attention_mask")


class ServedModel(tf.Module):
    """A model with the functions that a SavedModel offers.

    Args:
        model: `LEDForConditionalGeneration`.
        plan: `Plan` of mode `"token"` or `"beam"` with a prompt of one token,
            or `None` for a model that does not generate.
        text: `GraphTokenizer`, or `None` for a model without text.
        limit_is_input: bool, whether the generating functions take
            `max_new_tokens`, int32 scalar, at most the plan's.
        max_global_tokens: int, or infinity for as many slots as a batch
            needs; `None` for the model's, and a second program for more.
    """

    def __init__(
        self,
        model,
        plan=None,
        text=None,
        limit_is_input=False,
        max_global_tokens=None,
    ):
        super().__init__(name="led")
        # What a SavedModel has to keep; the model itself stays behind.
        self.weights = [variable.value for variable in model.variables]
        self.text = text
        # Out of sight: a tracked model would be saved beside its weights.
        self._model = lambda: model
        self._plan = plan
        self.limit_is_input = limit_is_input
        self.max_global_tokens = max_global_tokens

    def signatures(self):
        """Dict of the name of each signature to its traced function."""
        limit = {"max_new_tokens": SCALAR} if self.limit_is_input else {}
        ids = {"input_ids": IDS, "attention_mask": IDS}
        traced = {"serving_default": trace(self.generate, {**ids, **limit})}
        for name, (function, inputs) in self.pure_functions().items():
            traced[name] = trace(function, {spec.name: spec for spec in inputs})
        if self.text is not None:
            texts = {"text": tf.TensorSpec([None], tf.string)}
            traced["summarize"] = trace(self.summarize, {**texts, **limit})
        return traced

    def pure_functions(self):
        """The functions that any runtime can run: no loop over tokens, no text.

        Returns:
            Dict of name to the function and the tuple of its inputs, a
            `TensorSpec` with a name for each.
        """
        document = tuple(tf.TensorSpec(IDS.shape, "int32", n) for n in DOCUMENT)
        target = tf.TensorSpec(IDS.shape, "int32", "decoder_input_ids")
        return {
            "encode": (self.encode, document),
            "forward": (self.forward, (*document, target)),
        }

    def generate(self, input_ids, attention_mask, max_new_tokens=None):
        """Token ids to generated ids; global attention on the first token."""
        input_ids, attention_mask = self._checked(input_ids, attention_mask)
        global_mask = tf.concat(
            [
                tf.ones_like(input_ids[:, :1]),
                tf.zeros_like(input_ids[:, 1:]),
            ],
            axis=1,
        )
        return self._generate(
            input_ids, attention_mask, global_mask, max_new_tokens
        )

    def summarize(self, text, max_new_tokens=None):
        """Texts to summaries; the summary of an empty text is empty."""
        text = require(
            tf.ensure_shape(text, [None]),
            (tf.size(text) > 0, "`text` must hold at least one text."),
        )
        input_ids, attention_mask = self.text.encode(text)
        found = self.generate(input_ids, attention_mask, max_new_tokens)
        summaries = self.text.decode(found["sequences"])
        # <s> and </s> alone.
        empty = tf.reduce_sum(attention_mask, axis=1) <= 2
        count = self._plan.options["num_return_sequences"]
        empty = tf.repeat(empty, count)
        return {"summary": tf.where(empty, "", summaries)}

    def encode(self, input_ids, attention_mask, global_attention_mask):
        """Token ids to the encoder's hidden states, float32 `(B, L, D)`."""
        input_ids, attention_mask = self._checked(input_ids, attention_mask)
        hidden = self._encode(input_ids, attention_mask, global_attention_mask)
        return {"last_hidden_state": tf.cast(hidden, "float32")}

    def forward(
        self,
        input_ids,
        attention_mask,
        global_attention_mask,
        decoder_input_ids,
    ):
        """Token ids of both sides to logits, float32 `(B, T, V)`."""
        model = self._model()
        input_ids, attention_mask = self._checked(input_ids, attention_mask)
        decoder_input_ids = self._checked_ids(
            "decoder_input_ids",
            decoder_input_ids,
            model.config.max_decoder_position_embeddings,
        )
        hidden = self._encode(input_ids, attention_mask, global_attention_mask)
        outputs = model(
            encoder_outputs=(hidden,),
            attention_mask=attention_mask,
            decoder_input_ids=decoder_input_ids,
            use_cache=False,
            training=False,
        )
        return {"logits": tf.cast(outputs.logits, "float32")}

    def _encode(
        self,
        input_ids,
        attention_mask,
        global_mask,
        max_global_tokens=None,
        **options,
    ):
        encoded = self._model().encode(
            input_ids,
            attention_mask=attention_mask,
            global_attention_mask=global_mask,
            max_global_tokens=max_global_tokens or self.max_global_tokens,
            **options,
        )
        return encoded.last_hidden_state

    def _generate(self, input_ids, attention_mask, global_mask, limit):
        plan = self._plan
        decoder = self._decoder(limit)
        batch = tf.shape(input_ids)[0]
        start = plan.options["decoder_start_token_id"]
        inputs = {
            # One global token: no other number has to be provided for.
            "hidden": self._encode(
                input_ids,
                attention_mask,
                global_mask,
                max_global_tokens=1,
                global_tokens_fit=True,
            ),
            "mask": attention_mask,
            "prompt": tf.fill([batch, 1], tf.constant(start, "int32")),
            "ids": input_ids,
            "width": tf.shape(input_ids)[1],
        }
        inputs["prompt"].set_shape([None, 1])
        if plan.options["do_sample"]:
            # Another one for each request.
            inputs["seed"] = tf.random.uniform(
                [2], maxval=2**31 - 1, dtype="int32"
            )
        found = decoder.run(inputs)
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

    def _decoder(self, limit):
        """`Decoder` for the plan, which ends at `limit` new tokens."""
        model = self._model()
        plan = self._plan
        chain, search = build_chain(plan), make_search(plan)
        make = DECODERS.get(plan.mode, Decoder)
        if limit is None:
            return make(model, search, chain, plan, model.config.vocab_size)
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
        decoder = make(model, search, chain, plan, model.config.vocab_size)
        decoder.length_limit = limit
        return decoder

    def _checked(self, input_ids, attention_mask):
        """Returns ids and mask of documents that the model can read."""
        limit = self._model().config.max_encoder_position_embeddings
        input_ids = self._checked_ids("input_ids", input_ids, limit)
        same = tf.equal(tf.shape(input_ids), tf.shape(attention_mask))
        attention_mask = require(
            attention_mask,
            (
                tf.reduce_all(same),
                "`attention_mask` must have the shape of `input_ids`.",
            ),
        )
        return input_ids, attention_mask

    def _checked_ids(self, name, ids, limit):
        size = self._model().config.vocab_size
        # The runtime itself does not look at the rank of a request.
        ids = tf.ensure_shape(ids, [None, None])
        known = tf.logical_and(ids >= 0, ids < size)
        return require(
            ids,
            (tf.size(ids) > 0, f"`{name}` must hold at least one token."),
            (
                tf.shape(ids)[1] <= limit,
                f"`{name}` must not be longer than {limit} tokens.",
            ),
            (
                tf.reduce_all(known),
                f"`{name}` must hold ids from 0 to {size - 1}.",
            ),
        )


def trace(function, inputs):
    """Traces a function of named tensors, each with its `TensorSpec`."""
    specs = {
        name: tf.TensorSpec(spec.shape, spec.dtype, name)
        for name, spec in inputs.items()
    }
    graph = tf.function(lambda **tensors: function(**tensors), autograph=False)
    return graph.get_concrete_function(**specs)


def require(tensor, *rules):
    """Returns `tensor`, once it has been found to keep some rules.

    A request that breaks one fails with INVALID_ARGUMENT and its message,
    before any operation that reads the tensor could fail with another.

    Args:
        tensor: the tensor.
        *rules: pairs of a bool scalar tensor and a message.
    """
    checks = [tf.debugging.Assert(kept, [message]) for kept, message in rules]
    with tf.control_dependencies(checks):
        return tf.identity(tensor)
