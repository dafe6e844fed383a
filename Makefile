.DEFAULT_GOAL := help
.PHONY: help check style format test slow bench reproduce

help:  ## show this
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

check: style test  ## all that CI checks, but for the fresh environment

style:  ## lint, format, types, import contracts
	ruff check .
	ruff format --check .
	mypy
	lint-imports

format:  ## put the code in shape
	ruff check --fix .
	ruff format .

test:  ## the default tests
	pytest -q

slow:  ## the tests over 10 seconds: statistics and the papers' figures
	pytest -q -m slow --timeout 1800

bench:  ## the benchmarks, to benchmarks/results
	python benchmarks/overhead.py --out benchmarks/results/overhead.md
	python benchmarks/training_loop.py --out benchmarks/results/training_loop.md
	python benchmarks/variants.py --out benchmarks/results/variants.md
	python benchmarks/pythae_variants.py --out benchmarks/results/pythae_variants.md
	python benchmarks/evaluation_speed.py --out benchmarks/results/evaluation_speed.md
	python benchmarks/open_arms.py --out benchmarks/results/open_arms.md
	python benchmarks/told.py --out benchmarks/results/told.md
	python benchmarks/tune.py --jobs 2 --out benchmarks/results/tune.md
	python benchmarks/search.py --jobs 2 --out benchmarks/results/search.md
	python benchmarks/mixtures.py --out benchmarks/results/mixtures.md

reproduce:  ## the papers' figures, to docs/reproduction.md: about an hour
	for script in consistency decoder_variance inference_gaps flow_densities flows decoder_bandit; do \
	  python benchmarks/reproduce/$$script.py || exit 1; done
