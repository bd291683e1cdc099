#!/bin/sh
# Makes a clone ready: system packages, .venv, the locked Python packages, the project itself.
#
#   tools/bootstrap.sh run     what `make run` needs
#   tools/bootstrap.sh test    that, and what the tests need: a virtual sound card and screen
#
# It says what it installs and why, asks before sudo, and is quick when nothing is missing.
# PYTHON=... picks the interpreter; SYSTEM_PACKAGES=skip leaves the system's packages alone.
set -eu

cd "$(dirname "$0")/.."
root=$(pwd -P)
want=${1:-run}
case $want in
    run) requirements=requirements.txt ;;
    test) requirements=requirements-dev.txt ;;
    *) echo "usage: tools/bootstrap.sh run|test" >&2; exit 2 ;;
esac

# PortAudio; the bridge from ALSA to PulseAudio and PipeWire, which PortAudio needs; the list of
# devices by name; what Qt's window needs of X11 and of Wayland.
run_packages="libportaudio2 libasound2-plugins libpulse0
    libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0
    libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0
    libdbus-1-3 libfontconfig1 libwayland-cursor0"
# PyAudio has no ready-made wheel for Linux: it is compiled once, against these.
build_packages="portaudio19-dev gcc libc6-dev"
# A virtual sound card and screen, a hand for the mouse, a voice, and eyes.
test_packages="pulseaudio pulseaudio-utils xvfb xdotool openbox espeak-ng sox imagemagick"

say() { printf '%s\n' "$*"; }
stop() { printf 'turnscope: %s\n' "$*" >&2; exit 1; }

# --- Python ---------------------------------------------------------------------------------------

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
        if new_enough "$candidate"; then
            say "$candidate"
            return
        fi
    done
}

no_python() {
    found=$(python3 --version 2>/dev/null || say "no python3 at all")
    stop "Python 3.11 or later is needed and was not found ($found);" \
        "install one and, if it is not on the path, name it: make $want PYTHON=/path/to/python3.12"
}

# --- The state of .venv ---------------------------------------------------------------------------

# Where .venv stands (its scripts hold the path), and its Python: another one means a new .venv.
place() {
    say "$root"
    .venv/bin/python -c 'import sys; print(sys.version)' 2>/dev/null || say "no python"
}

# What was installed into it. Compared as text, so there is nothing to hash.
stamp_of() {
    place
    cat requirements-build.txt "$1" pyproject.toml
}

stamped() {
    [ -f ".venv/stamp-$1" ] && stamp_of "$2" | cmp -s - ".venv/stamp-$1"
}

# The test set holds the run set.
venv_is_ready() {
    stamped test requirements-dev.txt || { [ "$want" = run ] && stamped run requirements.txt; }
}

# --- System packages ------------------------------------------------------------------------------

is_debian() {
    [ "$(uname -s)" = Linux ] && command -v dpkg-query >/dev/null && command -v apt-get >/dev/null
}

# The packages among the arguments that are not installed: one question to dpkg, as it is slow.
not_installed() {
    # shellcheck disable=SC2016
    installed=" $(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^ii *//p' | tr '\n' ' ')"
    separator=
    for package in "$@"; do
        case $installed in *" $package "*) continue ;; esac
        printf '%s%s' "$separator" "$package"
        separator=" "
    done
}

# The Debian packages that complete a Python: it may come without venv, and without its headers.
python_packages() {
    python=$(find_python)
    if [ -z "$python" ]; then
        command -v python3 >/dev/null || say "python3 python3-venv python3-dev"
        return
    fi
    "$python" - <<'END'
import importlib.util, os, sys, sysconfig
name = f"python3.{sys.version_info[1]}"
headers = os.path.join(sysconfig.get_path("include"), "Python.h")
if sys.base_prefix == "/usr":
    if importlib.util.find_spec("ensurepip") is None:
        print(f"{name}-venv")
    if not os.path.exists(headers):
        print(f"{name}-dev")
END
}

