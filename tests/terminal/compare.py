"""Random sequences through our emulator (argument 1) and through pyte, an
emulator of the distribution: the screens must be the same.

Argument 2 is the seed, 3 how many screens. What pyte does otherwise than Linux
is not generated: a control code other than CR right after the last column was
written (pyte's cursor then stands in a column of its own), moves up or down
that meet the scroll region's edge, restoring what was not saved, and the
attributes that a text screen cannot show. ESC E is followed by CR, which pyte
leaves out. The colours of blank cells are not compared: pyte's come in without
a background.
"""
import random
import subprocess
import sys

import pyte

ROWS, COLUMNS = 12, 30
NAMES = {"default": 7, "black": 0, "red": 4, "green": 2, "brown": 6, "blue": 1,
         "magenta": 5, "cyan": 3, "white": 7}
GLYPHS = {"\u2022": 7, "\u25c6": 4, "\u23ba": 0xc4, "\u23bb": 0xc4, "\u23bc": 0xc4,
          "\u23bd": ord("_"), "\u2260": 0xd8, "\u00b6": 0x14, "\u00a7": 0x15}
TEXT = "abcXYZ019 .,~`^_\u00e9\u00fc\u2500\u2502\u2588\u03b1\u20ac"


def glyph(character):
    if character in GLYPHS:
        return GLYPHS[character]
    try:
        return character.encode("cp437")[0]
    except UnicodeEncodeError:
        return ord("?")


def colours(char):
    """As pen_colours() in cells.c."""
    bright = char.fg.startswith("bright")
    fg = NAMES[char.fg.removeprefix("bright")]
    bg = 0 if char.bg == "default" else NAMES[char.bg]
    if char.reverse:
        fg, bg = bg, fg
    return fg ^ (8 if char.bold or bright else 0) | bg << 4


class Screen(pyte.Screen):
    """Without two mistakes of pyte's: a character that was pushed over the
    right edge comes back when another one is deleted, and a line on which
    nothing was ever written does not move."""

    def insert_characters(self, count=None):
        super().insert_characters(count)
        self.buffer[self.cursor.y].pop(self.columns, None)

    def touch_lines(self):
        for y in range(self.lines):
            self.buffer[y]

    def insert_lines(self, count=None):
        self.touch_lines()
        super().insert_lines(count)

    def delete_lines(self, count=None):
        self.touch_lines()
        super().delete_lines(count)


def sequence(r, screen):
    """The next piece, which both must understand in the same way."""
    x, y = screen.cursor.x, screen.cursor.y
    margins = screen.margins
    inside = not margins or margins.top <= y <= margins.bottom
    if x == COLUMNS:  # the next character wraps
        return r.choice(["\r", "ab" if inside else "\r",
                         "\x1b[%d;%dH" % (r.randint(1, ROWS), r.randint(1, COLUMNS))])
    choice = r.randrange(22)
    n = r.choice(["", "1", "2", "3", "7", "40"])
    if choice < 6:
        return "".join(r.choice(TEXT) for _ in range(r.randint(1, COLUMNS - x)))
    if choice == 6:
        return r.choice(["\r", "\b", "\t"] +
                        (["\n", "\r\n", "\x1bD", "\x1bE\r", "\x1bM"] if inside else []))
    if choice == 7:
        return "\x1b[%s%s" % (n, r.choice("CDGa"))
    if choice == 8 and not margins:
        return "\x1b[%s%s" % (n, r.choice("ABEFde"))
    if choice == 9:
        return "\x1b[%d;%dH" % (r.randint(0, ROWS + 2), r.randint(0, COLUMNS + 2))
    if choice == 10:
        return "\x1b[%s%s" % (r.choice(["", "0", "1", "2"]), r.choice("JK"))
    if choice in (11, 12):
        # pyte moves the cursor to column 0 after these
        return "\x1b[%s%s\r" % (n, r.choice("LM"))
    if choice in (13, 14):
        return "\x1b[%s%s" % (n, r.choice("@PX"))
    if choice == 15:
        first = r.randint(1, ROWS - 1)
        return "\x1b[%d;%dr" % (first, r.randint(first + 1, ROWS))
    if choice in (16, 17):
        return "\x1b[%sm" % ";".join(r.choice(
            ["0", "1", "22", "7", "27", "31", "32", "36", "39", "41", "44", "49", ""])
            for _ in range(r.randint(1, 3)))
    if choice == 18:
        return r.choice(["\x1b[4h", "\x1b[4l", "\x1b[?25l", "\x1b[?25h"])
    if choice == 19 and inside:
        return "\x1b7" + "\x1b[%d;%dHq\x1b8" % (r.randint(1, ROWS), r.randint(1, COLUMNS - 1))
    if choice == 20:
        return r.choice(["\x1bH", "\x1b[g", "\x1b[3g"])
    if choice == 21:
        return r.choice(["\x1b)0\x0e" + "lqqkxmj`a"[:COLUMNS - x] + "\x0f", "\x1b]0;title\x07"])
    return ""


def ours(program, cases):
    asked = b"".join(b"%d %d %d\n" % (ROWS, COLUMNS, len(c)) + c for c in cases)
    out = subprocess.run([program], input=asked, stdout=subprocess.PIPE, check=True).stdout
    lines = out.decode().splitlines()
    for i in range(0, len(lines), ROWS + 1):
        y, x = lines[i].split()[:2]
        yield (int(y), int(x)), ["".join(plain(row[x:x + 4]) for x in range(0, 4 * COLUMNS, 4))
                                 for row in lines[i + 1:i + 1 + ROWS]]


def plain(cell):
    return "20.." if cell.startswith("20") else cell


def theirs(screen):
    rows = []
    for y in range(ROWS):
        cells = (screen.buffer[y][x] for x in range(COLUMNS))
        rows.append("".join(plain("%02x%02x" % (glyph(c.data or " "), colours(c)))
                            for c in cells))
    return (screen.cursor.y, min(screen.cursor.x, COLUMNS - 1)), rows


def main():
    program, seed, screens = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    r = random.Random(seed)
    cases, expected = [], []
    for _ in range(screens):
        screen = Screen(COLUMNS, ROWS)
        stream = pyte.Stream(screen)
        stream.use_utf8 = False  # with it, pyte has no line drawing set
        text = ""
        for _ in range(r.randint(1, 60)):
            piece = sequence(r, screen)
            stream.feed(piece)
            text += piece
        cases.append(text.encode())
        expected.append(theirs(screen))
    for number, (seen, want) in enumerate(zip(ours(program, cases), expected)):
        if seen == want:
            continue
        print(f"screen {number} of seed {seed} differs: {cases[number]!r}")
        print(f"cursor {seen[0]}, expected {want[0]}")
        for y, (a, b) in enumerate(zip(seen[1], want[1])):
            if a != b:
                x = next(i for i in range(COLUMNS) if a[4 * i:4 * i + 4] != b[4 * i:4 * i + 4])
                print(f"row {y}, column {x}: {a[4 * x:4 * x + 4]}, expected {b[4 * x:4 * x + 4]}")
        sys.exit(1)
    print(f"{screens} screens are the same")


main()
