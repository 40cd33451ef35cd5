#!/usr/bin/env bash
# Static analysis of the portable C and of the firmware around it.
set -euo pipefail
cd "$(dirname "$0")/.."
# Folders of the engine, as every build reads them.
engine=$(python3 -c 'import json; print(*(f"-I firmware/{folder}" for folder in json.load(open("firmware/flags.json"))["engine"]))')
# shellcheck disable=SC2086
exec cppcheck --std=c11 --quiet --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
  --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
  $engine -I firmware/lib/classifier -I firmware/lib/frontend -I firmware/lib/link -I firmware/lib/port -I firmware/generated \
  firmware/lib firmware/src firmware/measure/runner firmware/measure/qemu_plugin
