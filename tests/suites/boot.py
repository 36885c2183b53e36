"""Every way to boot, on 1, 2 and 4 CPUs."""
from harness import Boot, Failure, suite

SCREEN = "build/logs/screen-{cpus}.ppm"


def not_blank(path):
    """The VGA console shows the kernel's log: more than GRUB's one line."""
    def check(_log):
        with open(path, "rb") as f:
            header, pixels = f.read().split(b"\n255\n", 1)
        background = pixels[:3]
        other = sum(pixels[i:i + 3] != background for i in range(0, len(pixels), 3))
        if other < 3000:
            raise Failure(f"the screen is blank ({other} pixels differ, {header}), {path}")
    return check


@suite
def boot():
    for way, called in (("kernel", "qemu -kernel"), ("bios", "GRUB under BIOS"),
                        ("uefi", "GRUB under UEFI")):
        for cpus in (1, 2, 4):
            picture = SCREEN.format(cpus=cpus) if way == "bios" else None
            yield Boot(f"boot: {called}, {cpus} CPUs", append="init=/bin/borrow", way=way,
                       cpus=cpus, timeout=240 if way == "uefi" else 120,
                       screenshot=picture, check=not_blank(picture) if picture else None,
                       slow=way == "uefi" and cpus != 2)
