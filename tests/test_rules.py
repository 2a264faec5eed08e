"""The named conditions of an office's file: where each holds, and what it says where not."""

from dataclasses import replace
from typing import get_args

import pytest

from kiosk.rules import RULES, TITLES, Facts, Person, refusals
from kiosk.service import Padan, Rule

HEAD = Person(1, "3508010000000001", True, False, padan=100, padan_address=90)
WIFE = Person(2, "3508010000000001", False, False, padan=100, padan_address=80)
GOOD = Facts(programme="pkh", members=(HEAD, WIFE), family_size=2, padan=Padan(), village="BADES")


def household(*members: Person, **over: object) -> Facts:
    return replace(GOOD, members=members, **over)  # type: ignore[arg-type]


def test_every_rule_of_the_schema_has_its_function_and_its_title() -> None:
    assert set(RULES) == set(TITLES) == set(get_args(Rule))


def test_nothing_is_said_of_a_household_that_keeps_all_rules() -> None:
    assert refusals(RULES, GOOD) == {}


@pytest.mark.parametrize(
    ("rule", "facts", "said"),
    [
        ("not_in_register", household(HEAD, replace(WIFE, in_register=True)), "anggota 2"),
        ("not_receiving", household(replace(HEAD, programmes=("BPNT", "PKH")), WIFE), "anggota 1"),
        ("population_padan", household(HEAD, replace(WIFE, padan=99)), "anggota 2 99%"),
        ("population_padan", household(replace(HEAD, padan=None), WIFE), "belum dipadankan"),
        ("address_padan", household(HEAD, replace(WIFE, padan_address=79)), "kurang dari 80%"),
        ("address_padan", household(replace(HEAD, padan_address=None)), "belum dipadankan"),
        ("household_complete", household(WIFE), "Kepala keluarga"),
        ("household_complete", household(HEAD, replace(WIFE, is_head=True)), "tercatat 2"),
        ("household_complete", household(HEAD, replace(WIFE, kk="3508010000000002")), "nomor KK"),
        ("household_complete", household(HEAD, WIFE, family_size=4), "4 orang, tercatat 2"),
        ("rank_within_limit", Facts(rank=5, max_rank=4, rank_label="Desil"), "Desil 5 di atas"),
        ("rank_within_limit", Facts(max_rank=4, rank_label="Desil"), "Desil belum diketahui"),
    ],
)
def test_a_rule_that_does_not_hold_says_why(rule: Rule, facts: Facts, said: str) -> None:
    assert said in refusals([rule], facts)[rule]


def test_the_percentages_are_the_files() -> None:
    low = household(replace(HEAD, padan=90, padan_address=50), padan=Padan(population_percent=90))
    assert list(refusals(["population_padan", "address_padan"], low)) == ["address_padan"]


@pytest.mark.parametrize("written", ["PBI-JK", "PBI JKN", "pbi_jk"])
def test_a_programme_is_known_in_each_way_it_is_written(written: str) -> None:
    facts = household(replace(HEAD, programmes=(written,)), programme="pbi_jk")
    assert refusals(["not_receiving"], facts)
    assert not refusals(["not_receiving"], replace(facts, programme="pkh"))


def test_a_purpose_without_a_limit_asks_for_no_rank() -> None:
    assert refusals(["rank_within_limit"], Facts()) == {}
