"""docs/office-file.md: the guide to the office's file, from the definitions that check it. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping

from kiosk import office_keys
from kiosk.office_file import OFFICES
from kiosk.office_keys import GUIDE, Key, Table
from kiosk.rules import RULES

# The example of a table comes from the first of these files that has one.
EXAMPLES = ("lebak", "baubau", "binjai", "lumajang", "bangkalan")
LONGEST_EXAMPLE = 14


def document() -> str:
    """The whole page, as Markdown."""
    said = office_keys.meanings()
    parts = {
        "service": (GUIDE / "service.toml").read_text().strip(),
        "register": (GUIDE / "register.toml").read_text().strip(),
        "found": (GUIDE / "found.toml").read_text().strip(),
        "kinds": _grid(("kind", "asks"), _named(said["kinds"])),
        "rules": _grid(("rule", "holds when"), _named(_rules())),
        "parts": "\n\n".join(_wordings(said)),
        "tables": "\n".join(_tables()),
    }
    page = (GUIDE / "office_file.md").read_text()
    for name, text in parts.items():
        page = page.replace(f"{{{{ {name} }}}}", text)
    return page


def _rules() -> dict[str, str]:
    return {name: " ".join((rule.__doc__ or "").split()) for name, rule in RULES.items()}


def _wordings(said: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    kinds = (
        ("Letters", "parts", " Besides: the fields of acts with `record_check`, by their names."),
        ("Numbers", "number_parts", ""),
        ("Sheets over many proposals", "bundle_parts", ""),
    )
    for heading, part, more in kinds:
        listed = ", ".join(f"`{{{name}}}` {what}" for name, what in said[part].items())
        yield f"{heading}: {listed}.{more}"


def _named(meanings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((f"`{name}`", meaning) for name, meaning in meanings.items())


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _tables() -> Iterator[str]:
    for table in office_keys.tables():
        root = table.name == "Profile"
        yield f"### {'The file' if root else table.name}\n"
        if not root:
            places = ", ".join(f"`{place}`" for place in table.places)
            yield f"{places}\n\n{_about(table)}\n" if table.about else f"{places}\n"
        yield _grid(("key", "what stands there", "meaning"), (_row(key) for key in table.keys))
        example = _example(table)
        yield f"\n```toml\n{example}\n```\n" if example else ""


def _about(table: Table) -> str:
    return "\n\n".join(" ".join(part.split()) for part in table.about.split("\n\n"))


def _row(key: Key) -> tuple[str, str, str]:
    default = f"; left out: `{key.default}`" if key.default else ""
    name = f"**`{key.name}`**" if key.required else f"`{key.name}`"
    return name, key.kind + default, key.meaning


def _example(table: Table) -> str:
    """The first such table of the offices' files, with the lists that stand in it cut short."""
    for name in EXAMPLES:
        file = OFFICES / f"{name}.toml"
        text = file.read_text() if file.exists() else ""
        for place in table.places:
            found = _under(text, place, table) or _inline(text, place)
            if found:
                return found
    return ""


def _under(text: str, place: str, table: Table) -> str:
    """What stands under this header, up to the next one."""
    for found in re.finditer(rf"^{re.escape(place)}\n(.*?)(?=^\[|\Z)", text, re.M | re.S):
        lines = [line for line in found[1].splitlines() if line and not line.startswith("#")]
        # `services` is both kinds of service: only the right one's keys are an example of it.
        if table.name == "ProposalService" and 'kind = "proposal"' not in lines:
            continue
        if table.name == "LetterService" and 'kind = "proposal"' in lines:
            continue
        more = ["# …"] if len(lines) > LONGEST_EXAMPLE else []
        return "\n".join([place, *_whole(lines[:LONGEST_EXAMPLE]), *more])
    return ""


def _whole(lines: list[str]) -> list[str]:
    """Without a list that is cut off in its middle."""
    while "\n".join(lines).count("[") != "\n".join(lines).count("]"):
        lines = lines[:-1]
    return lines


def _inline(text: str, place: str) -> str:
    """`time = { … }`, or the list of such tables."""
    path, _, key = place.strip("[]").rpartition(".")
    found = re.search(rf"^{key} = (\{{[^\n]*\}}|\[\n    \{{.*?\n\])$", text, re.M | re.S)
    if not found or "\n\n" in found[0]:
        return ""
    header = f"# in [{path}]\n" if path else ""
    return header + found[0]
