"""Loops on a GPU, each step of which is started at once.

A step of decoding is some 1,500 kernels, most of them done sooner than Python
and PyTorch start the next one. CUDA keeps a list of them as they lie in
memory, a graph, and starts them all itself.
"""

import warnings

import torch


def takes(leaves):
    """Whether a loop with this state, a list of tensors, is for `run_loop`."""
    return any(leaf.is_cuda for leaf in leaves)


def run_loop(runs, step, state, constants):
    """Runs `step` as long as `runs` says, by a graph of this loop alone.

    The graph refers to the tensors where they are: none outlives the loop, and
    what the steps only read is not copied.

    Args:
        runs: Callable from the state to a bool.
        step: Callable from state and `constants` to the next state, which is
            nothing but operations on tensors.
        state: List of tensors, for which `runs` is true.
        constants: List of tensors and static values.

    Returns:
        The last state, a list of tensors.
    """
    state = [x.clone(memory_format=torch.contiguous_format) for x in state]

    def advance():
        found = step(state, constants)
        # All are there before the first is overwritten.
        found = [x.clone() if _is_one_of(x, state) else x for x in found]
        for own, x in zip(state, found, strict=True):
            own.copy_(x)

    replay = None
    with own_stream():
        advance()  # once without a graph, for libraries that start up
        while runs(state):
            replay = replay or capture(advance)
            replay()
    return state


def capture(advance):
    """Makes a graph of what a function starts on the current stream.

    Args:
        advance: Callable without arguments and result.

    Returns:
        Callable likewise, which starts the same again. It may be `advance`
        itself: then a warning says why.
    """
    graph = torch.cuda.CUDAGraph()
    try:
        # Other threads may use the GPU meanwhile.
        graph.capture_begin(capture_error_mode="thread_local")
        try:
            advance()
        finally:
            graph.capture_end()
    except RuntimeError as error:
        warnings.warn(
            "PyTorch could not make a CUDA graph of a step of the loop, which "
            f"takes several times as long without, with the same result: "
            f"{error}",
            stacklevel=2,
        )
        return advance
    return graph.replay


class own_stream:
    """Context in which a GPU works for this loop, after all it has to do."""

    _streams = {}

    def __enter__(self):
        device = torch.cuda.current_device()
        if device not in self._streams:
            self._streams[device] = torch.cuda.Stream()
        stream = self._streams[device]
        self._outer = torch.cuda.current_stream()
        stream.wait_stream(self._outer)
        self._context = torch.cuda.stream(stream)
        self._context.__enter__()

    def __exit__(self, *error):
        self._context.__exit__(*error)
        device = torch.cuda.current_device()
        self._outer.wait_stream(self._streams[device])


def _is_one_of(x, tensors):
    start = x.untyped_storage().data_ptr()
    return any(start == y.untyped_storage().data_ptr() for y in tensors)
