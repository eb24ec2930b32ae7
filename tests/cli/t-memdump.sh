#!/bin/sh
# memdump over emulated machines: the image is the RAM, byte for byte, in every
# format, codec and number of threads, whatever the ranges look like
t=memdump
. "$(dirname "$0")/../lib.sh"
. "$top/tests/emu/lib.sh"

# ---- every format, codec, number of threads ---------------------------------

# written FORMAT CODEC OPTIONS: to a file and to a pipe, both the truth
written() {
	f=$1 z=$2; shift 2
	rm -f "$disk/a"
	dump -f "$f" -z "$z" "$@" -o "$disk/a" --no-manifest &&
		image -f "$f" -z "$z" "$disk/a"
}
piped() {
	f=$1 z=$2; shift 2
	dump -f "$f" -z "$z" "$@" -o - 2>"$work/said" | cat >"$work/piped" &&
		image -f "$f" -z "$z" "$work/piped"
}
tree plain
for f in lime raw padded elf; do
	for z in none gzip lz4; do
		for n in 1 3; do
			check "$f, $z, $n threads: the file is the RAM" \
				written $f $z -t $n
		done
		check "$f, $z: the pipe carries the RAM" piped $f $z
	done
done
check "lime, lz4, 8 threads" written lime lz4 -t 8
check "elf, gzip, without a digest" written elf gzip --digest none

# ---- whatever the ranges look like ------------------------------------------

for v in unaligned merged hotplug high old oldhigh many hostile; do
	tree $v
	for f in lime elf; do
		check "$v: $f is the RAM" written $f none
	done
