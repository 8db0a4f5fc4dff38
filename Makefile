# Every target sets up what it needs in .venv first; the second time that takes no time. For GNU Make 3.81 (macOS) and newer.
# Paths are relative on purpose: the folder may have a space in its name.

.PHONY: help setup demo demo-chain run hub test check simulate chaos bench bench-chain screenshots words lock clean
.DEFAULT_GOAL := help
export PYTHON

help:
	@echo "make setup        install everything into .venv (a store's packages and what tests need)"
	@echo "make demo         see it work: a camera, faces, visits, and a page to look at"
	@echo "make demo-chain   see a chain work: a headquarters, two stores, people who come to both"
	@echo "make run          run this store"
	@echo "make hub          run a headquarters"
	@echo "make test         all tests (some: make test ARGS='-k visits')"
	@echo "make check        linter, types, tests"
	@echo "make simulate     a chain from many seeds (make simulate SEEDS=1000)"
	@echo "make chaos        a headquarters and two stores, killed and cut off a hundred times"
	@echo "make bench        speed and memory, to build/bench.json"
	@echo "make bench-chain  speed and cost of the line to headquarters, to build/bench_chain.json"
	@echo "make screenshots  the pages' pictures, to docs/screenshots/"
	@echo "make words        bring the languages' catalogues in line with the pages"
	@echo "make lock         pin the packages anew (newest versions: make lock ARGS=--upgrade)"
	@echo "make clean        remove what was built and .venv; never a store's data"

setup:
	@tools/setup dev

demo:
	@tools/setup store
	@.venv/bin/regulars demo $(ARGS)

demo-chain:
	@tools/setup hub
	@.venv/bin/regulars-hub demo $(ARGS)

run:
	@tools/setup store
	@.venv/bin/regulars run $(ARGS)

hub:
	@tools/setup hub
	@.venv/bin/regulars-hub serve $(ARGS)

# Two at a time: most tests wait for a server, a browser or a disk. A file's tests stay together and in order, the long files first.
test:
	@tools/setup dev
	@.venv/bin/python -m pytest -n $(or $(WORKERS),2) --dist loadfile --no-loadscope-reorder $(ARGS)

check:
	@tools/setup dev
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/python -m pytest $(ARGS)

simulate:
	@tools/setup dev
	@.venv/bin/python -m tests.simulation --seeds $(or $(SEEDS),50) $(ARGS)

chaos:
	@tools/setup dev
	@.venv/bin/python -m tests.chaos $(ARGS)

bench:
	@tools/setup store
	@.venv/bin/regulars bench $(ARGS)

bench-chain:
	@tools/setup dev
	@.venv/bin/python -m tests.bench_chain $(ARGS)

screenshots:
	@tools/setup dev
	@.venv/bin/python -m tests.browser.screenshots $(ARGS)

words:
	@tools/setup dev
	@tools/words

lock:
	@tools/setup dev
	@tools/lock $(ARGS)

clean:
	rm -rf .venv .venv-old .venv-setup build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis regulars.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
