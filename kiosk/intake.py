"""The counter's own intake: who came without a ticket, or wrote a letter, is taken in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiosk import desk, forms, limits
from kiosk.errors import Invalid, NotAllowed
from kiosk.forms import Given
from kiosk.identity import check_kk, check_nik
from kiosk.loket import Loket
from kiosk.service import FormField
from kiosk.staff import Actor
from kiosk.tables import Text
from models import Audit, transaction

COUNTER, LETTER = "counter", "letter"
CHANNELS = (COUNTER, LETTER)
LOOKUPS, LOOKUP_S = 120, 3600
LONGEST_NUMBER = 80
KEY = re.compile(r"[0-9a-f]{32}")
PERSON = FormField(
    name="person", kind="person", label=Text(id="Data pemohon", en="The applicant's data")
)


@dataclass(frozen=True)
class Found:
    """What the register has of a pair of numbers: `person` with the parts of `forms.PERSON`.

    `result`: `found`; `other_kk`, where the NIK is there with another KK; or `unknown`. Only who
    is found with both numbers is shown, as at the kiosk.
    """

    result: str
    person: Mapping[str, str]


def lookup(loket: Loket, given: Given, actor: Actor, now: int) -> Found:
    """Look `person.nik` and `person.kk` up in the register; noted in the audit, without them.

    Raises Invalid by field, NotAllowed, TooMany past 120 an hour.
    """
    _require(loket, actor)
    nik, kk = _numbers(given)
    limits.spend(f"cari|{actor.id}", LOOKUPS, LOOKUP_S, now)
    with transaction():
        Audit.create(at=now, actor=actor.id, what="cari data")
    row = loket.register.find_pair(nik, kk)
    if row is not None:
        parts = {part: str(getattr(row, part)) for part in forms.PERSON}
        return Found("found", parts)
    return Found("other_kk" if loket.register.find_nik(nik) else "unknown", {"nik": nik, "kk": kk})


def submit(loket: Loket, given: Given, actor: Actor, now: int) -> int:
    """Take the application in: its id. Sent again with the same `key`, it is the same one.

    `given`: `key`, `channel` (`counter` or `letter`, the latter with `letter_number` and
    `letter_date`), `purpose` ("service:purpose"), `priority`, and the person's parts as
    `person.nik` and so on. Raises Invalid by field, NotAllowed.
    """
    _require(loket, actor)
    faults: dict[str, str] = {}
    person = _caught(faults, _person, loket, given)
    letter = _caught(faults, _letter, given, loket.calendar.day_of(now))
    if _text(given, "channel") not in CHANNELS:
        faults["channel"] = "Pilih salah satu."
    if not KEY.fullmatch(_text(given, "key")):
        faults["key"] = "Formulir ini tidak lengkap. Muat ulang halaman, lalu isi lagi."
    service, _, purpose = _text(given, "purpose").partition(":")
    faults |= _purpose_faults(loket, service, purpose)
    if faults:
        raise Invalid(faults)
    draft = desk.Draft(
        service=service,
        purpose=purpose,
        priority=_text(given, "priority"),
        nik=person["nik"],
        kk=person["kk"],
        person=person,
        in_snapshot=loket.register.find_pair(person["nik"], person["kk"]) is not None,
        remark={"rows": [], "note": "", "letter": letter} if letter else None,
        channel=_text(given, "channel"),
        key=_text(given, "key"),
    )
    return desk.submit(loket, draft, None, now, actor)


def _require(loket: Loket, actor: Actor) -> None:
    if not loket.profile.may(actor.role, "queue"):
        raise NotAllowed("Permohonan baru dicatat petugas loket.")


def _caught(faults: dict[str, str], read: Any, *given: Any) -> Any:
    """What `read` makes of it; its faults join the others."""
    try:
        return read(*given)
    except Invalid as invalid:
        faults |= invalid.fields
        return None


def _numbers(given: Given) -> tuple[str, str]:
    faults: dict[str, str] = {}
    numbers = []
    for part, check in (("nik", check_nik), ("kk", check_kk)):
        try:
            numbers.append(check(_text(given, f"person.{part}")))
        except ValueError as fault:
            faults[f"person.{part}"] = str(fault)
    if faults:
        raise Invalid(faults)
    return numbers[0], numbers[1]


def _person(loket: Loket, given: Given) -> dict[str, str]:
    plain = {
        f"person.{p}": [re.sub(r"[\s.\-]", "", _text(given, f"person.{p}"))] for p in ("nik", "kk")
    }
    service = loket.profile.services[0]
    person = forms.read_fields(service, (PERSON,), {**given, **plain})["person"]
    if not isinstance(person, dict):
        raise TypeError("a person is read as its parts")
    return person


def _letter(given: Given, today: date) -> dict[str, str]:
    """Number and date of the written application; nothing for who came in person."""
    if _text(given, "channel") != LETTER:
        return {}
    number, day = _text(given, "letter_number"), _text(given, "letter_date")
    faults: dict[str, str] = {}
    if not 0 < len(number) <= LONGEST_NUMBER:
        faults["letter_number"] = "Tulis nomor surat permohonan, atau tanda hubung bila tidak ada."
    try:
        if date.fromisoformat(day) > today:
            faults["letter_date"] = "Tanggal surat tidak boleh sesudah hari ini."
    except ValueError:
        faults["letter_date"] = "Isi tanggal surat permohonan."
    if faults:
        raise Invalid(faults)
    return {"number": number, "date": day}


def _purpose_faults(loket: Loket, service: str, purpose: str) -> dict[str, str]:
    known = {(s.id, p.id) for s in loket.profile.letters for p in s.purposes}
    return {} if (service, purpose) in known else {"purpose": "Pilih keperluan surat."}


def _text(given: Given, name: str) -> str:
    values = given.get(name) or ("",)
    return " ".join(values[0].split())
