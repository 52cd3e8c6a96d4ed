# servitwin: `make demo` shows it, `make test` checks it. Everything else is below.
PYTHON ?= python3
BIN := .venv/bin
UI := src/servitwin/web/ui
UI_SOURCES := $(shell find ui -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
DEMO_DATA ?= demo-data
PEERS := tests/peers/node_modules/.installed

# Every process of a node would compile all sources again, a second or two each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-long check bench ui lock clean

help:            ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/'

setup: .venv/.runtime $(UI)/index.html   ## install all that the program needs

demo: setup      ## start the demo plant and print its address (Ctrl-C stops it, the next start goes on)
	@exec $(BIN)/servitwin serve --demo --data $(DEMO_DATA)

test: .venv/.dev .venv/.system $(PEERS) $(UI)/index.html check   ## every check and test, 25 to 45 minutes
	@tools/run_tests

test-long: .venv/.dev .venv/.system $(PEERS) $(UI)/index.html    ## the long suites: many kills, all machines, one hour of load
	@$(BIN)/python -m pytest -m long --timeout=7200 tests

check: .venv/.dev ui/node_modules/.installed  ## format, lint, types, import contracts, texts
	@tools/run_checks

bench: .venv/.dev $(UI)/index.html   ## benchmarks with their peers; prints the tables of docs/benchmarks.md
	@$(BIN)/python -m benchmarks

ui: $(UI)/index.html   ## build the web application

lock: .venv/.dev     ## renew the lock files
	@tools/renew_locks

clean:           ## remove what was built, keep data
	rm -rf .venv ui/node_modules tests/peers/node_modules $(UI) build

.venv/.made:
	@echo "[1/4] Python environment"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "servitwin needs Python 3.11 or newer, this is " + sys.version)'
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.runtime: .venv/.made requirements/runtime.lock pyproject.toml
	@echo "[2/4] Python packages"
	@$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements/runtime.lock
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -e .
	@touch $@

.venv/.dev: .venv/.runtime requirements/dev.lock
	@echo "      development packages"
	@$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements/dev.lock
	@touch $@

.venv/.system: .venv/.made tools/install_system_packages
	@tools/install_system_packages
	@touch $@

$(PEERS): .venv/.made tests/peers/package-lock.json
	@tools/npm ci --prefix ../tests/peers --silent && touch $@ || \
	  echo "Programs of others could not be installed: tests that speak with them are skipped." >&2

ui/node_modules/.installed: .venv/.runtime ui/package.json ui/package-lock.json
	@echo "[3/4] web packages"
	@tools/npm ci --no-fund --no-audit --loglevel=error
	@touch $@

$(UI)/index.html: ui/node_modules/.installed src/servitwin/web/api/openapi.json $(UI_SOURCES)
	@echo "[4/4] web application"
	@tools/npm run --silent build
