# Two commands for a newcomer: make demo, make test. Needs Python 3.11 or later and a network the first time.
# Paths are relative throughout, so that the folder may have a space in its name.

ARGS =
PYTHON ?=
TESTS = -m "not slow"

# The first Python that is new enough, among those that really run (a version switcher leaves empty names).
FIND_PYTHON = for p in "$(PYTHON)" python3 python3.14 python3.13 python3.12 python3.11 python; do \
	    if [ -n "$$p" ] && "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	    then python="$$p"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "Python 3.11 or later is needed, and none was found on PATH (python3 is: $$(python3 --version 2>&1))." >&2; \
	    echo "Install one, or name it: make $@ PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi

.PHONY: help demo serve test test-all lint format bench ready ready-test clean

help:
	@echo "make demo       one journey, whole, in a browser (ARGS=--once: print it and leave)"
	@echo "make test       lint, types, layers, tests"
	@echo "make test-all   the same with the slow tests"
	@echo "make serve      the server on an embedded database (ARGS: options of suyuan serve)"
	@echo "make bench      the measured table (ARGS: names of rows, --json)"
	@echo "make format     put the source into its form"

demo: ready
	@.venv/bin/python .venv/bin/suyuan demo $(ARGS)

serve: ready
	@.venv/bin/python .venv/bin/suyuan serve $(ARGS)

bench: ready
	@.venv/bin/python bench/run.py $(ARGS)

test: lint
	@python="$$(.venv/bin/python tools/chromium.py)" || true; \
	.venv/bin/python -m pytest $(TESTS) $(ARGS)

test-all: TESTS =
test-all: test

lint: ready-test
	.venv/bin/ruff check src tests bench tools
	.venv/bin/ruff format --check src tests bench tools
	.venv/bin/python -m mypy
	.venv/bin/python -m mypy tools
	.venv/bin/python .venv/bin/lint-imports

format: ready-test
	.venv/bin/ruff check --fix src tests bench tools
	.venv/bin/ruff format src tests bench tools

ready:
	@$(FIND_PYTHON); "$$python" tools/bootstrap.py run

ready-test:
	@$(FIND_PYTHON); "$$python" tools/bootstrap.py test

clean:
	rm -rf .venv .tools .mypy_cache .ruff_cache .import_linter_cache
