#!/usr/bin/env bash
# From a fresh checkout to a summary: installs keras_led into a virtual
# environment, and summarizes a manual page with the model in the package.
#
#   bash examples/first_run.sh [FILE...]
#
# FILE (default: examples/data/held-out.txt) is any text. KERAS_BACKEND chooses
# tensorflow (default), jax or torch; VENV another place than .venv for the
# virtual environment, which a read-only checkout needs; PYTHON another
# interpreter.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

venv=${VENV:-$root/.venv}
export KERAS_BACKEND=${KERAS_BACKEND:-tensorflow}
export TF_CPP_MIN_LOG_LEVEL=${TF_CPP_MIN_LOG_LEVEL:-2}
# PyTorch's threads spin while they wait. With another program on the same two
# cores a training step then took 7.5 s instead of 0.7 s.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}

case $KERAS_BACKEND in
tensorflow | jax) extra=$KERAS_BACKEND more=() ;;
# A fixed version: an open range takes the newest one, with CUDA, in GBs.
torch) extra=torch more=("torch==2.13.0") ;;
*)
    echo "KERAS_BACKEND must be tensorflow, jax or torch." \
        "Received: KERAS_BACKEND=$KERAS_BACKEND." >&2
    exit 1
    ;;
esac

source=$root
if [ ! -w "$root" ]; then
    if [ -z "${VENV:-}" ]; then
        echo "No virtual environment can be made in $root, which is" \
            "read-only. Set VENV to a folder elsewhere, as in" \
            "VENV=~/keras_led_venv bash examples/first_run.sh" >&2
        exit 1
    fi
    # pip builds beside the sources: it gets a copy of what it builds from.
    source=$(mktemp -d)
    trap 'rm -rf "$source"' EXIT
    for name in pyproject.toml README.md LICENSE MANIFEST.in keras_led; do
        cp -R "$root/$name" "$source"
    done
    chmod -R u+w "$source"
fi

if [ ! -x "$venv/bin/python" ]; then
    echo "Making a virtual environment in $venv ..." >&2
    python=${PYTHON:-$(command -v python3.11 || command -v python3)}
    "$python" -m venv "$venv"
fi
echo "Installing keras_led for $KERAS_BACKEND (a minute or two) ..." >&2
"$venv/bin/python" -m pip install --quiet "$source[$extra]" \
    ${more[@]+"${more[@]}"}

[ $# -gt 0 ] || set -- "$root/examples/data/held-out.txt"
echo "keras-led summarize $*" >&2
"$venv/bin/keras-led" summarize "$@"
