"""The source itself: it compiles in every way that it should."""
import glob
import os
import re
import shutil
import subprocess

from harness import Check, Failure, execute, suite

FLAGS = ["-std=gnu11", "-ffreestanding", "-mgeneral-regs-only", "-fsyntax-only", "-Wall",
         "-Wextra", "-Werror", "-I.", "-Iarch/x86", "-x", "c"]


def headers_compile_alone(log):
    # arch_inline.h and pte.h are the tail of arch.h.
    headers = [h for folder in ("kernel", "mm", "sched", "arch")
               for h in glob.glob(f"{folder}/**/*.h", recursive=True)
               if not h.startswith("arch/sim/") and not h.endswith(("/arch_inline.h", "/pte.h"))]
    for variant in ([], ["-DCONFIG_DEBUG=1"]):
        broken = [h for h in headers
                  if execute(["gcc"] + FLAGS + variant + ["-include", h, "/dev/null"], log, 60)]
        if broken:
            raise Failure("not alone: " + " ".join(broken))


LINK = re.compile(r"\]\(([^)#:]+)\)")


def links_lead_somewhere(_log):
    pages = glob.glob("*.md") + glob.glob("docs/*.md") + glob.glob("tests/*.md")
    for page in pages:
        with open(page) as f:
            for link in LINK.findall(f.read()):
                if not os.path.exists(os.path.join(os.path.dirname(page), link)):
                    raise Failure(f"{page} has a link to {link}, which is not there")


def map_is_complete(_log):
    """Every source of the kernel is in the map, its folder, or its header."""
    with open("docs/reading-order.md") as f:
        named = {os.path.basename(link) for link in LINK.findall(f.read())}
    helpers = {"asm_offsets.c", "inline.c", "plausible.c", "symbols.c"}
    for folder in ("boot", "arch/x86", "kernel", "mm", "sched"):
        for path in glob.glob(f"{folder}/*.c") + glob.glob(f"{folder}/*.asm"):
            if os.path.basename(path) not in named | helpers:
                raise Failure(f"docs/reading-order.md does not name {path}")


# Pairs of files that call each other, all for a reason.
CIRCLES = {
    # A thing and its other half.
    "arch/x86/features.c arch/x86/fpu.c": "the FPU's features are enabled with the others",
    "kernel/deliver.c kernel/signal.c": "sent, and delivered; who sends itself a fatal one dies",
    "kernel/exit.c kernel/signal.c": "SIGKILL makes threads exit; an exit's signals go to others",
    "kernel/signal.c kernel/stop.c": "SIGCONT ends a stop; a stop sends SIGCHLD",
    "kernel/process.c kernel/signal.c": "pid_lock guards both; who is gone has no signals",
    "kernel/process.c kernel/sigaction.c": "pid_lock guards both; the last thread's handlers go",
    "kernel/guest.c kernel/workers.c": "the prefaulter can be held, and guests are workers",
    "mm/fault.c mm/region.c": "a fault needs its region; MAP_POPULATE has the faults ahead",
    "mm/page_alloc.c mm/zero_pool.c": "the pool takes free frames, an allocation takes from it",
    # Messages: server and caller change places.
    "kernel/ipc/calls.c kernel/personality.c": "a reflected call is a call; its answer is checked",
    "kernel/ipc/endpoint.c kernel/ipc/inherit.c": "a queue has the order of the priorities in it",
    "kernel/ipc/fast.c kernel/personality.c": "the short way, and the long one where it ends",
    # One scheduler, in files of a size to be read.
    "sched/hotplug.c sched/sched.c": "the idle loop leaves; who leaves sends its tasks away",
    "sched/kthread.c sched/task.c": "the reaper is a kernel thread, which is a task",
    "sched/sched.c sched/switch.c": "who waits is switched; the switch fetches who waits",
    "sched/sched.c sched/task.c": "a task is born into a run queue; the reaper is woken",
    "sched/sched.c sched/timer.c": "who sleeps is woken by the clock",
    "sched/switch.c sched/task.c": "the last switch of a task hands it to the reaper",
    "sched/switch.c sched/timer.c": "the tick ends a turn, a switch begins the next one's",
}
# Whom all may call, and what looks at all.
EVERYWHERE = ("kernel/log.c", "kernel/panic.c", "kernel/trace.c")


def calls():
    """Who calls whom, as (caller, called, symbol). Not: into EVERYWHERE, from or
    into what only debug builds have, and arch's calls upwards, which arch.h names."""
    with open("build/debug/objects") as f:
        objects = [o for o in f.read().split() if "/kernel/debug/" not in o and "/tests/" not in o]
    defined, wanted = {}, []
    for path in objects:
        source = path.removeprefix("build/debug/obj/").removesuffix(".o")
        for line in subprocess.run(["nm", path], capture_output=True, text=True,
                                   check=True).stdout.splitlines():
            kind, symbol = line.split()[-2:]
            if kind == "U":
                wanted.append((source, symbol))
            elif kind.isupper():
                defined[symbol] = source
    for caller, symbol in wanted:
        called = defined.get(symbol, caller)
        upwards = caller.startswith("arch/") and not called.startswith("arch/")
        if called != caller and called not in EVERYWHERE and not upwards:
            yield caller, called, symbol


def no_new_circles(_log):
    between = {}
    for caller, called, symbol in calls():
        between.setdefault((caller, called), []).append(symbol)
    pairs = {f"{a} {b}": f"{a} uses {', '.join(between[a, b])}; {b} uses {', '.join(between[b, a])}"
             for a, b in between if a < b and (b, a) in between}
    for pair in sorted(set(pairs) - set(CIRCLES)):
        raise Failure(f"two files call each other: {pairs[pair]}")
    for pair in sorted(set(CIRCLES) - set(pairs)):
        raise Failure(f"no longer a circle, so out of the list: {pair}")


def builds(*arguments):
    def function(log):
        if execute(["make", "WERROR=1", "kernel"] + list(arguments), log, 300):
            raise Failure("it does not build")
    return function


def clang_builds(log):
    if not shutil.which("clang"):
        raise Failure("clang is missing: tools/setup installs it (package clang)")
    builds("CC=clang", "OUT=build/clang")(log)


def quick_tests_are_there(log):
    if execute(["tests/run", "--quick", "--list"], log, 60):
        with open(log) as f:
            raise Failure(f.read().splitlines()[-1])


@suite
def tree():
    yield Check("tree: each header compiles alone", headers_compile_alone)
    yield Check("tree: links in the documents lead somewhere", links_lead_somewhere)
    yield Check("tree: the map of the source names every file", map_is_complete)
    yield Check("tree: no two files call each other, but for a reason", no_new_circles)
    yield Check("tree: make test-quick names tests that there are", quick_tests_are_there)
    yield Check("tree: the release kernel builds without a warning", builds("VARIANT=release"))
    yield Check("tree: clang builds the kernel without a warning", clang_builds)
