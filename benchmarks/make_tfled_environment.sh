#!/usr/bin/env bash
# Makes the environment of the last TensorFlow LED of Hugging Face.
#
#     bash benchmarks/make_tfled_environment.sh [DIRECTORY]
#
# `transformers` 5 has no TensorFlow, and 4.57.6, the last that has, wants
# Keras 2 (tf-keras) and an older TensorFlow than keras_led is tested with; so
# it gets a virtual environment of its own. The default directory is where the
# benchmarks look for it; KERAS_LED_TFLED_PYTHON names another interpreter.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
directory="${1:-$root/.venv-tfled}"
python="${PYTHON:-python3.11}"

"$python" -m venv "$directory"
"$directory/bin/python" -m pip install --quiet --disable-pip-version-check \
    "transformers==4.57.6" \
    "tensorflow==2.19.*" \
    "tf-keras==2.19.*" \
    "safetensors>=0.4.5"
"$directory/bin/python" - <<'PYTHON'
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import tensorflow
import transformers

transformers.TFLEDModel  # raises where TensorFlow cannot be used
print(f"transformers {transformers.__version__}, "
      f"tensorflow {tensorflow.__version__}")
PYTHON
echo "Ready: $directory/bin/python"
