.PHONY: test race lint fuzz examples bench ci

test:
	go test ./...

race:
	go test -race ./...

lint:
	go vet ./... && .ci/format && .ci/lint

fuzz:
	.ci/fuzz 1000000x

examples:
	.ci/examples

bench:
	cd bench && go run .

ci:
	.ci/run
