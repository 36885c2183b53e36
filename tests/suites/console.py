"""Console server and drivers: typed at, looked at, and killed.

The machine runs tests/user/with_host/terminal.c, which echoes.
"""
import os
import random
import re
import subprocess
import time

from harness import Boot, Check, Failure, execute, suite
from session import Session
from suites.host import FLAGS
from suites.terminal import SOURCES

COMMAND = b"\x1f"
FIRMWARE = ["/usr/share/ovmf/OVMF.fd", "/usr/share/OVMF/OVMF.fd",
            "/usr/share/edk2/ovmf/OVMF.fd", "/usr/share/edk2/x64/OVMF.4m.fd",
            "/usr/share/qemu/edk2-x86_64-code.fd"]


def emulated(stream, log):
    """The screen that the emulator, run on the host, makes of these bytes."""
    program = "build/host/show-console"
    os.makedirs("build/host", exist_ok=True)
    compiler = os.environ.get("HOST_CC", "gcc")
    if not os.path.exists(program) and execute([compiler] + FLAGS + SOURCES + ["-o", program],
                                               log, 120):
        raise Failure("the emulator does not compile")
    shown = subprocess.run([program], input=b"24 80 %d\n" % len(stream) + stream,
                           stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    return [[(int(row[i:i + 2], 16), int(row[i + 2:i + 4], 16)) for i in range(0, 320, 4)]
            for row in shown[1:25]]


def check_screen(machine, log):
    """What VGA shows is what the serial line was sent. The driver may be just
    drawing: so it is looked at again, until it does not change any more."""
    want = emulated(machine.received, log)
    for _ in range(50):
        seen = machine.cells()
        if seen[:24] == want:
            return
        if data := machine.receive(0.1):
            raise Failure(f"the machine says more: {data!r}")
    for y, (a, b) in enumerate(zip(seen, want)):
        if a != b:
            raise Failure(f"row {y} shows {bytes(c for c, _ in a)!r}, not "
                          f"{bytes(c for c, _ in b)!r}")


def start(log, append="", seconds=60, **options):
    machine = Session(log, append=("run=/tests/terminal " + append).strip(), **options)
    try:
        machine.expect("ready\r\n", seconds)
    except BaseException:
        machine.close()
        raise
    return machine


def typing(log):
    with start(log) as machine:
        machine.type("Hello, line\r\n")
        machine.expect("^Hello, line\r\n")
        machine.keys("k e y shift-b o a r d ret ctrl-j")
        machine.expect("^keyBoard\r\n")
        machine.keys("caps_lock x caps_lock ctrl-a alt-a up f1 f12 home delete ret ctrl-j")
        machine.expect("^X\x01\x1ba" + re.escape("\x1b[A\x1b[[A\x1b[24~\x1b[1~\x1b[3~") + "\r\n")
        # Not a word of it for the other end; the answers come as if typed.
        machine.type("\x1b[5;10H\x1b[6n")
        machine.expect(r"^\x1b\[5;10H\x1b\[5;10R")
        machine.type("|\x1b[c")
        machine.expect(r"\|\x1b\[\?6c")
        if b"\x1b[6n" in machine.received or b"\x1b[c" in machine.received:
            raise Failure("a question went out over the line")
        machine.type("\x1b[1;33;44mcolours\x1b[m \xe9\u2500\u2588 \x1b[2;5r\x1b[5;1H\n\n\x1b[r"
                     "\x1b[3;3H\x1b[2L\x1b[20;1Hend")
        machine.expect("20;1Hend")
        check_screen(machine, log)


def kill_each(log):
    """A key and a byte, before and after each of them was killed."""
    with start(log, cpus=1) as machine:
        for i, name in enumerate(("serial", "keyboard", "screen", "console", "serial", "console")):
            machine.type(COMMAND + b"kill " + name.encode() + b"\r")
            machine.expect(rf"init: {name} \(pid \d+\) was killed by signal 9 \(SIGKILL\); "
                           r"starts again[^\r\n]*\r\n")
            machine.type(f"line{i}\r\n")
            machine.expect(rf"line{i}\r\n")
            machine.keys(f"k {i} ret ctrl-j")
            machine.expect(rf"k{i}\r\n")
        machine.key("shift", 2000)  # down, while the driver is killed
        machine.type(COMMAND + b"kill keyboard\r")
        machine.expect(r"starts again[^\r\n]*\r\n")
        machine.type("\r\n")
        machine.expect("\r\n")
        check_screen(machine, log)


def font():
    """The glyphs that the screen driver draws with."""
    with open("build/user/font.c") as f:
        return [bytes(int(n, 16) for n in re.findall(r"0x(..)", line))
                for line in f if line.startswith("\t{")]


def read_picture(path):
    """A graphic screen, read as a reader does: each cell's glyph, or None. The
    character under the cursor has a line through it, and cannot be read."""
    with open(path, "rb") as f:
        magic, size, _, pixels = f.read().split(b"\n", 3)
    width, height = map(int, size.split())
    scale = min(width // 640, height // 384)
    left, top = (width - 640 * scale) // 2, (height - 384 * scale) // 2
    glyphs = {glyph: code for code, glyph in reversed(list(enumerate(font())))}

    def pixel(x, y):
        at = 3 * ((top + y * scale) * width + left + x * scale)
        return pixels[at:at + 3]

    def cell(row, column):
        """Its character; a blank when it is all of one colour."""
        points = [[pixel(8 * column + x, 16 * row + y) for x in range(8)] for y in range(16)]
        colours = {p for line in points for p in line}
        for ink in colours:  # which of the two is the ink is not known
            lines = bytes(sum(0x80 >> x for x in range(8) if line[x] == ink) for line in points)
            if lines in glyphs and (len(colours) == 2 or lines == bytes(16)):
                return glyphs[lines]
        return ord(" ") if len(colours) == 1 else None

    return [[cell(y, x) for x in range(80)] for y in range(24)]


def framebuffer(log):
    """Under UEFI the same is drawn point by point."""
    iso = "build/logs/console-uefi.iso"
    if execute(["tools/mkiso", iso, "build/debug/lodger.elf", "build/tests.cpio",
                "run=/tests/terminal"], log, 60):
        raise Failure("no CD image")
    firmware = next(path for path in FIRMWARE if os.path.exists(path))
    picture = "build/logs/console-uefi.ppm"
    with start(log, iso=iso, uefi=firmware, mem="512M", seconds=240) as machine:
        machine.type("\x1b[2J\x1b[H\x1b[32mOn a framebuffer\x1b[m \xe9\u2500\u2588 \x1b[44;1mbright"
                     "\x1b[m\r\n\x1b[24;1Hlast\x1b[1;1H")
        machine.expect(r"1;1H")
        machine.keys("shift-k e y s")
        machine.expect("Keys")
        machine.type(COMMAND + b"kill screen\r")
        machine.expect("starts again")
        machine.type("\x1b[2;1H\x1b[Kagain\x1b[3;80H")
        machine.expect("3;80H")
        # a full block, in one colour, looks like a blank
        want = [[32 if c == 0xdb else c for c, _ in row]
                for row in emulated(machine.received, log)]
        for _ in range(100):
            machine.picture(picture)
            seen = read_picture(picture)
            if all(a in (b, None) for x, y in zip(seen, want) for a, b in zip(x, y)) and \
                    sum(a is None for row in seen for a in row) <= 1:
                return
            machine.receive(0.1)
    for y, (a, b) in enumerate(zip(seen, want)):
        if a != b:
            raise Failure(f"row {y}: {bytes(c or 63 for c in a)!r}, expected {bytes(b)!r}, "
                          f"{picture}")
    raise Failure(f"more than the cursor cannot be read, {picture}")


def full_rings(log):
    """More than all rings hold, in each direction, to one who does not read."""
    with start(log, cpus=1) as machine:
        text = bytes(random.Random(3).choice(b"ABCDEFGH") for _ in range(16000))
        machine.type(COMMAND + b"sleep\r" + text)
        machine.expect(text.decode(), 120)
        total = 0
        for byte in text:
            total = (total * 31 + byte) & 0xffffffff
        machine.type(COMMAND + b"take %d\r" % len(text) + text)
        machine.expect(rf"taken {total}\r\n", 120)
        machine.type(COMMAND + b"fill 4000\r")
        time.sleep(5)
        machine.expect(r"\.{320000}\r\nfilled\r\n", 120)


class Load:
    """Traffic in both directions, of which every byte is accounted for: capital
    letters over the line, small ones from the keyboard. i begins "init:"."""

    FLIGHT = 1500  # bytes that are sent and have not come back
    TOKEN = re.compile(rb"(?P<line>[A-Z]+)|(?P<key>[a-hj-z]+)|"
                       rb"(?:\r\n)?init: (?P<init>[^\r\n]*)\r\n|\r\n(?P<killed>killed \d+)\r\n")

    def __init__(self, machine, seed):
        self.machine, self.random = machine, random.Random(seed)
        self.sent = {"line": bytearray(), "key": bytearray()}
        self.came = {"line": 0, "key": 0}
        self.kills, self.over = 0, False
        self.at = len(machine.received)

    def look(self):
        """Compares what came since the last look."""
        received = self.machine.received
        while found := self.TOKEN.match(received, self.at):
            what, text = found.lastgroup, found[found.lastgroup]
            self.at = found.end()
            if what == "killed":
                self.over = True
            elif what == "init":
                self.kills += b"was killed by signal 9" in text
            else:
                begin = self.came[what]
                if self.sent[what][begin:begin + len(text)] != text:
                    raise Failure(f"{what}: byte {begin} and on: {text!r} came, not "
                                  f"{bytes(self.sent[what][begin:begin + 40])!r}")
                self.came[what] += len(text)
        rest = received[self.at:]
        if rest and rest[:1] not in b"\ri" or len(rest) > 200:
            raise Failure(f"bytes that nobody sent: {bytes(rest[:100])!r}")

    def under_way(self, what):
        return len(self.sent[what]) - self.came[what]

    def more(self):
        """Some more of both; waits while much is under way."""
        self.look()
        if self.under_way("line") < self.FLIGHT:
            text = bytes(self.random.choice(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
                         for _ in range(self.random.randint(1, 300)))
            self.sent["line"] += text
            self.machine.type(text)
        if not self.under_way("key"):
            key = self.random.choice("abcdefghjklmnopqrstuvwxyz")
            self.sent["key"] += key.encode()
            self.machine.key(key, 1)
        self.machine.receive(0.02)

    def finish(self, seconds=30):
        """Until all has come; not for ever when nothing comes any more."""
        self.look()
        while self.under_way("line") or self.under_way("key"):
            if not self.machine.receive(seconds):
                raise Failure(f"lost: {self.under_way('line')} bytes of the line, "
                              f"{self.under_way('key')} keys")
            self.look()


def in_use(machine, command=COMMAND + b"memory\r"):
    """What exists, by kind: the kernel's objects by their caches, tasks, address
    spaces, and frames of all but the caches (in which freed ones leave gaps)."""
    begin = len(machine.received)
    machine.type(command)
    _, tasks, mms = machine.expect(r"memory (\d+), (\d+) tasks, (\d+) mms\r+\n").groups()
    # The kernel's own lines come by another way, and may come later.
    while not re.search(rb"cache process: .*\n", machine.received[begin:]):
        if not machine.receive(30):
            raise Failure("the kernel does not say what is in use")
    text = machine.received[begin:].decode()
    use = {name: int(n) for name, n in re.findall(r"cache (\S+): (\d+) objects", text)}
    use |= {f"frames, {what}": int(n) for n, what in
            re.findall(r"(\d+) (user|table|stack|kernel)\b", re.search("frames: .*", text)[0])}
    return use | {"tasks": int(tasks), "mms": int(mms)}


# What a program has touched, or mapped at this moment, differs a little.
SLACK = {"region": 4, "frames, user": 8}
# The Unix server cuts its small pieces from chunks of 16 frames, which it keeps for
# as many processes and calls as there ever were at once. So its own frames are
# counted apart: there are as many as before, or a few whole chunks more.
CHUNK, CHUNKS = 16, 2


def compare_use(before, after, slack=SLACK):
    for what in before.keys() | after.keys():
        was, now = before.get(what, 0), after.get(what, 0)
        if abs(now - was) > slack.get(what, 0):
            raise Failure(f"{what}: {was} before, {now} after")


def storm(machine, seed, kills, least=0):
    """That many kills, and at least so many bytes, all of which must come back.
    Returns how many there were."""
    machine.type(COMMAND + b"storm %d %d\r" % (seed, kills))
    machine.expect("storm begins\r\n")
    load = Load(machine, seed)
    while not load.over or len(load.sent["line"]) < least:
        load.more()
        if machine.qemu.poll() is not None:
            raise Failure("the machine has ended")
    load.finish()
    if load.kills != kills:
        raise Failure(f"{load.kills} servers were killed, not {kills}")
    return len(load.sent["line"]), len(load.sent["key"])


def soak(kills, seed, cpus):
    def function(log):
        with start(log, append="loglevel=debug", cpus=cpus) as machine:
            # Touches every page of the rings, and what is made once.
            machine.type(COMMAND + b"fill 500\r")
            machine.expect("filled\r\n")
            storm(machine, seed + 1000, 8, least=5000)
            before = in_use(machine)
            typed, pressed = storm(machine, seed, kills)
            check_screen(machine, log)
            compare_use(before, in_use(machine))
            said = f"{kills} kills, {typed} bytes over the line and {pressed} keys"
            machine.log.write(f"\n{said}\n".encode())
            return said
    return function


class Shell:
    """A shell that is typed at, one command after the other, while servers are killed.
    Of what comes, every byte is known beforehand, but for init's lines in between."""

    INIT = re.compile(rb"(?:\r\n)?init: ([^\r\n]*)\r\n")

    def __init__(self, machine, seed):
        self.machine, self.random = machine, random.Random(seed)
        self.at, self.kills, self.bytes = machine.taken, 0, 0
        self.last = b"\r\n"  # the last two bytes of the shell's
        self.owed = False   # a line's end, since init's line took one for its own

    def ahead(self, n):
        """The next bytes, at least so many."""
        while len(self.machine.received) - self.at < n:
            if not self.machine.receive(60):
                raise Failure(f"lost: {bytes(self.machine.received[-200:])!r} was the last")
        return bytes(self.machine.received[self.at:self.at + 64])

    def skip_line(self):
        while not (found := self.INIT.match(self.machine.received, self.at)):
            self.ahead(len(self.machine.received) - self.at + 1)
        self.at = found.end()
        self.kills += b"was killed by signal 9" in found[1]

    def skip_init(self, wanted=b""):
        """Goes past init's lines. One begins with a line's end, unless the cursor was
        at a beginning already."""
        while True:
            if self.ahead(1)[:1] == b"i" and wanted != b"i":
                self.skip_line()
                self.owed = self.last == b"\r\n"
            elif self.ahead(1)[:1] == b"\r" and wanted != b"\r":
                if self.owed and self.ahead(2)[:2] == b"\r\n":
                    self.at += 2
                    self.owed = False
                elif self.ahead(8).startswith(b"\r\ninit: "):
                    self.skip_line()
                else:
                    return
            else:
                return

    def expect(self, text):
        for i in range(len(text)):
            wanted = text[i:i + 1]
            self.skip_init(wanted)
            if self.ahead(1)[:1] != wanted:
                raise Failure(f"{self.ahead(1)!r} came, not {text[i:i + 60]!r}")
            self.last = self.last[-1:] + wanted
            self.owed = False
            self.at += 1
            self.bytes += 1

    def word(self, longest):
        return "".join(self.random.choice("abcdefghjklmnopqrstuvwxyz")
                       for _ in range(self.random.randint(1, longest)))

    def command(self, line, output):
        self.machine.type(line + "\r")
        self.expect(f"{line}\r\n{output}".encode())

    def echo(self):
        word = self.word(50)
        self.command(f"echo {word}", f"{word}\r\n/ # ")

    def count(self):
        first = self.random.randint(1, 10000)
        last = first + self.random.randint(1, 300)
        self.command(f"seq {first} {last}",
                     "".join(f"{n}\r\n" for n in range(first, last + 1)) + "/ # ")

    def write(self):
        lines = [self.word(60) for _ in range(self.random.randint(1, 20))]
        self.command("echo go; cat >/tmp/x", "go\r\n")
        for line in lines:
            self.machine.type(line + "\r")
        text = "".join(line + "\r\n" for line in lines)
        self.expect(text.encode())
        self.machine.type("\x04")
        self.expect(b"/ # ")
        self.command("cat /tmp/x", text + "/ # ")

    def press(self):
        """One key after the other: a keyboard that nobody reads keeps eight."""
        word = self.word(6)
        for key in f"echo {word}":
            self.machine.key("spc" if key == " " else key, 1)
            self.expect(key.encode())
        self.machine.key("ret", 1)
        self.expect(f"\r\n{word}\r\n/ # ".encode())

    def is_over(self):
        """Has the storm ended?"""
        self.machine.type("ls -1 /tmp\r")
        self.expect(b"ls -1 /tmp\r\n")
        self.skip_init()
        over = self.ahead(4).startswith(b"over")
        self.expect(b"over\r\nx\r\n/ # " if over else b"x\r\n/ # ")
        return over


def shell_storm(machine, seed, kills):
    """The shell works while servers are killed; how many bytes it wrote."""
    machine.type(f"rm -f /tmp/over; echo >/tmp/x; (/tests/storm {seed} {kills} &)\r")
    machine.expect(r"&\)\r\n")
    shell = Shell(machine, seed)
    shell.expect(b"/ # ")
    over = False
    while not over:
        for _ in range(5):
            shell.random.choice([shell.echo, shell.count, shell.write, shell.press])()
        over = shell.is_over()
    machine.taken = shell.at
    shell.echo()
    if shell.kills != kills:
        raise Failure(f"{shell.kills} servers were killed, not {kills}")
    machine.taken = shell.at
    return shell.bytes


def shell_use(machine):
    """What exists without the Unix server's frames; and these, without those of files."""
    use = in_use(machine, "/tests/storm memory\r")
    machine.expect(r"/ # $")
    machine.type("for p in /proc/[0-9]*; do read n < $p/comm; [ $n = unix ] && cat $p/mm; done; "
                 "grep Cached: /proc/meminfo\r")
    server = int(machine.expect(r"resident: (\d+) kB\r\n")[1]) // 4
    files = int(machine.expect(r"Cached: +(\d+) kB\r\n")[1]) // 4
    machine.expect(r"/ # $")
    use["frames, user"] -= server
    return use, server - files


def soak_shell(kills, seed, cpus):
    def function(log):
        with Session(log, append="init=/sbin/init loglevel=debug", cpus=cpus) as machine:
            machine.expect(r"/ # $", 120)
            shell_storm(machine, seed + 1000, 8)
            before, server_before = shell_use(machine)
            written = shell_storm(machine, seed, kills)
            check_screen(machine, log)
            after, server_after = shell_use(machine)
            compare_use(before, after)
            grown = server_after - server_before
            machine.log.write(f"\nserver: {server_before} and {server_after} frames\n".encode())
            if grown % CHUNK or not 0 <= grown <= CHUNKS * CHUNK:
                raise Failure(f"the Unix server has {grown} frames more: no whole chunks, or many")
            said = f"{kills} kills, {written} bytes from the shell"
            machine.log.write(f"\n{said}\n".encode())
            return said
    return function


@suite
def programs():
    """A table without a terminal."""
    yield Boot("program: mmtop marks what has changed", append="run=/bin/mmtop args=-n,2,-d,0.1",
               cpus=2, expect=[r"^CPU task +mm  loaded$", r"^  0 (mmtop|idle)", r"^  1 \S+ ",
                               r"^     3 mmtop +1/[12] +\d+ [-1]\s*$", r"^     3 mmtop +1/[12] +\d+\*[-1]"])


@suite
def console_server():
    yield Check("console: what is typed comes back, on the line and on the screen", typing)
    yield Check("console: each server killed, and nothing is missed", kill_each)
    yield Check("console: where nobody reads, bytes wait", full_rings)
    yield Check("console: under UEFI the screen is drawn on the framebuffer", framebuffer)
    yield Check("console: 40 kills under load in both directions, 2 CPUs", soak(40, 1, 2))
    yield Check("console: 40 kills under load in both directions, 1 CPU", soak(40, 2, 1))
    yield Check("console: 40 kills while the shell works", soak_shell(40, 1, 2))
