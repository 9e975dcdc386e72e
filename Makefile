# make demo    trains LeNet on Fashion-MNIST and writes a report; installs what is missing
# make test    the whole test suite; installs what is missing
# make test-long      the same with the proofs that take minutes
# make onnx-tests     ONNX's own tests on the reference and on the CPU: counts, and what is refused and why
# make build   the command, at .build/release/agnesi
# make install PREFIX=/usr/local
# make bench     times whole steps; WORKLOAD=lenet for one workload, THREADS=2; in turns with other
#                frameworks with PEERS=/path/to/python, by Scripts/peers.py or PEERS_SCRIPT=/path/to/one
# make performance    measures what Documentation/Performance.md says, and writes it there
# make lint    what continuous integration checks of the style

SWIFT ?= swift
PREFIX ?= /usr/local
WORKLOAD ?=
THREADS ?= 2
STEPS ?=
PEERS ?=
PEERS_SCRIPT ?= Scripts/peers.py
PEERS_JSON ?=
EPOCHS ?= 5
# One set of flags for the command, the tests and the benchmarks, so that nothing is built twice.
FLAGS = -c release
# Tests run side by side, one for each core: each computes on one thread, and the few that want two do
# not keep the others' cores busy with waiting.
TEST_ENVIRONMENT = AGNESI_THREADS=1 GOMP_SPINCOUNT=1000

.PHONY: all build demo test test-long onnx-tests lint bench performance install dependencies clean

all: build

dependencies:
	@sh Scripts/install-dependencies.sh

build: dependencies
	$(SWIFT) build $(FLAGS) --product agnesi

demo: build
	@sh Scripts/install-dependencies.sh dataset-fashion-mnist
	@mkdir -p demo
	.build/release/agnesi train fashion-mnist --network "20C5 MP2 50C5 MP2 256FC D0.5 10FC" \
	  --epochs $(EPOCHS) --output demo/fashion.safetensors --report demo/report.html
	@echo "open demo/report.html"

test: dependencies
	@sh Scripts/install-dependencies.sh dataset-fashion-mnist
	$(SWIFT) build $(FLAGS) --build-tests
	$(TEST_ENVIRONMENT) $(SWIFT) test $(FLAGS) --skip-build

test-long: export AGNESI_LONG_TESTS = 1
test-long: test

onnx-tests: dependencies
	$(SWIFT) build $(FLAGS) --build-tests
	@SWIFT="$(SWIFT)" FLAGS="$(FLAGS)" sh Scripts/onnx-tests.sh

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Snippets

bench: dependencies
	$(SWIFT) build $(FLAGS) --product agnesi-bench
ifeq ($(PEERS),)
	@.build/release/agnesi-bench run $(WORKLOAD) --threads $(THREADS) $(if $(STEPS),--steps $(STEPS))
else
	@.build/release/agnesi-bench peers $(WORKLOAD) --threads $(THREADS) --python $(PEERS) \
	  --script $(PEERS_SCRIPT) $(if $(PEERS_JSON),--json $(PEERS_JSON))
endif

performance: dependencies
	$(SWIFT) build $(FLAGS) --product agnesi-bench
	@.build/release/agnesi-bench table --threads $(THREADS) $(if $(PEERS_JSON),--peers $(PEERS_JSON))

install: build
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 .build/release/agnesi "$(DESTDIR)$(PREFIX)/bin/agnesi"

clean:
	rm -rf .build demo
