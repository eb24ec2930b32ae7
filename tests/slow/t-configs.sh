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

# Every option left out at least once, in changing company: in the build of bit
# B those options are left out whose number has that bit. The objects that no
# option changes are made once.
options=$(sed -n 's/^CONFIG_\([A-Z0-9_]*\)=y/\1/p' build/config-allyesconfig/.config)
without() {
	mkdir -p build/config-part && make -s O=build/config-part allyesconfig || return
	i=0
	for option in $options; do
		i=$((i + 1))
		[ $((i / $1 % 2)) = 0 ] ||
			echo "s/^CONFIG_$option=y/# CONFIG_$option is not set/"
	done >"$work/edit"
	sed -i -f "$work/edit" build/config-part/.config &&
		make -s -j"$(nproc)" O=build/config-part WERROR=1 || return
	# a select may bring back what was left out, but not everything
	build/config-part/membox --config | grep -c 'is not set'
}
bit=1
while [ $bit -le "$(echo "$options" | wc -w)" ]; do
	check "options left out by bit $bit build without a warning" without $bit
	bit=$((bit * 2))
done
rm -rf build/config-*
done_testing
