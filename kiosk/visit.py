"""A citizen's visit at a kiosk: which screen, what was answered, and its end.

The server keeps the visit, locked by the vault, and wipes it when it ends: the browser holds only a
random token. An answer to a screen that is no longer shown changes nothing, so that tapping three
times is tapping once.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from hashlib import sha256
from typing import Any

from kiosk import (
    citizen,
    citizen_papers,
    desk,
    document_removal,
    letter_prints,
    limits,
    spool,
)
from kiosk.errors import Invalid, NotFound, TooMany
from kiosk.forms import PERSON
from kiosk.identity import FAULT_TEXTS, group_nik, kk_fault, mask_nik, nik_fault, normal_name
from kiosk.letter import person_rows
from kiosk.loket import Loket
from models import Visit, transaction

Given = Mapping[str, Sequence[str]]

WAY = ("about", "priority", "consent", "nik", "kk", "purpose", "check")
BY_HAND = (*WAY[:5], "name", "birth", "address", *WAY[5:])
# Screens beside the way: which of its screens they belong to, and where back leads.
BESIDE = {"notfound": ("kk", "nik"), "wrong": ("check", "check"), "note": ("check", "wrong")}
SCANS = {"print": "scan_print", "status": "scan_status"}
WRONG_PARTS = ("name", "birth", "address", "village")
REPRINTS = 2
SCANS_PER_DEVICE = 60
OLDEST = 130
NOTE_LENGTH = 200


@dataclass(frozen=True)
class State:
    """What a visit knows. `person` is the register's row when `found`, else what was typed.

    `left` is how many tries, or prints of a letter, there are still. With `camera` the way ends
    with the papers, for which the remark (`wrong`, `note`) waits.
    """

    screen: str
    service: str = ""
    priority: str = ""
    nik: str = ""
    kk: str = ""
    person: dict[str, str] = field(default_factory=dict)
    found: bool = False
    by_hand: bool = False
    purpose: str = ""
    wrong: tuple[str, ...] = ()
    application: int = 0
    reprints: int = 0
    token: str = ""
    outcome: str = ""
    job: int = 0
    left: int = 0
    camera: bool = False
    note: str = ""


@dataclass(frozen=True)
class OpenVisit:
    id: int
    device_id: int
    attempts: int
    seq: int
    state: State


@dataclass(frozen=True)
class Turn:
    """One answer: what a screen's handler is given."""

    loket: Loket
    visit: OpenVisit
    given: Given
    now: int

    @property
    def state(self) -> State:
        return self.visit.state

    def text(self, name: str) -> str:
        """The field's text, spaces made single."""
        return " ".join((self.given.get(name) or ("",))[0].split())


def start(loket: Loket, device_id: int, choice: str, now: int) -> tuple[str, OpenVisit]:
    """A new visit for a service, `print` or `status`: its token and itself. Raises NotFound."""
    sweep(loket, now)
    state = _first(loket, choice)
    token = secrets.token_urlsafe(32)
    with transaction():
        row = Visit.create(
            device=device_id,
            token_hash=_hash(token),
            state_ct=_locked(loket, state),
            started_at=now,
            seen_at=now,
        )
    return token, OpenVisit(row.id, device_id, 0, 0, state)


def _first(loket: Loket, choice: str) -> State:
    if choice in SCANS:
        return State(SCANS[choice])
    if choice not in {service.id for service in loket.profile.letters}:
        raise NotFound("Layanan ini tidak ada. Pilih layanan lain.")
    camera = loket.profile.kiosk.camera and bool(citizen_papers.visit_papers(loket, choice, 0))
    return State(WAY[0], service=choice, camera=camera)


def find(loket: Loket, token: str, device_id: int, now: int) -> OpenVisit | None:
    """The open visit of this token at this device; one left alone for too long is wiped."""
    row = Visit.get_or_none((Visit.token_hash == _hash(token)) & (Visit.device == device_id))
    if row is None or row.state_ct is None:
        return None
    if row.seen_at <= now - _forgotten_after(loket):
        end(row.id, now)
        return None
    return _opened(loket, row)


def _opened(loket: Loket, row: Visit) -> OpenVisit:
    state = loket.vault.unlock_json("visit", row.state_ct or b"")
    state["wrong"] = tuple(state["wrong"])
    return OpenVisit(row.id, row.device_id, row.attempts, row.seq, State(**state))


