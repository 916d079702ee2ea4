"""The arguments of `generate` by name and type, for editors and checkers.

`GenerationConfig` and `generate` say what they mean. An option that is left
out is as in the model's `generation_config`; `None` unsets it.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import TypedDict

from keras_led.typing import PastKeyValues
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.generation.options.generation_config import GenerationConfig
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


class GenerationOptions(TypedDict, total=False):
    """Every option of `GenerationConfig`."""

    max_length: int | None
    max_new_tokens: int | None
    min_length: int | None
    min_new_tokens: int | None
    early_stopping: bool | str | None
    max_time: float | None
    stop_strings: str | Sequence[str] | None
    do_sample: bool | None
    num_beams: int | None
    use_cache: bool | None
    penalty_alpha: float | None
    temperature: float | None
    top_k: int | None
    top_p: float | None
    min_p: float | None
    typical_p: float | None
    epsilon_cutoff: float | None
    eta_cutoff: float | None
    repetition_penalty: float | None
    encoder_repetition_penalty: float | None
    length_penalty: float | None
    no_repeat_ngram_size: int | None
    encoder_no_repeat_ngram_size: int | None
    bad_words_ids: Sequence[Sequence[int]] | None
    sequence_bias: Mapping[Any, float] | Sequence[Any] | None
    suppress_tokens: Sequence[int] | None
    begin_suppress_tokens: Sequence[int] | None
    forced_bos_token_id: int | None
    forced_eos_token_id: int | Sequence[int] | None
    renormalize_logits: bool | None
    remove_invalid_values: bool | None
    exponential_decay_length_penalty: Sequence[Any] | None
    num_return_sequences: int | None
    output_attentions: bool | None
    output_hidden_states: bool | None
    output_scores: bool | None
    output_logits: bool | None
    return_dict_in_generate: bool | None
    pad_token_id: int | None
    bos_token_id: int | None
    eos_token_id: int | Sequence[int] | None
    decoder_start_token_id: int | Sequence[int] | None
    prompt_lookup_num_tokens: int | None
    max_matching_ngram_size: int | None


class _Steps(GenerationOptions, total=False):
    """And what looks at the single steps."""

    stopping_criteria: Sequence[Callable[..., Any]] | None
    prefix_allowed_tokens_fn: Callable[[int, Any], Sequence[int]] | None
    streamer: Any


class SummarizeOptions(_Steps, total=False):
    """What `summarize` and `stream` hand on to `generate`."""

    generation_config: "GenerationConfig | None"
    logits_processor: Sequence[Any] | None
    seed: int | Sequence[int] | None


class _Inputs(TypedDict, total=False):
    """The inputs of a call beside `input_ids`."""

    attention_mask: Tensor | None
    global_attention_mask: Tensor | None
    inputs_embeds: Tensor | None
    encoder_outputs: Any
    decoder_input_ids: Tensor | None
    decoder_attention_mask: Tensor | None
    head_mask: Tensor | None
    decoder_head_mask: Tensor | None
    cross_attn_head_mask: Tensor | None
    past_key_values: PastKeyValues | None
    tokenizer: "LEDTokenizer | None"
    progress: bool | None


class GenerateArguments(SummarizeOptions, _Inputs, total=False):
    """The arguments of `generate` beside `input_ids`."""

    inputs: Any


class TFGenerateArguments(_Steps, _Inputs, total=False):
    """Those of `TFLEDForConditionalGeneration` beside the named ones."""

    input_ids: Any
