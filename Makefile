.PHONY: test race lint fuzz examples bench bench-quick benchstat ci

test:
	go test ./...

race:
	go test -race ./...

lint:
	.ci/vet && .ci/format && .ci/lint

fuzz:
	.ci/fuzz 1000000x

examples:
	.ci/examples

# Measures everything, and makes bench/results and the figures of README.md from it.
bench:
	cd bench && go run .

# Does everything of bench work? Its figures are of no use.
bench-quick:
	cd bench && go run . -quick

# The Go benchmarks of the working tree beside those of a revision: make benchstat BASE=main
benchstat:
	bench/benchstat $(BASE)

ci:
	.ci/run
