"""Who may sign today, and in which form it stands under the letter.

An admin's mandate that holds today goes before the office's file. Nobody has two on one day, and
nobody else is a role's definitive official, Plh. or Plt. while one of an admin's is: where they
would overlap the later one is refused when it is added, and the file's own official of that role
does not sign until it ends or is withdrawn. a.n. and u.b. stand beside both.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast, get_args

from peewee import JOIN

from kiosk.certificate import CAPS
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.loket import Loket
from kiosk.profile import STANDING_IN, Capacity, Profile, Signer, agree
from kiosk.service import LetterText
from kiosk.staff import Actor
from models import Audit, Mandate, User, transaction

PAST_SHOWN = 30
# Of these forms a role has one holder a day.
HOLDERS = ("definitive", "plh", "plt")
NOBODY = "Tidak ada mandat tanda tangan yang berlaku untuk surat ini hari ini."
HELD = (
    "Jabatan Anda hari ini dipegang pejabat lain menurut mandat dari admin. "
    "Minta admin mencabutnya bila tidak berlaku lagi."
)
# Field of the form → most letters, as the letter's own caps have it.
LONGEST = {"name": 80, "rank": 60, "nip": 36, "order": 160}


def of(loket: Loket, text: LetterText, actor: Actor, now: int) -> Signer:
    """The mandate that stands under this letter when `actor` signs it or draws it up today.

    With a key or a certificate that of who signs; by hand that of the role that the office's file
    names, or of the first that holds. Raises NotAllowed without one.
    """
    day = loket.calendar.day_of(now)
    if text.signing != "wet_ink":
        return _own(loket, actor, day)
    roles = [text.signer] if text.signer else [one.role for one in loket.profile.signers]
    for role in roles:
        if signer := holder(loket, role, day):
            return signer
    raise NotAllowed(NOBODY)


def holder(loket: Loket, role: str, day: date) -> Signer | None:
    """Whose signature this role's is on this day: an admin's mandate, else the file's."""
    row = next(_holding(day, Mandate.role == role), None)
    return _signer(row) if row else loket.profile.signer(role, day)


def _own(loket: Loket, actor: Actor, day: date) -> Signer:
    if row := next(_holding(day, Mandate.user == actor.id), None):
        return _signer(row)
    mine = [s for s in loket.profile.signers if s.role == actor.role and s.holds_on(day)]
    mine = [s for s in mine if s.user in (None, actor.name)]
    if not mine:
        raise NotAllowed(NOBODY)
    signer = min(mine, key=lambda one: one.user is None)
    taken = (Mandate.role == signer.role) & Mandate.capacity.in_(HOLDERS)
    if signer.capacity in HOLDERS and next(_holding(day, taken), None):
        raise NotAllowed(HELD)
    return signer


def _holding(day: date, which: Any) -> Iterator[Mandate]:
    """The admin's mandates of this kind that hold on this day, the newest first."""
    rows = _overlapping(day.isoformat(), day.isoformat()).where(which)
    return iter(rows.order_by(Mandate.id.desc()))


def _overlapping(since: str, until: str | None) -> Any:
    ends_later = Mandate.until.is_null() | (Mandate.until >= since)
    held = Mandate.select(Mandate, User).join(User, on=Mandate.user)
    held = held.where(Mandate.ended_at.is_null() & ends_later)
    return held.where(Mandate.since <= until) if until else held


def _signer(row: Mandate) -> Signer:
    return Signer(
        role=row.role,
        capacity=cast(Capacity, row.capacity),
        user=row.user.name,
        order=row.order or None,
        titles=tuple(json.loads(row.titles)),
        name=row.name,
        rank=row.rank,
        nip=row.nip,
        since=date.fromisoformat(row.since),
        until=date.fromisoformat(row.until) if row.until else None,
    )


# ── The admin's page ──


@dataclass(frozen=True)
class Listed:
    """A mandate as the admin sees it. `id` is None for one of the office's file.

    `state`: current, coming, past; `held` for one of the file's that another's holds up.
    """

    id: int | None
    signer: Signer
    who: str
    state: str
    ended_at: int | None = None
    by: str = ""


