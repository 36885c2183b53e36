"""A machine to talk to: its serial line, its keyboard, its screen.

    with Session("build/logs/x", append="init=/sbin/init") as machine:
        machine.expect(r"\\$ $")
        machine.type("ls\\r")
        machine.keys("l s ret")
        print(machine.screen())

The serial line is a socket, so what the machine sends waits until it is read,
and the machine takes what is typed when it can: nothing is lost on the way.
"""
import json
import os
import re
import socket
import subprocess
import tempfile
import time

from harness import ROOT, Failure, patience

ROWS, COLUMNS = 25, 80


class Session:
    def __init__(self, log, append="", cpus=2, mem="256M", kernel="build/debug/lodger.elf",
                 initrd="build/tests.cpio", iso=None, uefi=None, extra=()):
        self.folder = tempfile.TemporaryDirectory()
        self.log = open(log, "ab")
        serial, qmp = self.listen("serial"), self.listen("qmp")
        command = ["qemu-system-x86_64", "-machine", "q35", "-cpu", "max", "-smp", str(cpus),
                   "-m", mem, "-display", "none", "-no-reboot", "-nic", "none",
                   "-accel", "tcg,thread=multi", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                   "-chardev", f"socket,id=line,path={self.folder.name}/serial",
                   "-serial", "chardev:line", "-qmp", f"unix:{self.folder.name}/qmp"]
        if iso:
            command += ["-cdrom", iso] + (["-bios", uefi] if uefi else [])
        else:
            command += ["-kernel", kernel, "-initrd", initrd, "-append", append]
        self.log.write((" ".join(command) + "\n").encode())
        self.qemu = subprocess.Popen(command + list(extra), stdin=subprocess.DEVNULL,
                                     stdout=self.log, stderr=self.log, cwd=ROOT)
        try:
            self.serial = self.accept(serial)
            self.monitor = self.accept(qmp).makefile("rw")
            self.monitor.readline()
            self.ask("qmp_capabilities")
        except BaseException:
            self.close()
            raise
        self.received = bytearray()  # all of it
        self.taken = 0       # how much of it expect() has gone past

    def listen(self, name):
        server = socket.socket(socket.AF_UNIX)
        server.bind(f"{self.folder.name}/{name}")
        server.listen(1)
        server.settimeout(20)
        return server

    @staticmethod
    def accept(server):
        try:
            return server.accept()[0]
        except TimeoutError:
            raise Failure("TOOL ERROR: QEMU does not answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.qemu.poll() is None:
            self.qemu.kill()
        self.qemu.wait()
        self.log.close()
        self.folder.cleanup()

    # ---- The serial line

    def receive(self, seconds):
        """What comes within that time, as soon as there is something; b"" when
        nothing came, or the machine has ended."""
        self.serial.settimeout(max(seconds, 0.001))
        try:
            data = self.serial.recv(65536)
        except (TimeoutError, ConnectionResetError):
            return b""
        self.received += data
        self.log.write(data)
        return data

    def expect(self, pattern, seconds=None):
        """Waits until what comes after the last match matches; the match."""
        deadline = time.monotonic() + (seconds or patience(60))
        expression = re.compile(pattern.encode(), re.M)
        while True:
            if found := expression.search(self.received, self.taken):
                self.taken = found.end()
                return found
            if time.monotonic() > deadline or (not self.receive(0.5) and
                                               self.qemu.poll() is not None):
                rest = self.received[self.taken:][-500:]
                raise Failure(f"HANG: /{pattern}/ does not come; the last was {rest!r}")

    def type(self, text):
        """Bytes or a string, over the serial line; reads meanwhile, so that
        neither side waits for the other for ever."""
        data = text.encode() if isinstance(text, str) else text
        deadline = time.monotonic() + patience(60)
        self.serial.settimeout(0.2)
        while data:
            try:
                data = data[self.serial.send(data[:256]):]
            except TimeoutError:
                self.receive(0.01)
                self.serial.settimeout(0.2)
            if time.monotonic() > deadline:
                raise Failure("HANG: the machine takes no more from its serial line")

    # ---- The keyboard and the screen

    def ask(self, command, **arguments):
        self.monitor.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.monitor.flush()
        while line := self.monitor.readline():
            answer = json.loads(line)
            if "event" in answer:
                continue
            if "error" in answer:
                raise Failure(f"TOOL ERROR: {command}: {answer['error']}")
            return answer.get("return")
        raise Failure("QEMU has ended")

    def key(self, names, pressed=5):
        """Keys pressed together, as "ctrl-c"; names as QEMU has them."""
        self.ask("send-key", keys=[{"type": "qcode", "data": n} for n in names.split("-")],
                 **{"hold-time": pressed})

    def keys(self, names):
        """One after the other. There is room for few in the keyboard."""
        for name in names.split():
            self.key(name)
            time.sleep(0.02 * patience(1))

    def memory(self, address, size):
        path = f"{self.folder.name}/memory"
        self.ask("pmemsave", val=address, size=size, filename=path)
        with open(path, "rb") as f:
            return f.read()

    def cells(self):
        """The text screen: rows of (character, colours), both as numbers."""
        data = self.memory(0xb8000, ROWS * COLUMNS * 2)
        return [[(data[2 * i], data[2 * i + 1]) for i in range(y * COLUMNS, (y + 1) * COLUMNS)]
                for y in range(ROWS)]

    def screen(self):
        """The text screen as lines, without the blanks at their ends."""
        return [bytes(c for c, _ in row).decode("cp437").rstrip() for row in self.cells()]

    def picture(self, path):
        self.ask("screendump", filename=os.path.abspath(path))