def _first_to_come(visit: OpenVisit) -> bool:
    """Whether this request is the one that answers the screen: of taps at once only one is."""
    unanswered = _still_open(visit.id) & (Visit.seq == visit.seq)
    with transaction():
        return bool(Visit.update(seq=Visit.seq + 1).where(unanswered).execute())


def _as_it_is(loket: Loket, visit: OpenVisit) -> OpenVisit:
    row = Visit.get_or_none(_still_open(visit.id))
    return _opened(loket, row) if row else visit


def touch(visit: OpenVisit, now: int) -> None:
    """The person is still there."""
    with transaction():
        Visit.update(seen_at=now).where(_still_open(visit.id)).execute()


def end(visit_id: int, now: int) -> None:
    """Wipe the visit: its state and token are gone, its row stays as a number."""
    _wipe(Visit.id == visit_id, now)


def sweep(loket: Loket, now: int) -> None:
    """Wipe the visits that nobody has touched for twice the idle time: a kiosk that lost power."""
    old = Visit.seen_at <= now - _forgotten_after(loket)
    if Visit.select().where(Visit.token_hash.is_null(False) & old).exists():
        _wipe(old, now)


def answer(loket: Loket, visit: OpenVisit, screen: str, given: Given, now: int) -> OpenVisit:
    """The visit after this answer to `screen`. Raises Invalid by field.

    An answer to another screen than the one shown is an echo of an earlier tap: nothing changes.
    """
    handler = ANSWERS.get(screen)
    if handler is None or screen != visit.state.screen:
        return visit
    if not _first_to_come(visit):
        return _as_it_is(loket, visit)
    visit = replace(visit, seq=visit.seq + 1)
    return _keep(loket, visit, handler(Turn(loket, visit, given, now)), now)


def back(loket: Loket, visit: OpenVisit, screen: str, now: int) -> OpenVisit | None:
    """The visit one screen back; None when there is nothing before it."""
    if screen != visit.state.screen:
        return visit
    way = way_of(visit.state)
    if screen in BESIDE:
        before = BESIDE[screen][1]
    elif screen in way and way.index(screen):
        before = way[way.index(screen) - 1]
    else:
        return None
    return _keep(loket, visit, replace(visit.state, screen=before), now)


def reprint(loket: Loket, visit: OpenVisit, now: int) -> OpenVisit:
    """Print the ticket once more, its number the same; past the limit nothing happens."""
    state = visit.state
    if state.screen != "ticket" or state.reprints >= REPRINTS:
        return visit
    if not _first_to_come(visit):
        return _as_it_is(loket, visit)
    visit = replace(visit, seq=visit.seq + 1)
    spool.reprint_ticket(state.application, now)
    return _keep(loket, visit, replace(state, reprints=state.reprints + 1), now)


def way_of(state: State) -> tuple[str, ...]:
    """The screens of this visit in their order."""
    way = BY_HAND if state.by_hand else WAY
    return (*way, "papers") if state.camera else way


def progress(state: State) -> tuple[int, int] | None:
    """(this screen, of so many), or None beside the way."""
    way = way_of(state)
    screen = BESIDE.get(state.screen, (state.screen,))[0]
    return (way.index(screen) + 1, len(way)) if screen in way else None


def own_rows(state: State) -> tuple[tuple[str, str], ...]:
    """The person's own data as the letter will print it, NIK and KK number masked."""
    nik, kk = (group_nik(mask_nik(number)) for number in (state.nik, state.kk))
    return person_rows(state.person, nik, kk)


def birth_digits(state: State) -> str:
    """The birth date typed before, as its field wants it: DDMMYYYY."""
    born = state.person.get("birth_date", "")
    return f"{date.fromisoformat(born):%d%m%Y}" if born else ""


# ── The answers, a handler a screen ──


def _about(turn: Turn) -> State:
    return replace(turn.state, screen="priority")


def _priority(turn: Turn) -> State:
    group = turn.text("priority")
    if group and group not in {priority.id for priority in turn.loket.profile.priorities}:
        raise Invalid({"priority": "Pilih salah satu, atau “Tidak, lanjut”."})
    return replace(turn.state, screen="consent", priority=group)


