# Every command prepares what it needs first: see tools/bootstrap.sh. GNU make 3.81 and later.

PYTHON_VENV := .venv/bin/python
# Arguments for the program, as in: make run ARGS="devices"
ARGS =
# Arguments for pytest, as in: make test TESTS="tests/audio -k playout"
TESTS =
# What takes long and is measured by itself.
SOAKS = soak eight_hours kills replays

.PHONY: help run test lint bench soak lock venv clean

help:
	@echo "make run      open Turnscope (ARGS=\"...\" are handed on)"
	@echo "make test     every gate and every test (TESTS=\"...\" are handed to pytest)"
	@echo "make lint     the gates alone"
	@echo "make bench    measure the figures of the README"
	@echo "make soak     a long session, starts and stops, kills, replays (SOAKS=\"kills\" for one of them)"
	@echo "make venv     prepare .venv for running, and no more"
	@echo "make lock     compile requirements*.txt (ARGS=--upgrade for the newest versions)"
	@echo "make clean    remove .venv and what else was made here"

run:
	@tools/bootstrap.sh run
	@tools/run.sh $(ARGS)

venv:
	@tools/bootstrap.sh run

lint:
	@tools/bootstrap.sh test
	$(PYTHON_VENV) -m ruff check .
	$(PYTHON_VENV) -m ruff format --check .
	$(PYTHON_VENV) -m mypy
	.venv/bin/lint-imports

test: lint
	@tools/test.sh $(TESTS)

bench:
	@tools/bootstrap.sh test
	$(PYTHON_VENV) -m tests.benchmarks $(ARGS)

soak:
	@tools/bootstrap.sh test
	@failed=; for name in $(SOAKS); do \
	  echo "$(PYTHON_VENV) -m tests.benchmarks.$$name"; \
	  $(PYTHON_VENV) -m tests.benchmarks.$$name $(ARGS) || failed="$$failed $$name"; \
	done; test -z "$$failed" || { echo "missed a bar:$$failed"; exit 1; }

lock:
	@tools/bootstrap.sh test
	@tools/lock.sh $(ARGS)

clean:
	rm -rf .venv build dist ./*.egg-info
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find app audio ui resources tests -name __pycache__ -type d -prune -exec rm -rf {} +
