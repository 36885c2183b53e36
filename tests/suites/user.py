"""The tests in user mode: one boot for each program in tests/user/.

A program passes when it exits with 0. Its first line may be a comment that
says where it runs, for example

    // linux-oracle cpus=1,4 mem=64M timeout=60 append="seed=3"

With linux-oracle the same binary also runs on the Linux host, and what the two
print between "--- begin" and "--- end" must be the same.
"""
import glob
import os
import re

from harness import Boot, Failure, execute, first_line, number_of_cpus, suite, words

KERNEL_LINE = re.compile(r"^\[ *\d+\.\d+ cpu\d+\]")


def between_marks(text, who):
    lines = [line for line in text.splitlines() if not KERNEL_LINE.match(line)]
    if "--- begin" not in lines or "--- end" not in lines:
        raise Failure(f'{who} did not print "--- begin" and "--- end"')
    return lines[lines.index("--- begin") + 1:lines.index("--- end")]


def same_as_linux(program, cpus, seconds):
    def check(lodger_log):
        native = f"build/logs/linux-{os.path.basename(program)}-{cpus}.log"
        if os.path.exists(native):
            os.remove(native)
        if code := execute([program], native, seconds):
            raise Failure(f"on Linux it exits with {code}, {native}")
        with open(native, errors="replace") as f:
            linux = between_marks(f.read(), "Linux")
        lodger = between_marks(lodger_log, "Lodger")
        for number in range(max(len(linux), len(lodger))):
            want = linux[number] if number < len(linux) else "(nothing)"
            seen = lodger[number] if number < len(lodger) else "(nothing)"
            if want != seen:
                raise Failure(f'line {number + 1}: Linux "{want}", Lodger "{seen}"')
    return check


@suite
def user():
    for path in sorted(glob.glob("tests/user/*.c") + glob.glob("tests/user/glibc/*.c")):
        name = os.path.basename(path)[:-2]
        line = first_line(path)
        w = words(line) if line.startswith("//") else {}
        seconds = int(w.get("timeout", 120))
        for cpus in w.get("cpus", "1,2,4").split(","):
            check = None
            if "linux-oracle" in w:
                check = same_as_linux(f"build/initrd/tests/{name}", cpus, seconds)
            yield Boot(f"user: {name}, {number_of_cpus(cpus)}",
                       append=f"run=/tests/{name} {w.get('append', '')}".strip(),
                       cpus=int(cpus), mem=w.get("mem", "512M"), timeout=seconds,
                       icount=w.get("icount"), single="single" in w, check=check,
                       verdict=w.get("verdict", "PASS"),
                       alone="alone" in w)
