"""docs/standards.md leaves no numbered step out, and every test that it names exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from kiosk.office_file import OFFICES, load
from scripts import standards

ROOT = Path(__file__).resolve().parent.parent


@cache
def known(module: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / f"{module}.py").read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_page_is_fresh() -> None:
    """Where this fails: python -m scripts.standards > docs/standards.md"""
    assert (ROOT / "docs" / "standards.md").read_text() == standards.document()


def test_every_office_of_ours_is_there() -> None:
    assert (
        set(standards.OFFICES) == set(standards.TESTS) == {f.stem for f in OFFICES.glob("*.toml")}
    )


@pytest.mark.parametrize("office", standards.OFFICES)
def test_every_number_and_every_requirement_is_walked_by_a_test(office: str) -> None:
    service = load(office).services[0]
    walked = standards.TESTS[office]
    numbers = {re.match(r"\d+", key)[0] for key in walked["procedure"]}  # type: ignore[index]
    assert numbers == {str(n + 1) for n in range(len(service.published.procedure))}
    assert set(walked["requirements"]) == {
        str(n + 1) for n in range(len(service.published.requirements))
    }
    assert [
        key for part in ("procedure", "requirements") for key, t in walked[part].items() if not t
    ] == []


@pytest.mark.parametrize("office", standards.OFFICES)
def test_every_test_that_is_named_exists(office: str) -> None:
    for part in ("procedure", "requirements"):
        for names in standards.TESTS[office][part].values():
            for name in names:
                module, test = name.split("::")
                assert test in known(module), name


@pytest.mark.parametrize("office", standards.OFFICES)
def test_lettered_parts_are_whole_and_their_steps_are_the_numbers(office: str) -> None:
    service = load(office).services[0]
    parts = standards.TESTS[office].get("parts", {})
    for number, text in enumerate(service.published.procedure, 1):
        steps = {step.id for step in service.steps if number in step.standard}
        of_parts = {s for key, found in parts.items() if key[:-1] == str(number) for s in found}
        if of_parts:
            assert of_parts == steps
            letters = set(re.findall(r"(?:^|\s)([a-d])\. ", text))
            assert {key[-1] for key in parts if key[:-1] == str(number)} == letters
