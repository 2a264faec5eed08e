"""Taking back one's own last act: what stands again, and what has left the house for good."""

from collections.abc import Callable

import pytest

from kiosk import desk, taking_back
from kiosk.errors import NotAllowed
from kiosk.loket import Loket
from models import Event
from tests.conftest import Clock, actor
from tests.letters import act, to_step

Submit = Callable[..., int]


def test_taking_back_a_correction_gives_the_data_back_too(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    before = loket.vault.unlock_json("given", desk.find(id_).given_ct)
    sent = {f"person.{part}": text for part, text in before.items()}
    act(loket, clock, id_, "front_office", "perbaiki", **sent | {"person.name": "SITI AMINAH LAIN"})
    assert loket.vault.unlock_json("given", desk.find(id_).given_ct)["name"] == "SITI AMINAH LAIN"
    taking_back.take_back(loket, id_, actor("front_office"), desk.find(id_).seq, clock.tick(30))
    assert loket.vault.unlock_json("given", desk.find(id_).given_ct) == before


def test_a_fresh_act_can_be_taken_back_and_both_stay_in_the_history(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    act(loket, clock, id_, "front_office", "lengkap")
    lilis = actor("front_office")
    back = taking_back.take_back(loket, id_, lilis, desk.find(id_).seq, clock.tick(30))
    assert back.step == "berkas"
    assert [event.action for event in Event.select().order_by(Event.id)] == [
        "diajukan", "lengkap", "ditarik",
    ]  # fmt: skip
    with pytest.raises(NotAllowed):
        taking_back.take_back(loket, id_, lilis, desk.find(id_).seq, clock.at)


@pytest.mark.parametrize(("seconds", "role"), [(121, "front_office"), (30, "sekretariat")])
def test_an_old_act_or_another_persons_cannot_be_taken_back(
    loket: Loket, clock: Clock, submit: Submit, seconds: int, role: str
) -> None:
    id_ = submit(loket)
    act(loket, clock, id_, "front_office", "lengkap")
    with pytest.raises(NotAllowed):
        taking_back.take_back(loket, id_, actor(role), desk.find(id_).seq, clock.tick(seconds))


def test_a_signature_cannot_be_taken_back(loket: Loket, clock: Clock, submit: Submit) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    with pytest.raises(NotAllowed):
        taking_back.take_back(loket, id_, actor("kepala_dinas"), desk.find(id_).seq, clock.at)
