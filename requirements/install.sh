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

runs() { command -v "$1" >/dev/null && "$@" 2>/dev/null; }
is_new_enough() { runs "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; }
has_ensurepip() { runs "$1" -c 'import ensurepip; ensurepip.version()'; }
release() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

# Debian ships the module `venv` without the part that puts pip into an environment.
is_debians() { case $(command -v "$1") in /usr/bin/* | /bin/*) command -v apt-get >/dev/null ;; *) false ;; esac; }
may_install() { is_debians "$1" && [ "$(id -u)" = 0 ]; }

# Debian's build comes first: it is optimised with profiles and runs this gateway up to 1.4 times as
# fast as one that a version manager compiled without them.
choose_python() {
    incomplete=
    for PYTHON in ${PYTHON:-/usr/bin/python3 python3 python3.13 python3.12 python3.11}; do
        is_new_enough "$PYTHON" || continue
        if has_ensurepip "$PYTHON" || may_install "$PYTHON"; then return; fi
        incomplete=${incomplete:-$PYTHON}
    done
    [ -n "$incomplete" ] || fail "No Python 3.11 or newer here. Install one, or name it: PYTHON=/path/to/python3"
    PYTHON=$incomplete
}

complete_python() {
    if has_ensurepip "$PYTHON"; then return; fi
    is_debians "$PYTHON" || fail "$PYTHON has no ensurepip. Name another Python: PYTHON=/path/to/python3"
    package=python$(release "$PYTHON")-venv
    may_install "$PYTHON" || fail "$PYTHON cannot make environments yet. Run: sudo apt-get install $package"
    say "Installing $package, which Debian keeps apart from Python..."
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >&2
    has_ensurepip "$PYTHON" || fail "$PYTHON has no ensurepip, although $package is installed."
}

# Whole, and of the Python that was asked for. An interrupted set-up leaves an environment without pip.
is_usable() {
    [ -x "$VENV/bin/python" ] || return 1
    runs "$VENV/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' || return 1
    [ -z "$PYTHON" ] || [ "$(release "$PYTHON")" = "$(release "$VENV/bin/python")" ]
}

make_environment() {
    if is_usable; then return; fi
    choose_python
    complete_python
    say "Creating $VENV with $("$PYTHON" --version) ($PYTHON)..."
    rm -rf "$VENV"
    "$PYTHON" -m venv "$VENV"
}

install_lock() {
    if cmp -s "$lock" "$installed"; then return; fi
    started=$(date +%s)
    say "Installing $(grep -c '==' "$lock") packages from requirements/$1.txt..."
    "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --no-input \
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

make_environment
install_lock "$1"
