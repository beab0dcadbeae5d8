PYTHON ?= python3
UV ?= uv
NB ?= $(wildcard notebooks/*.ipynb)
ARGS ?=

VENV := .venv
RUN := $(VENV)/bin/python
LOG := $(VENV)/install.log
SOURCES := benchmarks dae_helpers denoising_models notebooks tests tools conftest.py

# Stamps of what is installed. The name of a stamp ends in a checksum of all that decides which
# packages are installed, so new content sets off an installation, and a new time does not.
STATE := $(shell awk '{ sub(/ *\043.*/, "") } /^\[/ { on = /(dependencies|setuptools)\]/ } \
  /^dependencies/ { on = 1 } NF && (on || /^requires/ || /==/)' pyproject.toml constraints.txt | \
  cksum | tr ' ' -)
LAB := $(VENV)/.lab-$(STATE)
DEV := $(VENV)/.dev-$(STATE)
SLIDES := $(VENV)/.slides-$(STATE)
BENCH := $(VENV)/.bench-$(STATE)
AUDIT := $(VENV)/.audit-$(STATE)

# TORCH=cpu takes torch and torchvision from PyTorch's own index of builds without CUDA: 1.5 GB in
# place of 6 on Linux. The stamp remembers the choice. These builds satisfy the same pins.
TORCH = $(if $(wildcard $(VENV)/.cpu-*),cpu)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PAIR := $(shell grep -E '^torch(vision)?==' constraints.txt)
CPU := $(VENV)/.cpu-$(subst ==,-,$(firstword $(PAIR)))
$(if $(filter-out cpu,$(TORCH)),$(error TORCH should be cpu or nothing, but it is $(TORCH)))

JUPYTERLAB = $(RUN) -m jupyterlab --ip=localhost --notebook-dir=. \
	  $(if $(filter 0,$(shell id -u)),--allow-root) --LabApp.default_url=/lab/tree

# The kernels of .venv come before those that a user has installed.
export JUPYTER_PREFER_ENV_PATH := 1

.NOTPARALLEL:
.PHONY: help .venv lab test test-all test-browser test-colab home colab-zip student solutions \
	pages handout slides present notebooks figures weights bench lint audit format \
	constraints clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z. -]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

.venv: $(LAB) ## make the environment for `make lab` (PYTHON=python3.12, TORCH=cpu: without CUDA)

# A virtual environment that could not be made whole is taken away again.
$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "The course needs Python 3.11 or newer, and $(PYTHON) is: $$($(PYTHON) --version 2>&1)"; \
	  echo "Name another one: make .venv PYTHON=python3.12"; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) -m venv failed (on Debian and Ubuntu: apt install python3-venv)"; exit 1; }

# pip looks up and downloads all before it changes anything. The stamp comes last.
define install
	@echo "pip install $(2) (minutes the first time; what pip says is in $(LOG))"
	@$(RUN) -m pip install -c constraints.txt $(2) >$(LOG) 2>&1 || { \
	  echo "That failed: $$(grep -io 'error: .*' $(LOG) | grep -v ' subprocess-' | tail -n 1)"; \
	  echo "With a network and room on the disk, try again."; [ ! -x $(VENV)/bin/jupyter-lab ] || \
	    echo "What was installed before still works: $(VENV)/bin/jupyter-lab"; exit 1; }
	@rm -f $(VENV)/.$(1)-*
	@touch $@
endef

$(CPU): | $(RUN)
	$(call install,cpu,--no-deps --force-reinstall --index-url $(TORCH_INDEX) $(PAIR))

$(VENV)/.%-$(STATE): | $(RUN)
	$(call install,$*,-e '.[$*]')

$(LAB): | $(if $(filter cpu,$(TORCH)),$(CPU))
$(DEV) $(SLIDES) $(BENCH) $(AUDIT): | $(LAB)

lab: $(LAB) ## open JupyterLab at the first notebook (ARGS="--no-browser --port 8899")
	$(JUPYTERLAB)/notebooks/01_autoencoders.ipynb $(ARGS)

# Two workers, a file at a time; conftest.py puts first what takes longest. One thread each: with two
# they would get in each other's way.
TWO := -n 2 --dist loadscope --no-loadscope-reorder -q

test: lint ## run the tests and every notebook in a smoke run: minutes (ARGS="-k noise")
	DAE_RUN=smoke OMP_NUM_THREADS=1 $(RUN) -m pytest notebooks tests --nbval-lax \
	  --nbval-current-env $(TWO) --durations=10 $(ARGS)

