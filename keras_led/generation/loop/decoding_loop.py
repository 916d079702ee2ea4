"""Decoding: one compiled loop, or single steps with Python in between.

The inputs of both are a dict of tensors, by name:
  `hidden` float `(B, S, D)`, `mask` int32 `(B, S)`, `prompt` int32 `(B, P)`;
  and as needed `prompt_mask` int32 `(B, P)`, `ids` int32 `(B, S)`, `width`
  int32 scalar, `seed` `(2,)`, `decoder_head_mask` and `cross_attn_head_mask`
  `(decoder layers, N)`, `decoding` the model's state after `start`.
"""

from typing import TYPE_CHECKING
from typing import Any

from keras_led.generation.processors.scores import Documents
from keras_led.generation.search.greedy_and_sampling import read_column
from keras_led.generation.tensor_ops import backend
from keras_led.generation.tensor_ops import ops
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.generation.inputs.strategy import Plan
    from keras_led.generation.processors.chain import ProcessorChain
    from keras_led.generation.search.beam import BeamSearch
    from keras_led.generation.search.greedy_and_sampling import TokenSearch


class DecodingLoop:
    """Model, search and processors, joined to the steps of decoding.

    Args:
        model: the model, which offers `start_decoding` and `decode_step`.
        search: `TokenSearch` or `BeamSearch`.
        chain: `ProcessorChain`.
        plan: `Plan`.
        vocab_size: int, `V`.
    """

    rows: int
    sequences: int
    max_length: int
    length_limit: int | Tensor
    prompt_length: int
    eos_token_ids: tuple[int, ...]
    use_cache: bool

    def __init__(
        self,
        model: Any,
        search: "TokenSearch | BeamSearch",
        chain: "ProcessorChain",
        plan: "Plan",
        vocab_size: int,
    ):
        self.model = model
        self.search = search
        self.chain = chain
        self.rows = plan.rows
        # Sequences per document that the processors see.
        self.sequences = plan.rows
        self.max_length = plan.max_length
        # The length at which every row ends: the size of the buffers, or
        # less, and then it may be a tensor.
        self.length_limit = plan.max_length
        self.prompt_length = plan.prompt_length
        self.eos_token_ids = plan.eos_token_ids
        self.use_cache = plan.options["use_cache"]
        self.vocab_size = vocab_size
        # Of the prompt, those whose keys and values came with the call.
        self.past_length = 0
        self.returns_cache = False

    def start(self, inputs: dict[str, Any]) -> Any:
        """Prepares the decoder's cache; no token is read yet.

        That is most of the work of a short summary (the projection of the
        document to keys and values), so that it may be done apart, by a
        function compiled for it.
        """
        if "decoding" in inputs:
            return inputs["decoding"]
        state = self.model.start_decoding(
            inputs["hidden"],
            inputs["mask"],
            rows_per_document=self.rows,
            max_length=self.max_length,
        )
        if "past" in inputs:
            from keras_led.attention import key_value_cache

            slots = zip(state.self_cache, inputs["past"], strict=True)
            filled = tuple(
                key_value_cache.write(pair, past, 0) for pair, past in slots
            )
            state = state._replace(self_cache=filled)
        return state if self.use_cache else state._replace(self_cache=None)

    def begin(self, inputs: dict[str, Any]) -> Any:
        """Returns the state of the search after the prompt."""
        prompt = ops.repeat(inputs["prompt"], self.rows, axis=0)
        return self.search.begin(prompt)

    def prepare(
        self, inputs: dict[str, Any], chain: "ProcessorChain | None" = None
    ) -> Any:
        """Prepares the processors, or those of another `chain`."""
        start = None
        if "prompt_mask" in inputs:
            start = ops.cast(ops.argmax(inputs["prompt_mask"], axis=1), "int32")
            start = ops.repeat(start, self.sequences, axis=0)
        documents = Documents(
            rows=self.sequences,
            vocab_size=self.vocab_size,
            input_ids=inputs.get("ids"),
            width=inputs.get("width"),
            prompt_start=start,
        )
        return (chain or self.chain).prepare(documents)

    def read(
        self,
        inputs: dict[str, Any],
        tokens: Tensor,
        decoding: Any,
        index: int | Tensor,
        **flags: bool,
    ) -> tuple[Any, Any]:
        """Runs the decoder over tokens at `index`, `index + 1`, ...

        Args:
            inputs: dict of tensors.
            tokens: int32 tensor `(R, T)`.
            decoding: the model's decoding state.
            index: int or int32 scalar, place of the first of them.
            **flags: `output_attentions`, `output_hidden_states`.

        Returns:
            Pair of the model's output and the new decoding state.
        """
        mask = None
        if "prompt_mask" in inputs:
            given = ops.repeat(inputs["prompt_mask"], self.rows, axis=0)
            missing = self.max_length - self.prompt_length
            mask = ops.pad(given, ((0, 0), (0, missing)), constant_values=1)
            if not self.use_cache:
                mask = mask[:, : tokens.shape[1]]
        return self.model.decode_step(
            tokens,
            decoding,
            index,
            decoder_attention_mask=mask,
            decoder_head_mask=inputs.get("decoder_head_mask"),
            cross_attn_head_mask=inputs.get("cross_attn_head_mask"),
            **flags,
        )

    def next_logits(
        self,
        inputs: dict[str, Any],
        state: Any,
        decoding: Any,
        **flags: bool,
    ) -> tuple[Tensor, Any, Any]:
        """Reads the last token of each row.

        Returns:
            Logits of the next token, float32 `(R, V)`; the model's whole
            output; the new decoding state.
        """
        tokens, last = self.search.rows(state), state.length - 1
        if self.use_cache:
            # -1 fills ended rows where `pad_token_id` says so.
            newest = ops.maximum(ops.take(tokens, last, axis=1), 0)[:, None]
            outputs, decoding = self.read(
                inputs, newest, decoding, last, **flags
            )
            logits = outputs.logits[:, -1]
        else:
            # Causal: what lies behind the last token does not reach it. The
            # last place is never read, and may have no position.
            tokens = ops.maximum(tokens[:, : self.max_length - 1], 0)
            outputs, _ = self.read(inputs, tokens, decoding, 0, **flags)
            logits = ops.take(outputs.logits, last, axis=1)
        return ops.cast(logits, "float32"), outputs, decoding

    def normalize(self, logits: Tensor) -> Tensor:
        """Log-probabilities where the search needs them, else the logits."""
        if self.search.normalizes:
            return ops.log_softmax(logits, axis=-1)
        return logits

    def find_stops(self, state: Any, proposal: Any) -> Tensor:
        """Whether each candidate has ended: by its last token or length."""
        tokens = self.search.candidates(proposal)
        newest = read_column(tokens, state.length)
        stops = ops.zeros_like(newest, dtype="bool")
        for token in self.eos_token_ids:
            stops = ops.logical_or(stops, ops.equal(newest, token))
        return ops.logical_or(stops, state.length + 1 >= self.length_limit)

    def recordable(self, inputs: dict[str, Any]) -> bool:
        """Whether a step is nothing but operations on tensors."""
        return "seed" not in inputs and self.chain.built_in

    # ---- one step, whoever runs it ----------------------------------------

    def choose(
        self,
        inputs: dict[str, Any],
        state: Any,
        scores: Tensor,
    ) -> tuple[Any, Tensor]:
        """Proposes a next token for each row, by processed scores.

        Returns:
            Pair of the search's proposal and whether each candidate ends.
        """
        seed = None
        if "seed" in inputs:  # of this step's own
            seed = backend.fold_in(inputs["seed"], state.length)
        proposal = self.search.propose(state, scores, seed)
        return proposal, self.find_stops(state, proposal)

    def commit(
        self,
        state: Any,
        decoding: Any,
        proposal: Any,
        stops: Tensor,
    ) -> tuple[Any, Any]:
        """Takes a proposal over; the caches follow rows that moved.

        Returns:
            Pair of the search's state and the model's decoding state.
        """
        state, rows = self.search.commit(state, proposal, stops)
        if rows is not None and self.use_cache:
            decoding = decoding.reorder(rows)
        return state, decoding

    def step(
        self, carry: tuple[Any, ...], constants: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        """One more token for every row.

        Args:
            carry: pair of the search's state and the self cache, `()` without
                one.
            constants: tuple of the inputs, the model's decoding state and the
                prepared processors.

        Returns:
            The next `carry`.
        """
        state, cache = carry
        inputs, decoding, prepared = constants
        if self.use_cache:
            decoding = decoding._replace(self_cache=cache)
        logits, _, decoding = self.next_logits(inputs, state, decoding)
        scores = self.chain.process(
            self.normalize(logits),
            self.search.rows(state),
            state.length,
            prepared,
        )
        proposal, stops = self.choose(inputs, state, scores)
        state, decoding = self.commit(state, decoding, proposal, stops)
        return state, decoding.self_cache if self.use_cache else cache

    # ---- the loop ---------------------------------------------------------

    def enter(
        self, inputs: dict[str, Any], decoding: Any
    ) -> tuple[tuple[Any, ...], Any]:
        """Reads all but the last token of the prompt, which a step reads.

        Returns:
            Pair of the first `carry` of `step` and the decoding state.
        """
        state = self.begin(inputs)
        first, last = self.past_length, self.prompt_length - 1
        if self.use_cache and last > first:
            prompt = self.search.rows(state)[:, first:last]
            _, decoding = self.read(inputs, prompt, decoding, first)
        return (state, decoding.self_cache if self.use_cache else ()), decoding

    def leave(self, carry: tuple[Any, ...]) -> dict[str, Any]:
        """Dict of tensors that the last `carry` leaves, see `run`."""
        result = self.search.result(carry[0])
        return {**result, "cache": carry[1]} if self.returns_cache else result

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Generates to the end; runs whole inside a compiled function.

        Args:
            inputs: dict of tensors.

        Returns:
            Dict of tensors, see `result` of the search.
        """
        prepared = self.prepare(inputs)
        carry, decoding = self.enter(inputs, self.start(inputs))
        carry = backend.while_loop(
            lambda carry: carry[0].running,
            self.step,
            carry,
            constants=(inputs, decoding, prepared),
            recordable=self.recordable(inputs),
        )
        return self.leave(carry)
