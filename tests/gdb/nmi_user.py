# cpus=1 append="run=/bin/hello"
"""An NMI in user mode: at the address to which the first system call returns."""
import gdb
from lib import expect, expect_panic, gs_is_the_kernels, nmi, privilege, run_to_address

run_to_address("syscall_entry")
back = int(gdb.parse_and_eval("$rcx"))
run_to_address(hex(back))
expect("privilege", privilege(), 3)
expect("GS is the kernel's", gs_is_the_kernels(), False)
nmi()
expect_panic("non-maskable interrupt that no CPU sent", "first, which lives in mm", f"{back:x}")
