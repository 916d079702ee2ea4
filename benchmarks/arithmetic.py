"""What a model must compute and read at least: useful FLOPs and bytes.

A product and the sum it goes into are two FLOPs. Counted are the matrix
products: projections, feed-forward blocks, attention between the pairs of
tokens that may see each other, and the vocabulary head. Layer norms, softmax
and activations are left out, as are padding and what an implementation
computes to throw away. So the limits below are a little too low for anything
that really runs, never too high.

A config is a dict of arguments of `LEDConfig`, as in shapes.py.
"""


def dense(rows, inputs, outputs):
    """FLOPs of `rows` vectors times a matrix of `inputs` x `outputs`."""
    return 2 * rows * inputs * outputs


def attention(pairs, dim):
    """FLOPs of attention: a score and a weighted sum for each pair.

    Args:
        pairs: int, pairs of a query and a key.
        dim: int, hidden size, all heads together.

    Returns:
        int.
    """
    return 4 * pairs * dim


def window_pairs(length, attention_window):
    """Pairs of tokens at most half a window apart, the ends cut off.

    Args:
        length: int, tokens.
        attention_window: int, both sides together; even.

    Returns:
        int.
    """
    reach = min(attention_window // 2, length - 1)
    # A full band, less a triangle of `reach` tokens a side at either end.
    return length * (2 * reach + 1) - reach * (reach + 1)


def global_pairs(length, attention_window, global_tokens):
    """Pairs of any query and a global key that the band does not hold.

    Args:
        length: int, tokens.
        attention_window: int, both sides together; even.
        global_tokens: int, the first so many tokens are global.

    Returns:
        int.
    """
    side = attention_window // 2
    return sum(
        max(0, length - 1 - (g + side)) + max(0, g - side)
        for g in range(global_tokens)
    )


def global_rows(length, dim, heads, global_tokens):
    """FLOPs of the global tokens' own attention over the whole document.

    There are two ways: to project every token to global keys and values, or
    to carry the few queries through the key matrix and the few weighted sums
    through the value matrix, head by head. The cheaper one is the useful
    work.

    Args:
        length: int, tokens.
        dim: int, hidden size.
        heads: int.
        global_tokens: int.

    Returns:
        int.
    """
    if not global_tokens:
        return 0
    query = dense(global_tokens, dim, dim)
    projecting = 2 * dense(length, dim, dim)
    projecting += attention(global_tokens * length, dim)
    folding = 2 * dense(global_tokens, dim, dim)
    folding += attention(global_tokens * heads * length, dim)
    return query + min(projecting, folding)


def encoder_flops(config, length, batch=1, global_tokens=1):
    """FLOPs of the encoder's forward pass.

    Args:
        config: dict.
        length: int, tokens of a document.
        batch: int, documents.
        global_tokens: int, the first so many tokens are global.

    Returns:
        int.
    """
    dim, inner = config["d_model"], config["encoder_ffn_dim"]
    heads = config["encoder_attention_heads"]
    total = 0
    for window in config["attention_window"]:
        pairs = window_pairs(length, window)
        pairs += global_pairs(length, window, global_tokens)
        total += 4 * dense(length, dim, dim)  # query, key, value, output
        total += attention(pairs, dim)
        total += global_rows(length, dim, heads, global_tokens)
        total += feed_forward(length, dim, inner)
    return batch * total


def feed_forward(rows, dim, inner):
    """FLOPs of a feed-forward block: to `inner` numbers and back."""
    return dense(rows, dim, inner) + dense(rows, inner, dim)


def vocabulary_head(config, rows):
    """FLOPs of the logits of `rows` tokens."""
    return dense(rows, config["d_model"], config["vocab_size"])


def document_projections(config, length):
    """FLOPs of the document's keys and values for every decoder layer."""
    dim = config["d_model"]
    return config["decoder_layers"] * 2 * dense(length, dim, dim)


def decoder_rows(config, rows, self_pairs, cross_pairs):
    """FLOPs of the decoder for some rows of hidden states, all layers.

    Args:
        config: dict.
        rows: int, hidden states.
        self_pairs: int, pairs of attention among the rows.
        cross_pairs: int, pairs of a row and a token of the document.

    Returns:
        int; without the document's projections and the vocabulary.
    """
    dim = config["d_model"]
    # Query, key, value and output of one attention, query and output of the
    # other.
    layer = 6 * dense(rows, dim, dim)
    layer += attention(self_pairs + cross_pairs, dim)
    layer += feed_forward(rows, dim, config["decoder_ffn_dim"])
    return config["decoder_layers"] * layer


def training_flops(config, length, targets):
    """FLOPs of a training step with one document: three forward passes.

    The backward pass multiplies every product's upstream gradient with both
    of its factors. What gradient checkpointing computes again is not useful
    work; the optimizer's few operations a weight are left out.

    Args:
        config: dict.
        length: int, tokens of the document.
        targets: int, tokens of the target.

    Returns:
        int.
    """
    causal = targets * (targets + 1) // 2
    forward = encoder_flops(config, length)
    forward += document_projections(config, length)
    forward += decoder_rows(config, targets, causal, targets * length)
    forward += vocabulary_head(config, targets)
    return 3 * forward


def step_flops(config, length, position, beams):
    """FLOPs of decoding one token of one document.

    Args:
        config: dict.
        length: int, tokens of the document.
        position: int, tokens in the cache of each beam, the new one included.
        beams: int.

    Returns:
        int.
    """
    pairs = beams * position, beams * length
    total = decoder_rows(config, beams, *pairs)
    return total + vocabulary_head(config, beams)


def step_bytes(config, length, position, beams, weight=4, cached=4):
    """Bytes that decoding one token must read.

    The decoder's matrices and the vocabulary's once; the document's keys and
    values once, for all beams; each beam's own keys and values.

    Args:
        config: dict.
        length: int, tokens of the document.
        position: int, tokens in the cache of each beam, the new one included.
        beams: int.
        weight: int, bytes of a weight.
        cached: int, bytes of a number in a cache.

    Returns:
        int.
    """
    dim, layers = config["d_model"], config["decoder_layers"]
    # Without the document's two projections, which are not applied again.
    weights = layers * (6 * dim * dim + 2 * dim * config["decoder_ffn_dim"])
    weights += config["vocab_size"] * dim
    caches = 2 * layers * dim * (length + beams * position)
    return weight * weights + cached * caches


def generation_limit(config, length, tokens, beams, rates, weight=4, cached=4):
    """Shortest time in which a machine can decode, the encoder left out.

    Args:
        config: dict.
        length: int, tokens of the document.
        tokens: int, new tokens.
        beams: int.
        rates: dict with "flops_per_second" and "bytes_per_second".
        weight: int, bytes of a weight.
        cached: int, bytes of a number in a cache.

    Returns:
        Dict: "flops", of the document's projections and all steps; "bytes",
        that all steps read; "limit_seconds", where each step takes as long
        as the slower of the two.
    """
    speed, band = rates["flops_per_second"], rates["bytes_per_second"]
    flops = document_projections(config, length)
    seconds, total_bytes = flops / speed, 0
    for position in range(1, tokens + 1):
        work = step_flops(config, length, position, beams)
        read = step_bytes(config, length, position, beams, weight, cached)
        flops += work
        total_bytes += read
        seconds += max(work / speed, read / band)
    return {"flops": flops, "bytes": total_bytes, "limit_seconds": seconds}
