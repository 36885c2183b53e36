"""Makes the screen driver's font, as C: the 256 characters of code page 437, 8
by 16 points, from a PFF2 font as GRUB has it (package grub-common). The first
argument that is a file is used. With none, the driver knows that it has no
font, and a graphic screen stays dark.

PFF2: sections of a name of 4, a length, and contents, all numbers the greatest
byte first. CHIX has for each character its code, flags, and the place of its
glyph in the file: width, height, offsets, advance, and its points as bits.
"""
import os
import struct
import sys

WIDTH, HEIGHT = 8, 16
LOW = " \u263a\u263b\u2665\u2666\u2663\u2660\u2022\u25d8\u25cb\u25d9\u2642\u2640\u266a\u266b\u263c" \
      "\u25ba\u25c4\u2195\u203c\u00b6\u00a7\u25ac\u21a8\u2191\u2193\u2192\u2190\u221f\u2194\u25b2\u25bc"


def sections(data):
    at, found = 0, {}
    while at + 8 <= len(data):
        name, length = struct.unpack(">4sI", data[at:at + 8])
        if name == b"DATA":
            break
        found[name] = data[at + 8:at + 8 + length]
        at += 8 + length
    return found


def character(code):
    if code < len(LOW):
        return LOW[code]
    return "\u2302" if code == 127 else bytes([code]).decode("cp437")


def glyph(data, place, ascent):
    """As HEIGHT numbers of WIDTH bits. What would be outside is cut."""
    width, height, x0, y0, _ = struct.unpack(">HHhhh", data[place:place + 10])
    bits = data[place + 10:place + 10 + (width * height + 7) // 8]
    rows = [0] * HEIGHT
    for i in range(width * height):
        if bits[i // 8] & 0x80 >> i % 8:
            x, y = x0 + i % width, ascent - (y0 + height) + i // width
            if 0 <= x < WIDTH and 0 <= y < HEIGHT:
                rows[y] |= 0x80 >> x
    return rows


def read(path):
    with open(path, "rb") as f:
        data = f.read()
    parts = sections(data)
    ascent, = struct.unpack(">H", parts[b"ASCE"])
    index = parts[b"CHIX"]
    places = {}
    for at in range(0, len(index), 9):
        code, _, place = struct.unpack(">IBI", index[at:at + 9])
        places[code] = place
    empty = [0] * HEIGHT
    return [glyph(data, places[ord(character(c))], ascent) if ord(character(c)) in places else empty
            for c in range(256)]


def main():
    found = next((path for path in sys.argv[1:] if os.path.exists(path)), None)
    rows = read(found) if found else [[0] * HEIGHT] * 256
    if not found:
        print("mkfont: no font (package grub-common): a graphic screen will stay dark",
              file=sys.stderr)
    print('/* Made by tools/mkfont.py. */\n#include "user/servers/screen/screen.h"\n')
    print(f"const bool have_font = {'true' if found else 'false'};")
    print("const uint8_t font[256][FONT_HEIGHT] = {")
    for code, lines in enumerate(rows):
        print("\t{ " + ", ".join(f"0x{line:02x}" for line in lines) + " }, " + f"/* {code} */")
    print("};")


main()
