"""Tables in docs/exploration.md, each between a mark of its own and an end mark."""

DOCS = "docs/exploration.md"
END = "<!-- end -->\n"


def table(head, align, rows):
    """Markdown. align: of each column, "<" or ">"."""
    lines = [head, ["---:" if side == ">" else "---" for side in align], *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n"
                   for line in lines)


def write(writer, text):
    """Puts @text where the command @writer put it the last time."""
    mark = f"<!-- written by {writer} -->\n"
    with open(DOCS) as f:
        before, _, rest = f.read().partition(mark)
    with open(DOCS, "w") as f:
        f.write(before + mark + text + END + rest.partition(END)[2])
