#!/bin/sh
# build-kernel.sh - build the test kernel into the cache
#
# usage: tests/vm/build-kernel.sh [--configure]
#
# The distribution's kernel source with defconfig from here: all that the VM
# tests need is built in, with page_idle and PAGE_OWNER, which stock kernels
# leave out. It takes some ten minutes on two cores and 2 GB while it lasts,
# and goes on where it was stopped. --configure stops before the compiler.

here=$(cd "$(dirname "$0")" && pwd)
deps=$here/../../config/deps.sh
"$deps" kernel || exit
dir=$("$deps" --cache)/kernel

tree=$dir/build
if [ ! -d "$tree" ]; then
	echo "unpacking the source"
	rm -rf "$tree.new"
	mkdir -p "$tree.new" &&
		tar xf "$dir"/source/usr/src/linux-source-*.tar.xz \
			-C "$tree.new" --strip-components=1 &&
		mv "$tree.new" "$tree" || exit
fi

# A line that the kernel does not know or cannot keep is dropped in silence:
# what was asked for must stand in what comes back.
cd "$tree" && cp "$here/defconfig" arch/x86/configs/membox_defconfig &&
	make -s ARCH=x86_64 membox_defconfig || exit
if grep '^CONFIG_' "$here/defconfig" | grep -vxFf .config; then
	echo "the kernel drops these lines of tests/vm/defconfig" >&2
	exit 1
fi
[ "$1" != --configure ] || exit 0

echo "compiling"
nice -n 19 make -s ARCH=x86_64 -j"$(nproc)" bzImage &&
	mkdir -p "$dir/test" &&
	cp arch/x86/boot/bzImage "$dir/test/vmlinuz.new" &&
	mv "$dir/test/vmlinuz.new" "$dir/test/vmlinuz" && rm -rf "$tree"
