# Every job of the project is a target here; CI runs nothing else.
# `make demo` and `make test` need Go and make only; the other tools are built into bin/.

BIN     := $(CURDIR)/bin
MODULES := $(shell sed -n 's/^\t\.\///p' go.work)
CODE    := $(patsubst %,./%/...,$(filter-out proto,$(MODULES)))
# Vetting is `make lint` and `make standalone`: it would be the same again for each way of testing.
TEST    := go test -timeout 20m -vet=off $(TESTFLAGS)
# Packages with tests that crash the code at the points of libs/faultpoint.
FAULTS   = $(shell grep -rl --include='*_test.go' '^//go:build faults' $(MODULES) | xargs -n1 dirname | sort -u | sed 's,^,./,')

# Tools are modules of their own, outside the workspace.
TOOL := GOWORK=off CGO_ENABLED=0 GOBIN=$(BIN) go -C scripts/tools

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Use

.PHONY: help
help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z][a-z-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## run the whole suite, walk real orders and tell their story (DEMO_EXIT=1, DEMO_DATA=brunel)
	go run ./services/suite/cmd/lockstep demo

.PHONY: up
up: ## run the whole suite in one process, data under ./data
	go run ./services/suite/cmd/lockstep up

.PHONY: build
build: ## build every program into bin/
	go build -trimpath -o $(BIN)/ $(wildcard $(addsuffix /cmd/*,$(addprefix ./,$(MODULES))))

##@ Test

.PHONY: test
test: parts ## run every test, on a real MongoDB and Redis too (TESTFLAGS=…)
	$(TEST) $(CODE)
	$(TEST) -tags faults $(FAULTS)
	GOWORK=off go -C scripts test $(TESTFLAGS) ./...

.PHONY: test-race
test-race: parts ## run the tests of libraries, domains and use cases under the race detector
	$(TEST) -short -race ./libs/... $(wildcard ./services/*/internal/domain/) $(wildcard ./services/*/internal/domain/*/) $(wildcard ./services/*/internal/app/)

.PHONY: planted
planted: parts ## plant known bugs one after another; the tests must catch each (BUG=w1 RUNS=5)
	GOWORK=off go -C scripts run ./planted -root $(CURDIR) -runs $(or $(RUNS),1) $(BUG)

.PHONY: standalone
standalone: ## build and vet each module alone, as a team that owns one service does
	@for m in $(MODULES) scripts; do \
		echo "$$m"; (cd $$m && GOWORK=off go build ./... && GOWORK=off go vet ./...) || exit 1; done

.PHONY: bench
bench: parts ## run the benchmarks, those of one group with ONLY=store
	go run ./services/suite/cmd/bench -only "$(ONLY)"

.PHONY: cluster
cluster: parts ## run the suite as a cluster and kill it part by part (CLUSTER_MINUTES=5)
	go run ./services/suite/cmd/cluster

.PHONY: parts
parts: $(BIN)/nats-server ## fetch mongod and redis-server into .cache/, where the system can run them, and build nats-server
	@scripts/fetch-mongod.sh
	@scripts/fetch-redis.sh

##@ Write

.PHONY: proto
proto: proto-tools ## generate Go, gRPC, gateway and OpenAPI from the protos
	scripts/generate.sh

.PHONY: fmt
fmt: $(BIN)/golangci-lint $(BIN)/buf ## format Go and protos
	$(BIN)/golangci-lint fmt $(CODE)
	$(BIN)/buf format -w --path proto/lockstep proto

##@ Check

.PHONY: lint
lint: lint-go check ## run all linters

.PHONY: lint-go
lint-go: $(BIN)/golangci-lint ## lint Go: correctness, style, who may import whom
	$(BIN)/golangci-lint run $(CODE)
	cd scripts && GOWORK=off $(BIN)/golangci-lint run ./...

.PHONY: check
check: $(BIN)/buf ## check what no linter knows: versions, API rules, documents and their links
	@mkdir -p .cache
	$(BIN)/buf build proto -o .cache/check.binpb
	GOWORK=off go -C scripts run ./check -root $(CURDIR) -image $(CURDIR)/.cache/check.binpb

.PHONY: proto-check
proto-check: proto-tools ## check the protos: lint, format, breaking changes, generated code fresh
	scripts/proto-check.sh

.PHONY: vuln
vuln: ## report known vulnerabilities in what the code calls (needs the network)
	GOWORK=off GOBIN=$(BIN) go install golang.org/x/vuln/cmd/govulncheck@v1.9.0
	@for m in $(MODULES); do echo "$$m"; (cd $$m && $(BIN)/govulncheck ./...) || exit 1; done

.PHONY: ci
ci: test lint proto-check standalone test-race ## everything that a change must pass

##@ Tools

.PHONY: tools
tools: proto-tools $(BIN)/golangci-lint ## build the pinned tools into bin/

.PHONY: proto-tools
proto-tools: $(BIN)/buf $(BIN)/protoc-gen-go

$(BIN)/buf: scripts/tools/buf/go.mod
	scripts/install-buf.sh
	@touch $@

# One module holds all generators; the first one stands for them.
$(BIN)/protoc-gen-go: scripts/tools/gen/go.mod
	$(TOOL)/gen install tool
	@touch $@

$(BIN)/nats-server: scripts/tools/nats/go.mod
	$(TOOL)/nats build -trimpath -ldflags='-s -w' -o $@ github.com/nats-io/nats-server/v2

$(BIN)/golangci-lint: scripts/tools/lint/go.mod
	$(TOOL)/lint install -ldflags='-s -w' tool
	@touch $@

.PHONY: clean
clean: ## remove what was built, fetched and stored by the embedded suite
	rm -rf $(BIN) .cache data services/*/data
