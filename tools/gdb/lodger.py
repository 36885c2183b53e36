"""Lodger's own gdb commands: who lives where, and who only borrows.

They read the kernel's memory and change nothing, so they work wherever the
machine stops; on a broken kernel they show as much as can be read. Scripts may
use the functions directly: mms(), tasks(), cpus(), mm_by_name("borrow").
"""
import gdb

TOO_MANY = 100_000  # a longer list is a damaged one
TASK_STATES = ["new", "runnable", "sleeping", "dead"]


# ---- Reading the kernel ------------------------------------------------------

def static(name):
    symbol = gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name)
    if not symbol:
        raise gdb.GdbError(f"There is no symbol {name}: give gdb the debug kernel.")
    return symbol.value()


def number(value):
    """Of an integer, or of an atomic, which is a struct around one."""
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT:
        value = value["value"]
    return int(value)


def text(characters):
    return characters.string(errors="replace") if characters[0] else "-"


def elements(head, typename, member):
    """The elements of a kernel list, as pointers."""
    element = gdb.lookup_type(typename)
    offset = next(f.bitpos // 8 for f in element.fields() if f.name == member)
    link = head["next"]
    for _ in range(TOO_MANY):
        if int(link) in (0, int(head.address)):
            return
        yield gdb.Value(int(link) - offset).cast(element.pointer())
        link = link["next"]
    print("(the list has no end: it is damaged, or being changed just now)")


def mms():
    return elements(static("mm_list"), "struct mm", "link")


def tasks():
    return elements(static("task_list"), "struct task", "all_link")


def cpus():
    """Those that run, and the boot CPU, as pointers."""
    blocks = static("cpus")
    first, last = blocks.type.range()
    for i in range(first, last + 1):
        if i == 0 or blocks[i]["online"]:
            yield blocks[i].address


def mm_by_name(name):
    """The first address space of that name, or None."""
    return next((mm for mm in mms() if text(mm["name"]) == name), None)


def counters(mm):
    return f'{number(mm["users"])}/{number(mm["count"])}'


# ---- Showing it --------------------------------------------------------------

def mm_label(mm):
    """borrow#3 2/1; "-" where there is none."""
    if not mm:
        return "-"
    try:
        return f'{text(mm["name"])}#{int(mm["id"])} {counters(mm)}'
    except gdb.MemoryError:
        return f"bad pointer {int(mm):#x}"


def task_label(task):
    if not task:
        return "-"
    try:
        return f'{int(task["tid"])} {text(task["name"])}'
    except gdb.MemoryError:
        return f"bad pointer {int(task):#x}"


def cpu_set(mask):
    return ",".join(str(i) for i in range(64) if mask >> i & 1) or "-"


class Command(gdb.Command):
    """A table; its first line is printed before the first row is read."""

    def __init__(self, name, rows):
        self.__doc__ = rows.__doc__
        self.rows = rows
        super().__init__(name, gdb.COMMAND_DATA)

    def invoke(self, _argument, _from_terminal):
        try:
            for row in self.rows():
                print(row)
        except gdb.MemoryError:
            if int(gdb.parse_and_eval("$cr0")) >> 31 & 1:
                raise
            print("Paging is off, so the kernel's memory is not there yet: "
                  "\"break kmain\", \"continue\".")


def show_mms():
    """All address spaces: users/count, the CPUs that may have them loaded."""
    row = "{:>5} {:<16} {:>7} {:>7}  {:<10} {}".format
    yield row("id", "name", "U/C", "pages", "CPUs", "")
    for mm in mms():
        yield row(int(mm["id"]), text(mm["name"]), counters(mm), int(mm["nr_pages"]),
                  cpu_set(number(mm["cpumask"])), "contents gone" if mm["torn_down"] else "")


def show_tasks():
    """All tasks: where each lives (mm), and what it stands on (active_mm)."""
    row = "{:>5} {:<16} {:>3}  {:<9} {:<20} {}".format
    yield row("tid", "name", "cpu", "state", "mm", "active_mm")
    for task in tasks():
        state = int(task["state"])
        yield row(int(task["tid"]), text(task["name"]), int(task["cpu"]),
                  "running" if task["on_cpu"] else TASK_STATES[state] if state < 4 else state,
                  mm_label(task["mm"]), mm_label(task["active_mm"]))


def show_cpus():
    """Each CPU: what runs, whose root is loaded, the parked borrow, laziness."""
    row = "{:>3}  {:<20} {:<20} {:<20} {}".format
    yield row("cpu", "current", "loaded", "prev_mm", "lazy")
    for cpu in cpus():
        yield row(int(cpu["id"]), task_label(cpu["curr"]), mm_label(cpu["loaded"]),
                  mm_label(cpu["prev_mm"]), "yes" if cpu["lazy"] else "no")


Command("lodger-mms", show_mms)
Command("lodger-tasks", show_tasks)
Command("lodger-cpus", show_cpus)
