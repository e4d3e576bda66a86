# The two commands: "make demo" needs Go and nothing else; "make test" installs
# what the tests need (as root on Debian), or says what is missing.

GO          ?= go
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
HELM         = helm.sh/helm/v3/cmd/helm@v3.19.2
LDFLAGS      = -s -w
export CGO_ENABLED ?= 0

.DEFAULT_GOAL := help

# These start whole programs, which the race detector does not see.
PROGRAMS = -e /e2e -e /simulation -e '/installer$$'

.PHONY: help demo build packages test unit race programs lint tools bench scale fuzz long clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## tell the main story, then keep everything running until Ctrl-C
	@cloud/demo/compile.sh $(GO) bin/ ./cloud/demo/ldap-demo && exec bin/ldap-demo

build: ## build both programs into bin/
	$(GO) build -trimpath -ldflags "$(LDFLAGS)" -o bin/ ./agent/ldap-gateway ./cloud/ldap-cloud

packages: ## build deb, rpm, apk, Arch Linux packages and archives into dist/
	@installer/packages

test: lint tools race programs ## check, install what is needed, run every test once

unit: ## run the tests without the race detector; needs what "make tools" installs
	$(GO) test -timeout 30m ./...

# SQLite itself is C that was translated: nothing of ours, and five times slower when watched.
race: ## run the tests with the race detector, those excepted that start programs
	CGO_ENABLED=1 $(GO) test -race -gcflags=modernc.org/sqlite/lib=-race=false -timeout 40m $$($(GO) list ./... | grep -v $(PROGRAMS))

programs: ## run the tests that start programs
	$(GO) test -timeout 40m $$($(GO) list ./... | grep $(PROGRAMS))

lint: ## format, vet on both systems, staticcheck
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	GOOS=windows $(GO) build ./...
	GOOS=windows $(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

tools: ## install the servers and the browser that the tests start
	@.ci/tools

bench: ## a sign-on through both programs beside the least that their parts take, both programs at rest, the agent's part of it beside bare LDAP operations, one for an application beside bare signatures, one that waits for the turns of another node, and one by a gateway with 5,000 links beside ten; PROFILE=1 says where both programs spend their time
	$(GO) test -run '^$$' -bench 'WholePath|Floor|Idle' -benchtime 1x -timeout 40m ./cloud/e2e $(if $(PROFILE),-profiles)
	$(GO) test -run '^$$' -bench SignOn -benchtime 1x -timeout 10m ./agent/signon
	$(GO) test -run '^$$' -bench SignOns -benchtime 3x -timeout 10m ./cloud/oidc
	$(GO) test -run '^$$' -bench TurnsOfTwoNodes -benchtime 1000x -timeout 10m ./cloud/store
	$(GO) test -run '^$$' -bench Links -benchtime 3x -timeout 10m ./cloud/hub -links 5000

scale: ## sign-ons, lists and pages among 1,000, 100,000 and 1,000,000 people in up to 100,000 groups, side by side, and how long others wait while 5,000 come anew, on both engines
	$(GO) test -run '^$$' -bench 'Scale|Storm' -benchtime 1x -timeout 60m ./cloud -scale 1000000 -storm 5000

fuzz: ## two minutes of fuzzing for each target, with how often each was run
	@.ci/fuzz

long: fuzz ## what takes too long for every change: a million simulated steps, 10,000 sign-ons under random faults, 50 kills, an hour of faults, 20,000 people, the chart by Helm itself, fuzzing
	$(GO) test -run RandomFaults -timeout 60m ./directory -signons 10000
	$(GO) test -run 'TestSimulation$$' -timeout 60m ./cloud/simulation -steps 1000000
	$(GO) test -run FloodOfStrangers -v -timeout 30m ./cloud -floods 100000
	$(GO) test -run KilledAtRandom -timeout 30m ./cloud/e2e -kills 50
	$(GO) test -run ChartByHelm -timeout 30m ./installer -helm "$(GO) run $(HELM)"
	$(GO) test -run Torture -v -timeout 90m ./cloud/e2e -torture 1h
	$(GO) test -run '^$$' -bench DirectorySize -timeout 10m ./directory

clean: ## remove what was built
	rm -rf bin dist
