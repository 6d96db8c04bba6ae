#!/bin/sh
# Makes the virtual environment and installs one lock file into it; quick when both are there already.
#
#   requirements/install.sh run|dev
#
# VENV    the environment's folder (.venv)
# PYTHON  the interpreter to make it with (Debian's own if new enough, else the first that is)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lock=$here/$1.txt
VENV=${VENV:-.venv}
PYTHON=${PYTHON:-}
installed=$VENV/installed-$1.txt

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
release() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }
has_ensurepip() { "$1" -c 'import ensurepip; ensurepip.version()' 2>/dev/null; }

# Debian's build comes first: it is optimised with profiles and runs this gateway up to 1.4 times as fast as one
# that a version manager compiled without them.
choose_python() {
    if [ -n "$PYTHON" ]; then
        is_new_enough "$PYTHON" || fail "PYTHON=$PYTHON does not run or is older than Python 3.11."
        return
    fi
    for PYTHON in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
        if is_new_enough "$PYTHON"; then return; fi
    done
    fail "No Python 3.11 or newer was found. Install one, or name it: make $1 PYTHON=/path/to/python3"
}

# Debian ships the module `venv` without the part that puts pip into an environment.
ensure_ensurepip() {
    if has_ensurepip "$PYTHON"; then return; fi
    case $(command -v "$PYTHON") in
        /usr/bin/* | /bin/*) package=python$(release "$PYTHON")-venv ;;
        *) fail "$PYTHON has no ensurepip, so no environment can be made with it. Choose another with PYTHON=" ;;
    esac
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "Installing $package, which Debian keeps apart from Python..."
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >&2
        if has_ensurepip "$PYTHON"; then return; fi
    fi
    fail "Python cannot make environments here yet. Run: sudo apt-get install $package"
}

# Whole and of the Python that was asked for. An interrupted set-up leaves an environment without pip.
is_usable() {
    [ -x "$VENV/bin/python" ] || return 1
    is_new_enough "$VENV/bin/python" || return 1
    "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || return 1
    [ -z "$PYTHON" ] || [ "$(release "$PYTHON")" = "$(release "$VENV/bin/python")" ]
}

make_environment() {
    if is_usable; then return; fi
    choose_python "$1"
    ensure_ensurepip
    say "Creating $VENV with $("$PYTHON" --version) ($PYTHON)..."
    rm -rf "$VENV"
    "$PYTHON" -m venv "$VENV"
}

install_lock() {
    if cmp -s "$lock" "$installed"; then return; fi
    started=$(date +%s)
    say "Installing $(grep -c '==' "$lock") packages from requirements/$1.txt..."
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --require-hashes --requirement "$lock" >&2
    cp "$lock" "$installed"
    say "Installed in $(($(date +%s) - started)) s."
}

# `make serve` and `make test` may start side by side; the second waits for the first.
exec 9<"$0"
if command -v flock >/dev/null && ! flock -n 9; then
    say "Waiting for another set-up of $VENV..."
    flock 9
fi

make_environment "$1"
install_lock "$1"
