"""A visit at the kiosk: its way, its limits, its end."""

from dataclasses import replace

import pytest

from kiosk import staff, visit
from kiosk.errors import Invalid, NotFound
from kiosk.loket import Loket
from kiosk.population import DEMO_PERSON
from kiosk.visit import OpenVisit, State
from models import Application, PrintJob, Ticket, Visit
from tests.conftest import MONDAY_NINE, Clock
from tests.letters import to_step
from tests.test_desk import Submit, at_once

UNKNOWN = "3602014708900099"
OTHER_KK = "3602111111119999"


class Citizen:
    """Somebody in front of a kiosk, who answers one screen after the other."""

    def __init__(self, loket: Loket, clock: Clock, device: int = 0) -> None:
        self.loket, self.clock = loket, clock
        self.device = device or a_kiosk("Kios 1", clock.at)
        self.token, self.visit = visit.start(loket, self.device, "sk_dtks", clock.at)

    @property
    def screen(self) -> str:
        return self.visit.state.screen

    @property
    def state(self) -> State:
        return self.visit.state

    def answer(self, screen: str, **given: str | list[str]) -> "Citizen":
        lists = {name: [v] if isinstance(v, str) else v for name, v in given.items()}
        # As the browser does: each answer is to the visit as the server finds it.
        current = self.seen() or self.visit
        self.visit = visit.answer(self.loket, current, screen, lists, self.clock.at)
        return self

    def agree(self) -> "Citizen":
        return self.answer("about").answer("priority", priority="").answer("consent")

    def type_pair(self, nik: str = DEMO_PERSON.nik, kk: str = DEMO_PERSON.kk) -> "Citizen":
        return self.answer("nik", nik=nik).answer("kk", kk=kk)

    def back(self) -> OpenVisit | None:
        return visit.back(self.loket, self.visit, self.screen, self.clock.at)

    def seen(self) -> OpenVisit | None:
        """The visit as the server finds it now."""
        return visit.find(self.loket, self.token, self.device, self.clock.at)


def a_kiosk(name: str, now: int) -> int:
    device, _ = staff.enrol(staff.add_device(name, "kiosk", now), now)
    return device.id


@pytest.fixture
def citizen(loket: Loket, clock: Clock) -> Citizen:
    return Citizen(loket, clock)


def test_a_person_in_the_register_walks_from_touch_to_ticket(citizen: Citizen) -> None:
    citizen.answer("about").answer("priority", priority="lansia").answer("consent")
    citizen.type_pair().answer("purpose", purpose="kip_kuliah")
    assert citizen.screen == "check"
    assert ("Nama", "SITI AMINAH") in visit.own_rows(citizen.state)
    assert ("NIK", "3602 01•• •••• 0001") in visit.own_rows(citizen.state)
    citizen.answer("check", correct="yes")
    assert citizen.screen == "ticket"
    made = Application.get_by_id(citizen.state.application)
    assert (made.purpose, made.priority, made.in_snapshot) == ("kip_kuliah", "lansia", True)
    assert Ticket.get().priority


def test_after_the_ticket_the_visit_holds_nothing_of_the_person(citizen: Citizen) -> None:
    citizen.agree().type_pair().answer("purpose", purpose="pip").answer("check", correct="yes")
    left = citizen.state
    assert left == State("ticket", service="sk_dtks", application=left.application)


def test_what_is_wrong_reaches_the_desk(citizen: Citizen, loket: Loket) -> None:
    citizen.agree().type_pair().answer("purpose", purpose="pip").answer("check", correct="no")
    with pytest.raises(Invalid):
        citizen.answer("wrong")
    citizen.answer("wrong", wrong=["address", "no-such-part"]).answer("note", note="KP.  CIPUTRI")
    made = Application.get_by_id(citizen.state.application)
    remark = loket.vault.unlock_json("remark", made.remark_ct)
    assert remark == {"rows": ["address"], "note": "KP. CIPUTRI"}


@pytest.mark.parametrize(
    "nik", ["", "360201470890000", "36020147089000011", "3602019908900001", "3602013002900001"]
)
def test_an_impossible_nik_is_refused_and_costs_no_try(citizen: Citizen, nik: str) -> None:
    citizen.agree()
    with pytest.raises(Invalid) as fault:
        citizen.answer("nik", nik=nik)
    assert list(fault.value.fields) == ["nik"]
    assert nik not in str(fault.value) or not nik
    assert Visit.get().attempts == 0


def test_a_wrong_pair_and_an_unknown_person_leave_the_same_state(
    loket: Loket, clock: Clock
) -> None:
    first = Citizen(loket, clock).agree().type_pair(kk=OTHER_KK)
    second = Citizen(loket, clock, first.device).agree().type_pair(nik=UNKNOWN, kk=OTHER_KK)
    assert first.screen == "notfound"
    assert replace(first.state, nik="") == replace(second.state, nik="")


def test_the_fifth_wrong_try_ends_at_the_counter_with_nothing_kept(citizen: Citizen) -> None:
    citizen.agree()
    for left in (4, 3, 2, 1):
        citizen.type_pair(kk=OTHER_KK)
        assert (citizen.screen, citizen.state.left) == ("notfound", left)
        citizen.answer("notfound", choice="again")
        assert (citizen.state.nik, citizen.state.kk) == ("", "")
    citizen.type_pair(kk=OTHER_KK)
    assert citizen.state == State("counter")
    citizen.answer("nik", nik=DEMO_PERSON.nik)
    assert citizen.state == State("counter")


def test_going_back_wins_no_further_tries(citizen: Citizen) -> None:
    citizen.agree()
    for _ in range(8):
        if citizen.screen == "notfound":
            again = citizen.back()
            assert again is not None
            citizen.visit = again
        citizen.type_pair(kk=OTHER_KK)
    assert citizen.screen == "counter"
    assert Visit.get().attempts == 5


def test_an_answer_sent_again_is_an_echo_and_costs_no_try(
    citizen: Citizen, loket: Loket, clock: Clock
) -> None:
    asked = citizen.agree().answer("nik", nik=DEMO_PERSON.nik).visit
    answers = [
        visit.answer(loket, asked, "kk", {"kk": [kk]}, clock.at).state.screen
        for kk in (OTHER_KK, OTHER_KK, DEMO_PERSON.kk)
    ]
    assert answers == ["notfound"] * 3
    assert Visit.get().attempts == 1


def test_six_scans_at_once_print_one_letter(loket: Loket, clock: Clock, submit: Submit) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    _, scanning = visit.start(loket, a_kiosk("Kios 9", clock.at), "print", clock.at)
    code = {"code": [Ticket.get().token]}
    assert at_once(6, lambda _: visit.answer(loket, scanning, "scan_print", code, clock.at)) == []
    assert PrintJob.select().where(PrintJob.kind == "letter").count() == 1


def test_a_device_has_thirty_tries_in_ten_minutes(loket: Loket, clock: Clock) -> None:
    device = a_kiosk("Kios 1", clock.at)
    for _ in range(30):
        assert Citizen(loket, clock, device).agree().type_pair(kk=OTHER_KK).screen == "notfound"
    assert Citizen(loket, clock, device).agree().type_pair().screen == "counter"
    assert (
        Citizen(loket, clock, a_kiosk("Kios 2", clock.at)).agree().type_pair().screen == "purpose"
    )
    clock.tick(601)
    assert Citizen(loket, clock, device).agree().type_pair().screen == "purpose"


def test_who_is_not_found_goes_on_by_hand(citizen: Citizen) -> None:
    citizen.agree().type_pair(nik=UNKNOWN, kk=OTHER_KK).answer("notfound", choice="manual")
    citizen.answer("name", name="siti  aminah").answer("birth", birth="07081990")
    citizen.answer("address", address="kp. cikumpay rt 010/007")
    assert citizen.screen == "purpose"
    assert visit.birth_digits(citizen.state) == "07081990"
    citizen.answer("purpose", purpose="pip").answer("check", correct="yes")
    made = Application.get_by_id(citizen.state.application)
    given = citizen.loket.vault.unlock_json("given", made.given_ct)
    assert not made.in_snapshot
    assert given["name"] == "SITI AMINAH"
    assert given["birth_date"] == "1990-08-07"
    assert given["address"] == "KP. CIKUMPAY RT 010/007"
    assert given["nik"] == UNKNOWN


@pytest.mark.parametrize(
    ("screen", "given"),
    [
        ("name", {"name": "."}),
        ("birth", {"birth": "31021990"}),
        ("birth", {"birth": "0708199"}),
        ("birth", {"birth": "24112026"}),
        ("birth", {"birth": "01011850"}),
        ("address", {"address": "KP"}),
        ("purpose", {"purpose": "lotere"}),
        ("priority", {"priority": "raja"}),
    ],
)
def test_an_answer_that_cannot_be_is_refused(
    citizen: Citizen, loket: Loket, clock: Clock, screen: str, given: dict[str, str]
) -> None:
    shown = replace(citizen.visit, state=State(screen, service="sk_dtks"))
    lists = {name: [value] for name, value in given.items()}
    with pytest.raises(Invalid) as fault:
        visit.answer(loket, shown, screen, lists, clock.at)
    assert list(fault.value.fields) == list(given)


def test_an_echo_of_an_earlier_tap_changes_nothing(citizen: Citizen) -> None:
    citizen.agree().type_pair()
    before = citizen.state
    citizen.answer("about").answer("kk", kk=OTHER_KK).answer("nonsense")
    assert citizen.state == before


def test_confirming_three_times_gives_one_application(citizen: Citizen) -> None:
    citizen.agree().type_pair().answer("purpose", purpose="pip")
    confirmed = citizen.visit
    for _ in range(3):
        citizen.visit = confirmed
        citizen.answer("check", correct="yes")
    assert Application.select().count() == Ticket.select().count() == 1


def test_back_walks_the_way_and_ends_before_its_start(citizen: Citizen) -> None:
    citizen.agree().type_pair().answer("purpose", purpose="pip").answer("check", correct="no")
    walked = []
    while (before := citizen.back()) is not None:
        citizen.visit = before
        walked.append(citizen.screen)
    assert walked == ["check", "purpose", "kk", "nik", "consent", "priority", "about"]


def test_progress_counts_the_screens_of_this_way() -> None:
    assert visit.progress(State("about")) == (1, 7)
    assert visit.progress(State("notfound")) == (5, 7)
    assert visit.progress(State("note")) == (7, 7)
    assert visit.progress(State("address", by_hand=True)) == (8, 10)
    assert visit.progress(State("ticket")) is None


def test_ending_wipes_and_a_late_answer_does_not_bring_it_back(citizen: Citizen) -> None:
    citizen.agree().type_pair()
    visit.end(citizen.visit.id, citizen.clock.at)
    citizen.answer("purpose", purpose="pip")
    row = Visit.get()
    assert (row.state_ct, row.token_hash, row.ended_at) == (None, None, MONDAY_NINE)
    assert citizen.seen() is None


def test_a_visit_is_found_only_at_its_own_kiosk(citizen: Citizen, clock: Clock) -> None:
    assert citizen.seen() is not None
    other = a_kiosk("Kios 2", clock.at)
    assert visit.find(citizen.loket, citizen.token, other, clock.at) is None


def test_a_visit_left_alone_is_wiped_when_next_seen(citizen: Citizen, clock: Clock) -> None:
    citizen.agree().type_pair()
    clock.tick(179)
    assert citizen.seen() is not None
    visit.touch(citizen.visit, clock.at)
    clock.tick(179)
    assert citizen.seen() is not None
    clock.tick(1)
    assert citizen.seen() is None
    assert Visit.get().state_ct is None


def test_a_new_visit_sweeps_those_that_were_left(citizen: Citizen, clock: Clock) -> None:
    citizen.agree().type_pair()
    clock.tick(180)
    Citizen(citizen.loket, clock, citizen.device)
    assert [row.state_ct is None for row in Visit.select().order_by(Visit.id)] == [True, False]


def test_the_row_holds_the_state_under_lock(citizen: Citizen) -> None:
    citizen.agree().type_pair()
    blob = bytes(Visit.get().state_ct)
    assert DEMO_PERSON.nik.encode() not in blob
    assert DEMO_PERSON.name.encode() not in blob
    assert citizen.token not in str(Visit.select().dicts().get())


def test_a_reprint_keeps_the_number_and_stops_at_two(citizen: Citizen, clock: Clock) -> None:
    citizen.agree().type_pair().answer("purpose", purpose="pip").answer("check", correct="yes")
    for _ in range(4):
        clock.tick(15)
        citizen.visit = visit.reprint(citizen.loket, citizen.visit, clock.at)
    assert PrintJob.select().count() == 3
    assert Ticket.select().count() == 1


def scanning(loket: Loket, clock: Clock, choice: str, code: str) -> OpenVisit:
    device = a_kiosk(f"Kios {choice} {clock.tick(1)}", clock.at)
    _, made = visit.start(loket, device, choice, clock.at)
    return visit.answer(loket, made, f"scan_{choice}", {"code": [code]}, clock.at)


def test_a_scanned_ticket_shows_where_the_application_is(citizen: Citizen, clock: Clock) -> None:
    citizen.agree().type_pair().answer("purpose", purpose="pip").answer("check", correct="yes")
    address = citizen.loket.status_url(Ticket.get().token)
    shown = scanning(citizen.loket, clock, "status", address)
    assert (shown.state.screen, shown.state.token) == ("status", Ticket.get().token)
    asked = scanning(citizen.loket, clock, "print", f"{address}/")
    assert (asked.state.screen, asked.state.outcome) == ("printing", "not_ready")


@pytest.mark.parametrize("choice", ["status", "print"])
def test_an_unknown_code_is_refused(loket: Loket, clock: Clock, choice: str) -> None:
    with pytest.raises(Invalid) as fault:
        scanning(loket, clock, choice, "http://loket.test/t/tidakada")
    assert "code" in fault.value.fields


def test_an_unknown_service_is_not_found(loket: Loket, clock: Clock) -> None:
    with pytest.raises(NotFound):
        visit.start(loket, a_kiosk("Kios 1", clock.at), "sk_gaib", clock.at)
