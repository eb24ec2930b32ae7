#!/bin/sh
# memdump: what stands beside the image - manifest, sums, symbols, estimates
t=memdump-meta
. "$(dirname "$0")/../lib.sh"
. "$top/tests/emu/lib.sh"

sum() { sha256sum | cut -c 1-64; }

# ---- the manifest -----------------------------------------------------------

tree plain
dumps "an image and its manifest" 0 -o "$disk/a.lime.lz4"
same "they stand side by side" "a.lime.lz4 a.lime.lz4.json" \
	"$(ls -A "$disk" | tr '\n' ' ' | sed 's/ $//')"
same "both are for the owner alone" "600 600" \
	"$(stat -c %a "$disk"/a* | tr '\n' ' ' | sed 's/ $//')"
m=$disk/a.lime.lz4.json
check "the manifest is strict JSON" manifest check "$m"
same "the written bytes' sum is the file's" "$(sum <"$disk/a.lime.lz4")" \
	"$(manifest file_sum "$m")"
same "the image's sum is what lz4 -d gives" \
	"$(lz4 -dcq "$disk/a.lime.lz4" | sum)" "$(manifest image_sum "$m")"
same "the file's size" "$(stat -c %s "$disk/a.lime.lz4")" \
	"$(manifest file_size "$m")"
same "the image's size" "$(lz4 -dcq "$disk/a.lime.lz4" | wc -c)" \
	"$(manifest image_size "$m")"
same "the RAM's size" "$(manifest truth_total "$T/truth.json")" \
	"$(manifest ram "$m")"
same "the ranges" "$(manifest truth_ranges "$T/truth.json")" \
	"$(manifest ranges "$m")"
same "no holes" "0 pages" "$(manifest pages "$m") pages"
for word in '"emulated' 6.1.0-emulated 01234567-89ab-cdef-0123-456789abcdef \
	"$("$MEMBOX" --version | cut -d' ' -f2)" kcore lz4 lime --root; do
	check "it tells $word" grep -qF -e "$word" "$m"
done
check "KASLR's offset is VMCOREINFO's" manifest kaslr "$m" 0x15200000
check "the time is now's" manifest now "$m"

rm -f "$disk"/*
tree hostile
dumps "a host with a hostile name" 0 -o "$disk/a b" --manifest "$disk/m\"x.json"
check "the manifest is strict JSON" manifest check "$disk/m\"x.json"
tree plain
rm -f "$disk"/*
for z in none gzip lz4; do
	dump -o "$disk/$z" -z $z 2>"$work/said"
	case $z in
	none) cat "$disk/$z" ;;
	gzip) gzip -dc <"$disk/$z" ;;
	lz4) lz4 -dcq <"$disk/$z" ;;
	esac | sum >"$work/sum"
	same "$z: the image's sum" "$(cat "$work/sum")" \
		"$(manifest image_sum "$disk/$z.json")"
	same "$z: the file's sum" "$(sum <"$disk/$z")" \
		"$(manifest file_sum "$disk/$z.json")"
done
same "the image's sum knows no codec" 1 "$(for z in none gzip lz4; do
	manifest image_sum "$disk/$z.json"; done | sort -u | wc -l)"
rm -f "$disk"/*
dumps "--digest none" 0 -o "$disk/a" --digest none
check "the manifest has no sums then" manifest check "$disk/a.json"
same "and says so" "" "$(manifest file_sum "$disk/a.json")"

# ---- to a pipe --------------------------------------------------------------

rm -f "$disk"/*
dump -o - -z lz4 --manifest "$disk/m" 2>"$work/said" >"$disk/a"
same "-o - with a manifest: the file's sum" "$(sum <"$disk/a")" \
	"$(manifest file_sum "$disk/m")"
dump -o - 2>"$work/said" >"$disk/-"
check "-o -: stderr ends with what sha256sum -c takes" sh -c \
	"cd '$disk' && grep -E '^[0-9a-f]{64}  ' '$work/said' >sums &&
	sed -i 's/  .*/  .\/-/' sums && sha256sum -c sums"
check "its last line" sh -c "tail -n 1 '$work/said' | grep -qE '^[0-9a-f]{64}  '"
said "with the totals" 'MiB|bytes'

# ---- names, codecs, estimates -----------------------------------------------

rm -f "$disk"/*
magic() { od -An -tx1 -N "$2" "$disk/$1" | tr -d ' \n'; }
for e in gz:1f8b lz4:04224d18; do
	name=a.${e%:*} want=${e#*:}
	dump -o "$disk/$name" 2>/dev/null
	same ".${e%:*} chooses the codec" "$want" \
		"$(magic "$name" $((${#want} / 2)))"
done
dump -o "$disk/b.lz4" -z none 2>/dev/null
same "-z none is stronger than the name" 454d694c "$(magic b.lz4 4)"

dumps "--dry-run" 0 --dry-run
cat "$work/out" >>"$work/said"
said "it prints the ranges" '0*100000'
said "and the size" '11\.6[0-9]* MiB|12[0-9]{6}'
rm -f "$disk"/*
dumps "--dry-run with a target" 0 --dry-run -o "$disk/a.lz4"
nothing_left "writes nothing"
dumps "--dry-run --json" 0 --dry-run --json
cp "$work/out" "$work/dry.json"
check "is strict JSON" manifest check "$work/dry.json"
same "with the ranges" "$(manifest truth_ranges "$T/truth.json")" \
	"$(manifest ranges "$work/dry.json")"

began=$(date +%s%N)
dump -o "$disk/a" --limit-rate 8M --digest none 2>/dev/null
took=$((($(date +%s%N) - began) / 1000000))
check "--limit-rate 8M of 11.6 MiB takes over 1.2 s ($took ms)" \
	test $took -gt 1200
check "and does not harm the image" image "$disk/a"

# ---- symbols ----------------------------------------------------------------

rm -f "$disk"/*
dumps "--symbols" 0 -o "$disk/a" --symbols "$disk/s.tar"
check "tar reads it without a word" sh -c \
	"tar tvf '$disk/s.tar' >'$work/list' 2>'$work/err' && ! test -s '$work/err'"
mkdir "$work/sym"
tar xf "$disk/s.tar" -C "$work/sym"
for f in proc/kallsyms proc/modules proc/version proc/cmdline proc/iomem \
	sys/kernel/btf/vmlinux etc/os-release; do
	check "it holds $f as it is" sh -c \
		"f=\$(find '$work/sym' -path '*$f' -type f) && cmp \"\$f\" '$T/$f'"
done
check "and the modules' addresses" grep -rq ffffffffc0200000 "$work/sym"
check "and VMCOREINFO" grep -rq 'OSRELEASE=6.1.0-emulated' "$work/sym"
dumps "--symbols to .tar.gz" 0 -o "$disk/b" --symbols "$disk/s.tar.gz"
check "tar reads it" tar tzf "$disk/s.tar.gz"
same "it holds the same" "$(tar tf "$disk/s.tar" | sort)" \
	"$(tar tzf "$disk/s.tar.gz" | sort)"
same "for the owner alone" 600 "$(stat -c %a "$disk/s.tar.gz")"

(umask 000; dump -o "$disk/c" 2>/dev/null)
same "0600 whatever the umask" 600 "$(stat -c %a "$disk/c")"

done_testing
