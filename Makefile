# Each target sets itself up in .venv, from a bare python3 (3.10 or newer); nothing else is needed. What the browser tests
# need is found or brought by tests/machine/browser.py.
PYTHON = python3
WORKERS = 2
WITHOUT_MAKE = without make: python3 -m venv .venv && .venv/bin/python -m pip install -e '.[dev]' && .venv/bin/
CHECK_PYTHON = $(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 10) and 'ollama_magic needs Python 3.10 or newer: make PYTHON=python3.12')"

REAL = make test-real HOST=http://127.0.0.1:11434 needs a real Ollama with the reciting models; GGUF=tiny.gguf needs none

help:
	@echo "make demo   JupyterLab with the quickstart, on your Ollama if one answers, else on a small real model"
	@echo "make test   the tests (10 minutes at most; brings a Chromium if there is none); WORKERS=4 where there are more cores than two"
	@echo "make test-again  what failed last, one test after the other: what passes now is unsteady, and a fault of its own"
	@echo "make test-real HOST=…   whole turns against a real Ollama; GGUF=tiny.gguf: against the engine of the demo server"
	@echo "make bench  the benchmarks"
	@echo "make bench-kill, make bench-stops   a thousand kills of the store; ■ and Stop, 25 times in each phase"
	@echo "make stress the long forms: 20,000 mixes of Markdown, answers of 32,000 tokens"
	@echo "make binder a visit on Binder, rehearsed without Docker (needs Python 3.12)"
	@echo "make dist   wheel and source distribution in dist/, checked, and installed in a fresh environment"
	@echo "make reference   docs/reference.md, from the tables of the code"
	@echo "make docs   the documentation as a site that can be searched offline, in docs/_build"
	@echo "make lint   ruff and mypy --strict; biome for CSS and JavaScript, where its wheel runs"

demo: .venv/demo
	@echo "without make: python3 -m venv .venv && .venv/bin/python -m pip install -e '.[examples]' && .venv/bin/ollama-magic demo --fetch"
	.venv/bin/ollama-magic demo --fetch

test: .venv/browser
	@echo "$(WITHOUT_MAKE)python -m pytest -n $(WORKERS)"
	.venv/bin/python -m pytest -n $(WORKERS)

test-again: .venv/browser
	@echo "$(WITHOUT_MAKE)python -m pytest --last-failed --last-failed-no-failures none"
	.venv/bin/python -m pytest --last-failed --last-failed-no-failures none

test-real: .venv/ready
	@test -n "$(HOST)$(GGUF)" || { echo "$(REAL)"; exit 2; }
	@echo "$(WITHOUT_MAKE)python -m pytest tests/real  # with OLLAMA_MAGIC_REAL_HOST=$(HOST) or OLLAMA_MAGIC_REAL_GGUF=$(GGUF)"
	OLLAMA_MAGIC_REAL_HOST=$(HOST) OLLAMA_MAGIC_REAL_GGUF=$(GGUF) .venv/bin/python -m pytest tests/real

bench: .venv/browser
	@echo "$(WITHOUT_MAKE)python -m pytest tests/bench -s"
	OLLAMA_MAGIC_SPEED=docs/speed.md .venv/bin/python -m pytest tests/bench -s

bench-kill: .venv/ready
	@echo "$(WITHOUT_MAKE)python -m pytest tests/bench/kill.py -s"
	.venv/bin/python -m pytest tests/bench/kill.py -s

bench-stops: .venv/ready
	@echo "$(WITHOUT_MAKE)python -m pytest tests/bench/stops.py -s"
	.venv/bin/python -m pytest tests/bench/stops.py -s

stress: .venv/browser
	@echo "$(WITHOUT_MAKE)python -m pytest tests/markdown tests/browser/test_flood.py -s  # with the settings in the Makefile"
	MARKDOWN_MIXES=20000 MARKDOWN_FULL=1 .venv/bin/python -m pytest tests/markdown --timeout 1800
	OLLAMA_MAGIC_LONG=1 .venv/bin/python -m pytest tests/browser/test_flood.py -s

binder: .venv/browser
	@echo "$(WITHOUT_MAKE)python -m pytest tests/binder/rehearsal.py -s"
	.venv/bin/python -m pytest tests/binder/rehearsal.py -s

dist: .venv/ready
	@echo "$(WITHOUT_MAKE)python -m hatchling build --directory dist  # then python -m pytest tests/release/artefacts.py tests/release/test_licences.py"
	rm -f dist/ollama_magic-*
	.venv/bin/python -m hatchling build --directory dist --target sdist --target wheel
	.venv/bin/python -m pytest tests/release/artefacts.py tests/release/test_licences.py

lint: .venv/ready
	@echo "$(WITHOUT_MAKE)ruff check"
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/python -m mypy
	@if test -x .venv/bin/biome; then .venv/bin/biome lint --error-on-warnings; \
	else echo "biome has no wheel for this machine: CSS and JavaScript are not linted"; fi

reference: .venv/ready
	@echo "$(WITHOUT_MAKE)python -m tests.reference"
	.venv/bin/python -m tests.reference

docs: .venv/docs
	@echo "without make: python3 -m venv .venv && .venv/bin/python -m pip install -e '.[docs]' && .venv/bin/python -m sphinx -W --keep-going -q -c docs . docs/_build/html"
	.venv/bin/python -m sphinx -W --keep-going -q -c docs . docs/_build/html
	@echo "Open docs/_build/html/index.html."

.venv/demo: pyproject.toml
	$(CHECK_PYTHON)
	$(PYTHON) -m tests.machine.environment examples
	touch .venv/demo

.venv/ready: pyproject.toml
	$(CHECK_PYTHON)
	$(PYTHON) -m tests.machine.environment dev
	touch .venv/demo .venv/ready

.venv/docs: pyproject.toml
	$(CHECK_PYTHON)
	$(PYTHON) -m tests.machine.environment docs
	touch .venv/docs

.venv/browser: .venv/ready
	.venv/bin/python -m tests.machine.browser

.PHONY: help demo test test-again test-real bench bench-kill bench-stops stress binder dist docs reference lint
