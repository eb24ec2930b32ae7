#!/bin/sh
# Every configuration builds without a warning, and keeps its size.
t=configs
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1

build() {
	rm -rf "build/config-$1" && mkdir -p "build/config-$1" &&
		make -s O="build/config-$1" "$1" &&
		make -s -j"$(nproc)" O="build/config-$1" WERROR=1
}
size_of() { stat -c %s "build/config-$1/membox" 2>/dev/null || echo none; }
at_most() { [ "$(size_of "$1")" -le $(($2 * 1024)) ]; }
runs() {
	"build/config-$1/membox" --version &&
		for a in $("build/config-$1/membox" --list); do
			"build/config-$1/membox" "$a" --help >/dev/null || return
		done
}
only_memdump() { [ "$("build/config-kdump_defconfig/membox" --list)" = memdump ]; }

for config in full_defconfig rescue_defconfig kdump_defconfig allyesconfig \
	allnoconfig; do
	check "$config builds without a warning" build $config
	check "$config: $(size_of $config) bytes, each applet's --help works" \
		runs $config
done
check "kdump_defconfig is memdump alone" only_memdump
check "kdump_defconfig is within 160 KiB" at_most kdump_defconfig 160
check "full_defconfig is within 448 KiB" at_most full_defconfig 448

# One applet and nothing else; all but one costly option. The codecs' objects,
# which no option changes, are made once.
variant() {
	mkdir -p build/config-one && make -s O=build/config-one "$1" &&
		sed -i "s/^$2$/$3/" build/config-one/.config &&
		make -s -j"$(nproc)" O=build/config-one WERROR=1 &&
		build/config-one/membox --config | grep -qx "$3"
}
for symbol in $(sed -n 's/^CONFIG_\([A-Z0-9_]*\)=y/\1/p' \
	build/config-allyesconfig/.config); do
	case $symbol in
	MEMDUMP|MEMMAPS|MEMSTATS|MEMTRACK|MEMIDLE|SHMAT)
		check "$symbol alone builds without a warning" \
			variant allnoconfig "# CONFIG_$symbol is not set" \
			"CONFIG_$symbol=y" ;;
	*)
		check "all but $symbol build without a warning" \
			variant allyesconfig "CONFIG_$symbol=y" \
			"# CONFIG_$symbol is not set" ;;
	esac
done
rm -rf build/config-*
done_testing
