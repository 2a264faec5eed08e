"""What a letter says, taken from its application and frozen when its number is.

The facts, the seal's digits, and the finished text in the wording and under the mandate of then:
what is shown of a letter later is what was issued, whatever has changed since.
"""

from dataclasses import asdict
from datetime import date
from typing import Any

from kiosk import certificate, letter, letter_status, versions
from kiosk.errors import NotFound
from kiosk.letter import Facts
from kiosk.loket import Loket
from kiosk.profile import Signer
from kiosk.seal import Core, Result, initials, print_check
from kiosk.service import LetterService, LetterText
from models import Application, Letter

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
        validity_days=letter_status.days_left(application, day) or purpose.validity_days,
        ranked=purpose.max_rank is not None,
    )


def freeze(
    loket: Loket,
    application: Application,
    service: LetterService,
    text: LetterText,
    signer: Signer,
    serial: int,
    facts: Facts,
) -> dict[str, Any]:
    """What JSON keeps of the letter: facts, the digits of its seal, its finished text.

    `text` is the wording that counts today. Raises Unusable when it needs what is not known.
    """
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
    digits = loket.seal_keys.seal(core)
    said, url = versions.wording_of(loket, application), loket.verify_url(digits)
    return {
        **facts.__dict__,
        "day": facts.day.isoformat(),
        "check_day": facts.check_day.isoformat(),
        "digits": digits,
        "text": asdict(letter.write(said, service, text, facts, signer, url, draft=False)),
    }


def thaw(frozen: dict[str, Any]) -> Facts:
    """The facts that `freeze` was given."""
    rest = {key: value for key, value in frozen.items() if key not in ("digits", "text")}
    return Facts(
        **rest
        | {
            "day": date.fromisoformat(frozen["day"]),
            "check_day": date.fromisoformat(frozen["check_day"]),
        }
    )


def text_of(loket: Loket, row: Letter) -> certificate.Letter:
    """The numbered letter's finished text, as it was frozen."""
    frozen = loket.vault.unlock_json("letter", row.facts_ct)
    if "text" not in frozen:
        return _written_again(loket, row, frozen)
    kept = {name: _tuples(value) for name, value in frozen["text"].items()}
    return certificate.Letter(**kept)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _written_again(loket: Loket, row: Letter, frozen: dict[str, Any]) -> certificate.Letter:
    """Of a letter older than the keeping of texts: by its version's wording, and its mandate."""
    facts = thaw(frozen)
    service = versions.letter_service_of(loket, row.application)
    text = service.letter_of(row.kind)
    role = text.signer if row.signing == "wet_ink" and text.signer else row.signer.role
    unnamed = Signer.model_construct(titles=(), name=row.signer.full_name, rank="", nip="")
    signer = loket.profile.signer(role, facts.day) or unnamed
    said, url = versions.wording_of(loket, row.application), loket.verify_url(frozen["digits"])
    return letter.write(said, service, text, facts, signer, url, draft=False)
