# cpus=1 append="run=/bin/hello"
"""An NMI in the kernel, with the run queue's lock held: the panic takes no lock."""
from lib import expect, expect_panic, gs_is_the_kernels, nmi, privilege, run_to

run_to("context_switch")
expect("privilege", privilege(), 0)
expect("GS is the kernel's", gs_is_the_kernels(), True)
nmi()
expect_panic("non-maskable interrupt that no CPU sent", "context_switch")
