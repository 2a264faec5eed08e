"""Whose an application is: nobody works on their own, nor on a proposal of their household.

Known by the NIK that the admin noted of a member of staff.
"""

from collections.abc import Iterable

from kiosk.errors import NotAllowed
from kiosk.staff import Actor
from models import Application, Member, Proposal, User

OWN = "Permohonan ini milik Anda sendiri: petugas lain yang mengerjakannya."


def among(application_ids: Iterable[int], actor: Actor) -> set[int]:
    """Which of these are the actor's: as applicant, or as a person of the proposed household."""
    mine, ids = User.get_by_id(actor.id).nik_ix, list(application_ids)
    if mine is None:
        return set()
    applied = Application.select(Application.id).where(Application.nik_ix == mine)
    proposed = Proposal.select(Proposal.application).join(Member).where(Member.nik_ix == mine)
    found = {row.id for row in applied.where(Application.id << ids)}
    return found | {row.application_id for row in proposed.where(Proposal.application << ids)}


def is_own(application: Application, actor: Actor) -> bool:
    """Whether this one is."""
    return bool(among([application.id], actor))


def require_others(application: Application, actor: Actor) -> None:
    """It is somebody else's. Raises NotAllowed."""
    if is_own(application, actor):
        raise NotAllowed(OWN)