done
# RAM that kcore does not have: the rest is dumped, the loss is told
for v in adjacent missing; do
	tree $v
	for f in lime elf; do
		rm -f "$disk"/*
		dumps "$v: exit 3" 3 -f $f -o "$disk/a"
		check "$v: $f is the RAM" image -f $f "$disk/a"
		said "$v: what is lost is told" 'not in the image'
		same "$v: and listed in the manifest" \
			"$(manifest truth_lost "$T/truth.json")" \
			"$(manifest lost "$disk/a.json")"
	done
done
tree adjacent
dumps "what was not asked for is no loss" 0 --range 0-0xfffff -o "$disk/part"
tree hotplug
check "hotplug: lz4 of it" written lime lz4 -t 2
tree hole
check "hole: raw is the RAM at its addresses" written raw none
check "hole: raw leaves holes on the disk" image -f raw --sparse "$disk/a"
check "hole: raw in lz4" written raw lz4
check "hole: padded is as long" written padded none

# ---- a part -----------------------------------------------------------------

tree plain
part() {
	rm -f "$disk/a" "$disk/a.json"
	dump -o "$disk/a" --range "$1" -f "$2" &&
		image -f "$2" --only "$3" "$disk/a"
}
check "--range inside one range" \
	part 0x200000-0x2fffff lime 0x200000-0x300000
check "--range over a hole" part 0x90000-0x102fff lime 0x90000-0x103000
check "--range in elf" part 0x300000-0xbfffff elf 0x300000-0xc00000
check "--range beyond the end" part 0xc00000-0xffffffff lime 0xc00000-0x1000000
two() {
	rm -f "$disk/a" "$disk/a.json"
	dump -o "$disk/a" --range 0x1000-0x1fff --range 0x3000-0x3fff &&
		[ "$(stat -c %s "$disk/a")" = $((2 * (32 + 4096))) ]
}
check "--range twice" two
dumps "--range where no RAM is" 1 --range 0x900000-0x9fffff -o "$disk/b"
said "it says so" 'no .*RAM|RAM.*range'

# ---- an image as the source -------------------------------------------------

rm -f "$disk"/*
dump -f elf -o "$disk/s.elf" 2>/dev/null
dump -f raw -o "$disk/s.raw" 2>/dev/null
from() {
	rm -f "$disk/a" "$disk/a.json"
	"$MEMBOX" memdump -s "$disk/$1" -f "$2" -z "$3" -o "$disk/a"
}
elf_again() { from s.elf "$1" "$2" && image -f "$1" -z "$2" "$disk/a"; }
check "ELF file to lime" elf_again lime none
check "ELF file to raw, lz4" elf_again raw lz4
check "ELF file to elf" elf_again elf none
raw_again() { from s.raw raw lz4 && lz4 -dcq "$disk/a" | cmp - "$disk/s.raw"; }
check "raw file to raw, lz4" raw_again

# ---- pages that cannot be read ----------------------------------------------

tree plain
if faulty_there; then
	# bad TEXT OPTIONS-OF-FAULTY PHYS.. : those pages are zeros, exit 3
	bad() {
		case=$1 opts=$2; shift 2
		offsets='' zero=''
		for phys; do
			offsets=$offsets${offsets:+,}$(at "$phys")
			zero="$zero --zero $phys-$(printf '%#x' $((phys + 4096)))"
		done
		for how in 'lime none' 'raw lz4' 'elf none' 'lime gzip'; do
			f=${how% *} z=${how#* }
			rm -f "$disk"/*
			# shellcheck disable=SC2086
			refuse 3 "$case: exit 3, $f $z" "$work/faulty" $opts \
				-f "$T/proc/kcore" -o "$offsets" "$MEMBOX" \
				memdump --root "$T" -f "$f" -z "$z" -o "$disk/a" \
				--manifest "$disk/m.json"
			# shellcheck disable=SC2086
			check "$case: only those pages are zeros, $f $z" \
				image -f "$f" -z "$z" $zero "$disk/a"
			same "$case: they are counted in the manifest" $# \
				"$(manifest pages "$disk/m.json")"
			same "$case: they are listed in the manifest" \
				"$(for p; do printf '%d ' "$p"; done)" \
				"$(manifest holes "$disk/m.json" | tr '\n' ' ')"
		done
	}
	bad "a page that gives EIO" '-e EIO' 0x103000
	bad "a page that gives EFAULT" '-e EFAULT' 0x2fe000
	bad "a read cut short before a bad page" '-s -e EIO' 0x345000
	bad "first, last and scattered pages" '-e EFAULT' 0x1000 0x9e000 \
		0x100000 0x180000 0x182000 0x7ff000
	"$work/faulty" -f "$T/proc/kcore" -o "$(at 0x103000)" "$MEMBOX" memdump \
		--root "$T" -o - 2>"$work/said" | cat >"$work/piped"
	said "the count stands on stderr" '(^|[^0-9])1 page'
else
	skip "pages that cannot be read" "no seccomp notification, or no gcc"
fi

# ---- a source that shrinks --------------------------------------------------

tree plain
cut=$trees/cut
cp -r --sparse=always "$T" "$cut" && T=$cut
truncate -s "$(at 0x500000)" "$T/proc/kcore"
rm -f "$disk"/*
refuse 3 "a kcore that ends early: exit 3" dump -o "$disk/a"
check "what is missing is zeros" image --zero 0x500000-0xf00000 "$disk/a"

# while it is read: each page is the truth or zeros, the form is whole
tree plain
cp -r --sparse=always "$T" "$cut.2" && T=$cut.2
rm -f "$disk"/*
(sleep 0.8; truncate -s "$(at 0x400000)" "$T/proc/kcore") &
refuse 3 "a kcore that shrinks meanwhile: exit 3" \
	dump -o "$disk/a" --limit-rate 6M --digest none
wait
check "whole in form, true or zero in each page" image --or-zero "$disk/a"

# an image that was cut is salvaged
tree plain
rm -f "$disk"/*
dump -f elf -o "$disk/s.elf" 2>/dev/null
truncate -s 6000000 "$disk/s.elf"
refuse 3 "an ELF file that was cut: exit 3" from s.elf lime none
check "what is there is the truth" image --cut "$disk/a"

done_testing
