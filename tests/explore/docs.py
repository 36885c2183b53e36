"""Tables in docs/exploration.md, each between a mark of its own and an end mark."""

import re

DOCS = "docs/exploration.md"
END = "<!-- end -->\n"


def table(head, align, rows):
    """Markdown. align: of each column, "<" or ">"."""
    lines = [head, ["---:" if side == ">" else "---" for side in align], *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n"
                   for line in lines)


def read(writer):
    """The cells of each line of the tables that the command @writer put there."""
    with open(DOCS) as f:
        text = f.read().partition(f"<!-- written by {writer} -->\n")[2].partition(END)[0]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in text.splitlines() if line.startswith("|")]


def write(writer, text):
    """Puts @text where the command @writer put it the last time."""
    mark = f"<!-- written by {writer} -->\n"
    with open(DOCS) as f:
        before, _, rest = f.read().partition(mark)
    with open(DOCS, "w") as f:
        f.write(before + mark + text + END + rest.partition(END)[2])
