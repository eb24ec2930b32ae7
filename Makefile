# membox - make; make check; make demo. "make help" tells the rest.
#
# O=DIR builds there (its .config, gen/ and obj/) instead of here.

VERSION = 0.1
O = .
SHELL = /bin/sh
.DELETE_ON_ERROR:

SRC := $(CURDIR)
out := $(abspath $(O))
gen := $(out)/gen
obj := $(out)/obj

CACHE := $(or $(MEMBOX_CACHE),$(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME)/membox),$(if $(HOME),$(HOME)/.cache/membox),/var/cache/membox)
ZLIB_SRC ?= $(CACHE)/src/zlib
LZ4_SRC ?= $(CACHE)/src/lz4

help_text = \
  all (default)   build ./membox (static, stripped) and ./membox.dbg\n\
  defconfig full_defconfig rescue_defconfig kdump_defconfig allyesconfig\n\
  allnoconfig oldconfig menuconfig savedefconfig   choose what is in it\n\
  install         DESTDIR, PREFIX: membox and its links\n\
  lib             lib/libmembox.a, membox.h, membox.pc; CC=gcc for glibc\n\
  install-lib     DESTDIR, PREFIX: those three\n\
  check-fast      unit tests, command lines, gates (< 60 s)\n\
  check           all of that, and real kernels under qemu\n\
  demo            build, boot a kernel, dump its RAM, read the dump\n\
  bench           ratios against bare reads, and peers in MEMBOX_PEERS\n\
  fuzz            the parsers' fuzzers, FUZZ_SECONDS each (60)\n\
  size bloatcheck sizes by applet; growth against BASE=membox.dbg\n\
  clean distclean

all: $(out)/membox

# ---- configuration: Kconfig stanzas stand in the applets' head comments ----

APPLETS = memdump memmaps memstats memtrack memidle shmat
applet_file = $(firstword $(wildcard applets/$(1)/$(1).c applets/$(1).c))
kconfigs := $(APPLETS:%=$(gen)/Kconfig.%)
KCONF = cd $(out) && awk -v conf=.config -v srcdir=$(SRC) \
	-v mode=$(1) $(2) -f $(SRC)/config/kconf.awk $(SRC)/config/Kconfig

define kconfig_rule
$(gen)/Kconfig.$(1): $(call applet_file,$(1)) config/gen.awk
	@mkdir -p $$(@D)
	@$(if $(call applet_file,$(1)),awk -v mode=extract -f config/gen.awk $(call applet_file,$(1))) >$$@
endef
$(foreach a,$(APPLETS),$(eval $(call kconfig_rule,$(a))))

# The stamp says when the headers were last made; they themselves change only
# with their content.
$(gen)/stamp: $(kconfigs) config/Kconfig config/kconf.awk config/gen.awk \
		$(wildcard $(out)/.config)
	@$(call KCONF,oldconfig,-v defs=$(SRC)/config/full_defconfig)
	@for h in config usage applets; do \
	awk -v mode=$$h -f config/gen.awk $(out)/.config $(kconfigs) \
	config/Kconfig >$(gen)/$$h.new || exit; \
	cmp -s $(gen)/$$h.new $(gen)/$$h.h || mv $(gen)/$$h.new $(gen)/$$h.h; \
	done
	@sed 's/["\\]/\\&/g; s/.*/"&\\n"/' $(out)/.config >$(gen)/config-text.h
	@touch $@
$(gen)/config.h $(gen)/usage.h $(gen)/applets.h $(gen)/config-text.h: $(gen)/stamp ;

defconfig: full_defconfig
%_defconfig: $(kconfigs)
	@$(call KCONF,defconfig,-v defs=$(SRC)/config/$@)
allyesconfig allnoconfig: all%config: $(kconfigs)
	@$(call KCONF,all$*)
oldconfig: $(kconfigs)
	@$(call KCONF,oldconfig)
savedefconfig: $(kconfigs)
	@$(call KCONF,savedefconfig,-v defs=defconfig)
menuconfig: $(kconfigs)
	@command -v kconfig-mconf >/dev/null || { echo "menuconfig needs \
	kconfig-mconf: install the package kconfig-frontends-nox, or edit \
	.config and run make oldconfig"; exit 1; }
	cd $(out) && srctree=$(out) kconfig-mconf $(SRC)/config/Kconfig

# ---- build ----

CC = musl-gcc
HOSTCC = gcc
STRIP = strip
OPT = -Os
WARN = -Wall -Wextra -Wno-missing-field-initializers -Wvla -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	-Wwrite-strings -Wundef -Wstack-usage=2048 $(if $(WERROR),-Werror)
CPPFLAGS = -D_GNU_SOURCE -DMEMBOX_VERSION='"$(VERSION)"' -I$(SRC)/libcore \
	-I$(gen) -include $(gen)/config.h -isystem $(gen)/include
