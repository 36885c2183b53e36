"""The tests inside the kernel: one boot for each KERNEL_TEST(name, ...).

Comments in the lines above may say where it runs, and what the log must show
besides "test NAME: ok"; for a test that is to end in a panic, instead of it:

    // run: cpus=1,2,4 mem=64M timeout=60 append="loglevel=debug"
    // expect: ^a regular expression

seeds=1,2 adds a run for each seed, with pauses at the yield points that the
seed decides, on one host thread: the same seed gives the same run.
"""
import glob
import re

from harness import Boot, number_of_cpus, suite, words

DECLARED = re.compile(r"((?:^//.*\n|^/\*.*\*/\n)*)^KERNEL_TEST\(\s*(\w+)", re.M)
COMMENT = re.compile(r"^(?://|/\*) (run|expect): *(.*?)(?: *\*/)?$", re.M)


def declared(text):
    """Of each test: its name, where it runs, what it must show."""
    for comments, name in DECLARED.findall(text):
        lines = COMMENT.findall(comments)
        where = words(" ".join(line for kind, line in lines if kind == "run"))
        yield name, where, [line for kind, line in lines if kind == "expect"]


def boot(name, w, expect, cpus, seed=""):
    passes = w.get("verdict", "PASS") == "PASS"
    return Boot(f"kernel: {name}, {number_of_cpus(cpus)}" + (f", seed {seed}" if seed else ""),
                append=f"test={name} {w.get('append', '')}" + (f" seed={seed}" if seed else ""),
                cpus=int(cpus), mem=w.get("mem", "512M"),
                timeout=int(w.get("timeout", 120)), icount="0" if seed else w.get("icount"),
                single="single" in w, verdict=w.get("verdict", "PASS"),
                expect=([rf"test {name}: ok"] if passes else []) + expect,
                forbid=[r"test \w+: FAILED.*"],
                alone="alone" in w)


@suite
def kernel():
    for path in sorted(glob.glob("tests/kernel/*.c")):
        with open(path) as f:
            text = f.read()
        for name, w, expect in declared(text):
            for cpus in w.get("cpus", "4").split(","):
                for seed in ["", *filter(None, w.get("seeds", "").split(","))]:
                    yield boot(name, w, expect, cpus, seed)