def listed(loket: Loket, now: int) -> list[Listed]:
    """All mandates: those that hold first, then coming ones, then what is past, newest first."""
    today = loket.calendar.day_of(now)
    by = User.alias()
    rows = (
        Mandate.select(Mandate, User, by)
        .join(User, on=Mandate.user)
        .switch(Mandate)
        .join(by, JOIN.LEFT_OUTER, on=(Mandate.created_by == by.id), attr="created_by")
        .order_by(Mandate.id.desc())
    )
    found = [_listed(row, today) for row in rows]
    found += [_of_file(loket, signer, today) for signer in loket.profile.signers]
    past = [one for one in found if one.state == "past"][:PAST_SHOWN]
    order = ("current", "held", "coming")
    return sorted((o for o in found if o.state in order), key=lambda o: order.index(o.state)) + past


def _listed(row: Mandate, today: date) -> Listed:
    signer = _signer(row)
    state = "past" if row.ended_at is not None else _state(signer, today)
    return Listed(row.id, signer, row.user.full_name, state, row.ended_at, row.created_by.full_name)


def _of_file(loket: Loket, signer: Signer, today: date) -> Listed:
    state = _state(signer, today)
    taken = (Mandate.role == signer.role) & Mandate.capacity.in_(HOLDERS)
    if state == "current" and signer.capacity in HOLDERS and next(_holding(today, taken), None):
        state = "held"
    user = User.get_or_none(User.name == signer.user) if signer.user else None
    return Listed(None, signer, user.full_name if user else "", state)


def _state(signer: Signer, today: date) -> str:
    if signer.holds_on(today):
        return "current"
    return "coming" if today < signer.since else "past"


def roles(profile: Profile) -> list[str]:
    """The roles that somebody may be given a mandate for: signers of the file, signing steps."""
    found = [signer.role for signer in profile.signers]
    found += [role for role in sorted(_issuing(profile)) if role not in found]
    return list(dict.fromkeys(found))


def _issuing(profile: Profile) -> set[str]:
    """Roles that sign letters themselves, with a key or a certificate."""
    return {
        role
        for service in profile.letters
        for step in service.steps
        for action in step.actions
        if "issue" in action.does
        for role in (action.roles or step.roles)
    }


def read(loket: Loket, given: Mapping[str, str], now: int) -> Signer:
    """The mandate that the form describes. Raises Invalid by field, with all faults.

    `given`: role, user (its sign-in name), capacity, titles (a line each), name, rank, nip, order,
    since, until.
    """
    part = {name: " ".join(value.split()) for name, value in given.items()}
    titles = tuple(filter(None, (" ".join(t.split()) for t in given["titles"].splitlines())))
    faults = _who_faults(loket, part) | _text_faults(part) | _title_faults(part, titles)
    faults |= _day_faults(part, loket.calendar.day_of(now))
    if faults:
        raise Invalid(faults)
    values: dict[str, Any] = part | {"titles": titles}
    for name in ("order", "until"):
        values[name] = part[name] or None
    return Signer.model_validate(values)


def _who_faults(loket: Loket, part: Mapping[str, str]) -> dict[str, str]:
    faults = {}
    profile = loket.profile
    if part["role"] not in roles(profile):
        faults["role"] = "Pilih jabatan yang ditandatangani."
    user = User.get_or_none((User.name == part["user"]) & User.active)
    by_hand = any(
        letter.signing == "wet_ink" for s in profile.letters for letter in (s.letter, *s.letters)
    )
    if user is None:
        faults["user"] = "Pilih petugas yang menandatangani."
    elif not by_hand and not profile.proposals and user.role not in _issuing(profile):
        faults["user"] = "Peran petugas ini tidak menandatangani surat. Ubah dahulu perannya."
    return faults


def _text_faults(part: Mapping[str, str]) -> dict[str, str]:
    faults = {}
    for name, most in LONGEST.items():
        if name != "order" and not part[name]:
            faults[name] = "Isi bagian ini."
        elif len(part[name]) > most:
            faults[name] = f"Paling banyak {most} huruf."
    if part["capacity"] in STANDING_IN and not part["order"]:
        faults["order"] = "Tulis nomor dan tanggal surat perintahnya."
    return faults


