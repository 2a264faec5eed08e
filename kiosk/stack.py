"""A stack of letters that wait for one head: read one by one, then signed with one password.

That a letter was read stands in the audit, by the state that was read: changed since, or worded
anew, it is unread. Each letter of a stack succeeds or fails on its own.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Literal

from kiosk import board, casefile, desk, presses, signing, staff, versions, wording, workflow
from kiosk.board import Row
from kiosk.errors import Invalid, LoketError, Stale
from kiosk.forms import Given
from kiosk.jobs import BUSY, Progress
from kiosk.loket import Loket
from kiosk.presses import Presses
from kiosk.promise import Clock
from kiosk.service import Action
from kiosk.staff import Actor
from kiosk.tables import Text
from models import Application, Audit, Busy, Event, Letter, Ticket, db, transaction

READ = "baca rancangan"
# As many are signed by this process alone before others would have started.
ALONE = 8
NOTHING = "Pilih paling sedikit satu surat yang sudah dibaca."
UNREAD = "Surat ini belum dibaca. Buka dan baca dahulu."
CHANGED = "Surat ini sudah ditandatangani atau diubah orang lain."
NOT_TRIED = "Belum dicoba, karena passphrase ditolak. Coba lagi dengan passphrase yang benar."
NO_ARCHIVE = "Arsip surat tidak dapat ditulis. Hubungi admin, lalu coba lagi."
BROKEN = "Ada gangguan saat menandatangani. Coba lagi; bila terulang, hubungi admin."
_log = logging.getLogger(__name__)

State = Literal["signed", "failed", "changed", "refused"]


@dataclass(frozen=True)
class Sheet:
    """A letter of the stack as it is now; `read` by whoever asks."""

    id: int
    seq: int
    label: str
    day: date
    number: str
    name: str
    purpose: Text
    priority: Text | None
    clock: Clock
    action: Action
    read: bool

    @property
    def asks(self) -> frozenset[str]:
        """What its signature asks: password, passphrase."""
        return frozenset(field.kind for field in self.action.fields)


@dataclass(frozen=True)
class Stack:
    """Oldest promise first. `returned`: how many its reader sent back today."""

    sheets: tuple[Sheet, ...]
    returned: int

    @property
    def read(self) -> tuple[Sheet, ...]:
        return tuple(sheet for sheet in self.sheets if sheet.read)

    @property
    def skipped(self) -> tuple[Sheet, ...]:
        return tuple(sheet for sheet in self.sheets if not sheet.read)

    def place(self, application_id: int | None) -> int | None:
        """Where this one lies, from 0; None when it is not in the stack."""
        ids = [sheet.id for sheet in self.sheets]
        return ids.index(application_id) if application_id in ids else None

    def after(self, place: int) -> Sheet | None:
        """The next one that is unread, from `place` on and then from the top."""
        turned = (*self.sheets[place:], *self.sheets[:place])
        return next((sheet for sheet in turned if not sheet.read), None)


@dataclass(frozen=True)
class Result:
    """What became of one. `changed`: somebody was first, nothing is to be done."""

    id: int
    label: str
    name: str
    state: State
    number: str = ""
    reason: str = ""


def of(loket: Loket, actor: Actor, now: int) -> Stack:
    """The letters that wait for no more than this person's signature."""
    rows = [row for row in board.my_work(loket, actor, now).rows if row.to_sign]
    found = Application.select().where(Application.id << [row.id for row in rows])
    known = {application.id: application for application in found}
    marks = _marks(actor, list(found))
    sheets = (_sheet(loket, row, known.get(row.id), actor, marks) for row in rows)
    return Stack(tuple(one for one in sheets if one), _returned(loket, actor, now))


def _sheet(
    loket: Loket, row: Row, application: Application | None, actor: Actor, marks: set[str]
) -> Sheet | None:
    action = application and _signing(loket, application, actor)
    if not application or not action or application.check_ct is None:
        return None
    return Sheet(
        id=row.id,
        seq=application.seq,
        label=row.label,
        day=row.day,
        number=row.number,
        name=row.name,
        purpose=row.purpose,
        priority=row.priority,
        clock=row.clock,
        action=action,
        read=_mark(application) in marks,
    )


def _signing(loket: Loket, application: Application, actor: Actor) -> Action | None:
    step = versions.step_of(loket, application)
    return workflow.signing(step, actor.role, application.assignee_id == actor.id)


def _mark(application: Application) -> str:
    return f"{application.number}/{application.seq}"


def _marks(actor: Actor, wanted: Sequence[Application]) -> set[str]:
    """Which of these states this person has read, in the wording of now."""
    asked = {_mark(application): application.service for application in wanted}
    published = wording.published_at()
    read = _read_at(actor, list(asked))
    return {mark for mark, at in read.items() if at > published.get(asked[mark], -1)}


def _read_at(actor: Actor, marks: list[str]) -> dict[str, int]:
    """When this person read these states last."""
    mine = (Audit.what == READ) & (Audit.actor == actor.id) & (Audit.subject << marks)
    return {row.subject: row.at for row in Audit.select().where(mine).order_by(Audit.id)}


def _returned(loket: Loket, actor: Actor, now: int) -> int:
    """How many letters this person sent back today instead of signing."""
    steps = [step for service in loket.profile.letters for step in service.steps]
    backs = {
        (step.id, action.id)
        for step in steps
        if any("issue" in action.does for action in step.actions)
        for action in step.actions
        if action.weight == "back"
    }
    recent = Event.select().where((Event.actor == actor.id) & (Event.at > now - 86400))
    today = loket.calendar.day_of(now)
    return sum(
        (event.from_step, event.action) in backs and loket.calendar.day_of(event.at) == today
        for event in recent
    )


