# make demo   the quickstart example, in an environment of its own
# make test   everything: lint, the core on Python 3.14, then all tests with the real servers
# make fast   the tests that need no server
# make lint   ruff, mypy, import-linter
# make clean  removes what the targets above made

# The first Python that runs (a pyenv shim may not), is 3.11 or newer, and can make virtual environments.
USABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
find_python = $(shell for python in $(1); do "$$python" -c '$(USABLE)' >/dev/null 2>&1 && { echo "$$python"; break; }; done)
NO_PYTHON = no Python 3.11 or newer that can make virtual environments was found: \
	install python3 (on Debian and Ubuntu also python3-venv), or name one: make $@ PYTHON=/path/to/python

.PHONY: demo test fast lint clean
.DEFAULT_GOAL := test

demo: PYTHON ?= $(call find_python,python3.14 python3.13 python3.12 python3.11 python3 python)
demo:
	@test -n "$(PYTHON)" || { echo "$(NO_PYTHON)" >&2; exit 2; }
	@PYTHON="$(PYTHON)" $(MAKE) --silent --no-print-directory .venv-demo/installed
	@.venv-demo/bin/python examples/quickstart.py

.venv-demo/installed: setup.py pyproject.toml $(shell find elasticecsmetrics -name '*.py' -o -name '*.tsv')
	@echo "Installing into .venv-demo (once)"
	@"$(PYTHON)" -m venv --clear .venv-demo
	@rm -rf build
	@.venv-demo/bin/python -m pip install --quiet --disable-pip-version-check '.[sql]'
	@rm -rf build
	@touch $@

test fast lint: PYTHON ?= $(call find_python,python3.11 python3 python3.12 python3.13 python3.14 python)
test fast lint:
	@test -n "$(PYTHON)" || { echo "$(NO_PYTHON)" >&2; exit 2; }
	@"$(PYTHON)" tests/run.py $@

clean:
	rm -rf .venv-demo .venv-test .venv-test-3.14 build elasticecsmetrics.egg-info .mypy_cache .ruff_cache .pytest_cache
