# make demo    install what the product needs and find four phrases in a sample scene
# make test    install what the tests need and run everything that must hold
# make plugin  build the zip of the QGIS plugin; plugin-check does what the plugin store does, plugin-link PROFILE=...
#              puts links to this checkout into a QGIS profile; bundle fetches all that its engine needs offline
#              (another computer: TARGET="win_amd64 3.12"), engine-lock writes the sums of those files anew
# make pictures  take the pictures of the demo and of QGIS in docs/ anew
# make bench   print the measurements that the documentation quotes
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench package plugin plugin-check plugin-link bundle engine-lock pictures clean

demo: $(VENV)/.runtime
	$(BIN)/rrsis demo

test: check
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/imports.py
	$(BIN)/rrsis bench geo
	$(BIN)/python benchmarks/pipeline_speed.py
	$(BIN)/python benchmarks/resolve_speed.py
	$(BIN)/python benchmarks/scene_phrases.py

package: $(VENV)/.dev
	$(BIN)/python -m build --outdir dist

plugin:
	$(PYTHON) qgis_plugin/package.py zip

plugin-check: $(VENV)/store/.done
	$(VENV)/store/bin/python qgis_plugin/package.py check

PROFILE ?= $(HOME)/.local/share/QGIS/QGIS3/profiles/default
plugin-link:
	$(PYTHON) qgis_plugin/package.py link $(PROFILE)/python/plugins

bundle: $(VENV)/.dev
	$(BIN)/python qgis_plugin/bundle.py dist/bundle $(TARGET)

engine-lock: $(VENV)/store/.done
	$(VENV)/store/bin/python qgis_plugin/bundle.py lock

pictures: $(VENV)/.dev
	$(BIN)/rrsis demo
	$(BIN)/python docs/pictures.py

$(VENV)/store/.done: $(VENV)/bin/python qgis_plugin/store.lock
	$(BIN)/python -m venv $(VENV)/store
	$(VENV)/store/bin/pip install --quiet -r qgis_plugin/store.lock
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed. On Debian or Ubuntu: sudo apt-get install python3, or make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv is missing. On Debian or Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/pip install --quiet -r requirements.lock
	$(BIN)/pip install --quiet --no-deps -e .
	@$(BIN)/python -c 'import rasterio' || \
	  { echo "A library of the system is missing. On Debian or Ubuntu: sudo apt-get install libexpat1"; exit 1; }
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(BIN)/pip install --quiet -r requirements-dev.lock
	@touch $@

clean:
	rm -rf $(VENV) demo dist build
