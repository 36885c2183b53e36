# Lodger. One Makefile, to be read from top to bottom.
#
#   make            the kernel and the archive of user programs
#   make help       all targets and variables
#   make V=1        prints the commands as they run

VARIANT ?= debug
CPUS    ?= 4
MEM     ?= 512M
PROG    ?=
APPEND  ?=

OUT     := build/$(VARIANT)
KERNEL  := $(OUT)/lodger.elf
INITRD  := build/$(if $(filter tests/%,$(PROG)),tests,initrd).cpio

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

# All processors, unless -j says otherwise. "make clean all" must keep its order.
ifeq ($(MAKELEVEL)$(filter clean,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(shell getconf _NPROCESSORS_ONLN)
endif

# Each recipe begins with $(call say,VERB   ,object). It is make that prints it: no
# process is started for that, and none for a folder that is there (%/. below).
ifneq ($(V),1)
empty  :=
indent := $(empty)  $(empty)
say = $(info $(indent)$(1) $(2))
Q   := @
endif

.SECONDEXPANSION:
%/.:
	@mkdir -p $@

# A file that holds one line of text, and changes only when the line does.
define keep
@mkdir -p $(@D)
@echo '$(strip $(1))' | cmp -s - $@ || echo '$(strip $(1))' >$@
endef

# ---- Tools -----------------------------------------------------------------

# The first prefix that has a compiler; the host's own tools have none.
first = $(firstword $(foreach p,$(1),$(if $(shell command -v $(p)$(2)),$(p))))
ifndef CROSS
CROSS   := $(call first,x86_64-elf- x86_64-linux-gnu-,gcc)
endif

ifeq ($(origin CC),default)
CC      := $(or $(call first,$(CROSS)gcc clang),gcc)
endif
LD      := $(CROSS)ld
NM      := $(CROSS)nm
NASM    ?= nasm
PYTHON  ?= python3
MUSL_CC := $(or $(MUSL_CC),$(call first,x86_64-linux-musl-gcc),musl-gcc)
HOST_CC ?= gcc

missing := $(foreach tool,$(CC) $(LD) $(NASM) $(PYTHON) $(MUSL_CC),\
	$(if $(shell command -v $(tool)),,$(tool)))
ifneq ($(strip $(missing)),)
$(warning missing: $(strip $(missing)). tools/setup installs it; make doctor says more)
endif

# ---- Flags -----------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Wundef $(if $(WERROR),-Werror)

CFLAGS := -std=gnu11 -ffreestanding -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -mcmodel=kernel -fcf-protection=none \
	-fno-stack-protector -fno-omit-frame-pointer -fno-strict-aliasing \
	$(WARNINGS) -I. -Iarch/x86

# gcc must not turn the loop inside our memset into a call to memset. Nothing on
# a kernel stack wants more than 8 bytes of alignment.
ifneq ($(findstring clang,$(shell $(CC) --version 2>/dev/null)),)
CFLAGS  += --target=x86_64-unknown-none-elf -mstack-alignment=8
S_FLAGS := -fno-integrated-as
else
CFLAGS  += -fno-tree-loop-distribute-patterns -mpreferred-stack-boundary=3
endif

# -Og: gdb finds every variable, and gcc is quicker by a third than with -O1.
ifeq ($(VARIANT),debug)
CFLAGS  += -DCONFIG_DEBUG=1 -Og -g
else
CFLAGS  += -O2 -g
endif

NASMFLAGS := -f elf64 -g -F dwarf -I./ -I$(OUT)/ $(if $(WERROR),-Werror)
LDFLAGS   := -nostdlib -static -z max-page-size=4096 -z noexecstack \
	$(if $(WERROR),--fatal-warnings) -T linker.ld

$(OUT)/flags: FORCE
	$(call keep,$(CC) $(CFLAGS) $(NASM) $(NASMFLAGS) $(LD) $(LDFLAGS))

# ---- Kernel ----------------------------------------------------------------

SOURCES := $(wildcard boot/*.asm arch/x86/*.asm arch/x86/*.c kernel/*.c \
	kernel/base/*.c kernel/ipc/*.c kernel/objects/*.c mm/*.c sched/*.c)
ifeq ($(VARIANT),debug)
SOURCES += $(wildcard kernel/debug/*.c tests/kernel/*.c)
endif
SOURCES := $(filter-out arch/x86/asm_offsets.c,$(SOURCES))
OBJECTS := $(SOURCES:%=$(OUT)/obj/%.o)

$(OUT)/obj/%.c.o: %.c $(OUT)/flags | $$(@D)/.
	$(call say,CC     ,$<)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(OUT)/obj/%.asm.o: %.asm $(OUT)/asm_offsets.inc $(OUT)/flags | $$(@D)/.
	$(call say,NASM   ,$<)
	$(Q)$(NASM) $(NASMFLAGS) -MD $(@:.o=.d) -MP -o $@ $<

$(OUT)/obj/boot/first.asm.o: build/user/first.bin

# Constants for the assembly files. asm_offsets.c writes "->NAME $value" into
# its assembly output; each such line becomes "NAME equ value".
$(OUT)/asm_offsets.inc: arch/x86/asm_offsets.c $(OUT)/flags | $$(@D)/.
	$(call say,OFFSETS,$<)
	$(Q)$(CC) $(CFLAGS) $(S_FLAGS) -MMD -MP -MT $@ -S $< -o $(@:.inc=.s)
	$(Q)sed -n 's/^[ \t]*->\([A-Za-z0-9_]*\) \$$*\(-*[0-9a-fx]*\).*/\1 equ \2/p' \
		$(@:.inc=.s) >$@

# The kernel carries its own symbol table, for backtraces with names. It is
# linked twice: with an empty table, to learn the addresses, then with the full
# one. The table is the last thing in .rodata, so no function moves.
$(OUT)/objects: FORCE
	$(call keep,$(OBJECTS))

$(OUT)/pass1.elf: $(OBJECTS) $(OUT)/no_symbols.o linker.ld $(OUT)/objects
	$(call say,LINK   ,$@)
	$(Q)$(LD) $(LDFLAGS) -o $@ $(OBJECTS) $(OUT)/no_symbols.o

$(KERNEL): $(OUT)/pass1.elf $(OUT)/symbols.o
	$(call say,LINK   ,$@)
	$(Q)$(LD) $(LDFLAGS) -o $@ $(OBJECTS) $(OUT)/symbols.o
	$(Q)$(NM) -n $@ | awk -f tools/mksymbols.awk | cmp - $(OUT)/symbols.asm

$(OUT)/no_symbols.asm: tools/mksymbols.awk | $$(@D)/.
	$(Q)awk -f tools/mksymbols.awk </dev/null >$@

$(OUT)/symbols.asm: $(OUT)/pass1.elf tools/mksymbols.awk
	$(Q)$(NM) -n $< | awk -f tools/mksymbols.awk >$@

$(OUT)/%.o: $(OUT)/%.asm
	$(Q)$(NASM) -f elf64 -o $@ $<

# ---- User programs ---------------------------------------------------------

# One C file, one program: static, linked against musl and against what it uses
# of user/lib. A folder is one program, too; a server's becomes /sbin/NAME.
# build/user/ keeps the symbols; the archive gets stripped copies.
# -O1 takes two thirds of the time of -O2, which only what is measured is worth.
USER_FLAGS := -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra \
	$(if $(WERROR),-Werror) -Iuser/include -I.
MEASURED   := servers/unix programs/bench
$(MEASURED:%=build/user/obj/user/%.o): USER_FLAGS += -O2

PROGRAMS   := $(patsubst user/programs/%.c,bin/%,$(wildcard user/programs/*.c))
LARGE      := $(patsubst user/programs/%/,bin/%,$(sort $(dir \
	$(wildcard user/programs/*/*.c))))
USER_TESTS := $(patsubst tests/user/%.c,tests/%,$(wildcard tests/user/*.c))
WITH_HOST  := $(patsubst tests/user/with_host/%.c,tests/%,\
	$(wildcard tests/user/with_host/*.c))
GLIBC      := $(patsubst tests/user/glibc/%.c,tests/%,\
	$(wildcard tests/user/glibc/*.c))
SERVERS    := $(patsubst user/servers/%/,sbin/%,$(sort $(dir \
	$(wildcard user/servers/*/*.c))))
