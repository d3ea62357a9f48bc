# The two main commands are `make run` and `make test`. `make help` lists them all.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
COGNITO_PORT ?= 8001
DEMO_PORT ?=
FRESH ?=
ARCH ?=

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
bin := $(VENV)/bin
# An environment works for one version of Python, so another PYTHON= creates it again. It first has
# what runs the service; the first command that checks or tests it adds what that needs.
version := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
runnable := .runnable-$(version)
ready := .ready-$(version)
.DEFAULT_GOAL := help
.PHONY: help run test bench package bundle lint types deploy-check smoke doctor format lock screenshots assets clean
.DELETE_ON_ERROR:

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/$(runnable) ## Start the API, the local Cognito and the demo (PORT= COGNITO_PORT= DEMO_PORT= FRESH=1)
	@exec $(bin)/python -m infra.local --port $(PORT) --cognito-port $(COGNITO_PORT) $(if $(DEMO_PORT),--demo-port $(DEMO_PORT)) $(if $(FRESH),--fresh)

test: $(VENV)/$(ready) ## Run every test (ARGS= goes to pytest)
	$(bin)/python -m pytest -n auto --dist worksteal $(ARGS)

bench: $(VENV)/$(ready) ## Compare speed and size with alternatives, in 12 minutes (ARGS=--help)
	@$(bin)/python -m tests.bench $(ARGS)

package: $(VENV)/$(runnable) ## Make a zip for `sam deploy`, instead of `sam build` with Docker (ARCH=x86_64)
	@rm -rf dist/bundle
	@$(bin)/python -m infra.package $(if $(ARCH),--arch $(ARCH))

bundle: $(VENV)/$(runnable) ## Write what ships to dist/bundle.zip (ARGS="--arch arm64" for that processor)
	@rm -rf dist/bundle
	@$(bin)/python -m infra.bundle dist/bundle --zip dist/bundle.zip $(ARGS)

lint: $(VENV)/$(ready) ## Check style
	$(bin)/ruff check .
	$(bin)/ruff format --check .

types: $(VENV)/$(ready) ## Check the types of app/ and infra/, strictly
	$(bin)/mypy

deploy-check: $(VENV)-template/$(ready) ## Check the templates with cfn-lint, the SAM transform and tests of their guarantees
	$(VENV)-template/bin/cfn-lint infra/template.yaml infra/ci-role.yaml
	$(VENV)-template/bin/python -m pytest -q -c /dev/null --rootdir . --noconftest $(wildcard tests/deploy/check_*.py)

smoke: $(VENV)/$(runnable) ## Test a deployed API (URL=https://…/v1, ARGS="--email you@example.com")
	@$(bin)/python -m infra.smoke $(ARGS) $(URL)

doctor: $(VENV)/$(runnable) ## Find what is set wrongly for sign-in with Google (URL=https://…/v1, ARGS=--help)
	@$(bin)/python -m infra.doctor $(ARGS) $(URL)

format: $(VENV)/$(ready) ## Fix style and formatting
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

compile = $(bin)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --custom-compile-command 'make lock'
lock: $(VENV)/$(ready) ## Pin the dependencies in pyproject.toml (UPGRADE=1 for newer versions)
	$(compile) $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements.txt
	$(compile) $(if $(UPGRADE),--upgrade) pyproject.toml --group run -c requirements.txt -o requirements-run.txt
	$(compile) $(if $(UPGRADE),--upgrade) pyproject.toml --group dev -c requirements-run.txt -o requirements-dev.txt
	$(compile) $(if $(UPGRADE),--upgrade) pyproject.toml --group bench -c requirements.txt -o requirements-bench.txt
	$(compile) $(if $(UPGRADE),--upgrade) --group pyproject.toml:template -o requirements-template.txt
	$(compile) $(if $(UPGRADE),--upgrade) --group pyproject.toml:awscli -o tests/infra/local/clients/requirements.txt

screenshots: $(VENV)/$(ready) ## Take the screenshots in infra/web/README.md again
	$(bin)/python -m pytest -q tests/infra/web/test_demo.py -k test_pictures
	cp .artifacts/demo-en-1000-light-confirm.png infra/web/screenshots/english.png
	cp .artifacts/demo-ko-1000-dark-refused.png infra/web/screenshots/korean.png

# --ignore-scripts, because a dependency's script reports each installation to its vendor.
npm = cd infra/assets && npm $(1) --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund --loglevel error
vendored := LICENSE NOTICE package.json swagger-ui.css swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt
passwords := app/assets/common-passwords
zxcvbn := @zxcvbn-ts/language-common
assets: ## Fetch the docs page's Swagger UI and the list of common passwords (UPGRADE=1 for the newest)
	$(call npm,$(if $(UPGRADE),install --save-exact swagger-ui-dist@latest $(zxcvbn)@latest,ci))
	mkdir -p $(passwords)
	node infra/assets/common-passwords.mjs $(passwords)/passwords.txt
	install -m 644 infra/assets/node_modules/$(zxcvbn)/LICENSE.txt $(passwords)/LICENSE
	install -m 644 infra/assets/node_modules/$(zxcvbn)/package.json $(passwords)
	cd $(passwords) && sha256sum LICENSE package.json passwords.txt >SHA256SUMS
	rm -rf app/assets/swagger-ui && mkdir app/assets/swagger-ui
	cd infra/assets/node_modules/swagger-ui-dist && install -m 644 $(vendored) $(CURDIR)/app/assets/swagger-ui
	cd app/assets/swagger-ui && sha256sum $(vendored) >SHA256SUMS

clean: ## Delete the environments, the caches and the local users
	rm -rf .venv* .local .artifacts .aws-sam dist .*_cache .hypothesis

$(VENV)/$(runnable): requirements-run.txt
	@$(call environment,$(VENV))
	$(call install,$(VENV),$<,--no-compile)
	@touch $@

# A new environment, unless it has exactly what runs the service.
$(VENV)/$(ready): requirements-dev.txt requirements-run.txt
	@[[ ! -e $@ && $(VENV)/$(runnable) -nt requirements-run.txt ]] || { $(call environment,$(VENV)); }
	$(call install,$(VENV),$<)
	@touch $(VENV)/$(runnable) $@

$(VENV)-template/$(ready): requirements-template.txt
	@$(call environment,$(VENV)-template)
	$(call install,$(VENV)-template,$<)
	@touch $@

# Create an empty virtual environment.
environment = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, and $(PYTHON) is %d.%d. Name another: make PYTHON=python3.13 ..." % sys.version_info[:2])' && $(PYTHON) -m venv --clear $(1)

# Install exactly what a requirement file pins.
define install
	@echo "Installing $(2) into $(1): this first time only"
	@$(1)/bin/pip install --disable-pip-version-check --require-hashes --progress-bar off $(3) -r $(2) \
		| sed -un 's/^Collecting \([^ ]*\).*/  \1/p'
endef