CFLAGS = -std=c11 $(OPT) -g -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-ident
LDFLAGS = -static -Wl,--gc-sections -Wl,--build-id=none

sources := $(sort $(wildcard libcore/*/*.c applets/*.c applets/*/*.c))
zlib := adler32 crc32 deflate inflate inffast inftrees trees zutil
objects := $(sources:%.c=$(obj)/%.o)
codecs := $(zlib:%=$(obj)/zlib/%.o) $(obj)/lz4/lz4.o

# One short line a step; V=1 shows the commands.
step = $(if $(V),,@printf '%-6s %s\n' $(1) $(@:$(out)/%=%);)

$(out)/membox.dbg: $(objects) $(codecs)
	$(call step,link)$(CC) $(LDFLAGS) -o $@ $^
$(out)/membox: $(out)/membox.dbg
	$(call step,strip)$(STRIP) -s -R .comment -o $@ $<

$(objects) $(codecs): Makefile $(gen)/include/zlib.h
$(objects): $(obj)/%.o: %.c $(gen)/stamp
	@mkdir -p $(@D)
	$(call step,cc)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -c -o $@ $<
-include $(objects:.o=.d)

# What goes over every line of maps and smaps, every byte of a dump, and every
# page that is allocated or asked for.
hot := libcore/base/lines libcore/kern/maps libcore/kern/region \
	libcore/flow/sha256 libcore/flow/sha256_ni libcore/flow/xxh32 \
	$(addprefix applets/memmaps/,body picture owners canvas) \
	libcore/kern/ring applets/memtrack/decode \
	applets/memtrack/acct applets/memtrack/pages applets/memstats/scan \
	$(addprefix applets/memidle/,bitmap frames)
$(hot:%=$(obj)/%.o): OPT = -O2
# No memcpy for the few bytes of a number: the call costs more than the loop.
$(obj)/applets/memmaps/body.o: OPT += -fno-tree-loop-distribute-patterns

# zlib's and LZ4's own sources; what is not used is dropped by the linker.
# Their inner loops are worth the bytes that -O2 costs. Z_SOLO: no malloc.
$(codecs): CFLAGS += -O2 -w -isystem $(gen)/include
$(obj)/zlib/%.o:
	@mkdir -p $(@D)
	$(call step,cc)$(CC) $(CFLAGS) -DHAVE_HIDDEN -DZ_SOLO \
	-include string.h -c -o $@ $(ZLIB_SRC)/$*.c
$(obj)/lz4/%.o:
	@mkdir -p $(@D)
	$(call step,cc)$(CC) $(CFLAGS) -c -o $@ $(LZ4_SRC)/lib/$*.c

# Kernel and codec headers by links: /usr/include itself would let glibc's in.
$(gen)/include/zlib.h:
	@test -f $(ZLIB_SRC)/zlib.h -a -f $(LZ4_SRC)/lib/lz4.h || { echo \
	"zlib's or LZ4's sources are missing: run config/deps.sh build, or \
	give ZLIB_SRC= and LZ4_SRC="; exit 1; }
	@mkdir -p $(@D)
	@ln -sfn /usr/include/linux $(@D)/linux
	@ln -sfn /usr/include/asm-generic $(@D)/asm-generic
	@ln -sfn $$(dirname $$(echo '#include <asm/types.h>' | $(HOSTCC) -M \
	-E - | tr ' ' '\n' | grep asm/types.h)) $(@D)/asm
	@ln -sf $(LZ4_SRC)/lib/lz4.h $(@D)/lz4.h
	@ln -sf $(ZLIB_SRC)/zconf.h $(@D)/zconf.h
	@ln -sf $(ZLIB_SRC)/zlib.h $@

# ---- library: lib/membox.h over the kern floor, by the caller's compiler ----

