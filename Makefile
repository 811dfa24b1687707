# Each target sets itself up in .venv, from a bare python3 (3.10 or newer); nothing else is needed.
PYTHON = python3
WITHOUT_MAKE = without make: python3 -m venv .venv && .venv/bin/python -m pip install -e '.[dev]' && .venv/bin/

REAL = make test-real HOST=http://127.0.0.1:11434 needs a real Ollama with the reciting models tiny and tiny-think

help:
	@echo "make demo   JupyterLab with the quickstart, on your Ollama if one answers, else on the demo server"
	@echo "make test   the tests (10 minutes at most; the browser tests need Chromium)"
	@echo "make test-real HOST=…   whole turns against a real Ollama"
	@echo "make bench  the benchmarks"
	@echo "make bench-kill, make bench-stops   a thousand kills of the store; ■ and Stop, 25 times in each phase"
	@echo "make stress the long forms: 20,000 mixes of Markdown, answers of 32,000 tokens"
	@echo "make binder a visit on Binder, rehearsed without Docker (needs Python 3.12 and Chromium)"
	@echo "make dist   wheel and source distribution in dist/, checked, and installed in a fresh environment"
	@echo "make lint   ruff and mypy --strict"

demo: .venv/ready
	@echo "$(WITHOUT_MAKE)ollama-magic demo"
	.venv/bin/ollama-magic demo

test: .venv/ready
	@echo "$(WITHOUT_MAKE)python -m pytest -n 2"
	.venv/bin/python -m pytest -n 2

test-real: .venv/ready
	@test -n "$(HOST)" || { echo "$(REAL)"; exit 2; }
	@echo "$(WITHOUT_MAKE)python -m pytest tests/real  # with OLLAMA_MAGIC_REAL_HOST=$(HOST)"
	OLLAMA_MAGIC_REAL_HOST=$(HOST) .venv/bin/python -m pytest tests/real

bench: .venv/ready
	@echo "$(WITHOUT_MAKE)python -m pytest tests/bench -s"
	.venv/bin/python -m pytest tests/bench -s

bench-kill: .venv/ready
	@echo "$(WITHOUT_MAKE)python -m pytest tests/bench/kill.py -s"
	.venv/bin/python -m pytest tests/bench/kill.py -s

bench-stops: .venv/ready
	@echo "$(WITHOUT_MAKE)python -m pytest tests/bench/stops.py -s"
	.venv/bin/python -m pytest tests/bench/stops.py -s

stress: .venv/ready
	@echo "$(WITHOUT_MAKE)python -m pytest tests/markdown/test_incremental.py tests/browser/test_flood.py -s  # with the settings in the Makefile"
	MARKDOWN_MIXES=20000 .venv/bin/python -m pytest tests/markdown/test_incremental.py --timeout 1800
	OLLAMA_MAGIC_LONG=1 .venv/bin/python -m pytest tests/browser/test_flood.py -s

binder: .venv/ready
	@echo "$(WITHOUT_MAKE)python -m pytest tests/binder/rehearsal.py -s"
	.venv/bin/python -m pytest tests/binder/rehearsal.py -s

dist: .venv/ready
	@echo "$(WITHOUT_MAKE)python -m hatchling build --directory dist  # then python -m pytest tests/release/artefacts.py"
	rm -f dist/ollama_magic-*
	.venv/bin/python -m hatchling build --directory dist --target sdist --target wheel
	.venv/bin/python -m pytest tests/release/artefacts.py

lint: .venv/ready
	@echo "$(WITHOUT_MAKE)ruff check"
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/python -m mypy

.venv/ready: pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 10) and 'ollama_magic needs Python 3.10 or newer: make PYTHON=python3.12')"
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch .venv/ready

.PHONY: help demo test test-real bench bench-kill bench-stops stress binder dist lint
