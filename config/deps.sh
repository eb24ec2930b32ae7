#!/bin/sh
# deps.sh - what building and testing membox needs, fetched once
#
# usage: config/deps.sh [build|demo|test|fuzz|kernel|all]... [--print]
#        config/deps.sh --cache
#
# build   compiler, musl, the sources of zlib and LZ4 (the default)
# demo    qemu, one kernel to boot, the tools that read a dump
# test    what the tests run: that, more kernels, more of the peers' tools
# fuzz    clang with its fuzzer runtime
# kernel  what tests/vm/build-kernel.sh needs; part of test only where no
#         test kernel is at hand
# all     build, test and fuzz
# --print says what is there and what is missing, and changes nothing
# --cache prints the cache directory
#
# Commands are installed as packages; everything else (sources, kernels, a
# static busybox, dracut, promtool) is unpacked into the cache, never installed:
# installing a kernel builds an initramfs, busybox-static displaces busybox.
# When all is there, nothing is done and no network is needed.
#
# MEMBOX_CACHE        the cache (default: $XDG_CACHE_HOME or ~/.cache, /membox)
# ZLIB_SRC, LZ4_SRC   sources of your own; these are then not fetched
# MEMBOX_TEST_KERNEL  a bzImage with tests/vm/defconfig built in, or "none"

PATH=$PATH:/usr/sbin:/sbin
TOP=$(cd "$(dirname "$0")/.." && pwd)
if [ -n "$MEMBOX_CACHE" ]; then CACHE=$MEMBOX_CACHE
elif [ -n "$XDG_CACHE_HOME" ]; then CACHE=$XDG_CACHE_HOME/membox
elif [ -n "$HOME" ]; then CACHE=$HOME/.cache/membox
else CACHE=/var/cache/membox
fi

# Commands: a Debian package and what tells that it is there.
BUILD='gcc gcc
make make
musl-tools musl-gcc
linux-libc-dev /usr/include/linux/version.h'
UNPACK='dpkg-dev dpkg-source'
DEMO='qemu-system-x86 qemu-system-x86_64
cpio cpio
python3 /usr/bin/python3
python3-drgn /usr/lib/python3/dist-packages/drgn
crash crash
makedumpfile makedumpfile
lz4 lz4
xz-utils xz
kmod depmod
e2fsprogs debugfs'
TEST="$DEMO
netpbm pngtopnm
pkg-config pkg-config
gzip gzip
kconfig-frontends-nox kconfig-conf
systemd /lib/systemd/systemd
systemd-sysv poweroff
procps pgrep
strace strace
file file"
FUZZ='clang clang'
KERNEL='flex flex
bison bison
bc bc
xz-utils xz
libelf-dev /usr/include/libelf.h
libssl-dev /usr/include/openssl/ssl.h'

say() { echo "deps: $*"; }
die() { echo "deps: $*" >&2; exit 1; }

