"""The device that a library computes on: its name, and its peak memory."""

from benchmarks.processes import processor


def describe(library):
    """The device that `library` uses by default.

    Args:
        library: str, "tensorflow", "jax" or "torch".

    Returns:
        Pair of its kind, "cpu" or "gpu", and its name.
    """
    name = None
    if library == "torch":
        import torch

        if torch.cuda.is_available():
            name = torch.cuda.get_device_name()
    elif library == "jax":
        import jax

        device = jax.devices()[0]
        if device.platform != "cpu":
            name = device.device_kind
    else:
        import tensorflow as tf

        devices = tf.config.list_physical_devices("GPU")
        if devices:
            details = tf.config.experimental.get_device_details(devices[0])
            name = details.get("device_name", devices[0].name)
    return ("cpu", processor()[0]) if name is None else ("gpu", name)


def peak_device_gigabytes(library):
    """Most memory of the device's own that was in use, in 10^9 bytes.

    Args:
        library: str, as in `describe`.

    Returns:
        float, or `None` on a CPU, where the process's memory is all.
    """
    if describe(library)[0] == "cpu":
        return None
    if library == "torch":
        import torch

        return torch.cuda.max_memory_allocated() / 1e9
    if library == "jax":
        import jax

        return jax.devices()[0].memory_stats()["peak_bytes_in_use"] / 1e9
    import tensorflow as tf

    return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e9
