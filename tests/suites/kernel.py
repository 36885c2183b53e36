"""The tests inside the kernel: one boot for each KERNEL_TEST(name, ...).

A comment in the line above may say where it runs, for example

    // run: cpus=1,2,4 mem=64M timeout=60 append="seed=3" icount=0 slow
"""
import glob
import re

from harness import Boot, suite, words

DECLARED = re.compile(r"(?:^(?://|/\*) run:(.*)\n)?^KERNEL_TEST\(\s*(\w+)", re.M)


@suite
def kernel():
    for path in sorted(glob.glob("tests/kernel/*.c")):
        with open(path) as f:
            text = f.read()
        for line, name in DECLARED.findall(text):
            w = words(line)
            for cpus in w.get("cpus", "4").split(","):
                yield Boot(f"kernel: {name}, {cpus} CPUs",
                           append=f"test={name} {w.get('append', '')}".strip(),
                           cpus=int(cpus), mem=w.get("mem", "512M"),
                           timeout=int(w.get("timeout", 120)), icount=w.get("icount"),
                           single="single" in w, verdict=w.get("verdict", "PASS"),
                           expect=[rf"test {name}: ok"] if "verdict" not in w else [],
                           forbid=[r"test \w+: FAILED.*"],
                           slow="slow" in w, alone="alone" in w)
