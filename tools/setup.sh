#!/usr/bin/env bash
# Installs what `make demo` and `make test` need: Debian packages, the virtual environment, the compiled front end.
# Idempotent; without anything to do it takes well under two seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }

# The scripts of a virtual environment cannot run from every path, and PlatformIO cannot build in every path.
if [ ! -x .venv/bin/python ]; then
  case $PWD in
    *[:\$\"\`\\]* | *$'\n'*) fail "move this checkout: its path holds one of : \$ \" \` \\ or a line end: $(printf %q "$PWD")" ;;
  esac
fi

# program:Debian package
tools=(
  cc:gcc c++:g++ cmake:cmake clang:clang clang-format:clang-format clang-tidy:clang-tidy cppcheck:cppcheck
  arm-none-eabi-gcc:gcc-arm-none-eabi qemu-system-arm:qemu-system-arm gdb-multiarch:gdb-multiarch openocd:openocd
)

# libFuzzer's library lies in a package of the compiler's version.
fuzzer_library() {
  command -v clang >/dev/null && find "$(clang -print-resource-dir)" -name 'libclang_rt.fuzzer*' -print -quit 2>/dev/null
}

fuzzer_package() {
  local version
  version=$(clang -dumpversion 2>/dev/null || apt-cache show clang 2>/dev/null | sed -n 's/^Depends:.*clang-\([0-9]*\).*/\1/p' | head -1)
  printf 'libclang-rt-%s-dev\n' "${version%%.*}"
}

missing_packages() {
  local entry
  for entry in "${tools[@]}"; do
    command -v "${entry%%:*}" >/dev/null || printf '%s\n' "${entry##*:}"
  done
  # newlib, clang's fuzzer and venv have no program to look for
  [ -n "$(fuzzer_library)" ] || printf '%s\n' "$(fuzzer_package)"
  [ -e /usr/lib/arm-none-eabi/newlib/nano.specs ] || [ -e /usr/lib/arm-none-eabi/lib/nano.specs ] ||
    printf 'libnewlib-arm-none-eabi\n'
  "$python" -c 'import ensurepip, venv' 2>/dev/null || printf 'python3-venv\n'
}

install_packages() {
  local packages=("$@") sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null && sudo=(sudo) ||
      fail "these Debian packages are missing: ${packages[*]}; install them with: sudo apt-get install ${packages[*]}"
  fi
  command -v apt-get >/dev/null ||
    fail "no apt-get on this system; install the equivalents of these Debian packages: ${packages[*]}"
  say "installing ${packages[*]}"
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

pick_python() {
  local candidate
  for candidate in python3.13 python3.12 python3.11 python3; do
    if command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
}

python=$(pick_python)
if [ -z "$python" ]; then
  install_packages python3 python3-venv
  python=$(pick_python)
  [ -n "$python" ] || fail "Python 3.11, 3.12 or 3.13 is needed; this system's python3 has another version"
fi
mapfile -t packages < <(missing_packages)
[ "${#packages[@]}" -eq 0 ] || install_packages "${packages[@]}"

# The stamp is a hash of the environment's sources: a changed pyproject.toml rebuilds it.
stamp=.venv/scenelet-setup
wanted=$(cat pyproject.toml tools/setup.sh | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  say "making .venv (takes some minutes the first time)"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -e '.[train,firmware,dask,ray,dev]'
  .venv/bin/python -m scenelet.frontend.native
  printf '%s\n' "$wanted" >"$stamp"
fi
