# make run    set everything up and run the suite's main job
# make test   set everything up and pass the tests
# make check  lint, types, import rules
# make picture   the README's picture, from the report of the last run
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# address of another index for torch, e.g. PyTorch's own for CPU-only or CUDA wheels
TORCH_INDEX ?=
# processes for the tests; those marked "alone" wait by the clock and have the machine to themselves
WORKERS ?= 2
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c infra/constraints.txt

export DVC_NO_ANALYTICS := 1
export DO_NOT_TRACK := 1

.PHONY: run test check format picture setup clean
run: setup
	@$(BIN)/convoy run

test: setup
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not alone" -n $(WORKERS) --dist loadfile --no-loadscope-reorder
	@$(BIN)/python -m pytest -m alone tests/flows

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

picture:
	@bash infra/report_picture.sh

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml infra/constraints.txt
	@echo "setting up $(VENV): the first time takes a few minutes"
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; assert (3, 11) <= v < (3, 13), "Python 3.11 or 3.12 is needed, found %d.%d; set PYTHON=" % v'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) torch==2.13.0 $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	@$(PIP) -e '.[dev]'
	@$(BIN)/python infra/compile_librosa.py
	@touch $@

clean:
	-@test -x $(BIN)/convoy && $(BIN)/convoy down
	rm -rf $(VENV) .state outputs
