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

# Environments with the extra of one backend and no other, `$venv-BACKEND`.
install_alone() { # BACKEND...
    local backend folder versions
    versions=$(mktemp)
    "$venv/bin/python" -m pip freeze --exclude-editable >"$versions"
    for backend in "$@"; do
        folder=$venv-$backend
        if [ ! -x "$folder/bin/python" ]; then
            "$venv/bin/python" -m venv "$folder" || return
        fi
        "$folder/bin/python" -m pip install --quiet --constraint "$versions" \
            --editable ".[$backend]" hypothesis pytest || return
    done
}

smoke() { # BACKEND
    KERAS_BACKEND=$1 "$venv-$1/bin/python" -m pytest -q tests/test_smoke.py
}

logs=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$logs"' EXIT
start() { # NAME COMMAND...: in the background, until `end NAME`
    local name=$1
    shift
    "$@" </dev/null >"$logs/$name" 2>&1 &
    echo $! >"$logs/$name.pid"
}

end() { # NAME
    local code=0
    wait "$(cat "$logs/$1.pid")" || code=$?
    cat "$logs/$1"
    return "$code"
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
read -r alone <<<"${backends/tensorflow/}" # without spaces around it
# Takes one core, and so do the types.
[ -z "$alone" ] || start alone install_alone $alone
step "types" types
[ -z "$alone" ] || step "install $alone, each alone" end alone
for backend in $backends; do
    step "tests on $backend" suite "$backend"
done
for backend in $alone; do
    start "$backend" smoke "$backend"
done
for backend in $alone; do
    step "smoke test on $backend with its extra alone" end "$backend"
done
finish 0
