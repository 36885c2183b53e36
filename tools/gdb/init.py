"""What gdb runs first, by `make gdb`: connects to QEMU and says what to type."""
import os

import gdb

gdb.execute("set confirm off")
gdb.execute("set pagination off")
gdb.execute("set architecture i386:x86-64", to_string=True)
gdb.execute("target remote " + os.environ["LODGER_GDB"], to_string=True)

print("""
The machine is stopped at its first instruction. The kernel's console is in
build/logs/gdb.log (tail -f it in another terminal). Some things to type:

    break start_pvh             the kernel's first instruction, 32-bit
    break kmain                 stop where the C code begins
    break context_switch        ... at each switch of tasks
    continue                    run (Ctrl-C stops again)
    stepi, step, next, finish   go on by an instruction, a line, a function
    info threads, thread 2      the CPUs; look at the second
    backtrace, info registers   where it is, what is in the registers
    print $cr3                  whose page tables this CPU has loaded
    monitor info mem            what they map
""")
