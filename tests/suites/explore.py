"""The explorer: what it says of the kernel, and whether it can be believed."""
import os
import re
import threading

from harness import Check, Failure, execute, suite

EXPLORER, KNOWN = "build/explore/explore", "build/explore/known"
BUILDING = threading.Lock()
EXECUTIONS = "10000000"  # of one scenario; the Makefile has the same
RECORD = re.compile(r" *\d+ +\d+\.\d{6} +\d+ +\d+ \w+ +\d+ +-?\d+/-?\d+ \S.* \w+\+0x[0-9a-f]+$")
NOT_ENDED = re.compile(r"^(\w+) +[\d,]+ .* s  (?:limit reached|only bound)", re.M)


def build(log):
    with BUILDING:
        if execute(["make", EXPLORER, KNOWN], log, 300):
            raise Failure("it does not build")


def explore(log, *arguments, timeout=300, expect=(0,)):
    """Runs the explorer; its output."""
    build(log)
    code = execute([EXPLORER, *arguments], log, timeout)
    with open(log, errors="replace") as f:
        output = f.read()
    if code not in expect:
        causes = re.findall(r"^\w+: [A-Z ]+, found .*|.*TOOL ERROR.*", output, re.M)
        causes += [f"{name}: LIMIT REACHED" for name in NOT_ENDED.findall(output)]
        raise Failure(f"exit code {code}, expected {expect[0]}: " + "; ".join(causes[:2]))
    return output


def all_scenarios(log):
    """As "make explore". Each must come to the end of what its bound allows. The limit
    is one of executions, ten times what the largest needs: it is the same on any
    machine, however slow."""
    output = explore(log, "--all", "--bound", "2", "--executions", EXECUTIONS, timeout=600)
    ends = re.findall(r"^\w+ +[\d,]+ +[\d,]+ +\d+ +[\d.]+ s  (all|bound 2: complete) ", output,
                      re.M)
    counts = re.search(r"^(\d+) scenarios, 0 failed, 0 ended by a limit", output, re.M)
    if not counts or int(counts[1]) < 100 or len(ends) != int(counts[1]):
        raise Failure(f"{len(ends)} scenarios were explored to their end")


def some_scenarios(log):
    explore(log, "--scenario", "s04", "--scenario", "s05", "--bound", "1")


def known_answers(log, *command):
    build(log)
    code = execute(command or [KNOWN], log, 900)
    with open(log, errors="replace") as f:
        text = f.read()
    wrong = re.findall(r"^FAILED (.*)", text, re.M)
    if code or not re.search(r"^\d+ tests, 0 failed$", text, re.M):
        raise Failure("; ".join(wrong) or "a crash")


def other_programs(log):
    known_answers(log, "env", "KNOWN_SEED=2", KNOWN, "random programs")


def ends_with(scenario, code, words):
    def function(log):
        told = explore(log, "--scenario", scenario, expect=(code,))
        if words not in told:
            raise Failure(f"the report does not say: {words}")
    return function


def wrong_arguments(log):
    for arguments in (["--scenario", "nobody"], ["--all", "--bound", "x"], ["--nonsense"],
                      ["--all", "--replay", "0"], []):
        explore(log, *arguments, expect=(15,))


def limit(log):
    explore(log, "--scenario", "s05", "--executions", "3", expect=(14,))


def replays(log):
    """What a failure prints: the schedule fails again, and gdb stops in it."""
    told = explore(log, "--scenario", "broken_violation", expect=(10,))
    again = re.search(r"Again:\n +build/explore/explore (.*)", told)
    if not again:
        raise Failure("the report lacks the command that replays it")
    explore(log, *again[1].split(), expect=(10,))
    with open("build/explore/broken_violation.trace") as f:
        head, *records = f.read().splitlines()
    if head.split() != "seq time cpu task op mm U/C extra caller".split() or not records:
        raise Failure("there are no trace records")
    if bad := [record for record in records if not RECORD.match(record)]:
        raise Failure(f"no trace record, as the kernel writes them: {bad[0]}")


@suite
def explorer():
    yield Check("explore: the engine knows the known answers", known_answers, alone=True)
    yield Check("explore: the engine finds what other random programs do", other_programs,
                alone=True)
    yield Check("explore: two scenarios, one preemption", some_scenarios)
    yield Check("explore: every scenario, up to two preemptions", all_scenarios, alone=True)
    for name, code, words in (
            ("violation", 10, "a reference is dropped that nobody took"),
            ("race", 11, "data race at word: "),
            ("deadlock", 12, "K waits for the mutex other, which L holds"),
            ("stuck", 13, "waits in a loop for what nobody does"),
            ("crash", 15, "TOOL ERROR: Illegal instruction")):
        yield Check(f"explore: a {name} has exit code {code}, and says what it is",
                    ends_with("broken_" + name, code, words))
    yield Check("explore: a limit reached has exit code 14", limit)
    yield Check("explore: wrong arguments have exit code 15", wrong_arguments)
    yield Check("explore: a failure can be replayed", replays)
