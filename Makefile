# The two commands of the README, and the parts they are made of. Each target does all its own set-up.

export PLATFORMIO_DISABLE_UPGRADE_CHECK := true
export PLATFORMIO_SETTING_ENABLE_TELEMETRY := no
# Tests start hundreds of processes of Python; without byte code, each would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

DATA ?=
RECIPE ?=
TEACHER ?=
FROM ?= 0
TO ?= 10000
FUZZ_SECONDS ?= 3600
COUNT ?= 1000
BIN := .venv/bin
PYTHON := $(BIN)/python
# An option whose value is a variable as it was given, one word for the shell: a folder may have any name.
option = $(if $(value $(2)),--$(1) '$(subst ','\'',$(value $(2)))')
C_SOURCES = $(shell git ls-files 'firmware/*.c' 'firmware/*.h' 'tests/firmware/*.c' 'tests/firmware/*.h' 'tests/fuzz/*.c' 'tests/fuzz/*.h' | grep -v generated/)

.PHONY: help setup setup-tests demo test tests check quick lint analyse unit \
  firmware-test stale sbom nightly fuzz flips format clean docs firmware python tools build

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install the Debian and Python packages that the demo needs (idempotent)
	@bash tools/setup.sh

setup-tests: ## Install those that the tests need, too
	@bash tools/setup.sh tests

demo: setup ## Recordings to a Cortex-M4 prediction, end to end (DATA=folder RECIPE=sm1 TEACHER=teacher for your own)
	@$(PYTHON) tools/demo.py $(call option,data,DATA) $(call option,recipe,RECIPE) $(call option,teacher,TEACHER)

test: lint analyse stale firmware-test unit ## Every test that CI runs

tests: test # a folder has this name, and make would say that nothing is to be done

docs: setup-tests ## Build the documentation site into build/site, for a browser without a network
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open $(CURDIR)/build/site/index.html"

# The other folders are no targets; make would take each for one that is up to date, and succeed.
firmware python tools build:
	@echo "make: no rule to make '$@'; make help lists the targets" >&2; exit 2

check: lint quick ## What to run after every change: lint, types and the quick tests

quick: setup-tests ## The tests that need no TensorFlow, QEMU, cross compiler or browser, without the long sweeps
	SCENELET_NETWORKS=50 $(PYTHON) -m pytest --quick -n 2 --dist loadfile --no-loadscope-reorder

lint: setup-tests ## Formatting, linters and strict typing, Python and C
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	clang-format --dry-run --Werror $(C_SOURCES)
	bash tools/cppcheck.sh

analyse: setup-tests ## Static analysis of the firmware: gcc, clang, clang-tidy; tools/analysis.toml answers what is left
	$(PYTHON) tools/analyse.py

stale: setup-tests ## Fail if firmware/generated/ or a table or drawing of the documentation is not what its source gives
	$(PYTHON) tools/export.py firmware/models/default.tflite --out firmware/generated --check
	$(PYTHON) tools/tables.py --check
	$(PYTHON) tools/figures.py --check
	$(PYTHON) tools/sbom.py --check

sbom: setup-tests ## Bill of materials of the tested set (build/sbom.cdx.json), and the page with the licences
	$(PYTHON) tools/sbom.py

firmware-test: setup-tests ## Build every board's firmware; run the firmware's tests in QEMU and on this computer
	SCENELET_STACK=proved $(BIN)/pio run
	$(BIN)/pio test -e qemu
	$(BIN)/pio test -e host

unit: setup-tests ## Python and parity tests
	TF_NUM_INTRAOP_THREADS=1 $(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder # two processes of one thread: no more than there are cores

nightly: setup-tests ## 10,000 generated networks on this computer, 1,000 of them on the emulated board (FROM=, TO= for a part)
	$(PYTHON) tests/support/check_networks.py $(FROM) $(TO)
	$(PYTHON) tests/support/replay_mutants.py litert 0 5000
	$(PYTHON) tests/support/replay_mutants.py tflm 0 5000

fuzz: setup-tests ## Hostile input: an hour to the firmware's C (FUZZ_SECONDS=), then mutated files to Python (FROM=, TO=)
	$(PYTHON) tests/support/reliability/fuzzing.py --seconds $(FUZZ_SECONDS)
	$(PYTHON) tests/support/faults/fuzz.py all $(FROM) $(TO) --state build/fuzz/host-$(FROM)

flips: setup-tests ## 1,000 flipped bits in the flash and 1,000 in the RAM of the running product, in QEMU (COUNT=)
	$(PYTHON) tests/support/reliability/flips.py flash --count $(COUNT)
	$(PYTHON) tests/support/reliability/flips.py ram --count $(COUNT)

format: setup-tests ## Format Python and C in place
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	clang-format -i $(C_SOURCES)

clean: ## Remove everything that can be made again, but the virtual environment
	rm -rf build .pio
