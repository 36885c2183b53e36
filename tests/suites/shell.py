"""Shell sessions, typed over the serial line as a person would.

init starts the servers, the Unix server starts BusyBox's shell on the terminal
that the console server makes of the serial line, the keyboard and the screen.
"""
import re

from harness import Failure, Test, patience, suite
from session import Session

PROMPT = r"(/|~) # $"


class Shell(Test):
    """A session: body(machine) is called when the first prompt is there."""

    def __init__(self, name, body, cpus=2, mem="256M"):
        super().__init__(f"shell: {name}")
        self.body, self.cpus, self.mem = body, cpus, mem

    def run(self):
        with Session(self.log, append="init=/sbin/init", cpus=self.cpus, mem=self.mem) as machine:
            machine.expect(PROMPT, patience(120))
            self.body(machine)


def run(machine, command, expected):
    """Types a command, and sees its output, as a pattern, and the next prompt."""
    machine.type(command + "\r")
    machine.expect(re.escape(command) + r"\r\n" + expected + PROMPT)


def press(machine, key, pattern):
    """What is typed has an effect; again if it came too early, which must do no harm.
    That of ^C is the shell's own then: press it when the job answers()."""
    for _ in range(60):
        machine.type(key)
        try:
            return machine.expect(pattern, 2)
        except Failure:
            pass
    raise Failure(f"HANG: /{pattern}/ does not come")


def answers(machine, line="here"):
    """The cat in the foreground has the terminal: it repeats a line. The shell says
    what it continues a little before that is so, and a key may come in between."""
    machine.type(line + "\r")
    machine.expect(rf"^{line}\r\n{line}\r\n")


def start_cat(machine):
    """Not before "ready" is the terminal as the shell's commands have it."""
    machine.type("echo ready; cat\r")
    machine.expect(r"\nready\r\n")
    answers(machine)


def killed(machine, job):
    """Until the shell has heard of it. A stopped job would take other signals later."""
    machine.type("kill -9 %1\r")
    press(machine, "\r", rf"\[1\]\+  Killed +{job}")
    machine.expect(PROMPT)


def repeat(machine, command, pattern):
    """Types a command until its output is as expected."""
    for _ in range(60):
        machine.type(command + "\r")
        machine.expect(re.escape(command) + r"\r\n")
        if re.search(pattern.encode(), machine.expect(r"(?s).*?" + PROMPT)[0]):
            return
    raise Failure(f"HANG: {command} does not say /{pattern}/")


def commands(machine):
    run(machine, "echo hello $((6 * 7))", r"hello 42\r\n")
    run(machine, "tty; stty size", r"/dev/console\r\n24 80\r\n")
    run(machine, "ls / | head -2", r"bin\r\ndev\r\n")
    run(machine, "ps | grep -c '[u]nix'", r"1\r\n")
    # An idle CPU that it has left may borrow it; the server holds nothing.
    run(machine, "cat /proc/self/mm | head -3 | tail -2", r"users:    1\r\ncount:    [12]\r\n")


def editing(machine):
    machine.type("echo abd\x7fc x\x17y\r")
    machine.expect(r"abc y\r\n" + PROMPT)
    start_cat(machine)
    machine.type("one\x7f\x7f\x7ftwo\r")
    machine.expect(r"two\r\ntwo\r\n")
    machine.type("gone\x15three\r\x04")
    machine.expect(r"three\r\nthree\r\n" + PROMPT)


def stopped_and_continued(machine):
    machine.type("sh -c 'echo ready; exec sleep 1000'\r")
    machine.expect(r"\nready\r\n")
    machine.type("\x1a")
    machine.expect(r"\[1\]\+  Stopped +sh -c [^\r\n]*\r\n" + PROMPT)
    run(machine, "bg", r"\[1\] sh -c [^\r\n]*\r\n")
    run(machine, "jobs", r"\[1\]\+  Running +sh -c [^\r\n]*\r\n")
    machine.type("fg\r")
    machine.expect(r"fg\r\nsh -c [^\r\n]*\r\n")
    press(machine, "\x1a", r"\[1\]\+  Stopped +sh -c [^\r\n]*\r\n" + PROMPT)
    killed(machine, "sh -c")


def interrupted(machine):
    start_cat(machine)
    machine.type("\x1a")
    machine.expect(r"\[1\]\+  Stopped +cat\r\n" + PROMPT)
    machine.type("fg\r")
    machine.expect(r"fg\r\ncat\r\n")
    answers(machine, "there")
    machine.type("\x03")
    machine.expect(r"^\^C\r\n" + PROMPT)
    run(machine, "echo $?", r"130\r\n")
    run(machine, "jobs", "")


def jobs(machine):
    stopped_and_continued(machine)
    interrupted(machine)
    machine.type("cat &\r")
    machine.expect(PROMPT)
    repeat(machine, "jobs", r"\[1\]\+  Stopped \(tty input\) +cat")
    killed(machine, "cat")
    machine.type("sh -c 'trap \"echo caught\" INT; echo ready; cat; echo then'\r")
    machine.expect(r"\nready\r\n")
    answers(machine)
    machine.type("\x03")
    machine.expect(r"^\^C(\r\n)?caught\r\nthen\r\n" + PROMPT)


