"""Running the encoder once, compiled, on bucketed lengths."""

from typing import TYPE_CHECKING
from typing import Any

import numpy as np
from keras import ops

from keras_led.generation.inputs.document_batch import bucket_length
from keras_led.generation.inputs.document_batch import pad_columns
from keras_led.generation.loop.compiled import compiled
from keras_led.generation.options.notices import NO_GLOBAL_ATTENTION
from keras_led.generation.options.notices import warn_once
from keras_led.typing import AnyLED
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.generation.inputs.arguments import Request
    from keras_led.generation.inputs.document_batch import DocumentBatch


def encode(model: AnyLED, request: "Request") -> tuple[dict[str, Tensor], Any]:
    """Encodes the documents of a request, unless that is done already.

    Args:
        model: the model, which offers `encode`.
        request: `Request`.

    Returns:
        Pair of the inputs of `DecodingLoop` that belong to the documents (a
        dict of tensors, bucketed) and the encoder's output, or `None` when
        the caller gave only hidden states.
    """
    documents = request.documents
    options = request.plan.options
    shows = options["return_dict_in_generate"] and (
        options["output_attentions"] or options["output_hidden_states"]
    )
    limit = model.config.max_encoder_position_embeddings
    # Shown layers keep the caller's length.
    size = documents.length if shows else bucket_length(documents.length, limit)
    if documents.hidden_states is not None:
        outputs = documents.encoder_outputs
        hidden = ops.convert_to_tensor(documents.hidden_states)
        hidden = pad_columns(hidden, size)
    else:
        outputs = _run_encoder(model, request, size, shows)
        hidden = outputs.last_hidden_state
    inputs = {
        "hidden": hidden,
        "mask": _tensor(pad_columns(documents.attention_mask, size)),
    }
    if documents.input_ids is not None:
        inputs["ids"] = _tensor(pad_columns(documents.input_ids, size))
        inputs["width"] = _tensor(np.int32(documents.length))
    return inputs, outputs


def _run_encoder(model, request, size, shows):
    documents, options = request.documents, request.plan.options
    if documents.global_attention_mask is None:
        warn_once(NO_GLOBAL_ATTENTION, stacklevel=5)
    arrays = {
        "attention_mask": documents.attention_mask,
        "global_attention_mask": documents.global_attention_mask,
        "input_ids": documents.input_ids,
    }
    tensors = {
        name: _tensor(pad_columns(array, size))
        for name, array in arrays.items()
        if array is not None
    }
    if documents.inputs_embeds is not None:
        embeds = ops.convert_to_tensor(documents.inputs_embeds)
        tensors["inputs_embeds"] = pad_columns(embeds, size)
    if request.head_mask is not None:
        tensors["head_mask"] = _tensor(request.head_mask)
    shows_weights = bool(shows and options["output_attentions"])
    flags = {
        "max_global_tokens": global_slots(documents, exact=shows_weights),
        "global_tokens_fit": True,
        "output_attentions": shows_weights,
        "output_hidden_states": bool(shows and options["output_hidden_states"]),
    }
    key = ("encode", tuple(sorted(flags.items())), tuple(sorted(tensors)))
    run = compiled(
        model,
        key,
        lambda: lambda tensors: model.encode(**tensors, **flags),
        recordable=True,
    )
    return run(tensors)


def global_slots(documents: "DocumentBatch", exact: bool = False) -> int:
    """Slots for global tokens: the most of any document, rounded up.

    Args:
        documents: `DocumentBatch`.
        exact: bool, whether not to round up: the attention weights have a
            column for each slot.

    Returns:
        int, a power of two (so that few sizes are compiled), at least 1; the
        number itself, 0 included, where it is to be exact.
    """
    code = documents.attention_mask
    if documents.global_attention_mask is not None:
        code = code * (documents.global_attention_mask + 1)
    most = int((code > 1).sum(axis=1).max())
    return most if exact else 1 << max(0, most - 1).bit_length()


def _tensor(array):
    return ops.convert_to_tensor(array)