def _consent(turn: Turn) -> State:
    return replace(turn.state, screen="nik")


def _nik(turn: Turn) -> State:
    nik = turn.text("nik")
    fault = nik_fault(nik)
    if fault:
        raise Invalid({"nik": FAULT_TEXTS[fault]})
    return replace(turn.state, screen="kk", nik=nik)


def _kk(turn: Turn) -> State:
    """Look the pair up: NIK and KK number in one question, so that neither is answered alone."""
    kk = turn.text("kk")
    fault = kk_fault(kk)
    if fault:
        raise Invalid({"kk": FAULT_TEXTS[fault]})
    tries = _spend(turn)
    if not tries:
        return State("counter")
    person = turn.loket.register.find_pair(turn.state.nik, kk)
    if person is not None:
        row = {part: str(getattr(person, part)) for part in PERSON if part not in ("nik", "kk")}
        return replace(turn.state, screen="purpose", kk=kk, person=row, found=True, by_hand=False)
    if tries >= turn.loket.profile.kiosk.attempts_per_visit:
        return State("counter")
    left = turn.loket.profile.kiosk.attempts_per_visit - tries
    kept = State("notfound", turn.state.service, turn.state.priority, turn.state.nik, kk, left=left)
    return replace(kept, camera=turn.state.camera)


def _spend(turn: Turn) -> int:
    """Count one look-up of this visit and this device; 0 when there are none left."""
    rules = turn.loket.profile.kiosk
    window = rules.device_window_minutes * 60
    try:
        limits.spend(f"kios|{turn.visit.device_id}", rules.attempts_per_device, window, turn.now)
    except TooMany:
        return 0
    with transaction():
        free = _still_open(turn.visit.id) & (Visit.attempts < rules.attempts_per_visit)
        if not Visit.update(attempts=Visit.attempts + 1).where(free).execute():
            return 0
        return int(Visit.get_by_id(turn.visit.id).attempts)


def _notfound(turn: Turn) -> State:
    if turn.text("choice") == "manual":
        empty = {part: "" for part in PERSON if part not in ("nik", "kk")}
        return replace(turn.state, screen="name", by_hand=True, person=empty)
    return replace(turn.state, screen="nik", nik="", kk="")


def _name(turn: Turn) -> State:
    name = normal_name(turn.text("name"))[: PERSON["name"]]
    if sum(letter.isalpha() for letter in name) < 2:
        raise Invalid({"name": "Tulis nama Anda seperti pada KTP."})
    return _typed(turn, "birth", name=name)


def _birth(turn: Turn) -> State:
    born = _date(turn.text("birth"))
    today = turn.loket.calendar.day_of(turn.now)
    if born is None:
        raise Invalid({"birth": "Tanggal ini tidak ada di kalender. Periksa tanggal dan bulannya."})
    if not today.year - OLDEST <= born.year or born > today:
        raise Invalid({"birth": "Periksa tahun lahir Anda."})
    return _typed(turn, "address", birth_date=born.isoformat())


def _date(text: str) -> date | None:
    """DDMMYYYY as a date, or None."""
    if not (len(text) == 8 and text.isascii() and text.isdigit()):
        return None
    try:
        return date(int(text[4:]), int(text[2:4]), int(text[:2]))
    except ValueError:
        return None


def _address(turn: Turn) -> State:
    address = turn.text("address").upper()[: PERSON["address"]]
    if len(address) < 5:
        raise Invalid({"address": "Tulis alamat Anda seperti pada KTP."})
    return _typed(turn, "purpose", address=address)


def _typed(turn: Turn, screen: str, **parts: str) -> State:
    return replace(turn.state, screen=screen, person=turn.state.person | parts)


def _purpose(turn: Turn) -> State:
    purpose = turn.text("purpose")
    if turn.loket.profile.service(turn.state.service).purpose(purpose) is None:
        raise Invalid({"purpose": "Pilih keperluan surat."})
    return replace(turn.state, screen="check", purpose=purpose)


def _check(turn: Turn) -> State:
    if turn.text("correct") == "no":
        return replace(turn.state, screen="wrong")
    return _with_papers(turn, replace(turn.state, wrong=(), note=""))


