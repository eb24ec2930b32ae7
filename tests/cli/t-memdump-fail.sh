#!/bin/sh
# memdump when it cannot: the message, the exit code, and nothing left behind
t=memdump-fail
. "$(dirname "$0")/../lib.sh"
. "$top/tests/emu/lib.sh"
root=
[ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null && root=1

# ---- sources ----------------------------------------------------------------

tree oldzeroed
dumps "iomem without addresses" 1 -o "$disk/a"
said "it names the capability" CAP_SYS_ADMIN
nothing_left "and leaves nothing"
tree zeroed
dumps "the same, but kcore knows them" 0 -o "$disk/a"
said "it names the capability and says what it does" 'CAP_SYS_ADMIN.*taking RAM'
check "and is right" image "$disk/a"
rm -f "$disk"/*
tree norange
dumps "iomem without RAM" 1 -o "$disk/a"
said "it says so" 'System RAM'
tree implausible
dumps "segments that fit no direct map" 1 -o "$disk/a"
said "it says why" 'direct map|p_paddr|physical'
nothing_left "and leaves nothing"
tree toomany
dumps "more ranges than there is room for" 1 -o "$disk/a"
said "it names the limit" '[0-9]{4}'
nothing_left "and leaves nothing"

tree plain
B=$T
# broken NAME COMMAND: a copy of the tree, changed
broken() {
	T=$trees/$1; shift
	cp -r --sparse=always "$B" "$T" && (cd "$T/proc" && eval "$1")
}
broken nokcore 'rm kcore'
dumps "no kcore" 1 -v -o "$disk/a"
said "it names kcore and the option" 'kcore'
said "it names the next source's refusal" '/dev/crash'
said "and the last one's" '/dev/mem'
broken emptykcore ': >kcore'
dumps "an empty kcore" 1 -s kcore -o "$disk/a"
broken cutkcore 'truncate -s 100 kcore'
dumps "a kcore cut in its header" 1 -s kcore -o "$disk/a"
broken cutphdr 'truncate -s 200 kcore'
dumps "a kcore cut in its segments" 1 -s kcore -o "$disk/a"
broken notelf 'head -c 100000 /dev/zero >kcore'
dumps "a kcore that is no ELF" 1 -s kcore -o "$disk/a"
said "it says so" ELF
broken elf32 'printf "\1" | dd of=kcore bs=1 seek=4 conv=notrunc 2>/dev/null'
dumps "a 32-bit ELF" 1 -s kcore -o "$disk/a"
broken noload 'printf "\1\0" | dd of=kcore bs=1 seek=56 conv=notrunc 2>/dev/null'
dumps "a kcore without segments" 1 -s kcore -o "$disk/a"
broken noiomem 'rm iomem'
dumps "no iomem, but kcore knows" 0 -o "$disk/a"
said "it names iomem" iomem
check "and is right" image "$disk/a"
rm -f "$disk"/*
broken badiomem 'echo "what is this" >iomem'
dumps "an iomem that is none" 1 -o "$disk/a"
said "it says so" '/proc/iomem is not'
broken dirkcore 'rm kcore; mkdir kcore'
dumps "a directory as kcore" 1 -s kcore -o "$disk/a"
T=$B
dumps "a source that is not there" 1 -s "$work/none" -o "$disk/a"
said "it names the file" "$work/none"
: >"$work/empty"
dumps "an empty file as source" 1 -s "$work/empty" -o "$disk/a"
nothing_left "nothing is left of any of these"

if [ -n "$root" ]; then
	# what the kernel refuses by lockdown, with the file that tells it
	broken locked 'rm kcore; touch kcore; chmod 0 kcore
		echo "none integrity [confidentiality]" >../sys/kernel/security/lockdown'
	chmod 755 "$trees"
	mkdir -m 777 "$work/open"
	chmod 711 "$work"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$MEMBOX" memdump \
		--root "$T" -s kcore -o "$work/open/a" >"$work/out" 2>"$work/said"
	same "a kcore that may not be read, under lockdown: exit 1" 1 $?
	said "it names the file that tells" /sys/kernel/security/lockdown
	setpriv --reuid=65534 --regid=65534 --clear-groups "$MEMBOX" memdump \
		-o "$work/open/a" >"$work/out" 2>"$work/said"
	same "not root, on this machine: exit 1" 1 $?
	same "and leaves nothing" "" "$(ls -A "$work/open")"
	rmdir "$work/open"
	T=$B
else
	skip "lockdown and not root" "needs root"
fi

# ---- targets ----------------------------------------------------------------

: >"$work/keep"
echo old >"$disk/a"
dumps "an existing file" 1 -o "$disk/a"
said "it says so, and what would replace it" 'exists.*--force|--force'
same "it is as it was" old "$(cat "$disk/a")"
dumps "--force replaces it" 0 --force -o "$disk/a"
check "by the image" image "$disk/a"
rm -f "$disk"/*
ln -s "$work/keep" "$disk/a"
dumps "a symbolic link" 1 --force -o "$disk/a"
said "it says so" 'link'
same "what it points to is as it was" 0 "$(stat -c %s "$work/keep")"
rm "$disk/a"
ln -s "$disk/nowhere" "$disk/a"
dumps "a dangling link" 1 -o "$disk/a"
rm "$disk/a"
ln -s "$work/keep" "$disk/a.part"
dumps "a link where the .part goes" 1 -o "$disk/a"
same "what it points to is as it was" 0 "$(stat -c %s "$work/keep")"
rm "$disk/a.part"
mkdir "$disk/a"
dumps "a directory" 1 -o "$disk/a"
said "it says so" 'directory'
dumps "a directory, forced" 1 --force -o "$disk/a"
rmdir "$disk/a"
dumps "a directory that is not there" 1 -o "$disk/none/a"
said "it names it" "$disk/none/a"
dumps "/dev/full by name" 1 -o /dev/full
dumps "/dev/null by name" 0 -o /dev/null
check "which is still a device" test -c /dev/null
nothing_left "nothing is left"

# the image is good, a file beside it cannot be
echo old >"$disk/m"
dumps "a manifest that exists" 1 -o "$disk/a" --manifest "$disk/m"
same "it is as it was" old "$(cat "$disk/m")"
same "found before the work: no image" m "$(ls -A "$disk")"
rm -f "$disk"/*
dumps "a manifest in no directory" 1 -o "$disk/a" --manifest "$disk/x/m"
nothing_left "found before the work"
dumps "symbols in no directory" 1 -o "$disk/a" --symbols "$disk/x/s.tar"
nothing_left "found before the work"

"$MEMBOX" memdump --root "$T" -o - >/dev/full 2>"$work/said"
same "-o - on a full device: exit 1" 1 $?
said "it says so" 'No space left'
("$MEMBOX" memdump --root "$T" -o - 2>"$work/said"; echo $? >"$work/rc") | head -c 1 >/dev/null
same "-o - on a closed pipe: exit 1" 1 "$(cat "$work/rc")"
same "in silence" "" "$(cat "$work/said")"
"$MEMBOX" memdump --root "$T" -o - >&- 2>"$work/said"
same "-o - on a closed stdout: exit 1" 1 $?
if script -qec true /dev/null </dev/null >/dev/null 2>&1; then
	script -qec "'$MEMBOX' memdump --root '$T' -o -; echo exit \$?" /dev/null \
		</dev/null >"$work/said" 2>&1
	same "-o - on a terminal is refused" 1 \
		"$(tr -d '\r' <"$work/said" | sed -n 's/^exit //p')"
	check "and not one byte of RAM" test "$(stat -c %s "$work/said")" -lt 1000
else
	skip "-o - on a terminal" "no script(1)"
fi

if [ "$(stat -f -c %T "$trees")" = tmpfs ]; then
	mkdir "$trees/ram"
	dumps "a target on tmpfs" 1 -o "$trees/ram/a"
	said "it says why and how to go on" 'tmpfs.*--force|--force'
	same "and leaves nothing" "" "$(ls -A "$trees/ram")"
	dumps "forced, it takes it" 0 --force -o "$trees/ram/a"
	check "and it is the RAM" image "$trees/ram/a"
	rm -r "$trees/ram"
else
	skip "a target on tmpfs" "no /dev/shm"
fi

# a file system of 24 MiB in a mount namespace of its own
if [ -n "$root" ] && truncate -s 24M "$work/fs" &&
	mkfs.ext4 -q -F -m 0 -O ^has_journal "$work/fs" &&
	unshare -m mount -o loop "$work/fs" "$disk" 2>/dev/null
then
	on_fs() { unshare -m sh -c "mount -o loop '$work/fs' '$disk'; $1"; }
	memdump="'$MEMBOX' memdump --root '$T'"
	# no room from the start
	on_fs "head -c 14000000 /dev/zero >'$disk/filler'
		$memdump -o '$disk/a' 2>'$work/said'; echo \$? >'$work/rc'
		ls '$disk' | grep -v lost+found >'$work/left'; rm '$disk/filler'"
	same "no room: refused before anything is made" 1 "$(cat "$work/rc")"
	said "it tells the need and the room" '[0-9.]+ MiB.*[0-9.]+ MiB'
	same "and leaves nothing" filler "$(cat "$work/left")"
	# no room in the middle
	on_fs "(sleep 0.7; head -c 30000000 /dev/zero >'$disk/filler') 2>/dev/null &
		$memdump -o '$disk/a' --limit-rate 6M --digest none 2>'$work/said'
		echo \$? >'$work/rc'; wait
		ls '$disk' | grep -v lost+found >'$work/left'; rm '$disk/filler'"
	same "the disk becomes full meanwhile: exit 1" 1 "$(cat "$work/rc")"
	said "it says so" 'No space left'
	same "and leaves nothing" filler "$(cat "$work/left")"
	# the old file outlives a failed --force
	on_fs "echo old >'$disk/a'
		(sleep 0.7; head -c 30000000 /dev/zero >'$disk/filler') 2>/dev/null &
		$memdump --force -o '$disk/a' --limit-rate 6M --digest none 2>'$work/said'
		echo \$? >'$work/rc'; wait
		cat '$disk/a' >'$work/old'; rm '$disk/filler' '$disk/a'"
	same "--force, and the disk becomes full" 1 "$(cat "$work/rc")"
	same "the old file is as it was" old "$(cat "$work/old")"
	on_fs "mount -o remount,ro '$disk'
		$memdump -o '$disk/a' 2>'$work/said'; echo \$? >'$work/rc'"
	same "a read-only file system: exit 1" 1 "$(cat "$work/rc")"
	said "it says so" 'Read-only file system'
else
	skip "disk full, read-only" "needs root, mkfs.ext4 and a loop device"
fi
rm -f "$disk"/*
(ulimit -f 2000; trap '' XFSZ; dump -o "$disk/a" 2>"$work/said"; exit $?)
same "a limit on file size: exit 1" 1 $?
said "it says so" 'too large|limit'
nothing_left "and leaves nothing"

dumps "--max-disk-usage too small" 1 -o "$disk/a" --max-disk-usage 4M
said "it tells the need" '4(\.0)? MiB'
nothing_left "and made nothing"
dumps "--max-disk-usage is enough" 0 -o "$disk/a" --max-disk-usage 16M
dumps "counted for the codec" 0 -o "$disk/b.lz4" --max-disk-usage 9M
rm -f "$disk"/*
dumps "--max-disk-usage-percent 1" 1 -o "$disk/a" --max-disk-usage-percent 1
dumps "--max-disk-usage-percent 100" 0 -o "$disk/a" --max-disk-usage-percent 100
rm -f "$disk"/*

# ---- stopped ----------------------------------------------------------------

# stopped SIGNAL OPTIONS..: status to $rc. SIGHUP may be ignored above us.
stopped() {
	sig=$1; shift
	env --default-signal=HUP "$MEMBOX" memdump --root "$T" -o "$disk/a" --limit-rate 2M "$@" \
		2>"$work/said" &
	pid=$!
	sleep 0.7
	kill -s "$sig" $pid
	wait $pid
	rc=$?
}
for sig in INT TERM HUP; do
	for z in none lz4; do
		stopped $sig -z $z
		same "SIG$sig, $z: exit 1" 1 $rc
		nothing_left "SIG$sig, $z: nothing is left"
	done
done
stopped TERM --keep-partial -z none --digest none
same "--keep-partial: exit 1" 1 $rc
same "the part alone is kept" "a.part" "$(ls -A "$disk")"
check "and is right as far as it goes" image --cut "$disk/a.part"
rm -f "$disk"/*
nohup_says() {
	(trap '' HUP; exec "$MEMBOX" memdump --root "$T" -o "$disk/a" --limit-rate 8M \
		2>"$work/said") & pid=$!
	sleep 0.5
	kill -HUP $pid
	wait $pid
}
check "under nohup SIGHUP stops nothing" nohup_says
rm -f "$disk"/*

# ---- usage ------------------------------------------------------------------

usage() {
	what=$1; shift
	dumps "$what" 2 "$@"
	said "$what: the usage line" '^(memdump: )?usage: '
}
usage "no such option" --no-such -o "$disk/a"
said "it is named" -- '--no-such'
usage "no target"
usage "a format that is none" -f zip -o "$disk/a"
usage "a codec that is none" -z zip -o "$disk/a"
usage "no threads" -t 0 -o "$disk/a"
usage "threads that are no number" -t 1x -o "$disk/a"
usage "too many threads" -t 100000 -o "$disk/a"
usage "a range backwards" --range 0x2000-0x1000 -o "$disk/a"
usage "half a range" --range 0x2000 -o "$disk/a"
usage "a rate that is no size" --limit-rate fast -o "$disk/a"
usage "a rate of nothing" --limit-rate 0 -o "$disk/a"
usage "a digest that is none" --digest md4 -o "$disk/a"
usage "percent above 100" --max-disk-usage-percent 101 -o "$disk/a"
usage "an operand" -o "$disk/a" operand
usage "an option without its argument" -o
nothing_left "no usage error leaves anything"
dumps "--help" 0 --help
check "--help goes to stdout" grep -q '^usage: memdump' "$work/out"

# an image under the number of a closed standard output is none of that
closed() { (exec 0<&- 1>&-; "$MEMBOX" memdump "$@"); }
check "with 0 and 1 closed: done" closed -s "$B/truth.raw" -f raw -o "$disk/a"
check "and right" cmp "$B/truth.raw" "$disk/a"
refuse 1 "a closed standard output" closed --root "$B" -o -

done_testing