# One object in which only membox_* is global: the names of the floors are no
# business of the caller's. What its functions do not reach is left out.
LD = ld
AR = ar
OBJCOPY = objcopy
lib_sources := $(sort $(wildcard lib/*.c libcore/kern/*.c libcore/base/*.c))
lib_objects := $(lib_sources:%.c=$(obj)/lib/%.o)
lib_names = $(shell grep -o 'membox_[a-z_]*[()]' lib/membox.h | tr -d '()')

lib: $(out)/lib/libmembox.a $(out)/lib/membox.h $(out)/lib/membox.pc
$(lib_objects): $(obj)/lib/%.o: %.c $(gen)/stamp $(gen)/include/zlib.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC $(WARN) -MMD -c -o $@ $<
-include $(lib_objects:.o=.d)
$(out)/lib/libmembox.a: $(lib_objects)
	@mkdir -p $(@D)
	$(LD) -r --gc-sections $(lib_names:%=-u %) -o $(obj)/lib/membox.o $^
	$(OBJCOPY) --strip-unneeded $(lib_names:%=-G %) $(obj)/lib/membox.o
	rm -f $@
	$(AR) rcs $@ $(obj)/lib/membox.o
$(out)/lib/membox.h: lib/membox.h
	@mkdir -p $(@D)
	cp $< $@
$(out)/lib/membox.pc: lib/membox.pc
	@mkdir -p $(@D)
	sed 's/@VERSION@/$(VERSION)/' $< >$@

# ---- install ----

DESTDIR =
PREFIX = /usr/local
install: $(out)/membox
	mkdir -p $(DESTDIR)$(PREFIX)/bin
	cp $(out)/membox $(DESTDIR)$(PREFIX)/bin/membox
	$(DESTDIR)$(PREFIX)/bin/membox --install $(DESTDIR)$(PREFIX)/bin

install-lib: lib
	mkdir -p $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig
	cp $(out)/lib/membox.h $(DESTDIR)$(PREFIX)/include
	cp $(out)/lib/libmembox.a $(DESTDIR)$(PREFIX)/lib
	sed 's,^prefix=.*,prefix=$(PREFIX),; s,^includedir=.*,includedir=$${prefix}/include,; s,^libdir=.*,libdir=$${prefix}/lib,' \
	$(out)/lib/membox.pc >$(DESTDIR)$(PREFIX)/lib/pkgconfig/membox.pc

# ---- tests ----

# Unit tests: the same sources built by the host's compiler, every option on.
# Each tests/unit/t-NAME.c becomes $(O)/t-NAME, linked with all but main.
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined
unit_args = CC=$(HOSTCC) OPT='-O1 $(SANITIZE)' LDFLAGS='$(SANITIZE)' \
	WARN='-Wall -Wextra -Wno-missing-field-initializers'
unit_tests := $(patsubst tests/unit/%.c,$(out)/%,$(wildcard tests/unit/t-*.c))
unit:
	@mkdir -p $(out)
	@test -f $(out)/.config || $(MAKE) O=$(O) allyesconfig
	@$(MAKE) O=$(O) $(unit_args) unit-programs
unit-programs: $(unit_tests) fuzz-programs
$(unit_tests): $(out)/t-%: tests/unit/t-%.c tests/unit/unit.h \
		$(filter-out %/main.o,$(objects)) $(codecs)
	$(call step,cc)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -DUNIT_NAME='"$*"' -I$(SRC) \
	$(LDFLAGS) -o $@ $(filter %.c %.o,$^)

# Fuzz targets: with a main that replays a corpus, or with libFuzzer's.
FUZZ_MAIN = tests/fuzz/replay.c
fuzzers := $(patsubst tests/fuzz/%.c,$(out)/%,$(wildcard tests/fuzz/fuzz-*.c))
fuzz-programs: $(fuzzers)
$(fuzzers): $(out)/fuzz-%: tests/fuzz/fuzz-%.c tests/fuzz/support.c \
		$(FUZZ_MAIN) tests/fuzz/fuzz.h \
		$(filter-out %/main.o,$(objects)) $(codecs)
	$(call step,cc)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -Itests/fuzz -I$(SRC) $(LDFLAGS) \
	-o $@ $(filter %.c %.o,$^)

check-fast: all
	tests/check fast
check:
	config/deps.sh build test
	$(MAKE) all
	tests/check all
vm: all
	tests/check vm
bench: all
	tests/bench/run
demo:
	config/deps.sh build demo
	$(MAKE) all
	tests/vm/demo
fuzz:
	config/deps.sh build fuzz
	tests/fuzz/run

# ---- size ----

size: $(out)/membox
	@tests/size $(out)/membox.dbg
bloatcheck: $(out)/membox
	@tests/size $(or $(BASE),$(error bloatcheck needs BASE=old/membox.dbg)) \
	$(out)/membox.dbg

help:
	@printf '$(help_text)\n'
clean:
	rm -rf $(obj) $(gen) $(out)/membox $(out)/membox.dbg
distclean: clean
	rm -f $(out)/.config $(out)/.config.old

.PHONY: all defconfig allyesconfig allnoconfig oldconfig menuconfig \
	savedefconfig install lib install-lib unit unit-programs fuzz-programs check-fast check vm bench demo fuzz size \
	bloatcheck help clean distclean
