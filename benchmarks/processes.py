"""What the benchmarks share: fresh processes, peak memory, the machine."""

import json
import os
import platform
import resource
import subprocess
import sys

BACKENDS = ("tensorflow", "jax", "torch")
PEER = "peer"


def peak_gigabytes():
    """Largest resident size of this process so far, in 10^9 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return peak * unit / 1e9


def measure_apart(module, contender, arguments):
    """Runs `python -m MODULE --measure CONTENDER ARGUMENTS` alone.

    Args:
        module: str, a benchmark that prints its measurement as JSON last.
        contender: str, a backend of ours or "peer".
        arguments: dict of str to a number or str, the other arguments.

    Returns:
        The measurement, a dict.
    """
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="2")
    if contender != PEER:
        environment["KERAS_BACKEND"] = contender
    command = [sys.executable, "-m", module, "--measure", contender]
    for name, value in arguments.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    done = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def processor():
    """Name of the processor and number of cores this process may use."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            models = [line for line in file if line.startswith("model name")]
        name = models[0].split(":", 1)[1].strip()
    except (OSError, IndexError):
        pass
    return name, len(os.sched_getaffinity(0))
