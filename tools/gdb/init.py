"""What gdb runs first, by `make gdb`: connects to QEMU and says what to type."""
import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import lodger  # noqa: F401, the commands

gdb.execute("set confirm off")
gdb.execute("set pagination off")
gdb.execute("set print pretty on")
gdb.execute("set architecture i386:x86-64", to_string=True)
# A loaded host may let QEMU wait for longer than gdb's two seconds.
gdb.execute("set remotetimeout 60")
gdb.execute("target remote " + os.environ["LODGER_GDB"], to_string=True)

print("""
The machine is stopped at its first instruction. The kernel's console is in
build/logs/gdb.log (tail -f it in another terminal). Some things to type:

    break start_pvh             the kernel's first instruction, 32-bit
    break kmain                 where the portable C code begins
    break context_switch        each switch of tasks
    continue                    run (Ctrl-C stops again)
    stepi, step, next, finish   go on by an instruction, a line, a function
    lodger-mms                  all address spaces, with users/count
    lodger-tasks                all tasks: where they live, what they stand on
    lodger-cpus                 each CPU: current, loaded, prev_mm, lazy
    info threads, thread 2      the CPUs as gdb sees them; look at the second
    backtrace, print *prev      where it is; a variable
    print $cr3                  whose page tables this CPU has loaded
""")
