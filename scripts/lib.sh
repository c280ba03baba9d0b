# Shared by the scripts beside it; sourced, never run. Works with bash 3.2 (macOS) and needs no other tool than
# coreutils, so that a machine with nothing but Python gets as far as a clear sentence.
set -euo pipefail
unset CDPATH
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
VENV=$ROOT/.venv
SELF=scripts/$(basename "$0")

# The oldest Python we support, and the newest that the lock is tested with.
OLDEST_MINOR=11
NEWEST_MINOR=13

say() { printf '%s\n' "$*" >&2; }

# One sentence about what is wrong, with the next step in it, and a failing exit code.
fail() {
  say "$SELF: $*"
  exit 1
}

# Print what the installed environment depends on; a difference to the stamp means there is something to do.
# The path is part of it because a virtual environment does not survive being moved.
fingerprint() {
  local level=$1
  printf '%s\n' "$ROOT"
  cat "$ROOT/requirements-build.lock" "$(lock_of "$level")" "$ROOT/pyproject.toml"
}

lock_of() {
  case $1 in
    runtime) printf '%s\n' "$ROOT/requirements.lock" ;;
    dev) printf '%s\n' "$ROOT/requirements-dev.lock" ;;
  esac
}

stamp_of() { printf '%s\n' "$VENV/.installed-$1"; }

is_installed() {
  local stamp
  stamp=$(stamp_of "$1")
  [[ -x $VENV/bin/python && -x $VENV/bin/rmbot && -r $stamp ]] || return 1
  [[ "$(fingerprint "$1")" == "$(<"$stamp")" ]]
}

# Print the minor version of a Python 3, or nothing when the command is absent or does not start.
minor_of() {
  "$1" -c 'import sys; print(sys.version_info[1] if sys.version_info[0] == 3 else 0)' 2>/dev/null || true
}

# Print the Python to build the environment with: $PYTHON alone when it is set, else the first tested version
# among the usual names, else a newer one.
find_python() {
  local candidate minor newer='' seen=''
  if [[ -n ${PYTHON:-} ]]; then
    minor=$(minor_of "$PYTHON")
    [[ -n $minor ]] || fail "PYTHON is set to '$PYTHON', which does not start; set it to a Python 3.$OLDEST_MINOR or newer, or unset it."
    ((minor >= OLDEST_MINOR)) || fail "PYTHON is set to '$PYTHON', which is older than Python 3.$OLDEST_MINOR; set it to a newer one, or unset it."
    printf '%s\n' "$PYTHON"
    return
  fi
  for candidate in python3 python3.13 python3.12 python3.11 python; do
    minor=$(minor_of "$candidate")
    [[ -n $minor ]] || continue
    if ((minor >= OLDEST_MINOR && minor <= NEWEST_MINOR)); then
      printf '%s\n' "$candidate"
      return
    fi
    if ((minor > NEWEST_MINOR)); then newer=${newer:-$candidate}; else seen=${seen:-$candidate}; fi
  done
  [[ -z $newer ]] || { printf '%s\n' "$newer"; return; }
  [[ -z $seen ]] || fail "the Python found here ('$seen') is older than 3.$OLDEST_MINOR; install Python 3.$OLDEST_MINOR or newer, or name one with PYTHON=/path/to/python3, then run $SELF again."
  fail "no Python was found; install Python 3.$OLDEST_MINOR or newer (Debian and Ubuntu: apt-get install python3 python3-venv), then run $SELF again."
}

# Print the Chromium-like browser the page tests can drive, or nothing. $CHROMIUM wins.
find_chromium() {
  local candidate
  for candidate in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
    "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    if [[ -n $candidate ]] && command -v "$candidate" 2>/dev/null; then return; fi
  done
}