def _wrong(turn: Turn) -> State:
    parts = tuple(part for part in WRONG_PARTS if part in turn.given.get("wrong", ()))
    if not parts:
        raise Invalid({"wrong": "Sentuh bagian yang salah, lalu “Lanjut”."})
    return replace(turn.state, screen="note", wrong=parts)


def _note(turn: Turn) -> State:
    return _with_papers(turn, replace(turn.state, note=turn.text("note")[:NOTE_LENGTH]))


def _with_papers(turn: Turn, state: State) -> State:
    """The papers come last, where the browser has said that it has a camera."""
    if state.camera and turn.text("camera") == "yes":
        return replace(state, screen="papers")
    return _submit(turn, state)


def _papers(turn: Turn) -> State:
    return _submit(turn, turn.state)


def photograph(loket: Loket, visit: OpenVisit, kind: str, data: bytes, key: str, now: int) -> None:
    """Keep a photo of a paper; elsewhere than at the papers nothing happens. Raises Invalid."""
    if visit.state.screen == "papers":
        touch(visit, now)
        citizen_papers.add_at_kiosk(loket, visit.state.service, visit.id, kind, data, key, now)


def _submit(turn: Turn, state: State) -> State:
    """Hand the application in. From here on the visit holds nothing of the person."""
    remark = {"rows": list(state.wrong), "note": state.note} if state.wrong else None
    draft = desk.Draft(
        service=state.service,
        purpose=state.purpose,
        priority=state.priority,
        nik=state.nik,
        kk=state.kk,
        person=state.person,
        in_snapshot=state.found,
        remark=remark,
    )
    application = desk.submit(turn.loket, draft, turn.visit.id, turn.now)
    return State("ticket", service=state.service, application=application)


def _scan(turn: Turn) -> str:
    """The ticket's token: the last part of the address that its QR says."""
    window = turn.loket.profile.kiosk.device_window_minutes * 60
    limits.spend(f"pindai|{turn.visit.device_id}", SCANS_PER_DEVICE, window, turn.now)
    token = turn.text("code").rstrip("/").rsplit("/", 1)[-1]
    if citizen.status(turn.loket, token, turn.now) is None:
        raise Invalid({"code": "Kode ini tidak kami kenali. Pindai lagi, atau silakan ke loket."})
    return token


def _scan_status(turn: Turn) -> State:
    return State("status", token=_scan(turn))


def _scan_print(turn: Turn) -> State:
    return _print(turn, _scan(turn))


def _status(turn: Turn) -> State:
    return _print(turn, turn.state.token)


def _print(turn: Turn, token: str) -> State:
    done = letter_prints.print_at_kiosk(turn.loket, token, turn.now)
    return State("printing", token=token, outcome=done.state, job=done.job or 0, left=done.left)


ANSWERS: dict[str, Callable[[Turn], State]] = {
    "about": _about,
    "priority": _priority,
    "consent": _consent,
    "nik": _nik,
    "kk": _kk,
    "notfound": _notfound,
    "name": _name,
    "birth": _birth,
    "address": _address,
    "purpose": _purpose,
    "check": _check,
    "wrong": _wrong,
    "note": _note,
    "papers": _papers,
    "scan_print": _scan_print,
    "scan_status": _scan_status,
    "status": _status,
}


# ── Keeping ──


def _keep(loket: Loket, visit: OpenVisit, state: State, now: int) -> OpenVisit:
    """Keep the new state, unless the visit has ended meanwhile: what was wiped stays wiped."""
    with transaction():
        Visit.update(state_ct=_locked(loket, state), seen_at=now).where(
            _still_open(visit.id)
        ).execute()
    return replace(visit, state=state)


def _still_open(visit_id: int) -> Any:
    return (Visit.id == visit_id) & Visit.token_hash.is_null(False)


def _wipe(which: Any, now: int) -> None:
    ending = which & Visit.token_hash.is_null(False)
    with transaction():
        document_removal.forget_visits(Visit.select(Visit.id).where(ending), now)
        Visit.update(token_hash=None, state_ct=None, ended_at=now).where(ending).execute()


def _locked(loket: Loket, state: State) -> bytes:
    return loket.vault.lock_json("visit", asdict(state))


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _forgotten_after(loket: Loket) -> int:
    return 2 * loket.profile.kiosk.idle_seconds