def orphaned_group(machine):
    """In the background, and with nobody who could continue it: no input, no stop."""
    run(machine, "mkfifo /tmp/go; sh -c '(read x < /tmp/go; cat < /dev/tty; echo got $?) &'", "")
    machine.type("echo > /tmp/go\r")
    machine.expect(r"cat: read error: Input/output error\r\ngot 1\r\n")
    run(machine, "echo still the shell", r"still the shell\r\n")


def editor(machine):
    machine.type("vi /tmp/text\r")
    machine.expect(r"/tmp/text.*1/1")
    machine.type("ihello\rworld")
    machine.expect(r"d\x1b\[2;6H")
    machine.type("\x1b")
    machine.expect(r"Modified")
    machine.type(":wq\r")
    machine.expect(PROMPT)
    run(machine, "cat /tmp/text", r"hello\r\nworld\r\n")
    machine.type("top\r")
    machine.expect(r"PID +PPID USER")
    machine.expect(r"\[unix\]")
    machine.type("q")
    machine.expect(PROMPT)


def other_shells(machine):
    machine.type("bash\r")
    machine.expect(r"bash-5[.\d]*# $")
    machine.type("echo abd\x1b[D\x7fc\x05e\r")
    machine.expect(r"\r\nacde\r\n")
    machine.expect(r"bash-5[.\d]*# $")
    start_cat(machine)
    machine.type("\x1a")
    machine.expect(r"Stopped +cat\r\n")
    machine.expect(r"bash-5[.\d]*# $")
    machine.type("kill %1; exit\r")
    machine.expect(r"(/|~) # $")
    machine.type("mksh\r")
    machine.expect(r"# $")
    machine.type("echo $KSH_VERSION; exit\r")
    machine.expect(r"MIRBSD KSH")
    machine.expect(PROMPT)


def again(machine):
    """The shell ends, and there is another one."""
    machine.type("sleep 1000 &\r")
    machine.expect(PROMPT)
    machine.type("exit\r")
    machine.expect(r"built-in shell")
    machine.expect(PROMPT)
    run(machine, "tty", r"/dev/console\r\n")
    start_cat(machine)
    machine.type("\x03")
    machine.expect(PROMPT)


def servers_killed(machine):
    """Typing goes on while the servers below are killed."""
    for server in ("console", "serial", "screen", "keyboard"):
        machine.type(f"kill -9 $(ps | grep '[[]{server}' | sed 's/ *//;s/ .*//')\r")
        machine.type(f"echo after the {server}\r")
        machine.expect(rf"\r\nafter the {server}\r\n")
        repeat(machine, "echo $((30 + 7))", r"37")


def works_on(machine):
    """Others may say something in between: so each is typed again."""
    press(machine, "ps | wc -l\r", r"^[1-4]?\d\r\n")
    press(machine, "cat /tmp/kept\r", r"^still here\r\n")


def fork_bombs(machine):
    """One whose processes are ever new, one whose processes stay; that one again
    without a limit, so that the kernel has to say no."""
    patience = 300  # a debug build looks at every process again and again
    run(machine, "echo still here > /tmp/kept", "")
    machine.type("f() { f | f & }; f 2>/dev/null\r")
    machine.type("echo alive $((40 + 2)); kill -9 -1; echo killed $?\r")
    machine.expect(r"alive 42\r\nkilled [01]\r\n", patience)
    works_on(machine)
    for limit in "", "ulimit -u unlimited; ":
        machine.type(limit + "/tests/unix/forks endlessly &\r")
        press(machine, "ls /\r", r"can't fork: Resource temporarily unavailable")
        machine.type("kill -9 %1; echo killed $?\r")
        machine.expect(r"killed 0\r\n", patience)
        works_on(machine)


def memory_hog(machine):
    """All memory is wanted by programs: dd gets less than it wants, or ends, and awk ends,
    told or killed. What they had is free again."""
    run(machine, "echo still here > /tmp/kept", "")
    before = free_memory(machine)
    for hog, end in ("dd if=/dev/zero of=/dev/null bs=900M count=1", r"\d+"), \
                    ("""awk 'BEGIN { s = "x"; for (;;) s = s s }'""", r"[1-9]\d*"):
        for _ in range(3):
            machine.type(f"{hog}; echo over $((2 + 1)) with $?\r")
            machine.expect(rf"over 3 with {end}\r\n")
    after = free_memory(machine)
    if after < before - 1024:
        raise Failure(f"{before} kB were free before, {after} kB after")
    works_on(machine)


def free_memory(machine):
    """In kB, once what has ended has given back all."""
    machine.type("sleep 1; grep MemFree /proc/meminfo\r")
    free = int(machine.expect(r"MemFree: +(\d+) kB\r\n")[1])
    machine.expect(PROMPT)
    return free


@suite
def shell():
    yield Shell("commands are run", commands)
    yield Shell("lines are edited", editing)
    yield Shell("jobs are stopped, continued and killed", jobs)
    yield Shell("an orphaned group gets no input", orphaned_group)
    yield Shell("an editor and a table that refreshes", editor)
    yield Shell("bash and mksh", other_shells)
    yield Shell("when it ends there is another one", again, cpus=1)
    yield Shell("fork bombs end, and nothing is lost", fork_bombs, mem="64M")
    yield Shell("programs want more memory than there is", memory_hog)
    yield Shell("the console and drivers are killed under it", servers_killed, cpus=4)
