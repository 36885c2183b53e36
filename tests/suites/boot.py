"""Booting: every way on 1, 2 and 4 CPUs, many CPUs, little and much memory,
and the sentence that each thing that can be wrong with a machine gets.
"""
import os
import re

from harness import (ROOT, VERDICTS, Boot, Check, Failure, execute, number_of_cpus, patience,
                     suite)

STORY = r"^All \d+ steps were as expected\."
HELLO = [r"^Hello from /bin/hello", r"which is 1/\d\."]


def not_blank(path):
    """The VGA console shows the kernel's log: more than GRUB's one line."""
    def check(_log):
        with open(path, "rb") as f:
            header, pixels = f.read().split(b"\n255\n", 1)
        background = pixels[:3]
        other = sum(pixels[i:i + 3] != background for i in range(0, len(pixels), 3))
        if other < 3000:
            raise Failure(f"the screen is blank ({other} pixels differ, {header}), {path}")
    return check


# The story needs three CPUs; with fewer, the smallest program runs.
@suite
def ways():
    for way, called in (("kernel", "qemu -kernel"), ("bios", "GRUB under BIOS"),
                        ("uefi", "GRUB under UEFI")):
        for cpus in (1, 2, 4):
            program, expect = ("borrow", [STORY]) if cpus == 4 else ("hello", HELLO)
            picture = f"build/logs/screen-{cpus}.ppm" if way == "bios" else None
            yield Boot(f"boot: {called}, {number_of_cpus(cpus)}", append=f"run=/bin/{program}",
                       way=way, cpus=cpus, timeout=240 if way == "uefi" else 120,
                       expect=[rf"\] {number_of_cpus(cpus)} online", *expect],
                       screenshot=picture, check=not_blank(picture) if picture else None)


def in_bochs(log):
    """Another emulator, with a BIOS and devices of its own; one CPU."""
    iso = log.replace(".log", ".iso")
    if execute(["tools/mkiso", iso, "build/debug/lodger.elf", "build/initrd.cpio",
                "run=/bin/hello"], log, 60):
        raise Failure("no CD image")
    code = execute(["tools/bochs", iso, str(patience(240))], log, 300)
    os.remove(iso)
    with open(log, errors="replace") as f:
        text = f.read().replace("\r\n", "\n")
    if code:
        cause = re.search(r"^TOOL ERROR  (.*is missing.*)", text, re.M)
        raise Failure(cause[1] if cause else f"PASS expected, {VERDICTS[code]} seen")
    for pattern in [r"booted by multiboot2", r"\] 1 CPU online", *HELLO]:
        if not re.search(pattern, text, re.M):
            raise Failure(f"the log lacks /{pattern}/")


@suite
def bochs():
    yield Check("boot: GRUB in Bochs, 1 CPU", in_bochs)


@suite
def sizes():
    yield Boot("boot: 16 CPUs", append="run=/bin/borrow", cpus=16,
               expect=[r"\] 16 CPUs online", STORY])
    yield Boot("boot: CPUs beyond the 64th stay asleep", append="run=/bin/hello", cpus=66,
               expect=[r"2 more CPUs stay asleep: 64 is the limit",
                       r"\] 64 CPUs online", *HELLO])
    for mem, mib in (("32M", 31), ("4G", 4095)):
        yield Boot(f"boot: {mem} of memory", append="run=/bin/borrow", mem=mem,
                   expect=[rf"memory: {mib} MiB", STORY])
    yield Boot("boot: more CPUs than wanted stay asleep", append="run=/bin/hello cpus=2",
               expect=[r"2 more CPUs stay asleep: 2 is the limit", r"\] 2 CPUs online", *HELLO])
    # The kernel waits for the missing CPU at least 10 s, unless it comes late.
    yield Boot("boot: a CPU that does not answer is skipped",
               append="run=/bin/hello skipcpu=2",
               expect=[r"APIC id 2 does not answer: skipped", r"\] 3 CPUs online", *HELLO])


def cut_archive():
    """The archive as an interrupted copy leaves it: its end is missing."""
    path = f"{ROOT}/build/logs/cut.cpio"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{ROOT}/build/tests.cpio", "rb") as whole, open(path, "wb") as cut:
        cut.write(whole.read(300_000))
    return path


class BootCut(Boot):
    def run(self):
        cut_archive()
        super().run()


@suite
def sentences():
    hello = "run=/bin/hello"
    yield Boot("boot: an unknown option is named and ignored", append=hello + " colour=red",
               expect=[r'unknown boot option "colour" ignored; known are: init', *HELLO])
    yield Boot("boot: args= are the program's arguments", cpus=1,
               append="run=/bin/bench args=null_system,boot",
               expect=[r"bench: boot: \d+ insn", r"bench: null system call: \d+ insn"],
               forbid=[r"bench: (yield|futex|fork)"])
    yield Boot("boot: an option that is no number is named", append=hello + " cpus=many",
               expect=[r"boot option cpus=many is not a number", *HELLO])
    yield Boot("boot: no archive of programs", append=hello, initrd="none", verdict="FAIL",
               expect=[r"no initrd: give QEMU -initrd, or GRUB a module2 line"],
               forbid=[r"there is no /bin/hello"])
    yield BootCut("boot: a damaged archive of programs", append=hello, verdict="FAIL",
                  initrd="build/logs/cut.cpio",
                  expect=[r"the initrd is damaged: .*\. Build it again: make"],
                  forbid=[r"Hello"])
    yield Boot("boot: no such program", append="run=/bin/nobody", verdict="FAIL",
               expect=[r"there is no /bin/nobody in the initrd: put its C file into user/prog"])
    yield Boot("boot: no such init", append="init=/sbin/nobody", verdict="FAIL",
               expect=[r"there is no /sbin/nobody in the initrd"])
    for option in "init", "run":
        yield Boot(f"boot: {option}= of what is no program", append=f"{option}=/tests/unix/run",
                   verdict="FAIL",
                   expect=[r"/tests/unix/run cannot be started: it is not an ELF file \(error 8\)"])
    yield Boot("boot: too little memory", append=hello, mem="12M", verdict="PANIC",
               expect=[r"PANIC: only \d+ KiB of memory are usable, and Lodger needs 16 MiB: "
                       r"give the machine more \(QEMU: -m 32M\)"])
    yield Boot("boot: a CPU without 64-bit mode", append=hello, verdict="FAIL",
               extra="-cpu qemu32",
               expect=[r"Lodger cannot start: this CPU has no 64-bit \(long\) mode"])
    yield Boot("boot: a CPU without NX", append=hello, verdict="FAIL",
               extra="-cpu qemu64,-nx",
               expect=[r"Lodger cannot start: this CPU cannot forbid execution \(NX\)"])
    yield Boot("boot: a CPU without SMEP, SMAP, UMIP", append=hello, extra="-cpu qemu64",
               expect=[r"cpu: NX WP on;", *HELLO])
    for program in ("signal_fpu", "signal_hostile"):
        yield Boot(f"boot: {program} on a CPU without XSAVE", append=f"run=/tests/{program}",
                   extra="-cpu max,-xsave", expect=["--- end"])