USER_LIB   := $(patsubst %.c,build/user/obj/%.o,$(wildcard user/lib/*.c))

# The distribution's own static programs, and a link for each applet of BusyBox.
# Ours in /bin come first in PATH. What is not installed is left out.
BUSYBOX     ?= /bin/busybox
BASH_STATIC ?= /bin/bash-static
MKSH_STATIC ?= /bin/mksh-static

FOREIGN := $(if $(wildcard $(BUSYBOX)),bin/busybox) \
	$(if $(wildcard $(BASH_STATIC)),bin/bash) \
	$(if $(wildcard $(MKSH_STATIC)),bin/mksh)
APPLETS := $(if $(wildcard $(BUSYBOX)),bin/sh $(addprefix usr/bin/,$(shell \
	$(BUSYBOX) --list | grep -v '^\[')))
SCRIPTS := $(wildcard tests/unix/*.sh) tests/unix/run tests/unix/boot
CLIENTS := $(patsubst %.c,%,$(wildcard tests/unix/*.c))
# Our own files, and empty directories.
FILES   := $(patsubst user/files/%,%,$(wildcard user/files/*/*)) tmp root

# What the machine has, and what the tests want besides. mkcpio makes the links.
ARCHIVED := $(sort $(PROGRAMS) $(LARGE) $(SERVERS) $(FOREIGN) $(FILES))
OURS     := $(PROGRAMS) $(LARGE) $(SERVERS) $(USER_TESTS) $(WITH_HOST) $(GLIBC) \
	$(CLIENTS)
