"""The letter of a case as a desk shows it: its state, what was done to it, what may be done."""

from collections.abc import Callable
from dataclasses import dataclass

from kiosk import letter_status, own, replacing, spool, versions
from kiosk.letter_status import Change
from kiosk.loket import Loket
from kiosk.service import Service
from kiosk.staff import Actor
from kiosk.tables import Text
from models import Application, Document, Letter


@dataclass(frozen=True)
class Linked:
    """Another case by its number, or its letter's; without `application_id` it may not be read."""

    number: str
    application_id: int | None
    reason: str = ""


@dataclass(frozen=True)
class Print:
    """One time that the letter was printed; `who` at the counter, "" at the kiosk."""

    at: int
    place: str
    who: str


@dataclass(frozen=True)
class LetterView:
    """The letter. `drawn`: a sheet to be signed by hand is there, or was released.

    `copies` are the scans of the sheet as it was signed: (kind, SHA-256 of the kept bytes).
    `changes` is what was done to it since it was issued; `acts` what the reader may do to it:
    replace, suspend, lift, revoke. `certificate` is whose and by whom, and `reference` the id, of
    one that a PSrE signed. `replaced_by` is the letter in its place, `replacing` the
    application whose letter will be.
    """

    number: str
    state: str
    issued_at: int | None
    valid_until: str
    digits: str
    revoked_at: int | None
    printed: tuple[Print, ...]
    drawn: bool
    copies: tuple[tuple[Text, str], ...]
    suspended_at: int | None
    changes: tuple[Change, ...]
    replaced_by: Linked | None
    replacing: Linked | None
    acts: tuple[str, ...]
    certificate: str
    reference: str

    @property
    def prints(self) -> int:
        return len(self.printed)

    @property
    def printable(self) -> bool:
        """Whether the counter may print it: by hand until it is signed, else once it is issued."""
        held = self.revoked_at is not None or self.suspended_at is not None
        return not held and (self.state == "issued") != self.drawn

    @property
    def version(self) -> str:
        """Changes with the letter's status."""
        waiting = self.replacing.number if self.replacing else ""
        return f"{self.state}-{self.revoked_at}-{self.suspended_at}-{waiting}"


def of(
    loket: Loket,
    service: Service,
    letter: Letter,
    actor: Actor,
    now: int,
    linked: Callable[[str, Application], Linked],
) -> LetterView:
    """The letter as this member of staff sees it; `linked` is the way to another case."""
    newer, waiting = letter.replaced_by, replacing.open_for(letter)
    facts = loket.vault.unlock_json("letter", letter.facts_ct)
    return LetterView(
        number=letter.number,
        state=letter.state,
        issued_at=letter.issued_at,
        valid_until=letter.valid_until,
        digits=facts["digits"],
        revoked_at=letter.revoked_at,
        printed=tuple(
            Print(job.created_at, job.place, job.actor.full_name if job.actor else "")
            for job in spool.prints("letter", letter.application_id)
        ),
        drawn=letter.drawn_at is not None,
        copies=_copies(loket, service, letter) if letter.state == "issued" else (),
        certificate=letter.certificate,
        reference=letter.reference,
        suspended_at=letter.suspended_at,
        changes=letter_status.history(loket, letter),
        replaced_by=linked(newer.number, newer.application) if newer else None,
        replacing=linked(waiting.number, waiting) if waiting else None,
        acts=_acts(loket, letter, waiting is not None, actor, now),
    )


def _acts(loket: Loket, letter: Letter, waiting: bool, actor: Actor, now: int) -> tuple[str, ...]:
    """What this member of staff may do to an issued letter now."""
    ended = letter.state != "issued" or letter.revoked_at is not None
    if ended or own.is_own(letter.application, actor):
        return ()
    signs, held = loket.profile.may(actor.role, "revoke"), letter.suspended_at is not None
    in_time = letter.valid_until >= loket.calendar.day_of(now).isoformat()
    may = {
        "replace": replacing.may(loket, actor) and in_time and not (held or waiting),
        "suspend": signs and not held,
        "lift": signs and held,
        "revoke": signs,
    }
    return tuple(act for act, allowed in may.items() if allowed)


def _copies(loket: Loket, service: Service, letter: Letter) -> tuple[tuple[Text, str], ...]:
    """The scans that the act of release asked for: what the archive holds of the signed sheet."""
    acts = [action for step in service.steps for action in step.actions]
    fields = [field for act in acts if "release" in act.does for field in act.fields]
    kinds = [field.document for field in fields if field.kind == "files"]
    scans = Document.select().where(
        (Document.application == letter.application_id)
        & (Document.kind << kinds)
        & (Document.created_at >= letter.drawn_at)
        & Document.removed_at.is_null()
    )
    profile = versions.profile_of(loket, letter.application)
    names = {kind.id: kind.title for kind in profile.documents}
    return tuple((names[scan.kind], str(scan.sha256)) for scan in scans.order_by(Document.id))