def _title_faults(part: Mapping[str, str], titles: tuple[str, ...]) -> dict[str, str]:
    faults = {}
    most, letters = CAPS["signer_titles"]
    capacity = cast(Capacity, part["capacity"])
    if capacity not in get_args(Capacity):
        faults["capacity"] = "Pilih bentuk penandatanganan."
    if not 1 <= len(titles) <= most or any(len(title) > letters for title in titles):
        faults["titles"] = "Tulis satu sampai empat baris, masing-masing paling banyak 60 huruf."
    elif "capacity" not in faults and not agree(capacity, titles):
        faults["titles"] = _TITLES[capacity]
    return faults


_TITLES: dict[Capacity, str] = {
    "definitive": "Pejabat definitif tidak memakai a.n., u.b., Plh., atau Plt.",
    "an": "Baris pertama diawali “a.n. ” dan jabatan atasan, tanpa u.b.",
    "ub": "Baris pertama diawali “a.n. ”, baris berikutnya “u.b. ”.",
    "plh": "Barisnya diawali “Plh. ”, misalnya Plh. Kepala Dinas Sosial.",
    "plt": "Barisnya diawali “Plt. ”, misalnya Plt. Kepala Dinas Sosial.",
}


def _day_faults(part: Mapping[str, str], today: date) -> dict[str, str]:
    faults = {}
    for name in ("since", "until"):
        if (part[name] or name == "since") and not _is_day(part[name]):
            faults[name] = "Pilih tanggal."
    if part["capacity"] in STANDING_IN and not part["until"]:
        faults["until"] = "Plh. dan Plt. punya hari terakhir, menurut surat perintahnya."
    if not faults and part["until"] and part["until"] < max(part["since"], today.isoformat()):
        faults["until"] = "Hari terakhir sudah lewat atau sebelum hari pertama."
    return faults


def _is_day(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.A) and date.fromisoformat(text))
    except ValueError:
        return False


def add(loket: Loket, given: Mapping[str, str], actor: Actor, now: int) -> int:
    """A new mandate; its id. Raises Invalid by field, and for one that overlaps another."""
    signer = read(loket, given, now)
    since, until = signer.since.isoformat(), signer.until.isoformat() if signer.until else None
    with transaction():
        user = User.get(User.name == signer.user)
        others = _overlapping(since, until)
        if others.where(Mandate.user == user).exists():
            raise Invalid({"user": "Petugas ini sudah punya mandat pada hari-hari itu."})
        same = (Mandate.role == signer.role) & Mandate.capacity.in_(HOLDERS)
        if signer.capacity in HOLDERS and others.where(same).exists():
            raise Invalid({"role": "Jabatan ini sudah dipegang pejabat lain pada hari-hari itu."})
        row = Mandate.create(
            **signer.model_dump(include={"role", "capacity", "name", "rank", "nip"}),
            user=user,
            titles=json.dumps(signer.titles, ensure_ascii=False),
            order=signer.order or "",
            since=since,
            until=until,
            created_at=now,
            created_by=actor.id,
        )
        Audit.create(at=now, actor=actor.id, what="tambah mandat", subject=_subject(row, user))
    return int(row.id)


def withdraw(mandate_id: int, actor: Actor, now: int) -> None:
    """It ends at once. Raises NotFound, and Stale for one that has ended."""
    with transaction():
        row = Mandate.get_or_none(Mandate.id == mandate_id)
        if row is None:
            raise NotFound("Mandat ini tidak ada.")
        if row.ended_at is not None:
            raise Stale("Mandat ini sudah dicabut.")
        Mandate.update(ended_at=now).where(Mandate.id == mandate_id).execute()
        Audit.create(at=now, actor=actor.id, what="cabut mandat", subject=_subject(row, row.user))


def _subject(row: Mandate, user: User) -> str:
    days = f"{row.since}..{row.until}" if row.until else row.since
    return f"{user.name}, {row.role} ({row.capacity}) {days}"
