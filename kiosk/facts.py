"""What the rules of an act are asked of, gathered from the case, its household and the register."""

from collections.abc import Mapping
from typing import Any

from kiosk.loket import Loket
from kiosk.rules import Facts, Person
from kiosk.service import ProposalService, Service
from models import Application, Member, Proposal

HEAD = "KEPALA KELUARGA"


def of(
    loket: Loket, application: Application, service: Service, values: Mapping[str, Any]
) -> Facts:
    """The facts of this case; what the act was given (`values`) comes before the snapshot."""
    if isinstance(service, ProposalService):
        return _of_household(loket, application, service)
    purpose = service.purpose(application.purpose)
    return Facts(
        rank=_rank(loket, application, values),
        max_rank=purpose.max_rank if purpose else None,
        rank_label=loket.profile.register_.rank_label,
        purpose=purpose.title.id if purpose else application.purpose,
    )


def _rank(loket: Loket, application: Application, values: Mapping[str, Any]) -> int | None:
    """What the operator reads in SIKS-NG, else what was recorded, else the snapshot's."""
    check = loket.vault.unlock_json("check", application.check_ct) if application.check_ct else {}
    for told in (values.get("rank"), check.get("rank")):
        if told:
            return int(told)
    given = loket.vault.unlock_json("given", application.given_ct)
    row = loket.register.find_nik(given["nik"])
    return row.rank if row else None


def _of_household(loket: Loket, application: Application, service: ProposalService) -> Facts:
    proposal = Proposal.get(Proposal.application == application)
    members = Member.select().where(Member.proposal == proposal).order_by(Member.position)
    return Facts(
        programme=application.purpose,
        members=tuple(_member(loket, member) for member in members),
        family_size=proposal.family_size,
        padan=service.padan,
    )


def _member(loket: Loket, member: Member) -> Person:
    person = loket.vault.unlock_json("member", member.person_ct)
    row = loket.register.find_nik(person["nik"])
    return Person(
        position=member.position,
        kk=person["kk"],
        is_head=person["relation"].upper() == HEAD,
        in_register=row is not None,
        programmes=tuple(row.programmes) if row else (),
        padan=member.padan,
        padan_address=member.padan_address,
    )
