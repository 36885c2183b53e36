"""What a test is, and how tests are found and run. tests/run is the command.

A suite is a function in tests/suites/*.py, marked @suite, that yields tests:

    @suite
    def boot():
        yield Boot("boots on two CPUs", cpus=2, expect=[r"2 of 2 CPUs"])

A test's run() returns when it passed, and raises Failure with the reason.
"""
import concurrent.futures
import importlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOGS = "build/logs"
VERDICTS = ["PASS", "FAIL", "PANIC", "TRIPLE FAULT", "HANG", "TOOL ERROR"]
QUICK = "tests/quick.txt"
SUITES = []

# The host has few processors, and a guest may well use two of them.
JOBS = 2


def suite(function):
    SUITES.append(function)
    return function


class Failure(Exception):
    pass


def patience(seconds):
    """A watchdog's time on this host, now: @seconds are for one that does nothing
    else. A time limit is to find what hangs, not what is slow."""
    waiting = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * min(max(waiting, 1), 5)


def execute(command, log, timeout, env=None):
    """Runs a command of the host; its output goes to the log. The exit code.
    In a session of its own, so that nothing it started outlives it."""
    timeout = patience(timeout)
    with open(log, "ab") as output:
        output.write(("# " + shlex.join(command) + "\n").encode())
        output.flush()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=output, env={**os.environ, **(env or {})},
                                   start_new_session=True)
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"HANG: no end after {timeout:.0f} s")
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    pass
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()


class Test:
    """alone: nothing else runs at that time."""

    def __init__(self, name, alone=False):
        self.name, self.alone = name, alone
        self.log = f"{LOGS}/{re.sub('[^A-Za-z0-9]+', '-', name)}.log"
        self.replay = ""

    def run(self):
        raise NotImplementedError


class Boot(Test):
    """Boots the machine and compares how it ended and what it printed.

    way is "kernel", "bios" or "uefi"; expect and forbid are regular
    expressions, looked for in the log; check(log) may raise Failure.
    """

    def __init__(self, name, append="", cpus=4, mem="512M", way="kernel", timeout=120,
                 verdict="PASS", expect=(), forbid=(), icount=None, single=False,
                 screenshot=None, initrd="build/tests.cpio", extra="", check=None,
                 alone=False):
        super().__init__(name, alone)
        self.verdict, self.expect, self.forbid, self.check = verdict, expect, forbid, check
        self.iso = None
        self.command = ["tools/run", "--cpus", str(cpus), "--mem", mem,
                        "--log", self.log]
        self.timeout = timeout
        if way == "kernel":
            self.command += ["--initrd", initrd, "--append", append]
        else:
            self.iso = self.log.replace(".log", ".iso")
            self.make_iso = ["tools/mkiso", self.iso, "build/debug/lodger.elf", initrd, append]
            self.command += ["--iso", self.iso] + (["--uefi"] if way == "uefi" else [])
        if icount is not None:
            self.command += ["--icount", str(icount)]
        if single:
            self.command += ["--single"]
        if screenshot:
            self.command += ["--screenshot", screenshot]
        if extra:
            self.command += ["--extra-qemu-args=" + extra]
        self.replay = shlex.join(self.command + ["--timeout", str(timeout)])

    def run(self):
        if self.iso and execute(self.make_iso, self.log, 60):
            raise Failure("no CD image")
        watchdog = ["--timeout", str(patience(self.timeout)), "--quiet"]
        result = subprocess.run(self.command + watchdog, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True)
        if self.iso:
            os.remove(self.iso)
        code = result.returncode
        seen = VERDICTS[code] if 0 <= code < len(VERDICTS) else f"exit code {code}"
        with open(self.log, errors="replace") as f:
            log = f.read().replace("\r\n", "\n")
        if seen != self.verdict:
            raise Failure(f"{self.verdict} expected, {seen} seen{first_cause(log, result.stdout)}")
        for pattern in self.expect:
            if not re.search(pattern, log, re.M):
                raise Failure(f"the log lacks /{pattern}/")
        for pattern in self.forbid:
            if found := re.search(pattern, log, re.M):
                raise Failure(f'the log has "{found[0]}"')
        if self.check:
            self.check(log)


def first_cause(log, printed):
    """The line that most likely says what went wrong."""
    for pattern in (r"test \S+: FAILED.*", r"PANIC: .*", r"WRONG: .*", r".*FAILED.*"):
        if found := re.search(pattern, log):
            return ": " + found[0].strip()
    lines = printed.strip().splitlines()[1:2]
    return ": " + lines[0] if lines else ""


class Check(Test):
    """Anything else: function(log) is given the path of a log to write."""

    def __init__(self, name, function, alone=False):
        super().__init__(name, alone)
        self.function = function

    def run(self):
        self.function(self.log)


def number_of_cpus(n):
    return f"{n} CPU" if int(n) == 1 else f"{n} CPUs"


def words(line):
    """The options that a source file declares in a comment: cpus=2 alone ..."""
    options = {}
    for word in shlex.split(line.strip().strip("/* ")):
        key, equals, value = word.partition("=")
        options[key] = value if equals else True
    return options


def first_line(path):
    with open(path) as f:
        return f.readline()


def discover():
    sys.path.insert(0, ROOT + "/tests")
    for name in sorted(os.listdir(ROOT + "/tests/suites")):
        if name.endswith(".py"):
            importlib.import_module("suites." + name[:-3])
    tests = [test for function in SUITES for test in function()]
    names = [test.name for test in tests]
    for name in names:
        if names.count(name) > 1:
            sys.exit(f"tests/run: two tests are called '{name}'")
    return tests


def quick(tests):
    """Those of @tests that tests/quick.txt names, in its order."""
    with open(QUICK) as f:
        lines = [line.strip() for line in f if line.strip() and not line.startswith("#")]
    by_name = {test.name: test for test in tests}
    for name in lines:
        if name not in by_name or lines.count(name) > 1:
            sys.exit(f"{QUICK}: '{name}' is no test, or there twice")
    return [by_name[name] for name in lines]


def attempt(test):
    """Runs one test. Why it failed, or None; and the seconds it took."""
    start = time.monotonic()
    if os.path.exists(test.log):
        os.remove(test.log)
    why = None
    try:
        test.run()
    except Failure as failure:
        why = str(failure)
    except Exception as error:  # a fault of the test itself is a failure too
        why = f"{type(error).__name__}: {error}"
    return why, time.monotonic() - start


def report(test, why, seconds):
    if not why:
        print(f"ok      {test.name}  ({seconds:.1f} s)", flush=True)
        return
    print(f"FAILED  {test.name}: {why}, {test.log}", flush=True)
    if test.replay:
        print(f"        again: {test.replay}", flush=True)


def run_all(tests, jobs, stop=False):
    """Runs @tests, with @stop only up to the first that fails. True if all passed."""
    os.chdir(ROOT)
    os.makedirs(LOGS, exist_ok=True)
    passed = failed = 0

    def count(test, why, seconds):
        nonlocal passed, failed
        passed, failed = passed + (not why), failed + bool(why)
        report(test, why, seconds)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(attempt, test): test for test in tests if not test.alone}
        try:
            for done in concurrent.futures.as_completed(running):
                count(running[done], *done.result())
                if failed and stop:
                    pool.shutdown(cancel_futures=True)
                    break
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            sys.exit("tests/run: interrupted")
    for test in tests:
        if test.alone and not (failed and stop):
            count(test, *attempt(test))
    print(f"{passed} passed, {failed} failed")
    return failed == 0 and passed > 0
