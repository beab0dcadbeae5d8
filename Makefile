PYTHON ?= python3
UV ?= uv
NB ?= $(wildcard notebooks/*.ipynb)
ARGS ?=

VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
SLIDES := $(VENV)/.slides
SOURCES := benchmarks dae_helpers denoising_models notebooks tests tools conftest.py

# The kernels of .venv come before those that a user has installed.
export JUPYTER_PREFER_ENV_PATH := 1

.PHONY: help .venv lab test test-all test-browser test-colab home colab-zip student solutions \
	pages handout slides present notebooks figures weights bench lint audit smoke-figures format \
	constraints clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z. -]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

.venv: $(READY) ## make the virtual environment and install everything (PYTHON=python3.12 picks one)

# The stamp comes last, so an installation that stopped half-way is taken up again.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "The course needs Python 3.11 or newer, and $(PYTHON) is: $$($(PYTHON) --version 2>&1)"; \
	  echo "Name another one: make .venv PYTHON=python3.12"; exit 1; }
	@rm -f $@
	@$(RUN) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
	  echo "$(PYTHON) -m venv failed (on Debian and Ubuntu: apt install python3-venv)"; exit 1; }
	$(RUN) -m pip install -c constraints.txt -e ".[dev]"
	@touch $@

# What only slides need: reveal.js, and the extension that shows them live in JupyterLab.
$(SLIDES): $(READY)
	$(RUN) -m pip install -q -c constraints.txt -e ".[slides]"
	@touch $@

lab: $(READY) ## open JupyterLab at the first notebook (ARGS="--no-browser --port 8899")
	$(RUN) -m jupyterlab --ip=localhost --notebook-dir=. --LabApp.default_url=/lab/tree/notebooks/01_autoencoders.ipynb \
	  $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

# One thread a worker: two workers with two threads each would get in each other's way.
test: lint ## run the tests and every notebook in a smoke run: minutes (ARGS="-k noise")
	DAE_RUN=smoke OMP_NUM_THREADS=1 $(RUN) -m pytest tests notebooks --nbval-lax \
	  --nbval-current-env -n 2 --dist loadscope -q $(ARGS)

test-all: $(SLIDES) ## run the slow tests: a lesson run of every notebook with all its claims
	$(RUN) -m pytest tests -m slow -s $(ARGS)

test-browser: $(READY) ## try explorers, quizzes and exercises in JupyterLab and headless Chromium
	OMP_NUM_THREADS=1 $(RUN) -m pytest tests/test_browser.py -m slow -s -rs -q $(ARGS)

# Colab's own Python and versions where they can be had; PYTHON=... names an interpreter.
test-colab: $(READY) ## run every notebook as in Colab: its versions, its folder, its first cell alone
	OMP_NUM_THREADS=1 $(if $(filter command environment,$(firstword $(origin PYTHON))),TWIN_PYTHON=$(PYTHON)) \
	  $(RUN) -m pytest tests/test_colab_twin.py -m slow -s -rs -q $(ARGS)

home: $(READY) ## write the home into all badges, links, first cells (REPO=owner/name REF=v1)
	@$(RUN) tools/set_home.py $(if $(REPO),--repo "$(REPO)") $(if $(REF),--ref "$(REF)")

colab-zip: $(READY) ## build build/dae_course.zip, to upload into Colab where there is no public home
	$(RUN) tools/make_colab_zip.py

handout: ## write a page for printing of each notebook, and a PDF where there is Chromium
student solutions pages: ## write an edition to build/: without solutions, with, or HTML
student solutions pages handout: $(READY)
	$(RUN) tools/make_editions.py $@ $(NB)

slides: $(SLIDES) ## write a slide deck of each notebook to build/slides/; it needs no network
	$(RUN) tools/make_slides.py $(NB)

# The first notebook of NB, with a button for slides (Alt-R) whose cells run.
present: $(SLIDES) ## open JupyterLab for live slides (NB="notebooks/04_training.ipynb")
	$(RUN) -m jupyterlab --ip=localhost --notebook-dir=. --LabApp.default_url=/lab/tree/$(firstword $(sort $(NB))) \
	  $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

notebooks: $(READY) ## execute the notebooks in place, a lesson run (NB="notebooks/02_noise.ipynb")
	$(RUN) tools/run_notebooks.py --run lesson $(ARGS) $(NB)

figures: $(READY) ## draw the figures of denoising_models/ again
	$(RUN) denoising_models/draw_figures.py
	$(RUN) denoising_models/draw_before_after.py

weights: $(READY) ## train the pretrained weights: hours; it can be stopped, and goes on
	$(RUN) denoising_models/pretrain.py $(ARGS)

bench: $(READY) ## measure all that is claimed about speed and quality: an hour (ARGS="--again cost")
	$(RUN) -m pip install -q -c constraints.txt -e ".[bench]"
	$(RUN) benchmarks/run.py $(ARGS)

lint: $(READY) ## check the code and the notebooks with ruff
	$(RUN) -m ruff check $(SOURCES)
	$(RUN) -m ruff format --check $(SOURCES)

# Asks a vulnerability service, so it needs a network; it says so where there is none.
audit: $(READY) ## look for known vulnerabilities in the versions of constraints.txt
	$(RUN) -m pip install -q -c constraints.txt -e ".[audit]"
	$(RUN) -m pip_audit -r constraints.txt --no-deps --disable-pip --strict --progress-spinner off $(ARGS) || { \
	  echo "The audit found something, or could not ask about every package (no network?): see above."; \
	  exit 1; }

smoke-figures: $(READY) ## store the numbers that a smoke run prints, which a test compares with
	OMP_NUM_THREADS=1 $(RUN) tools/smoke_figures.py

format: $(READY) ## format the code and the notebooks with ruff
	$(RUN) -m ruff check --fix $(SOURCES)
	$(RUN) -m ruff format $(SOURCES)

# Versions stay where they can (ARGS=--upgrade takes the newest); the comment at the top stays too.
constraints: ## resolve constraints.txt again for all platforms (needs uv)
	@mkdir -p build
	grep -v '^#' constraints.txt > build/resolved.txt
	$(UV) pip compile pyproject.toml --extra dev --extra slides --extra bench --extra audit --universal --python-version 3.11 \
	  --no-header --no-annotate --quiet -o build/resolved.txt $(ARGS)
	{ grep '^#' constraints.txt; grep -v '^#' build/resolved.txt; } > build/constraints.txt
	mv build/constraints.txt constraints.txt

clean: ## remove .venv and everything else that can be made again
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf
