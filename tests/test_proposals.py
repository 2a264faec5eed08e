"""Proposals of households: entered whole or not at all, each village its own, decided on, moved."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import models
from kiosk import own, proposals, staff, taking_back
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.household import Household
from kiosk.loket import Loket
from kiosk.office_file import load
from models import Application, Event, Member, Period, Proposal, Ticket, User, transaction
from tests.households import OTHER_VILLAGE, VILLAGE, household, households
from tests.people import MONDAY_NINE, PASSWORD
from tests.proposal_office import actor as who
from tests.proposal_office import lumajang, lumajang_home

__all__ = ["lumajang", "lumajang_home"]

NOW = MONDAY_NINE
SERVICE = "usulan"
ALL = proposals.Filter()


def add(loket: Loket, one: Household | None = None, by: str = "desa") -> int:
    return proposals.add(loket, SERVICE, one or household(), who(by), NOW)


def faults_of(loket: Loket, one: Household, by: str = "desa") -> dict[str, str]:
    with pytest.raises(Invalid) as invalid:
        add(loket, one, by)
    return invalid.value.fields


def do(loket: Loket, id_: int, action: str, by: str = "desa", **given: str) -> None:
    seq = Application.get_by_id(id_).seq
    texts = {name: [text] for name, text in given.items()}
    proposals.act(loket, id_, action, texts, who(by), seq, NOW + 60)


def happen(loket: Loket, ids: list[int], moment: str, by: str = "desa") -> int:
    with transaction():
        return proposals.happened(loket, ids, moment, NOW + 90, who(by))


def step_of(id_: int) -> str:
    return str(Application.get_by_id(id_).step)


def with_member(one: Household, n: int, **parts: str) -> Household:
    members = [dict(member) for member in one.members]
    members[n] |= parts
    return replace(one, members=tuple(members))


def kept() -> tuple[int, ...]:
    return tuple(table.select().count() for table in (Application, Proposal, Member, Event))


# ── Entering ──


def test_a_household_is_kept_under_lock_with_its_number_period_and_event(lumajang: Loket) -> None:
    id_ = add(lumajang)
    case = proposals.read(lumajang, id_, who("desa"), NOW)
    assert (case.number, case.period, case.step.id) == ("2026-000001", "2026-12", "input")
    assert [m.person["relation"] for m in case.members] == ["KEPALA KELUARGA", "ISTRI", "ANAK"]
    assert case.household.members[0]["village"] == "BADES"
    assert [(p.said.id, p.who) for p in case.passed] == [
        ("Permohonan diajukan", "Dewi Operator Desa")
    ]
    for member in Member.select():
        assert case.household.members[0]["nik"].encode() not in bytes(member.person_ct)
    assert Ticket.select().count() == 0


def test_the_head_comes_first_and_lends_the_others_their_address(lumajang: Loket) -> None:
    one = household()
    child = {**one.members[2], "address": "", "rt": "", "rw": ""}
    turned = replace(one, members=(child, one.members[1], one.members[0]))
    members = proposals.read(lumajang, add(lumajang, turned), who("desa"), NOW).household.members
    assert members[0]["relation"] == "KEPALA KELUARGA"
    assert members[1]["relation"] == "ANAK"
    assert members[1]["address"] == members[0]["address"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (lambda h: with_member(h, 0, nik="123"), "members.0.nik"),
        (lambda h: with_member(h, 1, relation="KEPALA KELUARGA"), "members.1.relation"),
        (lambda h: with_member(h, 0, relation="ANAK"), "members.0.relation"),
        (lambda h: with_member(h, 1, relation="TETANGGA"), "members.1.relation"),
        (lambda h: with_member(h, 2, kk="3508010000009999"), "members.2.kk"),
        (lambda h: with_member(h, 2, nik=h.members[0]["nik"]), "members.2.nik"),
        (lambda h: with_member(h, 0, name=""), "members.0.name"),
        (lambda h: with_member(h, 0, name="123"), "members.0.name"),
        (lambda h: with_member(h, 0, birth_date="1990-02-30"), "members.0.birth_date"),
        (lambda h: with_member(h, 0, birth_date=""), "members.0.birth_date"),
        (lambda h: with_member(h, 0, sex=""), "members.0.sex"),
        (lambda h: with_member(h, 0, pregnant="YA"), "members.0.pregnant"),
        (lambda h: with_member(h, 1, pregnant="MUNGKIN"), "members.1.pregnant"),
        (lambda h: with_member(h, 1, disability="LAIN"), "members.1.disability"),
        (lambda h: with_member(h, 1, job="X" * 61), "members.1.job"),
        (lambda h: replace(h, family_size=2), "family_size"),
        (lambda h: replace(h, family_size=0), "family_size"),
        (lambda h: replace(h, members=()), "members"),
        (lambda h: replace(h, purpose="beras"), "purpose"),
        (lambda h: replace(h, route="mandiri"), "route"),
        (lambda h: replace(h, village="Pasirian/Entah"), "village"),
        (lambda h: replace(h, village=OTHER_VILLAGE), "village"),
        (lambda h: replace(h, extra={"alasan": "x" * 201}), "extra.alasan"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept(
    lumajang: Loket, wrong: Callable[[Household], Household], field: str
) -> None:
    assert field in faults_of(lumajang, wrong(household()))
    assert kept() == (0, 0, 0, 0)


def test_a_person_is_proposed_once_a_period_and_the_fault_says_where_not_whose(
    lumajang: Loket,
) -> None:
    add(lumajang)
    taken = household().members[1]["nik"]
    again = with_member(household(7, village=OTHER_VILLAGE), 1, nik=taken)
    said = faults_of(lumajang, again, "desa_lain")["members.1.nik"]
    assert "2026-000001" in said
    assert VILLAGE in said
    assert household().members[1]["name"] not in said.upper()


def test_who_stands_in_an_open_proposal_is_not_proposed_for_the_next_period_too(
    lumajang: Loket,
) -> None:
    """The open one moves there by itself: the same person would stand in it twice."""
    early = NOW - 7 * 86400
    first = proposals.add(lumajang, SERVICE, household(), who("desa"), early)
    case = proposals.read(lumajang, first, who("desa"), early)
    assert case.period == "2026-11"
    assert case.number in faults_of(lumajang, household())["members.0.nik"]


def test_a_person_whose_proposal_has_ended_may_be_proposed_again(lumajang: Loket) -> None:
    first = add(lumajang)
    do(lumajang, first, "batal", reason="pindah")
    assert add(lumajang) != first


def test_many_are_kept_all_or_none_and_told_which_is_wrong(lumajang: Loket) -> None:
    many = [household(n) for n in range(1, 6)]
    bad = [*many[:3], with_member(many[3], 1, nik="1"), many[4]]
    with pytest.raises(Invalid) as invalid:
        proposals.add_many(lumajang, SERVICE, bad, who("desa"), NOW)
    assert set(invalid.value.fields) == {"households.3.members.1.nik"}
    assert kept() == (0, 0, 0, 0)
    told: list[tuple[int, int]] = []
    made = proposals.add_many(
        lumajang, SERVICE, many, who("desa"), NOW, lambda *at: told.append(at)
    )
    assert kept() == (5, 5, 15, 5)
    assert told[-1] == (5, 5)
    assert [Application.get_by_id(one).number for one in made] == [
        f"2026-{n:06}" for n in range(1, 6)
    ]


def test_two_households_of_one_upload_cannot_share_a_person(lumajang: Loket) -> None:
    one, two = household(1), household(2)
    two = with_member(two, 2, nik=one.members[0]["nik"])
    with pytest.raises(Invalid) as invalid:
        proposals.add_many(lumajang, SERVICE, [one, two], who("desa"), NOW)
    assert set(invalid.value.fields) == {"households.1.members.2.nik"}


PARTS = ("nik", "kk", "name", "relation", "sex", "birth_date")
SPOILED = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(0, 1), st.sampled_from(PARTS), st.sampled_from(["", "9"])
    ),
    max_size=3,
)


def test_a_household_is_never_half_stored(lumajang: Loket) -> None:
    """Whatever is wrong with some of four, the right ones are there with everybody, no other is."""

    @settings(max_examples=25, deadline=None)
    @given(SPOILED)
    def example(spoiled: list[tuple[int, int, str, str]]) -> None:
        many = list(households(4))
        for place, n, part, text in spoiled:
            many[place] = with_member(many[place], n, **{part: text})
        with transaction(), _undone():
            made, faults = proposals.take_right(
                lumajang, SERVICE, many, who("desa"), NOW, whole=False
            )
            right = [one for one, wrong in zip(many, faults, strict=True) if not wrong]
            assert len(right) == 4 - len({place for place, *_ in spoiled})
            stored = [
                proposals.read(lumajang, one, who("desa"), NOW).household.niks for one in made
            ]
            assert stored == [one.niks for one in right]
            assert Member.select().count() == sum(len(one.members) for one in right)

    example()


class _undone:
    """A savepoint that is rolled back, so that each example begins with nothing."""

    def __enter__(self) -> None:
        self._point = Application._meta.database.savepoint()
        self._point.__enter__()

    def __exit__(self, *fault: Any) -> None:
        self._point.rollback(False)
        self._point.__exit__(*fault)


def test_of_two_who_propose_the_same_person_at_once_one_is_told_so(lumajang: Loket) -> None:
    start = threading.Barrier(2)
    made: list[int] = []
    told: list[str] = []
    by = who("desa")

    def propose() -> None:
        with models.db.connection_context():
            start.wait()
            try:
                made.append(proposals.add(lumajang, SERVICE, household(), by, NOW))
            except Invalid as invalid:
                told.extend(invalid.fields)

    threads = [threading.Thread(target=propose) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert set(told) == {"members.0.nik", "members.1.nik", "members.2.nik"}
    assert kept() == (1, 1, 3, 1)


# ── Whose ──


def test_an_operator_sees_and_does_only_what_is_of_their_own_village(lumajang: Loket) -> None:
    id_, other = add(lumajang), who("desa_lain")
    with pytest.raises(NotFound):
        proposals.read(lumajang, id_, other, NOW)
    with pytest.raises(NotFound):
        proposals.act(lumajang, id_, "bawa", {}, other, 1, NOW)
    with pytest.raises(NotFound):
        proposals.change(lumajang, id_, household(), other, 1, NOW)
    outcome = proposals.act_all(lumajang, [id_], "bawa", {}, other, NOW)
    assert outcome == proposals.Outcome(0, (("", "Usulan ini tidak ada."),))
    asked = proposals.Filter(village=VILLAGE)
    assert proposals.listing(lumajang, SERVICE, other, asked, 1, NOW).total == 0
    assert proposals.listing(lumajang, SERVICE, who("supervisor"), asked, 1, NOW).total == 1


def test_who_has_nothing_to_do_with_proposals_finds_none(lumajang: Loket) -> None:
    id_ = add(lumajang)
    with pytest.raises(NotFound):
        proposals.read(lumajang, id_, who("admin"), NOW)
    with pytest.raises(NotFound):
        proposals.listing(lumajang, SERVICE, who("admin"), ALL, 1, NOW)


def test_a_role_of_one_village_needs_its_village(lumajang: Loket) -> None:
    profile = load("lumajang")
    with pytest.raises(Invalid) as invalid:
        staff.add_user(profile, "baru", "Baru", "operator_desa", PASSWORD, NOW)
    assert set(invalid.value.fields) == {"village"}
    made = staff.add_user(profile, "baru", "Baru", "supervisor", PASSWORD, NOW, village=VILLAGE)
    assert User.get_by_id(made).village == ""
    with pytest.raises(Invalid):
        staff.change_user(profile, made, who("admin"), NOW, active=True, role="operator_desa")
    staff.change_user(
        profile, made, who("admin"), NOW, active=True, role="operator_desa", village=VILLAGE
    )
    assert User.get_by_id(made).village == VILLAGE


# ── Changing ──


def test_a_change_keeps_what_dukcapil_said_of_those_who_stayed_as_they_were(
    lumajang: Loket,
) -> None:
    id_ = add(lumajang)
    Member.update(padan=100, padan_address=90, padan_source="Dukcapil", padan_at=NOW).execute()
    changed = with_member(household(), 1, name="NAMA LAIN")
    proposals.change(lumajang, id_, replace(changed, purpose="bpnt"), who("desa"), 1, NOW)
    case = proposals.read(lumajang, id_, who("desa"), NOW)
    assert [member.padan for member in case.members] == [100, None, 100]
    assert (case.household.purpose, case.seq) == ("bpnt", 2)
    assert case.passed[-1].said.id == "Data usulan diubah"


def test_a_change_upon_another_is_stale_and_one_too_late_is_refused(lumajang: Loket) -> None:
    id_ = add(lumajang)
    proposals.change(lumajang, id_, household(), who("desa"), 1, NOW)
    with pytest.raises(Stale):
        proposals.change(lumajang, id_, household(), who("desa"), 1, NOW)
    do(lumajang, id_, "bawa")
    with pytest.raises(NotAllowed):
        proposals.change(lumajang, id_, household(), who("desa"), 3, NOW)


def test_a_change_that_is_wrong_leaves_everything_as_it_was(lumajang: Loket) -> None:
    id_ = add(lumajang)
    with pytest.raises(Invalid):
        proposals.change(lumajang, id_, with_member(household(), 1, nik="1"), who("desa"), 1, NOW)
    assert proposals.read(lumajang, id_, who("desa"), NOW).household == household().tidied()
    assert kept() == (1, 1, 3, 1)


def test_a_proposal_given_back_is_mended_and_not_made_another_familys(lumajang: Loket) -> None:
    id_ = add(lumajang)
    Application.update(step="perbaikan").execute()
    with pytest.raises(Invalid) as invalid:
        proposals.change(lumajang, id_, household(7), who("desa"), 1, NOW)
    assert list(invalid.value.fields) == ["members.0.kk"]
    other_card = tuple({**member, "kk": "3508010000009999"} for member in household().members)
    proposals.change(lumajang, id_, replace(household(), members=other_card), who("desa"), 1, NOW)
    new_head = {**other_card[0], "nik": household(7).members[0]["nik"]}
    mended = replace(household(), members=(new_head, *other_card[1:]))
    proposals.change(lumajang, id_, mended, who("desa"), 2, NOW)
    assert Application.get_by_id(id_).seq == 3


# ── The way ──


def test_a_proposal_walks_from_the_village_to_its_end(lumajang: Loket) -> None:
    id_ = add(lumajang)
    do(lumajang, id_, "bawa")
    do(lumajang, id_, "layak", reason="rumah tidak layak huni")
    assert happen(lumajang, [id_], "berita_acara.frozen") == 1
    assert happen(lumajang, [id_], "berita_acara.signed") == 1
    do(lumajang, id_, "kirim", uploaded_on="2026-11-23", statement="benar")
    do(lumajang, id_, "kembalikan", "supervisor", reason="alamat kurang")
    assert proposals.read(lumajang, id_, who("desa"), NOW).clock.stopped
    assert proposals.read(lumajang, id_, who("desa"), NOW).can_change
    do(lumajang, id_, "kirim_ulang")
    do(lumajang, id_, "terima", "supervisor")
    do(lumajang, id_, "finalisasi", "supervisor")
    assert happen(lumajang, [id_], "pengesahan.frozen", "supervisor") == 1
    assert happen(lumajang, [id_], "pengesahan.signed", "supervisor") == 1
    do(lumajang, id_, "catat_unggah", "supervisor", uploaded_on="2026-11-24")
    row = Application.get_by_id(id_)
    assert (row.step, row.outcome, row.closed_at) == ("selesai", "done", NOW + 60)
    last = Event.select().where(Event.application == id_).order_by(Event.seq.desc()).first()
    assert (last.seq, last.to_step, last.due_at) == (row.seq, row.step, row.due_at)


def test_what_is_not_eligible_ends_with_the_signed_minutes(lumajang: Loket) -> None:
    id_ = add(lumajang)
    do(lumajang, id_, "bawa")
    with pytest.raises(Invalid):
        do(lumajang, id_, "tidak_layak")
    do(lumajang, id_, "tidak_layak", reason="mampu")
    verdict = proposals.read(lumajang, id_, who("desa"), NOW).verdict
    assert verdict
    assert (verdict.title.id, verdict.reason) == ("Musyawarah: tidak layak", "mampu")
    happen(lumajang, [id_], "berita_acara.frozen")
    happen(lumajang, [id_], "berita_acara.signed")
    assert Application.get_by_id(id_).outcome == "rejected"


def test_an_act_taken_back_gives_back_the_decision_that_was_there_before(lumajang: Loket) -> None:
    id_ = add(lumajang)
    do(lumajang, id_, "bawa")
    do(lumajang, id_, "tidak_layak", reason="mampu")

    def decided() -> tuple[str, str, str]:
        verdict = proposals.read(lumajang, id_, who("desa"), NOW).verdict
        assert verdict
        return verdict.title.id, verdict.reason, verdict.by

    before = decided()
    do(lumajang, id_, "ubah", reason="salah pilih")
    assert decided() != before
    seq = Application.get_by_id(id_).seq
    proposals.take_back(lumajang, id_, who("desa"), seq, NOW + 70)
    assert step_of(id_) == "tidak_layak_desa"
    assert decided() == before == ("Musyawarah: tidak layak", "mampu", "Dewi Operator Desa")


def test_with_every_act_taken_back_nothing_has_been_decided(lumajang: Loket) -> None:
    id_ = add(lumajang)
    do(lumajang, id_, "bawa")
    seq = Application.get_by_id(id_).seq
    proposals.take_back(lumajang, id_, who("desa"), seq, NOW + 70)
    assert proposals.read(lumajang, id_, who("desa"), NOW).verdict is None


def test_an_incomplete_household_is_not_taken_to_the_meeting_and_is_told_why(
    lumajang: Loket,
) -> None:
    id_ = add(lumajang, replace(household(), family_size=5))
    with pytest.raises(Invalid) as invalid:
        do(lumajang, id_, "bawa")
    assert "5 orang, tercatat 3" in invalid.value.fields["rules"]
    (mark,) = proposals.read(lumajang, id_, who("desa"), NOW).rules
    assert (mark.ok, mark.rule) == (False, "household_complete")


def test_a_frozen_sheet_that_is_drawn_up_again_sends_its_households_back(
    lumajang: Loket,
) -> None:
    ids = proposals.add_many(lumajang, SERVICE, list(households(3)), who("desa"), NOW)
    proposals.act_all(lumajang, ids, "bawa", {}, who("desa"), NOW)
    proposals.act_all(lumajang, ids[:2], "layak", {}, who("desa"), NOW)
    proposals.act_all(lumajang, ids[2:], "tidak_layak", {"reason": ["mampu"]}, who("desa"), NOW)
    assert happen(lumajang, ids, "berita_acara.frozen") == 3
    with transaction():
        assert proposals.unhappened(lumajang, ids, "berita_acara.frozen", NOW, who("desa")) == 3
        assert proposals.unhappened(lumajang, ids, "berita_acara.frozen", NOW, who("desa")) == 0
    assert [step_of(one) for one in ids] == ["layak_desa", "layak_desa", "tidak_layak_desa"]
    assert not taking_back.can_take_back(lumajang, Application.get_by_id(ids[0]), who("desa"), NOW)


def test_a_moment_moves_only_what_waits_for_it(lumajang: Loket) -> None:
    id_ = add(lumajang)
    assert happen(lumajang, [id_], "pengesahan.signed") == 0
    assert step_of(id_) == "input"
    with pytest.raises(NotFound):
        happen(lumajang, [id_, 999], "pengesahan.signed")


# ── Many at once ──


def test_an_act_on_many_is_done_to_all_but_those_that_are_refused(lumajang: Loket) -> None:
    many = list(households(5))
    many[2] = replace(many[2], family_size=9)
    ids = proposals.add_many(lumajang, SERVICE, many, who("desa"), NOW)
    do(lumajang, ids[4], "bawa")
    outcome = proposals.act_all(lumajang, ids, "bawa", {}, who("desa"), NOW + 60)
    assert outcome.done == 3
    assert {number for number, _ in outcome.refused} == {"2026-000003", "2026-000005"}
    assert [step_of(one) for one in ids].count("musyawarah") == 4
    for one in ids:
        row = Application.get_by_id(one)
        last = Event.get((Event.application == one) & (Event.seq == row.seq))
        assert (last.to_step, last.due_at, last.left_s) == (row.step, row.due_at, row.left_s)


def test_an_act_of_the_same_name_elsewhere_is_not_done_to_who_went_on(lumajang: Loket) -> None:
    """ "Batal" may be done here and there: what was ticked is done only where it was ticked."""
    first, second = proposals.add_many(lumajang, SERVICE, list(households(2)), who("desa"), NOW)
    Application.update(step="perbaikan").where(Application.id == second).execute()
    given = {"reason": ["pindah"]}
    ended = proposals.act_all(
        lumajang, [first, second], "batal", given, who("desa"), NOW, step="input"
    )
    assert (ended.done, [number for number, _ in ended.refused]) == (1, ["2026-000002"])
    assert (step_of(first), step_of(second)) == ("dibatalkan", "perbaikan")


def test_many_and_one_by_one_leave_the_same_rows(lumajang: Loket) -> None:
    first, second = proposals.add_many(
        lumajang, SERVICE, [household(1), household(2)], who("desa"), NOW
    )
    do(lumajang, first, "bawa")
    proposals.act_all(lumajang, [second], "bawa", {}, who("desa"), NOW + 60)
    one, two = Application.get_by_id(first), Application.get_by_id(second)
    for name in ("step", "seq", "budget_s", "due_at", "left_s", "closed_at", "outcome"):
        assert getattr(one, name) == getattr(two, name)


def test_nobody_decides_on_a_household_that_they_are_of(lumajang: Loket) -> None:
    ids = [add(lumajang, one) for one in households(3)]
    case = proposals.read(lumajang, ids[1], who("desa"), NOW)
    nik = case.household.members[-1]["nik"]
    staff.set_nik(lumajang, who("desa").id, nik, who("admin"), NOW)
    outcome = proposals.act_all(lumajang, ids, "bawa", {}, who("desa"), NOW + 60)
    assert (outcome.done, outcome.refused) == (2, ((case.number, own.OWN),))
    with pytest.raises(NotAllowed, match="milik Anda"):
        do(lumajang, ids[1], "bawa")
    assert [step_of(id_) == "input" for id_ in ids] == [False, True, False]


def test_what_was_asked_wrongly_for_all_is_done_to_none(lumajang: Loket) -> None:
    ids = proposals.add_many(lumajang, SERVICE, list(households(3)), who("desa"), NOW)
    with pytest.raises(Invalid) as invalid:
        proposals.act_all(lumajang, ids, "batal", {}, who("desa"), NOW)
    assert set(invalid.value.fields) == {"reason"}
    assert {step_of(one) for one in ids} == {"input"}


def test_a_proposal_named_twice_is_done_once(lumajang: Loket) -> None:
    id_ = add(lumajang)
    assert proposals.act_all(lumajang, [id_, id_], "bawa", {}, who("desa"), NOW).done == 1
    assert Application.get_by_id(id_).seq == 2


# ── Lists ──


def test_a_list_filters_counts_and_pages(lumajang: Loket) -> None:
    mine = proposals.add_many(lumajang, SERVICE, list(households(55)), who("desa"), NOW)
    add(lumajang, household(500, village=OTHER_VILLAGE), "desa_lain")
    proposals.act_all(lumajang, mine[:5], "bawa", {}, who("desa"), NOW)

    def shown(by: str, page: int = 1, **asked: str) -> proposals.Listing:
        return proposals.listing(lumajang, SERVICE, who(by), proposals.Filter(**asked), page, NOW)

    every = shown("supervisor")
    assert (every.total, every.pages, len(every.rows)) == (56, 2, 50)
    assert every.counts == {"input": 51, "musyawarah": 5}
    assert shown("supervisor", 9).page == 2
    assert shown("supervisor", step="musyawarah").total == 5
    assert shown("supervisor", village=OTHER_VILLAGE).total == 1
    assert shown("supervisor", period="2026-11").total == 0
    assert shown("desa", village=OTHER_VILLAGE).total == 0
    row = every.rows[0]
    assert (row.members, row.village, "•" in row.nik) == (3, OTHER_VILLAGE, True)
    assert len(proposals.ids(lumajang, SERVICE, who("desa"), proposals.Filter(step="input"))) == 50


def test_a_proposal_is_found_by_number_name_and_any_members_nik(lumajang: Loket) -> None:
    proposals.add_many(lumajang, SERVICE, list(households(9)), who("desa"), NOW)
    wanted = household(4, 3)

    def found(text: str) -> list[str]:
        listing = proposals.listing(
            lumajang, SERVICE, who("desa"), proposals.Filter(text=text), 1, NOW
        )
        return [row.number for row in listing.rows]

    assert found("2026-4") == ["2026-000004"]
    assert found(wanted.members[1]["nik"]) == ["2026-000004"]
    assert found(wanted.members[0]["kk"]) == ["2026-000004"]
    assert "2026-000004" in found(wanted.members[0]["name"].lower())
    assert found("2026-99") == found("TIDAK ADA ORANGNYA") == []


def test_the_periods_code_is_the_one_that_takes_proposals_now(lumajang: Loket) -> None:
    add(lumajang)
    assert [period.code for period in Period.select().join(Proposal)] == ["2026-12"]