def mark_read(loket: Loket, application_id: int, seq: int, actor: Actor, now: int) -> None:
    """This person has read the letter as it is at `seq`. Raises Stale when it is not so any more.

    Read twice in one wording, it is noted once.
    """
    with transaction():
        application = desk.find(application_id)
        if application.seq != seq or _signing(loket, application, actor) is None:
            raise Stale(CHANGED)
        if not _marks(actor, [application]):
            Audit.create(at=now, actor=actor.id, what=READ, subject=_mark(application))


def choose(
    loket: Loket, chosen: Sequence[tuple[int, int]], given: Given, actor: Actor, now: int
) -> tuple[list[Sheet], list[Result]]:
    """The letters to sign of those chosen by (id, seq), and what is already known of the others.

    Confirms the password. Raises Invalid without a letter or with a wrong password, TooMany.
    """
    lying = {(sheet.id, sheet.seq): sheet for sheet in of(loket, actor, now).sheets}
    chosen = list(dict.fromkeys(chosen))
    sheets = [lying[one] for one in chosen if one in lying]
    told = _gone(loket, [one for one in chosen if one not in lying], actor)
    told += [_result(sheet, "failed", UNREAD) for sheet in sheets if not sheet.read]
    sheets = [sheet for sheet in sheets if sheet.read]
    if not chosen or not (sheets or told):
        raise Invalid({"ids": NOTHING})
    asked = frozenset[str]().union(*(sheet.asks for sheet in sheets))
    for sheet in sheets:
        signing.passphrase_in(sheet.action, given)
    if "password" in asked:
        staff.confirm_password(actor, "".join(given.get("password", ())), now)
    return sheets, told


def _gone(loket: Loket, chosen: Sequence[tuple[int, int]], actor: Actor) -> list[Result]:
    """Those that lay in the stack when they were read; of others nothing is told."""
    seen = dict(chosen)
    found = list(Application.select().where(Application.id << list(seen)))
    marks = _read_at(actor, [f"{one.number}/{seen[one.id]}" for one in found])
    read = [one for one in found if f"{one.number}/{seen[one.id]}" in marks]
    labels = {t.application_id: t.label for t in Ticket.select().where(Ticket.application << read)}
    names = {one.id: casefile.given_of(loket, one)["name"].title() for one in read}
    return [
        Result(one.id, labels[one.id], names[one.id], "changed", reason=CHANGED) for one in read
    ]


def sign(
    loket: Loket,
    sheets: Sequence[Sheet],
    given: Given,
    actor: Actor,
    clock: Callable[[], float],
    tell: Progress,
) -> list[Result]:
    """Sign what `choose` gave, each on its own; what became of each, in the stack's order.

    One that asks for a passphrase comes first and alone: when it is refused, none is tried again.
    """
    alone = next((sheet for sheet in sheets if "passphrase" in sheet.asks), None)
    wrong = threading.Event()
    with _pressing(len(sheets)) as several:

        def one(sheet: Sheet) -> Result:
            if wrong.is_set() and "passphrase" in sheet.asks:
                return _result(sheet, "failed", NOT_TRIED)
            done = _one(loket, sheet, given, actor, clock, several)
            if done.state == "refused":
                wrong.set()
            return done

        # A PSrE counts wrong tries: no more than two are ever under way.
        many = len(several.all) + 1 if several else 1
        with ThreadPoolExecutor(min(many, 2) if alone else many) as threads:
            begun: dict[int, Future[Result]] = {}
            for sheet in sorted(sheets, key=lambda sheet: sheet is not alone):
                begun[sheet.id] = threads.submit(one, sheet)
                if sheet is alone:
                    begun[sheet.id].result()
            for done, _ in enumerate(as_completed(begun.values()), 1):
                tell(done, len(sheets))
    return [begun[sheet.id].result() for sheet in sheets]


@contextmanager
def _pressing(count: int) -> Iterator[Presses | None]:
    """Processes that make the letters, where there are enough of them."""
    if count <= ALONE:
        yield None
        return
    several = presses.warm.take()
    try:
        yield several
    finally:
        presses.warm.give_back(several)


def prepare(lying: Stack) -> None:
    """Who has read so many will sign them: what makes them is started."""
    if len(lying.read) > ALONE:
        presses.warm.start()


def _one(
    loket: Loket,
    sheet: Sheet,
    given: Given,
    actor: Actor,
    clock: Callable[[], float],
    several: Presses | None,
) -> Result:
    """Sign one, in a thread of its own; whatever happens is told and holds up no other."""
    with db.connection_context(), presses.working(several):
        try:
            asked = sheet.action.id
            desk.act(loket, sheet.id, asked, given, actor, sheet.seq, int(clock()), confirmed=True)
        except Invalid as fault:
            state: State = "refused" if "passphrase" in fault.fields else "failed"
            return _result(sheet, state, fault.message)
        except Stale as stale:
            changed = desk.find(sheet.id).seq != sheet.seq
            return _result(sheet, "changed", CHANGED if changed else stale.message)
        except LoketError as error:
            return _result(sheet, "failed", error.message)
        except Busy:
            return _result(sheet, "failed", BUSY)
        except OSError:
            return _result(sheet, "failed", NO_ARCHIVE)
        except Exception:  # One letter's fault of ours is no reason to leave the others unsigned.
            _log.exception("a letter of a stack could not be signed")
            return _result(sheet, "failed", BROKEN)
        number = Letter.get(Letter.application == sheet.id).number
    return Result(sheet.id, sheet.label, sheet.name, "signed", number)


def _result(sheet: Sheet, state: State, reason: str) -> Result:
    return Result(sheet.id, sheet.label, sheet.name, state, reason=reason)
