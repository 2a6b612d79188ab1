# Channel CRM. `make run` starts everything on this machine, `make test` and `make check` prove it.
# Needs nothing but make and a Python that is new enough; see tools/install.py and docs/adr/.

PYTHON ?= $(shell for p in .venv/bin/python python3.13 python3.12 python3.11 python3.14 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && command -v "$$p" && break; done)
PY = .venv/bin/python
PORT ?= 8000
TESTS ?= tests
export PORT

.PHONY: help run install install-dev test check bench messages lock clean

help:
	@echo "make run      start Channel CRM at http://localhost:$(PORT)/ (PORT=… for another)"
	@echo "make test     run the whole test suite (TESTS=tests/core for a part)"
	@echo "make check    formatting, types, layers, migrations, translations, known holes"
	@echo "make bench    measure against bare references, write bench/RESULTS.md (BENCH=\"--only load\")"
	@echo "make messages bring locale/ up to date with the sources"
	@echo "make lock     renew requirements*.txt and package-lock.json"
	@echo "make clean    forget what was installed and built (the data in var/ stays)"

run: install
	@$(PY) -m channel_crm.run

install: python
	@$(PYTHON) tools/install.py

install-dev: python
	@$(PYTHON) tools/install.py --dev

.PHONY: python
python:
	$(if $(PYTHON),,$(error Channel CRM needs Python 3.11 or newer. Install one, or name it: make PYTHON=/path/to/python3))

test: install-dev
	@$(PY) -m pytest -q -n $(or $(WORKERS),2) --dist loadgroup $(TESTS)

check: install-dev
	@$(PY) tools/check.py

bench: install
	@$(PY) -m bench $(BENCH)

messages: install
	@$(PY) tools/messages.py update

lock: install-dev
	@$(PY) -m pip install -q uv
	@for f in requirements requirements-dev; do $(PY) -m uv pip compile -q --upgrade --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" -o $$f.txt $$f.in || exit 1; done
	@npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund

clean:
	@rm -rf .venv vendor static/vendor var/static .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find locale -name '*.mo' -delete
