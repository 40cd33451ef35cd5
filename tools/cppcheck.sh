#!/usr/bin/env bash
# Static analysis of the portable C and of the firmware around it.
set -euo pipefail
cd "$(dirname "$0")/.."
exec cppcheck --std=c11 --quiet --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
  --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
  -I firmware/lib/engine -I firmware/lib/frontend -I firmware/lib/link -I firmware/lib/port -I firmware/generated \
  firmware/lib firmware/src firmware/runner firmware/profiler