has_font() {
    for folder in /usr/share/fonts /usr/local/share/fonts "${HOME:-/nonexistent}/.local/share/fonts"; do
        [ -d "$folder" ] && [ -n "$(find "$folder" -name '*.[ot]t[fc]' | head -n 1)" ] && return
    done
    return 1
}

missing_packages() {
    list=$run_packages
    [ "$want" = test ] && list="$list $test_packages"
    [ "$1" = build ] && list="$list $build_packages $(python_packages)"
    has_font || list="$list fonts-dejavu-core"
    # shellcheck disable=SC2086
    not_installed $list
}

apt_install() {
    say "Installing: $*"
    "${as_root:-env}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq ||
        say "The package lists could not all be refreshed; going on with those that are here."
    "${as_root:-env}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes -qq --no-install-recommends "$@" >/dev/null ||
        stop "apt-get could not install them; what it said stands above."
}

# Root installs at once. Anyone else is asked first; where nobody can answer, the command is shown.
debian_packages() {
    missing=$(missing_packages "$1")
    [ -n "$missing" ] || return 0
    say "Turnscope needs these packages of your system, for sound, for its window" \
        "and to compile PyAudio$([ "$want" = test ] && say ", and for its tests" || true):"
    say "  $missing"
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        command="apt-get update && apt-get install --no-install-recommends $missing"
        if [ ! -t 0 ] || ! command -v sudo >/dev/null; then
            stop "install them as root, then call make $want again: sudo sh -c '$command'"
        fi
        printf 'Install them now with sudo? [y/N] '
        read -r answer || answer=n
        case $answer in
            [yY]*) as_root=sudo ;;
            *) stop "nothing was installed. By hand: sudo sh -c '$command'" ;;
        esac
    fi
    # shellcheck disable=SC2086
    apt_install $missing
}

has_header() {
    for folder in /usr/include /usr/local/include /opt/homebrew/include /opt/local/include; do
        [ -e "$folder/portaudio.h" ] && return
    done
    return 1
}

other_systems() {
    [ "$1" = build ] || return 0
    has_header && { command -v cc >/dev/null || command -v gcc >/dev/null; } && return
    if [ "$(uname -s)" = Darwin ]; then
        stop "PortAudio is missing; install it, then call make $want again: brew install portaudio"
    fi
    stop "please install PortAudio with its headers, a C compiler, Python's headers, ALSA's" \
        "PulseAudio plugin, and what Qt needs of X11 (EGL, xkbcommon-x11, xcb-cursor, xcb-icccm," \
        "xcb-image, xcb-keysyms, xcb-render-util) with your system's package manager," \
        "then call make $want again."
}

system_packages() {
    [ "${SYSTEM_PACKAGES:-}" = skip ] && return
    if is_debian; then debian_packages "$1"; else other_systems "$1"; fi
}

# --- .venv ----------------------------------------------------------------------------------------

pip_install() {
    quiet=--quiet
    [ -t 1 ] && quiet=
    # shellcheck disable=SC2086
    .venv/bin/python -m pip install $quiet --disable-pip-version-check "$@" ||
        stop "the Python packages could not be installed; what pip said stands above" \
            "(without a network it cannot be done)."
}

make_venv() {
    if [ -f .venv/stamp-place ] && [ "$(cat .venv/stamp-place)" = "$(place)" ]; then
        return
    fi
    say "Making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv ||
        stop "$python could not make a virtual environment; its venv module is needed."
    place >.venv/stamp-place
}

fill_venv() {
    say "Installing into .venv: the Python packages of $requirements (a minute or two at first)"
    rm -f .venv/stamp-run .venv/stamp-test
    pip_install --require-hashes -r requirements-build.txt
    pip_install --require-hashes --no-build-isolation -r "$requirements"
    pip_install --no-deps --no-build-isolation --editable .
    stamp_of "$requirements" >".venv/stamp-$want"
}

if venv_is_ready; then
    system_packages use
    exit
fi
system_packages build
python=$(find_python)
[ -n "$python" ] || no_python
make_venv
fill_venv
