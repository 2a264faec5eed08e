"""docs/standards.md: each numbered step of the five published standards, the steps of the office's
file that carry it out, and the tests that walk it.

    python -m scripts.standards > docs/standards.md
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from kiosk.office_file import load
from kiosk.service import ProposalService, Service
from kiosk.standard import Numbered, Standard, Stop, read

ROOT = Path(__file__).resolve().parent.parent
OFFICES = ("lebak", "baubau", "bangkalan", "lumajang", "binjai")
TESTS = tomllib.loads((ROOT / "docs" / "standards.toml").read_text())
HEAD = """# The five service standards

Each numbered step of each published standard, the steps and sheets of the office's file that carry
it out, and the tests that walk them. A step in another's system says who does it and what is
recorded here. Made from `kiosk/offices/` and `docs/standards.toml`; do not edit:
`python -m scripts.standards > docs/standards.md`.

"""


def document() -> str:
    """The whole page, as Markdown."""
    return HEAD + "\n".join(line for office in OFFICES for line in _office(office))


def _office(name: str) -> Iterator[str]:
    profile = load(name)
    for service in profile.services:
        standard = read(profile, service)
        published = service.published
        yield f"## {profile.office.name}: {published.title}\n"
        yield f"`kiosk/offices/{name}.toml`, service `{service.id}`.\n"
        yield f"Time published: {published.time}. In the file: {_time(service)}.\n"
        yield "| published step | in the office's file | tests |\n| --- | --- | --- |"
        yield from (row for one in standard.procedure for row in _rows(name, one))
        yield "\n| published requirement | tests |\n| --- | --- |"
        for number, text in enumerate(published.requirements, 1):
            yield f"| {number}. {text} | {_tests(TESTS[name]['requirements'][str(number)])} |"
        yield f"\nBeyond the standard: {_beyond(standard)}.\n"


def _time(service: Service) -> str:
    time = service.time
    least = f"{time.least} to " if time.least else ""
    from_file = ", from the complete file" if service.step(service.start).stops_clock else ""
    return f"{least}{time.amount} `{time.unit}`{from_file}"


def _rows(office: str, one: Numbered) -> Iterator[str]:
    """A row a number, or one a letter where its text has lettered parts that the mapping names."""
    tests = TESTS[office]["procedure"]
    parts = [key for key in tests if re.fullmatch(rf"{one.number}[a-z]", key)]
    for key in parts or [str(one.number)]:
        steps = TESTS[office].get("parts", {}).get(key)
        stops = [stop for stop in one.stops if steps is None or stop.id in steps]
        yield f"| {key}. {_text(one.text, key)} | {_where(one, stops)} | {_tests(tests[key])} |"


def _text(text: str, key: str) -> str:
    """The text of a number, or of its lettered part."""
    if key[-1].isalpha():
        found = re.search(rf"\s{key[-1]}\. (.*?)(?=\s[a-z]\. |$)", text)
        text = found[1] if found else text
    return " ".join(text.split()).strip(" ;")


def _where(one: Numbered, stops: list[Stop]) -> str:
    said = [f"`{stop.id}` {_roles(stop)}" for stop in stops]
    said += [f"sheet `{sheet.id}` ({', '.join(r.id for r in sheet.roles)})" for sheet in one.sheets]
    said += [f"*{other.who}*; recorded: {other.recorded}" for other in one.elsewhere]
    return "<br>".join(said)


def _roles(stop: Stop) -> str:
    return f"({', '.join(role.id for role in stop.roles)})" if stop.roles else "(end)"


def _tests(names: list[str]) -> str:
    return "<br>".join(f"`{name}`" for name in names)


def _beyond(standard: Standard) -> str:
    sheets = standard.service.bundles if isinstance(standard.service, ProposalService) else ()
    alone = [f"sheet `{sheet.id}`" for sheet in sheets if not sheet.standard]
    return ", ".join([f"`{stop.id}`" for stop in standard.beyond] + alone)


if __name__ == "__main__":
    sys.stdout.write(document())
