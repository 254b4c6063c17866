# Consort: firmware for a box that becomes a musical instrument. `make help` lists the targets.
#
# One build per folder: VARIANT=release|asan|tsan|fuzz and CC=gcc|clang live side by side in build/.
# WERROR= lets a compiler pass that warns of more than gcc 12 and clang 14 do; V=1 shows the commands.

VARIANT ?= release
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
BUILD   := build/$(VARIANT)$(if $(findstring clang,$(CC)),-clang)
WERROR  ?= -Werror
SAY      = $(if $(V),,@echo "  $(1) $(@:$(BUILD)/%=%)";)
MAKEFLAGS += --no-print-directory

# What is linked. pkg-config is asked once, at the first use: `make run` may have to install it.
PACKAGES       := fluidsynth jack alsa liblo libconfig sndfile libsystemd fftw3f samplerate
PACKAGE_CFLAGS  = $(eval PACKAGE_CFLAGS := $$(shell pkg-config --cflags $(PACKAGES)))$(PACKAGE_CFLAGS)
PACKAGE_LIBS    = $(eval PACKAGE_LIBS := $$(shell pkg-config --libs $(PACKAGES)))$(PACKAGE_LIBS)

# The GPU's libraries are for its process, and for its tests, alone: consortd never loads a driver.
GPU_PACKAGES := egl glesv2 gbm
GPU_LIBS      = $(eval GPU_LIBS := $$(shell pkg-config --libs $(GPU_PACKAGES)))$(GPU_LIBS)

SANITIZE       := -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_release := -O3 -g
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined $(SANITIZE)
CFLAGS_tsan    := -O1 -g -fsanitize=thread $(SANITIZE)
CFLAGS_fuzz    := -O1 -g -fsanitize=address,undefined,fuzzer-no-link $(SANITIZE)

ALL_CFLAGS = -std=gnu11 -I. -pthread -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
             -Wvla $(WERROR) $(CFLAGS_$(VARIANT)) $(PACKAGE_CFLAGS) $(CFLAGS)
# -rdynamic: backtraces with names, and `rt_is_set` for the interposer of tests/rt/.
ALL_LDLIBS = -pthread -rdynamic $(CFLAGS_$(VARIANT)) $(PACKAGE_LIBS) -lm $(LDLIBS)

# Files are found by room, ground floor first.
ROOMS    := config dsp/base dsp/synth dsp/effects dsp/gpu dsp/engine board net display firmware \
            firmware/cmd
PROGRAMS := consortd consort
MAINS    := $(PROGRAMS:%=firmware/cmd/%.c) firmware/cmd/gpu.c
SOURCES  := $(filter-out $(MAINS),$(wildcard $(ROOMS:%=%/*.c)))
LIBRARY  := $(BUILD)/libconsort.a

# A C file in tests/ROOM/ is a program by its first word, test_, bench_ or fuzz_; others help them.
TEST_C  := $(wildcard tests/*/test_*.c)
BENCH_C := $(wildcard tests/*/bench_*.c)
FUZZ_C  := $(wildcard tests/*/fuzz_*.c)
WATCH_C := $(filter-out $(TEST_C),$(wildcard tests/rt/*.c))
HELP_C  := $(filter-out $(TEST_C) $(BENCH_C) $(FUZZ_C) $(WATCH_C),$(wildcard tests/*/*.c))
HELPERS := $(if $(HELP_C),$(BUILD)/libtests.a)
WATCHER := $(BUILD)/tests/rt/interposer.so

.PHONY: all run test lint bench fuzz format deps tests benches fuzzers clean help
.SECONDARY:
.DELETE_ON_ERROR:

all: $(PROGRAMS:%=$(BUILD)/%) $(BUILD)/consort-gpu ## build the programs

run: ## install what is missing, build, and play; ARGS= goes to consortd
	@tests/deps run
	@$(MAKE) all
	@exec $(BUILD)/consortd -c config/consort.cfg $(ARGS)

test: ## install what is missing, build every variant and check everything; ONLY= picks by name
	@tests/deps test
	@tests/run '$(ONLY)'

lint: ## floors, foreign headers, format and static analysis
	@tests/deps test
	@CFLAGS="$(ALL_CFLAGS)" tests/lint/run

bench: ## measure, ours beside the other's, and print the ratios; ONLY= picks by name
	@tests/deps test
	@$(MAKE) all benches
	@BUILD=$(BUILD) tests/bench/run '$(ONLY)'

fuzz: ## feed hostile input to the parsers for FUZZ_SECONDS=600 in all; ONLY= picks one
	@tests/deps test
	@$(MAKE) VARIANT=fuzz CC=clang fuzzers
	@tests/fuzz/run $(ONLY)

format: ## lay the C files out as .clang-format says
	@clang-format -i $(wildcard $(ROOMS:%=%/*.[ch]) tests/*/*.[ch])

deps: ## install what building and testing need (Debian)
	@tests/deps test

tests: $(TEST_C:%.c=$(BUILD)/%) ## build the test programs
benches: $(BENCH_C:%.c=$(BUILD)/%) ## build the benchmarks
fuzzers: $(FUZZ_C:%.c=$(BUILD)/%) ## build the fuzz targets (VARIANT=fuzz CC=clang)

clean: ## remove what was built
	rm -rf build

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call SAY,cc  )$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(LIBRARY): $(SOURCES:%.c=$(BUILD)/%.o)
$(HELPERS): $(HELP_C:%.c=$(BUILD)/%.o)
$(BUILD)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(call SAY,ar  )ar qcs $@ $^

$(PROGRAMS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/firmware/cmd/%.o $(LIBRARY)
	$(call SAY,link)$(CC) $^ $(ALL_LDLIBS) -o $@

$(BUILD)/consort-gpu: $(BUILD)/firmware/cmd/gpu.o $(LIBRARY)
	$(call SAY,link)$(CC) $^ -pthread $(CFLAGS_$(VARIANT)) $(GPU_LIBS) -lm $(LDLIBS) -o $@

$(BUILD)/dsp/gpu/shaders.o: $(wildcard dsp/gpu/shaders/*.comp)

$(BUILD)/tests/gpu/% $(BUILD)/tests/bench/bench_gpu: TEST_LDLIBS = $(GPU_LIBS)

# The rival of the convolver is a library in C++, for this benchmark alone.
$(BUILD)/%.o: %.cc
	@mkdir -p $(@D)
	$(call SAY,c++ )$(CXX) -I. -O2 -g -MMD -MP -c $< -o $@
$(BUILD)/tests/bench/bench_convolver: $(BUILD)/tests/bench/zita.o
$(BUILD)/tests/bench/bench_convolver: TEST_LDLIBS := -lzita-convolver -lstdc++

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(HELPERS) $(LIBRARY)
	$(call SAY,link)$(CC) $(WATCHED) $(filter-out %.so,$^) $(TEST_LDLIBS) $(ALL_LDLIBS) -lcmocka -o $@

# Each test in tests/rt/ is linked behind the interposer and so is watched whenever it runs.
RT_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/rt/test_*.c))
$(RT_TESTS): $(WATCHER)
$(RT_TESTS): WATCHED := -Wl,--no-as-needed $(WATCHER) -Wl,--as-needed -Wl,-rpath,'$$ORIGIN'
$(FUZZ_C:%.c=$(BUILD)/%): TEST_LDLIBS := -fsanitize=fuzzer

$(WATCHER): override CFLAGS += -fPIC
$(WATCHER): $(WATCH_C:%.c=$(BUILD)/%.o)
	$(call SAY,link)$(CC) -shared $^ $(CFLAGS_$(VARIANT)) -ldl -o $@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
