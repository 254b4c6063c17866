#!/bin/bash
# The lint itself: it passes a good tree and names each fault of a bad one, by file and line.
set -u
lint=$PWD/tests/lint/run
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

# A file of the tree, from standard input.
put() { # PATH
    mkdir -p "$tree/$(dirname "$1")"
    cat >"$tree/$1"
}

header() { # PATH LINE...
    local guard
    guard=CONSORT_$(tr 'a-z/.' 'A-Z__' <<<"$1")
    { printf '/// A thing. Owner: the test. Thread: any.\n#ifndef %s\n#define %s\n\n' "$guard" "$guard"
        printf '%s\n' "${@:2}" '' '#endif'; } | put "$1"
}

begin() {
    rm -rf "${tree:?}"/*
    header dsp/base/low.h 'int base_low(int value);'
    header dsp/engine/high.h 'int engine_high(int value);'
    header net/wire.h 'int net_wire(int value);'
    put dsp/engine/high.c <<'C'
#include "dsp/engine/high.h"
#include "dsp/base/low.h"

int engine_high(int value) { return base_low(value) + 1; }
C
}

# The bad tree must fail, and the finding must be there, word for word.
catches() { # FINDING
    local said
    if said=$("$lint" "$tree" 2>&1); then
        echo "not caught: $1"
    elif ! grep -qF -- "$1" <<<"$said"; then
        printf 'no finding "%s" in:\n%s\n' "$1" "$said"
    else
        return
    fi
    failed=1
}

begin
if ! said=$("$lint" "$tree" 2>&1) || [ -n "$said" ]; then
    printf 'a good tree does not pass:\n%s\n' "$said"
    failed=1
fi

begin
put dsp/base/low.c <<<'#include "dsp/engine/high.h"'
catches 'dsp/base/low.c:1: dsp/base is below dsp/engine'

begin
put board/jack.c <<<'#include "net/wire.h"'
catches 'board/jack.c:1: board and net are side by side'

begin
put dsp/engine/high.c <<<'#include "high.h"'
catches 'dsp/engine/high.c:1: "high.h" is no file from the root'

begin
put attic/box.c <<<'int attic_box;'
catches 'attic/box.c:1: a C file in no room'

begin
put dsp/engine/high.c <<<'#include <lo/lo.h>'
catches 'dsp/engine/high.c:1: <lo/lo.h> may not be included here'

begin
put net/osc.c <<<'#include <lo/lo.h>'
put net/second.c <<<'#include <lo/lo.h>'
catches 'net/second.c:1: <lo/lo.h> is already included in net/osc.c'

begin
put net/web.c <<<'#include <libwebsockets.h>'
catches 'net/web.c:1: <libwebsockets.h> is not in tests/lint/foreign'

begin
put dsp/base/bare.h <<<'int base_bare;'
catches 'dsp/base/bare.h:1: a header opens with'

begin
header dsp/base/low.h 'int base_low(int value);'
sed -i 's/_LOW_H/_HIGH_H/' "$tree/dsp/base/low.h"
catches 'dsp/base/low.h:2: the guard of this header is CONSORT_DSP_BASE_LOW_H'

begin
printf 'int base_tab(void)\n{\n\treturn 0;\n}\n' | put dsp/base/tab.c
catches 'dsp/base/tab.c:3: a tab'

begin
printf '# Notes\n\nTO%s: write them\n' DO | put net/PROTOCOL.md
catches 'net/PROTOCOL.md:3: unfinished work'

begin
printf 'font = "/%s/me/font.sf2"\n' home | put config/consort.cfg
catches 'config/consort.cfg:1: a path of one machine'

begin
printf 'one\nno end' | put config/consort.cfg
catches 'config/consort.cfg:2: the last line has no end'

begin
put dsp/base/shape.c <<<'int   base_shape ;'
catches 'dsp/base/shape.c:1:4: error: code should be clang-formatted'

begin
put dsp/base/wild.c <<'C'
#include <stdlib.h>

int base_wild(void);
int base_wild(void)
{
    int *block = malloc(sizeof *block);
    if (!block)
        return 0;
    *block = 1;
    free(block);
    return *block;
}
C
catches 'Use of memory after it is freed'
catches 'dsp/base/wild.c:11'

begin
put board/install <<'SH'
#!/bin/bash
rm -rf $1/tmp
SH
catches 'board/install:2:'

exit $failed
