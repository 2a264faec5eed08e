"""Letters in tests: from the front desk to a signature, and what was issued."""

from collections.abc import Callable

from kiosk import desk, verification
from kiosk.loket import Loket
from models import Application, Letter, Ticket
from tests.conftest import Clock, actor
from tests.people import PASSWORD


def act(loket: Loket, clock: Clock, id_: int, role: str, action: str, **fields: str) -> Application:
    """One act by a member of staff of this role, on what they see now."""
    given = {name: [value] for name, value in fields.items()}
    seq = desk.find(id_).seq
    return desk.act(loket, id_, action, given, actor(role), seq, clock.tick(20))


def to_step(loket: Loket, clock: Clock, id_: int, step: str) -> None:
    """Walk the first half of the way, up to `step`."""
    walk = (
        ("berkas", "front_office", "lengkap", {}),
        ("sekretariat", "sekretariat", "teruskan", {}),
        ("disposisi", "kepala_dinas", "disposisi", {}),
        ("penugasan", "kabid_linjamsos", "tugaskan", {}),
        ("cek", "operator", "ditemukan", {"seen": "Tercatat, periode November 2026"}),
        ("periksa", "kepala_dinas", "tanda_tangan", {"password": PASSWORD}),
    )
    for at, role, action, fields in walk:
        if desk.find(id_).step == step:
            return
        assert desk.find(id_).step == at
        act(loket, clock, id_, role, action, **fields)


def issue(loket: Loket, clock: Clock, submit: Callable[..., int]) -> int:
    """An application whose letter was just issued; its id."""
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    return id_


def letter_of(id_: int) -> Letter:
    found: Letter = Letter.get(Letter.application == id_)
    return found


def digits_of(loket: Loket, id_: int) -> str:
    return verification.digits_of(loket, letter_of(id_))


def token_of(id_: int) -> str:
    return str(Ticket.get(Ticket.application == id_).token)
