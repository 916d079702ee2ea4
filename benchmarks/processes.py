"""A fresh process for each measurement; its peak memory; the machine."""

import contextlib
import fcntl
import json
import os
import pathlib
import platform
import resource
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Path of a file; processes that find it set take turns on the device.
TURNS = "KERAS_LED_BENCHMARK_TURNS"


def peak_gigabytes():
    """Largest resident size of this process so far, in 10^9 bytes.

    On Linux it is read from /proc: `getrusage` also counts what the process
    held before it became this program, which is its parent's memory.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024 / 1e9
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return peak * unit / 1e9


@contextlib.contextmanager
def turn_on_device():
    """Context in which no other process measures, where several run.

    Where the variable `TURNS` is not set, nothing has to wait.
    """
    path = os.environ.get(TURNS)
    if path is None:
        yield
        return
    with open(path, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
        yield


def measure_apart(module, contender, case, limit_seconds=None):
    """Runs `python -m MODULE --measure CONTENDER --case CASE` alone.

    Args:
        module: str, a benchmark that prints its measurement as JSON last.
        contender: `Contender`; it says which interpreter and backend run.
        case: dict ready for JSON: lengths, dtype, repeats and so on.
        limit_seconds: float, after which the process is ended.

    Returns:
        The measurement, a dict; with the one key "failed", a str that says
        why, if the process ended with an error.
    """
    python = contender.python()
    if not pathlib.Path(python).exists():
        return {"failed": f"no interpreter {python}; {contender.remedy}"}
    environment = {**os.environ, **contender.environment}
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    command = [python, "-W", "ignore", "-m", module]
    command += ["--measure", contender.name, "--case", json.dumps(case)]
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=limit_seconds,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"took more than {limit_seconds:.0f} s"}
    if done.returncode:
        return {"failed": reason(done.returncode, done.stderr)}
    return json.loads(done.stdout.splitlines()[-1])


def reason(code, text):
    """Why a process failed: its signal, or the error it printed last.

    Args:
        code: int, the exit status; negative for a signal.
        text: str, what the process wrote to standard error.

    Returns:
        One line, str.
    """
    if code < 0:
        memory = "; out of memory?" if code == -9 else ""
        return f"ended by signal {-code}{memory}"
    lines = text.splitlines()
    # The error stands in the first column after its traceback; more lines of
    # its message, or notes of a framework, may follow it.
    starts = [n for n, line in enumerate(lines) if line.startswith("Traceback")]
    after = lines[starts[-1] + 1 :] if starts else lines
    errors = [line for line in after if line and not line[0].isspace()]
    if not errors:
        return f"exit status {code}"
    if not starts:
        return errors[-1]
    # "Graph execution error:" and the like: the matter is the last line.
    more = f" {errors[-1]}" if errors[0].endswith(":") else ""
    return errors[0] + more


def processor():
    """Name of the processor and number of cores this process may use."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            models = [line for line in file if line.startswith("model name")]
        name = models[0].split(":", 1)[1].strip()
    except (OSError, IndexError):
        pass
    if hasattr(os, "sched_getaffinity"):
        return name, len(os.sched_getaffinity(0))
    return name, os.cpu_count()
