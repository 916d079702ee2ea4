"""What makes windowed attention fast: it goes through the queries in blocks.

A block of queries sees a slice of the keys, its span, and the global keys, so
that its scores are `query_block x (G + query_block + 2 W)`. The overlapping
chunks of Hugging Face compute twice the band and copy it to skew it.

Each optimization, with its backend, its gain as measured (led-base, two CPU
cores unless said otherwise), and how to switch it off:

    blocks of 128 queries (plan)          all backends
        1.13 x the scores of the band, which stay in the cache
        off: `windowed_attention(layout=BlockLayout(L, 1))`
    16 blocks a step (plan)               GPU
        113 MB of scores at once keep the device busy
        off: `layout=BlockLayout(128, 1)`
    trimmed spans (plan)                  PyTorch; TensorFlow without XLA
        7 % fewer scores at 4,096 tokens
        off: `backend.shapes_may_vary` returns False
    one bias for all inner blocks (band)  with trimmed spans alone
        no mask put together for most blocks
        off: as trimmed spans
    some heads at a time (plan)           JAX on a CPU
        scores of a step stay in the cache
        off: `layout=` with `scores_per_step=None`
    written where the queries lie (walk)  JAX, PyTorch
        heads are split and merged block by block
        off: `backend.replace_slices = None`
    fused attention (forward)             PyTorch
        no scores in memory
        off: `rate > 0`, or products in `backend/torch/attention.attend`
    its gradient (backward)               PyTorch on a GPU
        no scores in memory
        off: `backend.attend_gradients` returns None
    weights computed again (backward)     all backends
        nothing is kept but the operands and the result
    gradients that slide along (backward) all backends
        memory linear in the length, in place of its square
"""
