# Everything the README names. Each target sets up what it needs on a fresh machine.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
RUNS   ?= runs
SUITE  ?= backlot
GENERATORS ?= oracle,reference,reference-early,still,shuffled,mismatched,degraded,noise

.PHONY: install sweep test lint format bench dashboard clean

install: $(STAMP)

# torch goes in first and pinned: left to a resolver it may bring gigabytes of CUDA. Bytecode is made when a module is
# first imported: of what these packages hold, most never is.
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) torch==2.13.0
	$(PIP) --editable ".[dev]"
	touch $@

sweep: install
	$(BIN)/moviegen sweep $(SUITE) --generators $(GENERATORS) --runs $(RUNS)

# One file at a time on every core, one thread each: files share fixtures that cost much. In the order of their names:
# by the number of tests in them, the files of a few long ones would come last, when other cores have nothing left.
test: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --maxprocesses 8 --dist loadfile \
		--no-loadscope-reorder

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.speed

dashboard: install
	$(BIN)/moviegen dashboard --runs $(RUNS)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
