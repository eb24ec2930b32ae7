#!/bin/sh
# memtrack's command line, and what needs no tracing: page_owner's text
t=memtrack
. "$(dirname "$0")/../lib.sh"
ln -s "$MEMBOX" "$work/memtrack"
ln -s "$MEMBOX" "$work/memstrack"
m=$work/memtrack
owner=$top/tests/unit/memtrack/owner
parse=$top/tests/vm/memtrack-parse

says() { text=$1; shift; "$@" 2>&1 | grep -q -- "$text"; }
refuse 2 "unknown option" "$m" --nothing
refuse 2 "unknown report" "$m" -r module_summary,nothing
check "names it" says "unknown type 'nothing'" "$m" -r module_summary,nothing
refuse 2 "bad parameter" "$m" -r module_top:top=x
refuse 2 "unknown parameter" "$m" -r module_top:sort_by_name
refuse 2 "empty report" "$m" -r ''
refuse 2 "throttle beyond 100" "$m" --throttle 101
refuse 2 "ring too small" "$m" --buf-size 1K
refuse 2 "unknown backend" "$m" --backend none
refuse 2 "an argument" "$m" sleep 1
refuse 2 "no command" "$m" --
refuse 2 "duration of nothing" "$m" --duration 0
refuse 2 "file without its backend" "$m" --pageowner-file "$owner/6.12"
refuse 2 "captured trees do not trace" "$m" --root / --root "$work" --notui
check "-? is help" says 'usage: memtrack' "$m" -?
check "help of the alias" says 'usage: memtrack' "$work/memstrack" --help
check "boot parameters" says trace_buf_size= "$m" --boot-params
refuse 1 "full device" sh -c "'$m' --boot-params >/dev/full"

all=summary,module_summary,module_top,task_summary,task_top,task_top_json
parses() { "$m" -b pageowner --pageowner-file "$1" -r $all >"$work/r" &&
	"$parse" "$work/r" >"$work/flat"; }
for f in 4.19 5.15 6.12; do
	check "page_owner of $f parses" parses "$owner/$f"
done
same "its total" "total 513 513" "$(grep ^total "$work/flat")"
same "its tasks" "task 1 512 512 swapper/0,task 97 1 1 a), ts (b)," \
	"$(grep '^task' "$work/flat" | tr '\n' ,)"
same "its module" "module brd 1 1" "$(grep '^module' "$work/flat")"
check "JSON" sh -c "'$m' -b pageowner --pageowner-file '$owner/6.12' --json \
	-r $all >'$work/j' && '$parse' --json '$work/j'"
refuse 1 "no page_owner file" "$m" -b pageowner --pageowner-file "$work/none"
refuse 1 "a file that is none" "$m" -b pageowner --pageowner-file /etc/passwd
refuse 1 "full device" sh -c "'$m' -b pageowner --pageowner-file \
	'$owner/6.12' >/dev/full"
refuse 1 "unwritable output" "$m" -b pageowner --pageowner-file \
	"$owner/6.12" -o "$work/no/such"
"$m" -b pageowner --pageowner-file "$owner/6.12" -o "$work/out"
check "output" test -s "$work/out"
refuse 1 "an existing output" "$m" -b pageowner --pageowner-file \
	"$owner/6.12" -o "$work/out"
check "memstrack overwrites" "$work/memstrack" --notui -b pageowner \
	--pageowner-file "$owner/6.12" -o "$work/out"
check "top" test "$("$m" -b pageowner --pageowner-file "$owner/6.12" \
	-r task_summary:top=1 | grep -c ^Task)" = 1
check "throttle" test "$("$m" -b pageowner --pageowner-file "$owner/6.12" \
	-r task_summary -t 50 | grep -c ^Task)" = 1
check "order of reports" test "$("$m" -b pageowner --pageowner-file \
	"$owner/6.12" -r task_top,summary | sed -n 's/.*format \([a-z_]*\):.*/\1/p' |
	tr '\n' ,)" = task_top,summary,

# hostile page_owner text: a name that no parser likes
printf 'Page allocated via order 0, mask 0x0(), pid 9, tgid 9 (%b), ts 1 ns
PFN 0x1 type Movable\n f+0x1/0x2 [m"\\]\n\n' 'q"\\\033\377' >"$work/hostile"
check "hostile names as JSON" sh -c "'$m' -b pageowner --pageowner-file \
	'$work/hostile' --json -r task_top,module_top >'$work/j' &&
	'$parse' --json '$work/j'"
check "hostile names in task_top_json" sh -c "'$m' -b pageowner \
	--pageowner-file '$work/hostile' -r task_top_json,task_summary \
	>'$work/r' && '$parse' '$work/r'"
done_testing
