"""What the rules of an act are asked of, gathered from the case, its household and the register."""

from collections.abc import Iterable, Mapping
from typing import Any

from kiosk import versions
from kiosk.household import HEAD
from kiosk.loket import Loket
from kiosk.rules import Facts, Person
from kiosk.service import ProposalService, Service
from models import Application, Member, Proposal


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
        rank_label=versions.wording_of(loket, application).register_.rank_label,
        purpose=purpose.title.id if purpose else application.purpose,
        village=_village(loket, application, values),
    )


def _village(loket: Loket, application: Application, values: Mapping[str, Any]) -> str:
    """As it is about to be corrected, else as given."""
    person = values.get("person") or loket.vault.unlock_json("given", application.given_ct)
    return str(person["village"])


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
    return of_households(loket, (application,), service)[application.id]


def of_households(
    loket: Loket, applications: Iterable[Application], service: ProposalService
) -> dict[int, Facts]:
    """The facts of many proposals of one service, by their applications' ids."""
    asked = {application.id: application for application in applications}
    proposals = {p.id: p for p in Proposal.select().where(Proposal.application.in_(list(asked)))}
    members: dict[int, list[Person]] = {proposal_id: [] for proposal_id in proposals}
    rows = Member.select().where(Member.proposal.in_(list(proposals))).order_by(Member.position)
    for row in rows:
        members[row.proposal_id].append(_member(loket, row))
    return {
        proposal.application_id: Facts(
            programme=asked[proposal.application_id].purpose,
            members=tuple(members[proposal_id]),
            family_size=proposal.family_size,
            padan=service.padan,
        )
        for proposal_id, proposal in proposals.items()
    }


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
