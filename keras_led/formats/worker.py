"""What `other_process` starts: reads a job, loads a model, writes it."""

import importlib
import json
import sys
from pathlib import Path

import keras

from keras_led.formats.model_export import write_model


def main() -> None:
    """Does the job on standard input; see `write_model_elsewhere`."""
    job = json.load(sys.stdin)
    module, name = job["class"]
    cls = getattr(importlib.import_module(module), name)
    policy = keras.dtype_policies.deserialize(job["dtype"])
    model = cls.from_pretrained(
        job["folder"],
        dtype=policy,
        max_global_tokens=job["max_global_tokens"],
    )
    write_model(model, Path(job["path"]), **job["request"])


if __name__ == "__main__":
    main()
