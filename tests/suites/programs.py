"""Lodger's own programs, typed at a shell: each has --help, and says what it does
not know. Their work has tests of its own.
"""
import glob
import os

from harness import suite
from suites.shell import Shell

# What --help begins with, and what else there is to refuse.
PROGRAMS = {
    "bench": ("bench: what things cost", ["--no-such"]),
    "borrow": ("borrow: the story of an address space", ["--no-such", "S15", "S1 S99", "now"]),
    "hello": ("hello: says who it is", ["--no-such", "you"]),
    "help": ("help: what there is to look at", ["--no-such", "me"]),
    "mmstat": ("mmstat: all address spaces", ["--no-such", "1"]),
    "mmtop": (r"mmtop \[-d SECONDS\]", ["--no-such", "-z", "-d", "-d fast", "-n -1", "all"]),
    "ps": ("ps: all tasks", ["--no-such", "aux"]),
    "trace": (r"trace on \| off", ["--no-such", "", "of", "dump all"]),
}
# POSIX: true ignores its arguments.
WITHOUT = {"true"}


def is_told(machine, program, arguments):
    command = f"{program} {arguments}".strip()
    machine.type(f"{command}; echo status $?\r")
    machine.expect(rf"{program}: [^\r\n]+; see {program} --help\r\nstatus 2\r\n")


def each_is_asked(machine):
    names = {os.path.basename(path.rstrip("/")).removesuffix(".c")
             for path in glob.glob("user/programs/*")}
    assert names == PROGRAMS.keys() | WITHOUT, f"not in the table: {names ^ PROGRAMS.keys()}"
    for program, (first, wrong) in PROGRAMS.items():
        machine.type(f"{program} --help; echo status $?\r")
        machine.expect(rf"status \$\?\r\n{first}")
        machine.expect(r"\nstatus 0\r\n")
        for arguments in wrong:
            is_told(machine, program, arguments)


def kill_is_asked(machine):
    """The shell's own kill has no help; BusyBox's has."""
    machine.type("busybox kill --help; echo status $?\r")
    machine.expect(r"Usage: kill ")
    machine.expect(r"\nstatus 0\r\n")


def scenarios_are_listed(machine):
    machine.type("borrow --list; echo status $?\r")
    for number in range(1, 15):
        machine.expect(rf"\nS{number} +[A-Z\w]")
    machine.expect(r"\nstatus 0\r\n")


@suite
def programs():
    yield Shell("each program has --help, and refuses what it does not know", each_is_asked)
    yield Shell("kill has --help", kill_is_asked)
    yield Shell("borrow lists its scenarios", scenarios_are_listed)
