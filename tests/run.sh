#!/usr/bin/env bash
# Lints, checks types, then runs the whole test suite once for each Keras
# backend, and a smoke test where JAX, or PyTorch, is all that is installed.
#
#   bash tests/run.sh [VENV]
#
# VENV (default: .venv-test) is made, and filled with `.[test]`, when needed.
# PYTHON chooses the interpreter, WORKERS (default 2) the pytest processes,
# BACKENDS (default: all three) which backends are tested.
# Stops at the first step that fails, says so in a summary, and exits with 1.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=${1:-.venv-test}
workers=${WORKERS:-2}
backends=${BACKENDS:-tensorflow jax torch}
export TF_CPP_MIN_LOG_LEVEL=${TF_CPP_MIN_LOG_LEVEL:-2}
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE} # idle threads do not spin

if [ ! -w . ]; then
    echo "tests/run.sh installs this checkout to be edited, and $PWD is" \
        "read-only. Run it in a copy." >&2
    exit 1
fi

find_python() {
    local name
    for name in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
        if [ -n "$name" ] && "$name" -c \
            'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
        then
            echo "$name"
            return
        fi
    done
    echo "tests/run.sh needs Python 3.11 or newer; set PYTHON." >&2
    return 1
}

install() {
    local python
    if [ ! -x "$venv/bin/python" ]; then
        python=$(find_python) && "$python" -m venv "$venv" || return
    fi
    "$venv/bin/python" -m pip install --quiet --editable ".[test]"
}

lint() {
    "$venv/bin/ruff" check . && "$venv/bin/ruff" format --check .
}

types() {
    "$venv/bin/basedpyright" --pythonpath "$venv/bin/python" &&
        "$venv/bin/python" tests/typed_interface.py
}

suite() { # BACKEND
    KERAS_BACKEND=$1 "$venv/bin/python" -m pytest \
        -q -n "$workers" --dist worksteal --durations=10
}

alone() { # BACKEND: an environment with the extra of that name and no other
    local folder=$venv-$1 versions
    versions=$(mktemp)
    "$venv/bin/python" -m pip freeze --exclude-editable >"$versions"
    if [ ! -x "$folder/bin/python" ]; then
        "$venv/bin/python" -m venv "$folder" || return
    fi
    "$folder/bin/python" -m pip install --quiet --constraint "$versions" \
        --editable ".[$1]" hypothesis pytest || return
    KERAS_BACKEND=$1 "$folder/bin/python" -m pytest -q tests/test_smoke.py
}

summary=()
step() { # TITLE COMMAND...
    local title=$1 start=$SECONDS
    shift
    echo "=== $title"
    if "$@"; then
        summary+=("ok      $title ($((SECONDS - start)) s)")
    else
        summary+=("FAILED  $title ($((SECONDS - start)) s)")
        finish 1
    fi
}

finish() { # EXIT_CODE
    echo "=== Summary"
    printf '%s\n' "${summary[@]}"
    [ "$1" -eq 0 ] || echo "The steps after the failed one did not run."
    exit "$1"
}

step "install into $venv" install
step "ruff" lint
step "types" types
for backend in $backends; do
    step "tests on $backend" suite "$backend"
done
for backend in ${backends/tensorflow/}; do
    step "smoke test on $backend with its extra alone" alone "$backend"
done
finish 0
