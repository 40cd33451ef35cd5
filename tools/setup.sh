#!/usr/bin/env bash
# Installs what `make demo` needs or, with the argument "tests", what `make test` needs besides: Debian packages, the
# virtual environment, the compiled front end. Idempotent; without anything to do it takes well under two seconds.
set -euo pipefail
cd "$(dirname "$0")/.."
for_tests=${1:-}

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }

# The scripts of a virtual environment cannot run from every path, and PlatformIO cannot build in every path.
if [ ! -x .venv/bin/python ]; then
  case $PWD in
    *[:\$\"\`\\]* | *$'\n'*) fail "move this checkout: its path holds one of : \$ \" \` \\ or a line end: $(printf %q "$PWD")" ;;
  esac
fi

# program:Debian package
tools=(cc:gcc strip:binutils arm-none-eabi-gcc:gcc-arm-none-eabi qemu-system-arm:qemu-system-arm)
tools_of_tests=(
  c++:g++ cmake:cmake clang:clang clang-format:clang-format clang-tidy:clang-tidy cppcheck:cppcheck
  gdb-multiarch:gdb-multiarch openocd:openocd chromium:chromium chromedriver:chromium-driver
)

# libFuzzer's library lies in a package of the compiler's version.
fuzzer_library() {
  command -v clang >/dev/null && find "$(clang -print-resource-dir)" -name 'libclang_rt.fuzzer*' -print -quit 2>/dev/null
}

fuzzer_package() {
  local version
  version=$(clang -dumpversion 2>/dev/null || apt-cache show clang 2>/dev/null | sed -n 's/^Depends:.*clang-\([0-9]*\).*/\1/p' | head -1)
  [ -z "$version" ] || printf 'libclang-rt-%s-dev\n' "${version%%.*}" # else apt-get update first
}

# A compiler without them is what Debian installs where recommended packages are left out.
has_c_headers() {
  command -v cc >/dev/null && cc -E -include stdlib.h -x c /dev/null >/dev/null 2>&1
}

missing_packages() {
  local entry wanted=("${tools[@]}")
  [ -z "$for_tests" ] || wanted+=("${tools_of_tests[@]}")
  for entry in "${wanted[@]}"; do
    command -v "${entry%%:*}" >/dev/null || printf '%s\n' "${entry##*:}"
  done
  # headers of C, newlib, clang's fuzzer and venv have no program to look for
  has_c_headers || printf 'libc6-dev\n'
  [ -z "$for_tests" ] || [ -n "$(fuzzer_library)" ] || fuzzer_package
  [ -e /usr/lib/arm-none-eabi/newlib/nano.specs ] || [ -e /usr/lib/arm-none-eabi/lib/nano.specs ] ||
    printf 'libnewlib-arm-none-eabi\n'
  [ -n "$python" ] || printf 'python3\n'
  [ -n "$python" ] && "$python" -c 'import ensurepip, venv' 2>/dev/null || printf 'python3-venv\n'
}

# Ubuntu has the browser of the pages' tests under other names.
under_its_name() {
  case $1 in
    chromium) apt-cache show chromium >/dev/null 2>&1 || { echo chromium-browser; return; } ;;
    chromium-driver) apt-cache show chromium-driver >/dev/null 2>&1 || { echo chromium-chromedriver; return; } ;;
  esac
  echo "$1"
}

install_packages() {
  local sudo=() missing
  command -v apt-get >/dev/null ||
    fail "no apt-get on this system; install the equivalents of these Debian packages: $(missing_packages | xargs)"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null && sudo=(sudo) ||
      fail "Debian packages are missing; install them with: sudo apt-get update && sudo apt-get install --no-install-recommends $(missing_packages | xargs)"
  fi
  say "looking for Debian packages"
  "${sudo[@]}" apt-get update -qq
  mapfile -t missing < <(missing_packages | while read -r name; do under_its_name "$name"; done) # known after an update
  local install=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get install --no-install-recommends)
  say "installing ${missing[*]}"
  "${install[@]}" --assume-no "${missing[@]}" 2>/dev/null | sed -n 's/^\(Need to get\|After this operation\)/setup: &/p' >&2 || true
  "${install[@]}" -y -q "${missing[@]}" >&2
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

# Byte code of all but the packages' own tests: without it, where an environment forbids writing any, each process of
# TensorFlow would compile thousands of modules again.
compile_modules() {
  local packages
  packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m compileall -q -j 0 -x '/tests?/' "$packages" >/dev/null || true
}

# What serves nowhere: headers for operators of one's own, the symbol tables of linkers, a parser of C, the tests of other
# projects (but TensorFlow has folders of this name in its interface), and what of Ray, Selenium, MkDocs and Babel nothing
# here calls: Java, other systems' drivers, icons of companies, other languages.
slim() {
  local packages
  packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  (
    cd "$packages"
    rm -rf tensorflow/include clang/native ray/jars ray/rllib ray/serve ray/tune
    rm -rf selenium/webdriver/common/{macos,windows,linux-*} material/templates/.icons/{simple,octicons}
    find . \( -path ./tensorflow -o -path ./keras \) -prune -o -type d -name tests -prune -exec rm -rf {} +
    if [ -d babel/locale-data ]; then
      find babel/locale-data -name '*.dat' ! -name 'en*' ! -name root.dat -delete
    fi
    find tensorflow ray llvmlite -type f \( -name '*.so' -o -name '*.so.*' -o -path 'ray/core/src/*' \) -size +1M \
      -exec strip --strip-unneeded {} + 2>/dev/null || true
  )
}

python=$(pick_python)
if [ -n "$(missing_packages)" ]; then
  install_packages
  python=$(pick_python)
  [ -n "$python" ] || fail "Python 3.11, 3.12 or 3.13 is needed; this system's python3 has another version"
fi

# A stamp is a hash of the environment's sources: a changed pyproject.toml renews it. Tests need all that the demo needs.
wanted=$(cat pyproject.toml tools/setup.sh | sha256sum)
is_ready() { [ "$(cat ".venv/scenelet-$1" 2>/dev/null)" = "$wanted" ]; }
compile_frontend='
from scenelet.config.frontend import FrontendConfig
from scenelet.frontend import available, tables
available.open_frontend(tables.make_tables(FrontendConfig()))'
make_environment() { # NAME EXTRAS SIZES
  say "installing Python packages into .venv: $3"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  # An older environment may hold TensorFlow's larger package, whose files the smaller one would share.
  [ "$(uname -sm)" != "Linux x86_64" ] || .venv/bin/python -m pip uninstall --quiet --yes tensorflow 2>/dev/null
  .venv/bin/python -m pip install --disable-pip-version-check --no-compile -e ".[$2]" >&2
  say "removing headers and symbol tables that nothing here uses"
  slim
  say "compiling Python's byte code: a minute or two"
  compile_modules
  say "compiling the front end"
  .venv/bin/python -c "$compile_frontend"
  printf '%s\n' "$wanted" >".venv/scenelet-$1"
  say "done; Python packages are in .venv alone, and 'rm -r .venv' removes them"
}

if [ -n "$for_tests" ]; then
  is_ready tests || make_environment tests train,firmware,librosa,dask,ray,listen,dev "700 MB to fetch, 2.2 GB in place"
elif ! is_ready tests && ! is_ready setup; then
  make_environment setup train,firmware "400 MB to fetch, 1.2 GB in place"
fi