have()
{
	case $1 in
	/*) [ -e "$1" ] ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

# The packages of table $1 that are not there.
lacking()
{
	echo "$1" | while read -r pkg probe; do
		have "$probe" || echo "$pkg"
	done
}

# as_root COMMAND...
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
		sudo "$@"
	else
		die "not root and no sudo; run as root: apt-get update && $install"
	fi
}

# The private apt state ------------------------------------------------------

# apt with state of its own in the cache: needs no root, adds source packages,
# and leaves the system's configuration alone. It knows the distribution's own
# suites only, as apt itself names their origin.
papt() { APT_CONFIG=$CACHE/apt/apt.conf "$@"; }

# The plain suite comes before its updates: of equal versions apt fetches from
# the suite named first, and an update's server may not carry the source.
own_suites()
{
	# shellcheck disable=SC2016
	apt-get indextargets 'Created-By: Packages' --format \
		'$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' |
	sort -k3 | uniq |
	while read -r origin uri suite part; do
		case $origin in
		Debian) ring=debian ;;
		Ubuntu) ring=ubuntu ;;
		*) continue ;;
		esac
		ring=/usr/share/keyrings/$ring-archive-keyring.gpg
		opt="arch=$(dpkg --print-architecture)"
		[ ! -e "$ring" ] || opt="$opt signed-by=$ring"
		echo "deb [$opt] $uri $suite $part"
		echo "deb-src [$opt] $uri $suite $part"
	done
}

papt_ready()
{
	[ -z "$papt_done" ] || return 0
	say "reading the distribution's package lists"
	d=$CACHE/apt
	mkdir -p "$d/lists/partial" "$d/archives/partial" || exit 1
	own_suites >"$d/sources.list"
	if [ ! -s "$d/sources.list" ]; then
		# the system has never read its lists
		as_root apt-get -qq update
		own_suites >"$d/sources.list"
	fi
	cat >"$d/apt.conf" <<-X
	Dir::State::Lists "$d/lists";
	Dir::Cache "$d";
	Dir::Etc::SourceList "$d/sources.list";
	Dir::Etc::SourceParts "/dev/null";
	APT::Sandbox::User "root";
	X
	[ -s "$d/sources.list" ] && papt apt-get -qq -o APT::Update::Error-Mode=any update ||
		die "cannot read the package lists: is there a network, a proxy to name?"
	papt_done=1
}

# A directory for half-done work beside its final place.
stage()
{
	rm -rf "$CACHE/new" && mkdir -p "$CACHE/new/root" "$(dirname "$1")" ||
		exit 1
}

# unpack PACKAGE DIR: its files, nothing installed
unpack()
{
	papt_ready
	say "unpacking $1"
	stage "$2"
	(cd "$CACHE/new" && papt apt-get -qq download "$1" &&
		dpkg -x ./*.deb root) || die "cannot fetch package $1"
	rm -rf "$2" && mv "$CACHE/new/root" "$2"
}

# unpack_source PACKAGE DIR
unpack_source()
{
	papt_ready
	say "unpacking the source of $1"
	stage "$2"
	(cd "$CACHE/new" && rmdir root &&
		papt apt-get -qq source --download-only "$1" &&
		dpkg-source --no-check -x ./*.dsc root >/dev/null) ||
		die "cannot fetch the source package of $1; unpack its source" \
			"yourself and name it: ${3}=DIR"
	rm -rf "$2" && mv "$CACHE/new/root" "$2"
}

# Each thing: a test whether it is there, and how to get it ------------------

zlib_there() { [ -e "${ZLIB_SRC:-$CACHE/src/zlib}/deflate.c" ]; }
zlib_get() { unpack_source zlib "$CACHE/src/zlib" ZLIB_SRC; }
lz4_there() { [ -e "${LZ4_SRC:-$CACHE/src/lz4}/lib/lz4.c" ]; }
lz4_get() { unpack_source lz4 "$CACHE/src/lz4" LZ4_SRC; }
busybox_there() { [ -x "$CACHE/busybox/bin/busybox" ]; }
busybox_get() { unpack busybox-static "$CACHE/busybox"; }
dracut_there() { have dracut || [ -e "$CACHE/dracut/usr/bin/dracut" ]; }
dracut_get() { unpack dracut-core "$CACHE/dracut"; }
udev_there() { have udevadm || [ -e "$CACHE/udev/bin/udevadm" ]; }
udev_get() { unpack udev "$CACHE/udev"; }
promtool_there() { have promtool || [ -x "$CACHE/prometheus/promtool" ]; }
promtool_get()
{
	unpack prometheus "$CACHE/prometheus"
	mv "$CACHE/prometheus/usr/bin/promtool" "$CACHE/prometheus/" &&
		rm -rf "$CACHE/prometheus/usr" "$CACHE/prometheus/etc" \
			"$CACHE/prometheus/lib" "$CACHE/prometheus/var"
}

# The newest stock kernel of series $1: no cloud, rt, debug or unsigned one.
# A distribution without that series is no error: its VM tests are skipped.
kernel_there()
{
	[ -e "$CACHE/kernel/$1/vmlinuz" ] || [ -e "$CACHE/kernel/$1.none" ]
}
kernel_get()
{
	papt_ready
	dir=$CACHE/kernel/$1
	re="^linux-image-$(echo "$1" | sed 's/\./\\./')\\.[0-9a-z.+-]*[0-9]-amd64\$"
	pkg=$(papt apt-cache search --names-only "$re" | cut -d' ' -f1 |
		sort -V | tail -n 1)
	if [ -z "$pkg" ]; then
		say "no kernel $1 in this distribution: its VM tests will be skipped"
		mkdir -p "$CACHE/kernel" && : >"$dir.none"
		return
	fi
	unpack "$pkg" "$dir"
	version=${pkg#linux-image-}
	[ -d "$dir/lib" ] || ln -s usr/lib "$dir/lib"
	depmod -b "$dir" "$version" &&
		ln -s "lib/modules/$version" "$dir/modules" &&
		ln -s "boot/vmlinuz-$version" "$dir/vmlinuz" ||
		die "cannot prepare $dir"
}
kernel61_there() { kernel_there 6.1; }
kernel61_get() { kernel_get 6.1; }
kernel612_there() { kernel_there 6.12; }
kernel612_get() { kernel_get 6.12; }

# The test kernel: named, in the cache, handed over beside the checkout, or
# built.
handed_over()
{
	for k in "$TOP"/../*/testkernel/bzImage; do
		[ ! -e "$k" ] || realpath "$k"
	done | head -n 1
}
testkernel_there()
{
	[ -n "$MEMBOX_TEST_KERNEL" ] || [ -e "$CACHE/kernel/test/vmlinuz" ]
}
testkernel_get()
{
	k=$(handed_over)
	if [ -n "$k" ]; then
		say "taking the test kernel handed over beside the checkout"
		mkdir -p "$CACHE/kernel/test" &&
			ln -sf "$k" "$CACHE/kernel/test/vmlinuz" || exit 1
	else
		say "building the test kernel, which takes a while" \
			"(MEMBOX_TEST_KERNEL=none does without)"
		"$TOP/tests/vm/build-kernel.sh" || exit 1
	fi
}

