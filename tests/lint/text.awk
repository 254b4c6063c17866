# The plain text of every file: what a reader should not have to meet.
#
#   awk -f text.awk FILE...    prints file:line: message, exits 1 if there was one

function complain(message)
{
    print FILENAME ":" FNR ": " message
    bad = 1
}

function guard_of(path)
{
    path = "CONSORT_" toupper(path)
    gsub(/[^A-Z0-9]/, "_", path)
    return path
}

{ is_c = FILENAME ~ /\.[ch]$/ }

FNR == 1 && FILENAME ~ /\.h$/ && !/^\/\/\/ / {
    complain("a header opens with `///`: what the thing is, who owns it, which thread runs it")
}

/^#ifndef / && FILENAME ~ /\.h$/ && !(FILENAME in guard) {
    guard[FILENAME] = $2
    if ($2 != guard_of(FILENAME))
        complain("the guard of this header is " guard_of(FILENAME))
}

is_c && /\t/ { complain("a tab") }
is_c && FILENAME !~ /^tests\// && /[^a-z_](strcpy|strcat|sprintf)\(/ {
    complain("a copy without a bound")
}
/[ \t]$/ && FILENAME !~ /\.md$/ { complain("white space at the end of the line") }
/TO[D]O|FIX[M]E/ { complain("unfinished work: finish it or write an issue") }
/(^|[^A-Za-z0-9_.])\/(home|root|work)\// { complain("a path of one machine") }

END { exit bad }
