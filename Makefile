# Consort: firmware for a box that becomes a musical instrument. `make help` lists the targets.

VARIANT ?= release
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
BUILD   := build/$(VARIANT)$(if $(findstring clang,$(CC)),-clang)

PACKAGES := fluidsynth jack alsa liblo libconfig sndfile libsystemd
CFLAGS_release := -O2 -g
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    := -O1 -g -fsanitize=thread

ALL_CFLAGS = -std=gnu11 -I. -pthread -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
             -Wvla $(if $(CI),-Werror) $(CFLAGS_$(VARIANT)) $(shell pkg-config --cflags $(PACKAGES)) $(CFLAGS)
ALL_LDLIBS = -pthread $(CFLAGS_$(VARIANT)) $(shell pkg-config --libs $(PACKAGES)) -lm $(LDLIBS)

PROGRAMS := consortd consort
MAINS    := $(PROGRAMS:%=firmware/cmd/%.c)
ROOMS    := config dsp/base dsp/synth dsp/engine board net firmware firmware/cmd
SOURCES  := $(filter-out $(MAINS),$(wildcard $(ROOMS:%=%/*.c)))
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY  := $(BUILD)/libconsort.a
TESTS    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/*/test_*.c))
BENCHES  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))

.PHONY: all tests benches clean help
.SECONDARY:

all: $(PROGRAMS:%=$(BUILD)/%) ## build the programs (VARIANT=release|asan|tsan, CC=gcc|clang)

tests: $(TESTS)
benches: $(BENCHES)

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

clean: ## remove what was built
	rm -rf build

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(PROGRAMS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/firmware/cmd/%.o $(LIBRARY)
	$(CC) $^ $(ALL_LDLIBS) -o $@

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(LIBRARY)
	$(CC) $^ $(ALL_LDLIBS) -lcmocka -o $@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