ksource_there() { [ -n "$(ls "$CACHE"/kernel/source/usr/src/*.tar.xz 2>/dev/null)" ]; }
ksource_get() { unpack linux-source-6.12 "$CACHE/kernel/source"; }

# ----------------------------------------------------------------------------

want=
print=
for arg; do
	case $arg in
	build|demo|test|fuzz|kernel) want="$want $arg" ;;
	all) want="$want build test fuzz" ;;
	--print) print=1 ;;
	--cache) echo "$CACHE"; exit ;;
	-h|--help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit ;;
	*) sed -n 's/^# \(usage: .*\)/\1/p' "$0" >&2; exit 2 ;;
	esac
done
want=${want:- build}

# The fuzzer runtime has the version of the compiler that links it.
fuzz_packages()
{
	lacking "$FUZZ"
	if have clang; then
		v=$(clang -dumpversion)
	else
		v=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*clang-//p')
	fi
	have clang && [ -n "$(find "$(clang -print-resource-dir)/lib/" \
		-name 'libclang_rt.fuzzer*' 2>/dev/null)" ] ||
		echo "libclang-rt-${v%%.*}-dev"
}

packages()
{
	for w in $want; do
		case $w in
		build) lacking "$BUILD" ;;
		demo) lacking "$DEMO" ;;
		test) lacking "$TEST" ;;
		fuzz) fuzz_packages ;;
		kernel) lacking "$KERNEL" ;;
		esac
	done
}
things=
for w in $want; do
	case $w in
	build) things="$things zlib lz4" ;;
	demo) things="$things busybox kernel61" ;;
	test) things="$things busybox dracut udev promtool kernel61 kernel612 testkernel" ;;
	kernel) things="$things ksource" ;;
	esac
done

missing=
for t in $things; do
	"${t}_there" || missing="$missing $t"
done
pkgs=$({
	packages
	case "$missing" in *zlib*|*lz4*) lacking "$UNPACK" ;; esac
} | sort -u | tr '\n' ' ')

if [ -z "$missing$pkgs" ]; then
	[ -z "$print" ] || say "${want# }: all is there (cache: $CACHE)"
	exit 0
fi
say "${want# }: missing packages: ${pkgs:-none}"
say "${want# }: missing in $CACHE:${missing:- nothing}"
install="apt-get install -y --no-install-recommends ${pkgs:-apt}"
if ! have apt-get; then
	say "no apt-get here: install by your distribution's names what the"
	say "packages above hold; zlib and LZ4 as sources named by ZLIB_SRC=DIR"
	say "and LZ4_SRC=DIR, a static busybox as $CACHE/busybox/bin/busybox,"
	say "kernels as $CACHE/kernel/{6.1,6.12,test}/{vmlinuz,modules}"
	exit 1
fi
if [ -n "$print" ]; then
	[ -z "$pkgs" ] || say "to install: apt-get update && $install"
	exit 1
fi

began=$(date +%s)
mkdir -p "$CACHE" || die "cannot make the cache; name one: MEMBOX_CACHE=DIR"
# What builds the test kernel calls this script again, below the lock.
if [ "$DEPS_LOCKED" != "$CACHE" ]; then
	exec 9>"$CACHE/lock"
	flock 9
	export DEPS_LOCKED="$CACHE"
fi

if [ -n "$pkgs" ]; then
	say "installing $pkgs"
	as_root apt-get -qq update
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -qq -o DPkg::Lock::Timeout=600 \
		install -y --no-install-recommends $pkgs >/dev/null ||
		die "apt-get failed; by hand: $install"
fi
for t in $missing; do
	# another run may have brought it while this one waited for the lock
	"${t}_there" || "${t}_get"
done
rm -rf "$CACHE/new"
say "${want# }: set-up: $(($(date +%s) - began)) s"
