"""README and docs/ say what is there: rooms, addresses, commands, links, columns of the API."""

import re
from pathlib import Path

import click
import pytest
from flask import Flask

from kiosk import institutions
from views.cli import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _commands(group: click.Group, before: str) -> set[str]:
    found = set()
    for name, command in group.commands.items():
        said = f"{before} {name}"
        found |= _commands(command, said) if isinstance(command, click.Group) else {said}
    return found


def test_every_room_and_every_document_has_its_place_in_readme() -> None:
    rooms = {path.name for path in (ROOT / "kiosk").glob("*.py")} - {"__init__.py"}
    assert rooms - set(re.findall(r"\w+\.py", README)) == set()
    named = set(re.findall(r"\b(\w+\.py)\b", README))
    known = {path.name for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    assert named - known == set()
    documents = {path.name for path in (ROOT / "docs").iterdir() if path.is_file()}
    assert {name for name in documents if f"(docs/{name})" not in README} == set()


def test_every_address_in_readme_is_answered(app: Flask) -> None:
    table = README.partition("## Addresses")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    said = {address for cell in cells for address in re.findall("`([^`]+)`", cell)}
    rules = {re.sub("<[^>]+>", "<>", rule.rule) for rule in app.url_map.iter_rules()}
    assert {address for address in said if re.sub("<[^>]+>", "<>", address) not in rules} == set()


def test_every_command_is_in_readme_and_its_help_is_not_cut_off() -> None:
    said = set(re.findall(r"^(loket15 [a-z-]+(?: [a-z]+)?)\b", README, re.M))
    assert said == _commands(main, "loket15")
    for group in (main, *main.commands.values()):
        if isinstance(group, click.Group):
            listed = group.get_help(click.Context(group)).partition("Commands:")[2]
            assert "..." not in listed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text()
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall("^#+ (.+)$", text, re.M)
    }
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings
        elif "://" not in target:
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_the_batch_api_is_documented_with_its_columns_and_limits() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    for column in (*institutions.HEADINGS, *institutions.CODE_COLUMNS):
        assert f"`{column}`" in page
    for limit in (institutions.MOST_CODES, institutions.CODES_A_DAY):
        assert f"{limit:,} codes" in page


def test_every_licence_that_readme_names_lies_beside_what_it_is_for() -> None:
    table = README.partition("## Licences")[2]
    rows = re.findall(r"^\| `([^`]+)`.*\| [^|]*`([\w./-]+)`[^|]*\|$", table, re.M)
    assert len(rows) == 6
    for what, licence in rows:
        assert (ROOT / what).exists()
        assert any((folder / licence).is_file() for folder in (ROOT, ROOT / what)), licence
