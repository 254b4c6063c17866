# The four floors: an include points down, and a foreign library is spoken to in its place.
#
#   awk -f includes.awk foreign FILE...    prints file:line: message, exits 1 if there was one
#
# Rooms of one height stand side by side and do not know each other.

BEGIN {
    height["config"] = 0
    height["dsp/base"] = 1
    height["dsp/synth"] = height["dsp/effects"] = height["dsp/gpu"] = 2
    height["dsp/engine"] = 3
    height["board"] = height["net"] = height["display"] = 4
    height["firmware"] = 5
    height["firmware/cmd"] = 6
    tests = 7
}

function complain(message)
{
    print FILENAME ":" FNR ": " message
    bad = 1
}

function room_of(path)
{
    if (path ~ /^tests\//)
        return "tests"
    sub(/\/[^\/]*$/, "", path)
    return path
}

function height_of(room) { return room == "tests" ? tests : room in height ? height[room] : -1 }

# The header itself or the folder that it lies in, as `foreign` names it; "" for an unknown one.
function rule_of(header)
{
    if (header in place)
        return header
    sub(/\/.*/, "/", header)
    return header in place ? header : ""
}

function check_own(header,    from, to)
{
    from = room_of(FILENAME)
    to = room_of(header)
    if (header !~ /\// || (getline line < header) < 0)
        complain("\"" header "\" is no file from the root of the project")
    else if (height_of(to) < 0)
        complain("\"" header "\" is in no room that tests/lint/includes.awk knows")
    else if (to == from || height_of(to) < height_of(from))
        ;
    else if (height_of(to) == height_of(from))
        complain(from " and " to " are side by side and do not know each other: \"" header "\"")
    else
        complain(from " is below " to ": an include only points down: \"" header "\"")
    close(header)
}

function check_foreign(header,    rule)
{
    rule = rule_of(header)
    if (rule == "")
        complain("<" header "> is not in tests/lint/foreign")
    else if (FILENAME ~ /^tests\//)
        ;
    else if (FILENAME !~ place[rule])
        complain("<" header "> may not be included here, only in " place[rule])
    else if (rule in is_single && only[rule] != "" && only[rule] != FILENAME)
        complain("<" header "> is already included in " only[rule] ", and one file is enough")
    else
        only[rule] = FILENAME
}

FILENAME ~ /foreign$/ {
    if (NF && !/^#/) {
        place[$1] = $2
        if ($3 == "one")
            is_single[$1]
    }
    next
}

FNR == 1 && height_of(room_of(FILENAME)) < 0 {
    complain("a C file in no room that tests/lint/includes.awk knows")
}

/^[ \t]*#[ \t]*include[ \t]*"/ { split($0, part, "\""); check_own(part[2]) }
/^[ \t]*#[ \t]*include[ \t]*</ { split($0, part, /[<>]/); check_foreign(part[2]) }

END { exit bad }