test-all: $(DEV) $(SLIDES) ## run the slow tests: a lesson run of every notebook with all its claims
	OMP_NUM_THREADS=1 $(RUN) -m pytest tests -m slow -rsP $(TWO) --durations=20 $(ARGS)

test-browser: $(DEV) ## try explorers, quizzes and exercises in JupyterLab and headless Chromium
	OMP_NUM_THREADS=1 $(RUN) -m pytest tests/test_browser.py -m slow -s -rs -q $(ARGS)

# Colab's own Python and versions where they can be had; PYTHON=... names an interpreter.
test-colab: $(DEV) ## run every notebook as in Colab: its versions, its folder, its first cell alone
	OMP_NUM_THREADS=1 $(if $(filter command environment,$(firstword $(origin PYTHON))),TWIN_PYTHON=$(PYTHON)) \
	  $(RUN) -m pytest tests/test_colab_twin.py -m slow -s -rs -q $(ARGS)

home: $(LAB) ## write the home into badges, links and first cells (REPO=owner/name REF=v1)
	@$(RUN) tools/set_home.py $(if $(REPO),--repo "$(REPO)") $(if $(REF),--ref "$(REF)")

colab-zip: $(LAB) ## build build/dae_course.zip, to upload into Colab where there is no public home
	$(RUN) tools/make_colab_zip.py

handout: ## write a page for printing of each notebook, and a PDF where there is Chromium
student solutions pages: ## write an edition to build/: without solutions, with, or HTML
student solutions pages handout: $(DEV)
	$(RUN) tools/make_editions.py $@ $(NB)

slides: $(DEV) $(SLIDES) ## write a slide deck of each notebook to build/slides/; it needs no network
	$(RUN) tools/make_slides.py $(NB)

# The first notebook of NB, with a button for slides (Alt-R) whose cells run.
present: $(LAB) $(SLIDES) ## open JupyterLab for live slides (NB="notebooks/04_training.ipynb")
	$(JUPYTERLAB)/$(firstword $(sort $(NB))) $(ARGS)

notebooks: $(DEV) ## execute the notebooks in place, a lesson run (NB="notebooks/02_noise.ipynb")
	$(RUN) tools/run_notebooks.py --run lesson $(ARGS) $(NB)

figures: $(DEV) ## draw the figures of denoising_models/ again
	$(RUN) tools/draw_figures.py
	$(RUN) tools/draw_before_after.py

weights: $(DEV) ## train the pretrained weights: hours; it can be stopped, and goes on
	$(RUN) tools/pretrain.py $(ARGS)

bench: $(DEV) $(BENCH) ## measure all that is claimed about speed and quality: an hour (ARGS="--again cost")
	$(RUN) benchmarks/run.py $(ARGS)

# actionlint is no Python package that brings its program along: used where it is installed.
lint: $(DEV) ## check code, notebooks, declared packages, and what GitHub reads
	$(RUN) -m ruff check $(SOURCES)
	$(RUN) -m ruff format --check $(SOURCES)
	$(RUN) -m deptry benchmarks dae_helpers notebooks tests tools
	$(RUN) -m deptry dae_helpers notebooks --optional-dependencies-dev-groups lab,dev,slides,bench,audit
	$(RUN) -m check_jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(RUN) -m check_jsonschema -q --builtin-schema vendor.dependabot .github/dependabot.yml
	$(RUN) -m check_jsonschema -q --builtin-schema vendor.citation-file-format CITATION.cff
	! command -v actionlint || actionlint

# Asks a vulnerability service, so it needs a network; it says so where there is none.
audit: $(AUDIT) ## look for known vulnerabilities in the versions of constraints.txt
	$(RUN) -m pip_audit -r constraints.txt --no-deps --disable-pip --strict --progress-spinner off $(ARGS) || { \
	  echo "The audit found something, or could not ask about every package (no network?): see above."; \
	  exit 1; }

format: $(DEV) ## format the code and the notebooks with ruff
	$(RUN) -m ruff check --fix $(SOURCES)
	$(RUN) -m ruff format $(SOURCES)

# Versions stay where they can (ARGS=--upgrade takes the newest); the comment at the top stays too.
constraints: ## resolve constraints.txt again for all platforms (needs uv)
	@mkdir -p build
	grep -v '^#' constraints.txt > build/resolved.txt
	$(UV) pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --no-header --no-annotate --quiet -o build/resolved.txt $(ARGS)
	{ grep '^#' constraints.txt; grep -v '^#' build/resolved.txt; } > build/constraints.txt
	mv build/constraints.txt constraints.txt

clean: ## remove .venv and everything else that can be made again
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf
