"""A sheet's pages: the front filled in from its template, and the annex of its households."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from peewee import chunked

from kiosk import annex, certificate, versions, words
from kiosk.annex import Annex, Family, Person, Progress, Village
from kiosk.errors import Unusable
from kiosk.forms import Value
from kiosk.letter import address
from kiosk.loket import Loket
from kiosk.profile import Profile, Signer
from kiosk.service import Bundle, FormField, ProposalService
from models import Application, BundleItem, Member, Proposal
from models import Bundle as Sheet

# Fields of these names are not told at the top: who they name signs at the foot, in this order.
SIGNING = ("ketua", "notulis", "kepala_desa", "bpd", "pendamping")
# A choice of this name says whose mandate stands under the sheet: its options are roles.
MANDATE = "penandatangan"
BATCH = 500
BASIS = {"berita_acara": "Keputusan dan alasan", "pengesahan": "Dasar usulan"}


@dataclass(frozen=True)
class Told:
    """What the front says besides the households: the number, the day, what was asked."""

    number: str
    day: date
    period: str
    village: str
    values: Mapping[str, Value]
    signer: Signer | None


@dataclass(frozen=True)
class Made:
    """A finished sheet."""

    pdf: bytes
    annex_sha256: str
    families: int
    persons: int


def make(
    loket: Loket,
    service: ProposalService,
    bundle: Bundle,
    told: Told,
    ids: Iterable[int],
    progress: Progress | None = None,
) -> Made:
    """The sheet over these applications, in their order. `progress` is told (done, total).

    Raises Unusable when a text of it cannot be printed.
    """
    ids = list(ids)
    tell = progress or (lambda _done, _total: None)
    villages = _villages(loket, service, bundle, ids, lambda n: tell(n, 3 * len(ids)))
    lists = Annex(
        bundle.heading, told.number, told.period, service.notice.id, BASIS[bundle.template],
        villages,
    )  # fmt: skip
    pages = annex.Pages(lists, lambda n, of: tell(len(ids) + 2 * len(ids) * n // of, 3 * len(ids)))
    parts = _parts(loket.profile, service, bundle, told, lists) | {"sha256": pages.sha256}
    fronts = 1
    while True:
        total = fronts + len(pages)
        front = certificate.from_template(f"{bundle.template}.html", **parts, total=total)
        found = certificate.page_count(front)
        if found == fronts:
            break
        fronts = found
    pdf = certificate.joined(front, pages.draw(fronts + 1, total))
    return Made(pdf, pages.sha256, lists.families, lists.persons)


# --- the households -------------------------------------------------------------------------


def _villages(
    loket: Loket, service: ProposalService, bundle: Bundle, ids: list[int], tell: Any
) -> tuple[Village, ...]:
    by_village: dict[str, list[Family]] = {}
    done = 0
    for some in chunked(ids, BATCH):
        for village, family in _families(loket, service, bundle, list(some)):
            by_village.setdefault(village, []).append(family)
        done += len(some)
        tell(done)
    return tuple(
        Village(*_place(village), tuple(families))
        for village, families in sorted(by_village.items())
    )


def _place(village: str) -> tuple[str, str]:
    """Kecamatan/Desa → kecamatan, desa."""
    district, _, name = village.rpartition("/")
    return district, name


def _families(
    loket: Loket, service: ProposalService, bundle: Bundle, ids: list[int]
) -> Iterator[tuple[str, Family]]:
    rows = Proposal.select(Proposal, Application).join(Application)
    found = {row.application_id: row for row in rows.where(Proposal.application.in_(ids))}
    members: dict[int, list[dict[str, str]]] = {}
    of_these = Member.proposal.in_([row.id for row in found.values()])
    for row in Member.select().where(of_these).order_by(Member.proposal, Member.position):
        person = loket.vault.unlock_json("member", row.person_ct)
        members.setdefault(row.proposal_id, []).append(person)
    reasons = _BASIS[bundle.template](loket, service, found)
    for id_ in ids:
        proposal = found[id_]
        people = members[proposal.id]
        purpose = service.purpose(proposal.application.purpose)
        family = Family(
            number=proposal.application.number,
            kk=people[0]["kk"],
            programme=purpose.title.id if purpose else proposal.application.purpose,
            decision=reasons.get(id_, ("", ""))[0],
            reason=reasons.get(id_, ("", ""))[1],
            members=tuple(_person(person) for person in people),
        )
        _require_legible(family)
        yield proposal.village, family


def _person(person: Mapping[str, str]) -> Person:
    return Person(person["nik"], person["name"], person["relation"], address(person))


def _require_legible(family: Family) -> None:
    """Named by its number: the household whose name has a letter that cannot be printed."""
    try:
        for person in family.members:
            certificate.in_font(annex.tidy(person.name + person.address + family.remark))
    except Unusable as error:
        raise Unusable(f"Usulan {family.number}: {error.message}") from None


def _decisions(
    loket: Loket, _: ProposalService, found: Mapping[int, Proposal]
) -> dict[int, tuple[str, str]]:
    """What was last decided of each by hand, and why."""
    return {id_: _decision(loket, row) for id_, row in found.items() if row.verdict_ct}


def _decision(loket: Loket, proposal: Proposal) -> tuple[str, str]:
    told = loket.vault.unlock_json("verdict", proposal.verdict_ct or b"")
    service = versions.service_of(loket, proposal.application)
    step = next((step for step in service.steps if step.id == told["step"]), None)
    action = step.action(told["action"]) if step else None
    return action.said.id if action else told["action"], told["reason"]


def _bases(
    loket: Loket, service: ProposalService, found: Mapping[int, Proposal]
) -> dict[int, tuple[str, str]]:
    """The signed Berita Acara that each comes from, else the way it came."""
    of = {}
    for id_, proposal in found.items():
        route = service.route(proposal.route)
        of[id_] = (route.title.id if route else proposal.route, "")
    agreed = (
        BundleItem.select(BundleItem.application, BundleItem.bundle, Sheet.number)
        .join(Sheet)
        .where(BundleItem.application.in_(list(found)) & (Sheet.state == "signed"))
        .order_by(Sheet.id)
    )
    return of | {item.application_id: ("Berita Acara", item.bundle.number) for item in agreed}


def _results(lists: Annex) -> list[tuple[str, str]]:
    """How many families and people each decision is of."""
    counted: dict[str, tuple[int, int]] = {}
    for village in lists.villages:
        for family in village.families:
            families, persons = counted.get(family.decision, (0, 0))
            counted[family.decision] = (families + 1, persons + len(family.members))
    return [
        (decision, f"{words.thousands(families)} keluarga, {words.thousands(persons)} jiwa")
        for decision, (families, persons) in sorted(counted.items())
        if decision
    ]


_BASIS = {"berita_acara": _decisions, "pengesahan": _bases}


# --- the front ------------------------------------------------------------------------------


def _parts(
    profile: Profile, service: ProposalService, bundle: Bundle, told: Told, lists: Annex
) -> dict[str, Any]:
    """What the front's template is given."""
    filled = _filled(profile, bundle, told, lists)
    named = {field.name: field for field in bundle.fields}
    return {
        "kop": _kop(profile, told),
        "heading": bundle.heading,
        "number": told.number,
        "rows": [
            (field.label.id, shown(field, told.values[name]))
            for name, field in named.items()
            if name not in (*SIGNING, MANDATE) and told.values.get(name)
        ],
        "results": _results(lists),
        "wording": [line.format(**filled) for line in bundle.wording],
        "signatures": [
            (named[name].label.id, told.values[name]) for name in SIGNING if told.values.get(name)
        ],
        "place_date": f"{profile.office.place}, {words.long_date(told.day)}",
        "signer": told.signer,
        "period": told.period,
        "families": words.thousands(lists.families),
        "persons": words.thousands(lists.persons),
        "villages": words.thousands(len(lists.villages)),
        "notice": service.notice.id,
    }


def _kop(profile: Profile, told: Told) -> tuple[str, ...]:
    """A desa's sheet has its kecamatan and itself at its head, an office's the regional head."""
    government = profile.office.government.upper()
    if told.village:
        district, village = _place(told.village)
        return (government, f"KECAMATAN {district.upper()}", f"DESA/KELURAHAN {village.upper()}")
    if told.signer:
        title = told.signer.titles[0].removeprefix("a.n. ").rstrip(",")
        return (government, title.upper())
    return (government, profile.office.name.upper())


def _filled(profile: Profile, bundle: Bundle, told: Told, lists: Annex) -> dict[str, str]:
    """`office_checks.BUNDLE_PARTS`: what was asked comes before what is known."""
    district, village = _place(told.village)
    asked = told.values.get("tanggal")
    day = date.fromisoformat(str(asked)) if asked else told.day
    parts = {
        "nomor": told.number,
        "tanggal": words.long_date(day),
        "hari": words.weekday(day),
        "desa": village,
        "kecamatan": district,
        "periode": told.period,
        "keluarga": words.thousands(lists.families),
        "jiwa": words.thousands(lists.persons),
        "jumlah_desa": words.thousands(len(lists.villages)),
        "jabatan": " ".join(told.signer.titles).rstrip(",") if told.signer else "",
        "register": profile.register_.name,
        "register_panjang": profile.register_.long_name,
        "dasar": profile.register_.legal_basis,
        "tempat": profile.office.place,
        "ketua": "",
        "notulis": "",
        "agenda": "",
    }
    asked_for = {
        f.name: shown(f, told.values[f.name]) for f in bundle.fields if f.name in told.values
    }
    return parts | {name: said for name, said in asked_for.items() if name in parts and said}


def shown(field: FormField, value: Any) -> str:
    """An asked value as people read it; lists of papers and files are not told on a sheet."""
    if field.kind == "choice":
        return next((one.title.id for one in field.options if one.id == value), str(value))
    if field.kind == "date" and value:
        return words.long_date(date.fromisoformat(str(value)))
    if field.kind == "number" and value:
        return words.thousands(int(value))
    return value if isinstance(value, str) else ""