LINKS    := $(APPLETS:%=%=/bin/busybox)
TESTED   := $(sort $(USER_TESTS) $(WITH_HOST) $(GLIBC) $(CLIENTS) $(SCRIPTS))

build/user/obj/%.o: %.c build/user/flags | $$(@D)/.
	$(call say,MUSL-CC,$<)
	$(Q)$(MUSL_CC) $(USER_FLAGS) -MMD -MP -c $< -o $@

# A folder is compiled at once: main.c, and before it the other files. So they are
# small, the compiler inlines across them, and the whole takes half the time. No two
# of them may have a static of one name; the warning is for variables, which C would
# make one.
WHOLE := -fwhole-program -Wredundant-decls

build/user/obj/%.o: %/main.c build/user/folder_files build/user/flags | $$(@D)/.
	$(call say,MUSL-CC,$(@:build/user/obj/%.o=%))
	$(Q)$(MUSL_CC) $(USER_FLAGS) $(WHOLE) -MMD -MP \
		$(addprefix -include ,$(filter-out $<,$(wildcard $(<D)/*.c))) \
		-c $< -o $@

build/user/lib.a: $(USER_LIB) build/user/lib_objects | $$(@D)/.
	$(Q)rm -f $@ && $(CROSS)ar rcs $@ $(USER_LIB)

$(PROGRAMS:%=build/user/%) $(LARGE:%=build/user/%): build/user/bin/%: \
		build/user/obj/user/programs/%.o build/user/lib.a | $$(@D)/.
	$(Q)$(MUSL_CC) -static -o $@ $^

# The screen driver's font comes from GRUB's package.
FONTS := /usr/share/grub/unicode.pf2 /usr/share/grub2/unicode.pf2 \
	/opt/homebrew/share/grub/unicode.pf2

build/user/font.c: tools/mkfont.py | $$(@D)/.
	$(call say,FONT   ,$@)
	$(Q)$(PYTHON) tools/mkfont.py $(FONTS) >$@

build/user/font.o: build/user/font.c user/servers/screen/screen.h
	$(Q)$(MUSL_CC) $(USER_FLAGS) -c $< -o $@

$(SERVERS:%=build/user/%): build/user/sbin/%: \
		build/user/obj/user/servers/%.o build/user/lib.a | $$(@D)/.
	$(Q)$(MUSL_CC) -static $(SERVER_FLAGS) -o $@ $(filter %.o %.a,$^)

build/user/sbin/screen: build/user/font.o

# It lies where no client does, so that tests/bench/profile can tell them apart.
build/user/sbin/unix: SERVER_FLAGS := -Wl,-Ttext-segment=0x10000000

$(USER_TESTS:%=build/user/%): build/user/tests/%: \
		build/user/obj/tests/user/%.o build/user/lib.a | $$(@D)/.
	$(Q)$(MUSL_CC) -static -o $@ $^

$(WITH_HOST:%=build/user/%): build/user/tests/%: \
		build/user/obj/tests/user/with_host/%.o build/user/lib.a | $$(@D)/.
	$(Q)$(MUSL_CC) -static -o $@ $^

$(CLIENTS:%=build/user/%): build/user/tests/unix/%: \
		build/user/obj/tests/unix/%.o build/user/lib.a | $$(@D)/.
	$(Q)$(MUSL_CC) -static -o $@ $^

$(GLIBC:%=build/user/%): build/user/tests/%: tests/user/glibc/%.c build/user/flags \
		| $$(@D)/.
	$(call say,HOST-CC,$<)
	$(Q)$(HOST_CC) $(USER_FLAGS) -MMD -MP -MF $@.d -MT $@ \
		-fPIE -static-pie -pthread -o $@ $<

# The first program goes into the kernel's image, as it will lie in memory.
FIRST := $(patsubst %.c,build/user/obj/%.o,$(wildcard user/first/*.c))

build/user/first.elf: user/first/first.ld $(FIRST) build/user/lib.a
	$(call say,LINK   ,$@)
	$(Q)$(MUSL_CC) -static -Wl,-T,$< -Wl,--build-id=none -o $@ $(filter %.o %.a,$^)

build/user/first.bin: build/user/first.elf
	$(Q)$(CROSS)objcopy -O binary $< $@

$(OURS:%=build/initrd/%): build/initrd/%: build/user/% | $$(@D)/.
	$(Q)$(CROSS)strip -o $@ $<

build/initrd/bin/busybox: $(BUSYBOX)
build/initrd/bin/bash: $(BASH_STATIC)
build/initrd/bin/mksh: $(MKSH_STATIC)
$(FOREIGN:%=build/initrd/%): | $$(@D)/.
	$(Q)cp -L $< $@

build/initrd/tmp build/initrd/root:
	$(Q)mkdir -p $@

$(addprefix build/initrd/,$(filter etc/%,$(FILES))): build/initrd/%: user/files/% \
		| $$(@D)/.
	$(Q)cp $< $@

$(SCRIPTS:%=build/initrd/%): build/initrd/%: % | $$(@D)/.
	$(Q)cp $< $@

build/initrd.cpio: $(ARCHIVED:%=build/initrd/%) build/archived tools/mkcpio.py
	$(call say,CPIO   ,$@)
	$(Q)$(PYTHON) tools/mkcpio.py $@ build/initrd $(ARCHIVED) $(LINKS)

build/tests.cpio: build/initrd.cpio $(TESTED:%=build/initrd/%) build/tested
	$(call say,CPIO   ,$@)
	$(Q)$(PYTHON) tools/mkcpio.py $@ build/initrd $(ARCHIVED) $(LINKS) \
		$(TESTED)

build/user/flags: FORCE
	$(call keep,$(MUSL_CC) $(HOST_CC) $(USER_FLAGS) $(WHOLE))

build/user/lib_objects: FORCE
	$(call keep,$(USER_LIB))

build/user/folder_files: FORCE
	$(call keep,$(wildcard user/*/*/*.c))

build/archived: FORCE
	$(call keep,$(ARCHIVED) $(LINKS))

build/tested: FORCE
	$(call keep,$(TESTED))

# ---- The explorer ------------------------------------------------------------

# A program of the host. The kernel's files of the protocol are instrumented by
# the compiler (-fsanitize=thread; the runtime is ours: arch/sim/hooks.c), its
# checks are not. Neither is edited; MAX_CPUS is smaller, so that less has to be
# restored for each execution.
EXPLORE := build/explore
EXPLORE_FLAGS := -std=gnu11 -g -fno-pie -fno-strict-aliasing -fno-common \
	-fno-omit-frame-pointer -fcf-protection=none -fno-stack-protector \
	$(WARNINGS) -I. -Iarch/sim -DCONFIG_DEBUG=1 -DMAX_CPUS=4
EXPLORE_KERNEL := -O1 -ffreestanding -mno-red-zone
EXPLORE_TSAN := -fsanitize=thread --param tsan-instrument-func-entry-exit=0 \
	--param tsan-distinguish-volatile=1 -Wno-tsan

EXPLORE_WATCHED := $(wildcard sched/*.c) arch/sim/switch.c kernel/debug/world.c \
	$(addprefix mm/,$(addsuffix .c,mm init_mm tlb region region_tree region_change \
	pgtable fault shared usercopy remote)) \
	$(addprefix kernel/,$(addsuffix .c,exit fork process signal stop wait \
	workers ipc/handle ipc/mm_handle ipc/object)) \
	tests/explore/broken.c $(wildcard tests/explore/b_*.c)
EXPLORE_CHECKS := kernel/base/cpu.c \
	$(addprefix kernel/debug/,$(addsuffix .c,invariants ledger pgtable_check))
EXPLORE_HOST := $(filter-out $(EXPLORE_WATCHED) tests/explore/known%,\
	$(wildcard arch/sim/*.c tests/explore/*.c))
EXPLORE_OBJECTS := $(patsubst %,$(EXPLORE)/obj/%.o,$(EXPLORE_WATCHED) \
	$(EXPLORE_CHECKS) $(EXPLORE_HOST) $(wildcard arch/sim/*.asm))

# The kernel's variables become one section, to be saved and restored. Its
# memcpy and so on are instrumented ones.
KDATA := --set-section-flags .bss=alloc,load,contents,data \
	--rename-section .bss=kdata --rename-section .data=kdata
K_MEM := $(foreach f,memcpy memmove memset memcmp,--redefine-sym $(f)=k_$(f))

# Calls of these go through the explorer first: a child waits until its
# scenario calls it, what is freed, or torn down, is looked at, the model hears
# of adoptions and outsiders, and who waits for a mutex can be told.
EXPLORE_WRAPS := $(foreach f,wake_up_new_task exit_mmap pgtable_free_root \
	kthread_use_mm kthread_unuse_mm mmget mmget_not_zero mmput \
	mmput_unless_last mutex_lock,-Wl,--wrap=$(f))

$(EXPLORE)/flags: FORCE
	$(call keep,$(HOST_CC) $(EXPLORE_FLAGS) $(EXPLORE_KERNEL) $(EXPLORE_TSAN) \
		$(KDATA) $(K_MEM))

$(EXPLORE_WATCHED:%=$(EXPLORE)/obj/%.o): $(EXPLORE)/obj/%.o: % $(EXPLORE)/flags | $$(@D)/.
	$(call say,CC-WATCH,$<)
	$(Q)$(HOST_CC) $(EXPLORE_FLAGS) $(EXPLORE_KERNEL) $(EXPLORE_TSAN) \
		-MMD -MP -c $< -o $@
	$(Q)$(CROSS)objcopy $(KDATA) $(K_MEM) $@

$(EXPLORE_CHECKS:%=$(EXPLORE)/obj/%.o): $(EXPLORE)/obj/%.o: % $(EXPLORE)/flags | $$(@D)/.
	$(call say,CC     ,$<)
	$(Q)$(HOST_CC) $(EXPLORE_FLAGS) $(EXPLORE_KERNEL) -MMD -MP -c $< -o $@
	$(Q)$(CROSS)objcopy $(KDATA) $@

$(EXPLORE_HOST:%=$(EXPLORE)/obj/%.o): $(EXPLORE)/obj/%.o: % $(EXPLORE)/flags | $$(@D)/.
	$(call say,HOST-CC,$<)
	$(Q)$(HOST_CC) $(EXPLORE_FLAGS) -O2 -MMD -MP -c $< -o $@

$(EXPLORE)/obj/%.asm.o: %.asm | $$(@D)/.
	$(call say,NASM   ,$<)
	$(Q)$(NASM) -f elf64 -g -F dwarf -o $@ $<

$(EXPLORE)/objects: FORCE
	$(call keep,$(EXPLORE_OBJECTS))

$(EXPLORE)/explore: $(EXPLORE_OBJECTS) $(EXPLORE)/objects
	$(call say,LINK   ,$@)
	$(Q)$(HOST_CC) -no-pie -z noexecstack $(EXPLORE_WRAPS) -o $@ \
		$(EXPLORE_OBJECTS)

# The engine alone, with small programs that have known answers. The program's
# shared variables are one section, which known_world.c must end.
KNOWN_WATCHED := $(patsubst %,tests/explore/known_%.c,\
	classic code count interrupt litmus memory replay)
KNOWN_SOURCES := $(KNOWN_WATCHED) tests/explore/known.c \
	$(patsubst %,tests/explore/known_%.c,oracle random world)
KNOWN_ENGINE := $(patsubst %,arch/sim/%.c,buffers explore hooks order races \
	schedule search shadow visited) arch/sim/coro.asm
KNOWN_OBJECTS := $(KNOWN_ENGINE:%=$(EXPLORE)/obj/%.o) \
	$(KNOWN_SOURCES:%=$(EXPLORE)/obj/%.o)

$(KNOWN_SOURCES:%=$(EXPLORE)/obj/%.o): $(EXPLORE)/obj/%.o: % $(EXPLORE)/flags | $$(@D)/.
	$(call say,HOST-CC,$<)
	$(Q)$(HOST_CC) $(EXPLORE_FLAGS) -O2 \
		$(if $(filter $<,$(KNOWN_WATCHED)),$(EXPLORE_TSAN)) -MMD -MP \
		-c $< -o $@

$(EXPLORE)/known: $(KNOWN_OBJECTS)
	$(call say,LINK   ,$@)
	$(Q)$(HOST_CC) -no-pie -z noexecstack -o $@ $(KNOWN_OBJECTS)

-include $(EXPLORE_OBJECTS:.o=.d) $(KNOWN_SOURCES:%=$(EXPLORE)/obj/%.d)

# ---- Targets ---------------------------------------------------------------

# PROG=x runs /bin/x alone, PROG=tests/x is /tests/x. Without PROG it is /sbin/init
# that begins: it starts the servers, and they the shell.
ARGS = $(strip $(if $(PROG),run=/$(if $(findstring /,$(PROG)),,bin/)$(PROG)) \
	$(APPEND))
ISO  := $(OUT)/lodger.iso
RUN  := $(PYTHON) tools/run --cpus $(CPUS) --mem $(MEM)

# One scenario or all; up to BOUND preemptions, by chance, or one schedule. All of
# them come to the end of two preemptions: a limit, of executions, only says that
# something is wrong. With BOUND=3 many are too large: then the table says how far
# they came in 40 seconds, and the limit (14) is no failure.
SCENARIO ?=
BOUND    ?= 2
KILLS    ?= 1000
SECONDS  ?= 60
EXPLORE_WHAT = $(if $(SCENARIO),$(SCENARIO:%=--scenario %),--all)
EXPLORE_HOW  = $(if $(REPLAY),--replay $(REPLAY),$(if $(SEED),--random --seed \
	$(SEED) --executions 10000,--bound $(BOUND) $(if $(SCENARIO),,\
	$(if $(filter 0 1 2,$(BOUND)),--executions 10000000,--seconds 40))))

.PHONY: FORCE all all-tests kernel initrd iso run story run-iso run-uefi run-bochs gdb test \
	test-quick explore-bin explore explore-deep explore-mutants bench mutants soak-console doctor \
	loc clean help

# The initrd first: to link the Unix server takes one processor for seconds.
all: initrd kernel ## the kernel and the archive of user programs (default)
kernel: $(KERNEL)
initrd: $(INITRD)
all-tests: all build/tests.cpio ## the same, and what the tests run

run: all ## boot in QEMU to a shell, or with PROG=x to that program alone
	$(Q)$(RUN) --kernel $(KERNEL) --initrd $(INITRD) --append '$(ARGS)'

story: PROG := borrow
story: run ## the demonstration, and nothing else: how address spaces are lent

run-iso: iso ## the same from a GRUB CD, under BIOS
	$(Q)$(RUN) --iso $(ISO)

run-uefi: iso ## the same from a GRUB CD, under UEFI
	$(Q)$(RUN) --iso $(ISO) --uefi

# The demonstration wants more CPUs than one.
run-bochs: PROG := hello
run-bochs: iso ## a GRUB CD in Bochs, on one CPU (slow; PROG: hello)
	$(Q)$(PYTHON) tools/bochs $(ISO)

gdb: all ## QEMU stopped at its first instruction, and gdb with symbols
	$(Q)$(PYTHON) tools/gdb/start --kernel $(KERNEL) --initrd $(INITRD) \
		--cpus $(CPUS) --mem $(MEM) --append '$(ARGS)'

iso: all ## a bootable CD image, BIOS and UEFI
	$(call say,ISO    ,$(ISO))
	$(Q)tools/mkiso $(ISO) $(KERNEL) $(INITRD) '$(ARGS)'

test: all-tests ## every test, ends with "N passed, N failed"
	$(Q)$(PYTHON) tests/run

test-quick: all-tests ## a choice of them, in less than a minute
	$(Q)$(PYTHON) tests/run --quick

explore: $(EXPLORE)/explore ## try the interleavings of the kernel's own code, on the host
	$(Q)$(EXPLORE)/explore $(EXPLORE_WHAT) $(EXPLORE_HOW) || { code=$$?; \
		[ $$code -eq 14 ] && [ $(BOUND) -gt 2 ] || exit $$code; }

explore-deep: $(EXPLORE)/explore ## the same for as long as you like: SECONDS=60 a scenario
	$(Q)$(PYTHON) tests/explore/deep --seconds $(SECONDS) $(SCENARIO)

explore-mutants: $(EXPLORE)/explore ## seed each known fault in turn: the explorer must find it
	$(Q)$(PYTHON) tests/explore/mutants

soak-console: all-tests ## kill the console and its drivers under load, then while the shell works: KILLS=1000 SEED=1
	$(Q)$(PYTHON) tests/terminal/soak --kills $(KILLS) --seed $(or $(SEED),1)
	$(Q)$(PYTHON) tests/terminal/soak --kills $(KILLS) --seed $(or $(SEED),1) --shell

mutants: all-tests ## seed each known fault in turn: the tests must notice
	$(Q)$(PYTHON) tests/mutants/run

explore-bin: $(EXPLORE)/explore ## the explorer, a program of the host

bench: ## cost of the kernel's operations, in instructions (release build)
	$(Q)$(MAKE) --no-print-directory VARIANT=release all
	$(Q)$(MAKE) --no-print-directory VARIANT=debug kernel
	$(Q)$(PYTHON) tests/bench/run

doctor: ## look for missing or old tools, and name the package that mends it
	$(Q)tools/doctor

loc: ## lines of code by folder
	$(Q)$(PYTHON) tools/loc

clean: ## remove build/
	$(Q)rm -rf build compile_commands.json

# For clangd and other editors.
compile_commands.json: FORCE ## how each file is compiled, for editors
	$(Q)sep='['; for f in $(filter %.c,$(SOURCES)); do \
		printf '%s\n{"directory": "%s", "file": "%s", "command": "%s"}' \
			"$$sep" '$(CURDIR)' $$f '$(CC) $(CFLAGS) -c '$$f; sep=,; \
	done >$@; echo ']' >>$@

help: ## this list
	@awk -F ':.*## ' '/^[a-z_.-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' \
		$(firstword $(MAKEFILE_LIST))
	@echo
	@echo '  Variables, with their defaults:'
	@echo '    CPUS=4 MEM=512M     the machine'
	@echo '    PROG=               one program alone: user/programs/PROG.c, or tests/x'
	@echo '    APPEND=             more options for the kernel'
	@echo '    VARIANT=debug       or release'
	@echo '    SCENARIO= BOUND=2   what make explore tries: all scenarios, or one'
	@echo '    SEED= REPLAY=       by chance; or one schedule of SCENARIO'
	@echo '    CROSS= CC=          compiler prefix, compiler (gcc or clang)'
	@echo '    WERROR=1 V=1        warnings are errors; print the commands'

-include $(OBJECTS:.o=.d) $(OUT)/asm_offsets.d
-include $(wildcard build/user/obj/*/*/*.d build/user/obj/*/*/*/*.d)
-include $(wildcard build/user/tests/*.d)
