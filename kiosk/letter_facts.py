"""What a letter says, taken from its application and frozen when its number is: facts and seal."""

from datetime import date
from typing import Any

from kiosk.errors import NotFound
from kiosk.letter import Facts
from kiosk.loket import Loket
from kiosk.seal import Core, Result, initials, print_check
from kiosk.service import LetterService, LetterText
from models import Application

RESULTS = {
    "registered": Result.REGISTERED,
    "not_registered": Result.NOT_REGISTERED,
    "recommended": Result.RECOMMENDED,
}


def of(
    loket: Loket, application: Application, service: LetterService, number: str, day: date
) -> Facts:
    """What the letter of this application says, issued on `day`. Raises NotFound before a check."""
    purpose = service.purpose(application.purpose)
    if purpose is None or application.check_ct is None:
        raise NotFound("Surat ini belum dapat dibuat: hasil pengecekan belum ada.")
    check = loket.vault.unlock_json("check", application.check_ct)
    return Facts(
        number=number,
        day=day,
        person=loket.vault.unlock_json("given", application.given_ct),
        check=check,
        check_day=loket.calendar.day_of(check["at"]),
        purpose=purpose.title.id,
        validity_days=purpose.validity_days,
    )


def freeze(loket: Loket, text: LetterText, serial: int, facts: Facts) -> dict[str, Any]:
    """The facts as JSON can keep them, with the digits of their seal."""
    key_id, _ = loket.seal_keys.current()
    nik, name = facts.person["nik"], facts.person["name"]
    core = Core(
        key_id=key_id,
        serial=serial,
        issued=facts.day,
        validity_days=facts.validity_days,
        result=RESULTS[text.result],
        check=print_check(serial, nik, name),
        initials=initials(name),
    )
    return {
        **facts.__dict__,
        "day": facts.day.isoformat(),
        "check_day": facts.check_day.isoformat(),
        "digits": loket.seal_keys.seal(core),
    }


def thaw(frozen: dict[str, Any]) -> Facts:
    """The facts that `freeze` was given."""
    rest = {key: value for key, value in frozen.items() if key != "digits"}
    return Facts(
        **rest
        | {
            "day": date.fromisoformat(frozen["day"]),
            "check_day": date.fromisoformat(frozen["check_day"]),
        }
    )
