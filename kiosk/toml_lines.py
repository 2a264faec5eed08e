"""On which line of a TOML text each key and each element of a list stands. Pure.

The reader of the standard library tells no lines; a person who mends an office's file needs them.
This scans, it does not check: a text that is no TOML is refused elsewhere.
"""

import re
from collections import Counter
from collections.abc import Iterator

_HEADER = re.compile(r"[ \t]*(\[\[?)([^\[\]\n]+)\]\]?")
_KEY = re.compile(r"""[ \t]*([\w.\-]+|"[^"\n]*"|'[^'\n]*')[ \t]*=[ \t]*""")
_PIECE = re.compile(
    r'"{3}(?:\\.|[^\\])*?"{3}|\'{3}.*?\'{3}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*'
    r"|[\[\]{},\n]|[^\[\]{},\n#\"']+",
    re.DOTALL,
)


def lines_of(text: str) -> dict[str, int]:
    """Path → line from 1: "services[0].steps[2].roles[1]", as the faults write it."""
    found: dict[str, int] = {}
    counts: Counter[str] = Counter()
    table, at = "", 0
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        if header := _HEADER.match(text, at):
            table = _table(header[2], header[1] == "[[", counts)
            found.setdefault(table, line)
            at = header.end()
        elif key := _KEY.match(text, at):
            path = f"{table}.{key[1].strip(chr(34) + chr(39))}".lstrip(".")
            found.setdefault(path, line)
            at = _value(text, key.end(), path, found)
        at = text.find("\n", at) + 1 or len(text)
    return found


def line_of(path: str, lines: dict[str, int]) -> int | None:
    """The line of this path, or of the nearest table or list that holds it."""
    while path and path not in lines:
        path = re.sub(r"(\[\d+\]|\.?[^.\[\]]+)$", "", path)
    return lines.get(path)


def _table(name: str, of_list: bool, counts: Counter[str]) -> str:
    """The path of the table that a header opens: its lists count from 0."""
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    path = ""
    for n, part in enumerate(parts):
        path = f"{path}.{part}".lstrip(".")
        if of_list and n == len(parts) - 1:
            counts[path] += 1
        if counts[path]:
            path += f"[{counts[path] - 1}]"
    return path


def _value(text: str, at: int, path: str, found: dict[str, int]) -> int:
    """Note the elements of a list, and those of its lists; where the value ends."""
    line = text.count("\n", 0, at) + 1
    inside: list[str] = []
    places: list[int] = []
    for piece in _pieces(text, at):
        if piece == "\n" and not inside:
            break
        if piece in "]}" and inside:
            inside.pop()
            places.pop()
        elif piece == "," and places:
            places[-1] += 1
        elif piece.strip() and not piece.startswith("#"):
            # The commas of a table on one line divide its keys.
            if inside and "{" not in inside:
                found.setdefault(path + "".join(f"[{n}]" for n in places), line)
            if piece in "[{":
                inside.append(piece)
                places.append(0)
        line += piece.count("\n")
        at += len(piece)
    return at


def _pieces(text: str, at: int) -> Iterator[str]:
    while found := _PIECE.match(text, at):
        yield found[0]
        at = found.end()
