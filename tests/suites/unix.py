"""Programs of the distribution on Lodger's Unix server, and the same on Linux.

tests/unix/NAME.sh is run by a shell here and there, in an empty directory, with
BusyBox's applets and nothing else in PATH; what both print must be the same.
Programs of one's own are tests/unix/NAME.c; a script finds them in its own
directory, $(dirname $0). Its first line may have words for the test:

    # shells=sh,bash,mksh cpus=1,4 timeout=60
"""
import glob
import os
import re
import shlex
import shutil
import tempfile

from harness import Boot, Check, Failure, ROOT, execute, first_line, suite, words
from session import Session

KERNEL_LINE = re.compile(r"^\[ *\d+\.\d+ cpu\d+\]")
BUILT = f"{ROOT}/build/initrd/tests/unix"
SHELLS = {"sh": ("/bin/sh", ["/bin/busybox", "sh"]),
          "bash": ("/bin/bash", ["/bin/bash-static"]),
          "mksh": ("/bin/mksh", ["/bin/mksh-static"])}


def between_marks(text, who):
    lines = [line for line in text.replace("\r", "").splitlines() if not KERNEL_LINE.match(line)]
    if "--- begin" not in lines or "--- end" not in lines:
        raise Failure(f'{who} did not print "--- begin" and "--- end"')
    return lines[lines.index("--- begin") + 1:lines.index("--- end")]


def on_linux(name, shell, log, seconds):
    """What it prints on Linux, in a directory of its own."""
    if os.path.exists(log):
        os.remove(log)
    folder = tempfile.mkdtemp(prefix="lodger-")
    try:
        command = ["/bin/busybox", "sh", f"{BUILT}/run", BUILT, name, *SHELLS[shell][1]]
        place = f"cd {shlex.quote(folder)} && exec env -i PATH={shlex.quote(ROOT)}" \
                "/build/initrd/usr/bin HOME=/root TERM=linux USER=root SHELL=/bin/sh "
        if code := execute(["sh", "-c", place + shlex.join(command)], log, seconds):
            raise Failure(f"on Linux it exits with {code}, {log}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    with open(log, errors="replace") as f:
        return between_marks(f.read(), "Linux")


def same_as_linux(name, shell, cpus, seconds):
    def check(lodger_log):
        linux = on_linux(name, shell, f"build/logs/linux-{name}-{shell}-{cpus}.log", seconds)
        lodger = between_marks(lodger_log, "Lodger")
        for number in range(max(len(linux), len(lodger))):
            want = linux[number] if number < len(linux) else "(nothing)"
            seen = lodger[number] if number < len(lodger) else "(nothing)"
            if want.replace(f"{ROOT}/build/initrd", "") != seen:
                raise Failure(f'line {number + 1}: Linux "{want}", Lodger "{seen}"')
    return check


PROMPT = "/ # "
BETWEEN = r"(?: |\x1b\[[0-9;]*m)*"


def shown(line):
    """The pattern of a line of the README; "..." in it is anything."""
    pieces = [re.escape(word).replace(r"\.\.\.", r"[^\r\n]*") for word in line.split()]
    return "^" + BETWEEN + BETWEEN.join(pieces)


def readme_session(log):
    """Types what the README's session types, and expects what it shows."""
    with open("README.md") as f:
        lines = [line[4:].rstrip() for line in f if line.startswith("    ")]
    first = next(i for i, line in enumerate(lines) if line.startswith(PROMPT))
    with Session(log, cpus=4, mem="512M") as machine:
        for line in lines[first:]:
            if line.startswith(PROMPT):
                machine.expect("^" + PROMPT, 120)
                machine.type(line[len(PROMPT):] + "\r")
                machine.expect(r"\n")
            elif line != "...":
                machine.expect(shown(line), 120)
        machine.expect("^" + PROMPT)


@suite
def unix():
    yield Check("unix: the README's session can be typed as printed", readme_session)
    for path in sorted(glob.glob("tests/unix/*.sh")):
        name = os.path.basename(path)[:-3]
        line = first_line(path)
        w = words(line) if line.startswith("#") else {}
        seconds = int(w.get("timeout", 60))
        shells = w.get("shells", "sh").split(",")
        choices = w.get("cpus", "1,4").split(",")
        for shell in shells:
            for cpus in choices:
                append = f"init=/sbin/unix script=/tests/unix/boot args={name},{SHELLS[shell][0]}"
                yield Boot(f"unix: {name}, {shell}, {cpus} CPUs", append=append, cpus=int(cpus),
                           timeout=seconds, mem=w.get("mem", "512M"),
                           check=same_as_linux(name, shell, cpus, seconds))
