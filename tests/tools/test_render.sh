#!/bin/bash
# consort render: length, level, the same sound again and again, and what it says of mistakes.
# variants: release
# timeout: 300
set -u
consort=${BUILD:-build/release}/consort
piece=tests/data/consort_gm.mid
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAIL: $*"
    exit 1
}

expect_exit() { # STATUS COMMAND...
    local wanted=$1
    shift
    "$@" >"$work/out" 2>"$work/err"
    local status=$?
    [ $status -eq "$wanted" ] && return
    cat "$work/out" "$work/err"
    fail "exit $status instead of $wanted: $*"
}

expect_words() { # FILE WORDS
    grep -qF -- "$2" "$1" && return
    cat "$1"
    fail "not said: $2"
}

# A field of the first JSON line of the last command.
field() { sed -nE "1s/.*\"$1\": ([^,}]*).*/\1/p" "$work/out"; }

expect_between() { # NAME LOW HIGH
    awk -v x="$(field "$1")" -v low="$2" -v high="$3" 'BEGIN { exit !(x + 0 >= low && x + 0 <= high) }' ||
        fail "$1 is $(field "$1"), not $2 to $3"
}

# wrong usage is told before anything is loaded or written
expect_exit 2 "$consort" render
expect_exit 2 "$consort" render "$piece"
expect_exit 2 "$consort" render "$piece" -o
expect_exit 2 "$consort" render --nonsense "$piece" -o "$work/x.wav"
for option in "--rate 7999" "--rate 48000.5" "--rate x" "--period 15" "--effects maybe" \
    "--jobs 0" "--tail -1" "--tail nan"; do
    # shellcheck disable=SC2086 # two words are meant
    expect_exit 2 "$consort" render $option "$piece" -o "$work/x.wav"
    expect_words "$work/err" "${option%% *}"
done
expect_exit 2 "$consort" render "$piece" "$piece" -o "$work/x.wav"
expect_exit 2 "$consort" render "$piece" "./$piece" -o "$work/two/"
expect_words "$work/err" "both become"
[ ! -e "$work/x.wav" ] || fail "wrong usage wrote a file"
expect_exit 0 "$consort" render --help
expect_words "$work/out" "--soundfont"
echo 'audio: { perod = 7; };' >"$work/bad.cfg"
expect_exit 1 "$consort" render --config "$work/bad.cfg" "$piece" -o "$work/x.wav"
expect_words "$work/err" "bad.cfg:1:"
expect_exit 1 "$consort" render --soundfont "$work/none.sf2" "$piece" -o "$work/x.wav"
expect_words "$work/err" "none.sf2"
[ ! -e "$work/x.wav" ] || fail "a missing SoundFont wrote a file"

# a font to go on with
if ! "$consort" render --tail 0 "$piece" -o "$work/font.wav" >"$work/out" 2>&1; then
    grep -q 'is installed' "$work/out" || fail "$(cat "$work/out")"
    echo "no SoundFont is installed"
    exit 77
fi

# the whole piece, with its ring, nothing clipped, nothing lost
expect_exit 0 "$consort" render --json "$piece" -o "$work/a.wav"
expect_between seconds 35.679 46
expect_between peak_db -30 -0.49
expect_between clips 0 0
expect_between notes 985 985
expect_between times_real_time 1 100000
[ "$(field faded_out)" = false ] || fail "the end was faded out"

# a tail that is too short fades out, exactly at its end
expect_exit 0 "$consort" render --json --tail 1 "$piece" -o "$work/short.wav"
[ "$(field faded_out)" = true ] || fail "the end was not faded out"
expect_exit 0 "$consort" render --json --tail 0 "$piece" -o "$work/short.wav"
expect_between seconds 35.679 35.681

# the same bytes again, with other periods, threads and neighbours
expect_exit 0 "$consort" render "$piece" -o "$work/again.wav"
cmp "$work/a.wav" "$work/again.wav" || fail "two renderings differ"
expect_exit 0 "$consort" render --period 64 "$piece" -o "$work/short.wav"
cmp "$work/a.wav" "$work/short.wav" || fail "the period changes the sound"
echo 'synth: { workers = 0; };' >"$work/alone.cfg"
expect_exit 0 "$consort" render --config "$work/alone.cfg" "$piece" -o "$work/alone.wav"
cmp "$work/a.wav" "$work/alone.wav" || fail "the number of threads changes the sound"

# many at once; one that is broken stops no other and leaves no file
head -c 500 "$piece" >"$work/broken.mid"
cp "$piece" "$work/one.mid"
cp "$piece" "$work/two.mid"
expect_exit 1 "$consort" render -j 2 "$work"/{one,broken,missing,two}.mid -o "$work/many/"
expect_words "$work/err" "broken.mid: byte"
expect_words "$work/err" "missing.mid: No such file"
cmp "$work/a.wav" "$work/many/one.wav" || fail "neighbours change the sound"
cmp "$work/a.wav" "$work/many/two.wav" || fail "neighbours change the sound"
[ "$(ls "$work/many")" = $'one.wav\ntwo.wav' ] || fail "left behind: $(ls "$work/many")"

# other kinds, other rates, a config, and an output that cannot be
for name in b.flac b.ogg; do
    expect_exit 0 "$consort" render --json --rate 44100 "$piece" -o "$work/$name"
    expect_between seconds 35.679 46
    expect_between rate_hz 44100 44100
done
echo 'master: { gain = -12.0; };' >"$work/soft.cfg"
expect_exit 0 "$consort" render --json --config "$work/soft.cfg" --effects off "$piece" -o "$work/soft.wav"
expect_between peak_db -60 -6
expect_exit 1 "$consort" render "$piece" -o "$work/x.docx"
expect_words "$work/err" "x.docx"
expect_exit 1 "$consort" render "$piece" -o "$work/none/x.wav"
expect_exit 1 "$consort" render --json "$work/broken.mid" -o "$work/x.wav"
[ "$(field output)" = null ] || fail "an output of a broken file: $(cat "$work/out")"
[ ! -e "$work/x.wav" ] || fail "a broken file left a sound file"
echo "render: ok"
