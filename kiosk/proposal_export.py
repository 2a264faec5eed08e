"""The households of a signed sheet as a file for SIKS-NG: one row a member, every cell text.

SIKS-NG has no public interface and publishes no layout: the headings are those seen in its exports
(domain.md), and who uploads maps them there.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from io import BytesIO
from typing import Final

from peewee import chunked

from kiosk import proposal_lists
from kiosk.errors import Invalid, NotFound, Stale
from kiosk.loket import Loket
from kiosk.proposal_sheet import text_cell
from kiosk.staff import Actor
from models import Application, Audit, Bundle, BundleItem, Member, Proposal, transaction

FORMS: Final = ("xlsx", "csv")
HEADINGS: Final = (
    "NOMOR USULAN", "KABUPATEN/KOTA", "KECAMATAN", "DESA/KELURAHAN", "ALAMAT", "RT", "RW", "NOKK",
    "NIK", "NAMA", "TANGGAL LAHIR", "TEMPAT LAHIR", "JENIS KELAMIN", "PEKERJAAN",
    "NAMA IBU KANDUNG", "HUB KELUARGA", "KETERANGAN PADAN", "DISABILITAS", "HAMIL",
    "PROGRAM USULAN", "PERIODE", "NOMOR SURAT",
)  # fmt: skip
BATCH = 500


def export(loket: Loket, bundle_id: int, form: str, actor: Actor, now: int) -> bytes:
    """The households of a signed sheet, in its order: "xlsx", or "csv" (| between, all quoted).

    Who was found not eligible, was refused or withdrew is left out: only what is proposed goes on.
    Noted in the audit. Raises NotFound for a sheet of another village, Stale for one that is not
    signed yet, Invalid for another form.
    """
    if form not in FORMS:
        raise Invalid({"form": "Pilih XLSX atau CSV."})
    bundle = _bundle(loket, bundle_id, actor)
    if bundle.state != "signed":
        raise Stale("Lembar ini belum ditandatangani.")
    rows = [HEADINGS, *_rows(loket, bundle)]
    with transaction():
        Audit.create(at=now, actor=actor.id, what=f"ekspor usulan {form}", subject=bundle.number)
    return _xlsx(rows) if form == "xlsx" else _csv(rows)


def _bundle(loket: Loket, bundle_id: int, actor: Actor) -> Bundle:
    bundle = Bundle.get_or_none(Bundle.id == bundle_id)
    scope = proposal_lists.scope_of(loket, actor)
    if bundle is None or (scope is not None and bundle.village != scope):
        raise NotFound("Lembar ini tidak ada.")
    proposal_lists.service_of(loket, bundle.service, actor)
    found: Bundle = bundle
    return found


def _rows(loket: Loket, bundle: Bundle) -> Iterator[Sequence[str]]:
    items = BundleItem.select(BundleItem.application).where(BundleItem.bundle == bundle)
    items = items.join(Application).where(
        Application.outcome.is_null() | Application.outcome.not_in(("rejected", "cancelled"))
    )
    order = [item.application_id for item in items.order_by(BundleItem.position)]
    regency = loket.profile.office.government.upper().removeprefix("PEMERINTAH ")
    for some in chunked(order, BATCH):
        members = _members(some)
        proposals = {
            p.application_id: p
            for p in Proposal.select(Proposal, Application)
            .join(Application)
            .where(Proposal.application.in_(some))
        }
        for application_id in some:
            proposal = proposals[application_id]
            for member in members[proposal.id]:
                person = loket.vault.unlock_json("member", member.person_ct)
                yield _row(proposal, member, person, regency, bundle)


def _members(application_ids: Sequence[int]) -> dict[int, list[Member]]:
    found: dict[int, list[Member]] = {}
    asked = Proposal.select(Proposal.id).where(Proposal.application.in_(application_ids))
    query = Member.select().where(Member.proposal.in_(asked)).order_by(Member.position)
    for member in query:
        found.setdefault(member.proposal_id, []).append(member)
    return found


def _row(
    proposal: Proposal, member: Member, person: Mapping[str, str], regency: str, bundle: Bundle
) -> Sequence[str]:
    district, _, village = proposal.village.upper().partition("/")
    born = person["birth_date"] and f"{date.fromisoformat(person['birth_date']):%d/%m/%Y}"
    told = [person[part] for part in ("address", "rt", "rw", "kk", "nik", "name")]
    more = [person[part] for part in ("birth_place", "sex", "job", "mother", "relation")]
    state = [_padan(member), person["disability"], person["pregnant"]]
    programme = proposal.application.purpose.upper().replace("_", "-")
    place = [proposal.application.number, regency, district, village]
    return [*place, *told, born, *more, *state, programme, bundle.period.code, bundle.number]


def _padan(member: Member) -> str:
    if member.padan is None:
        return ""
    return "PADAN" if member.padan == 100 else "TIDAK PADAN"


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    """As the exports seen are: `|` between, `"` around, so that 16 digits stay text."""
    lines = ("|".join(f'"{_inert(cell)}"' for cell in row) for row in rows)
    return ("\r\n".join(lines) + "\r\n").encode()


def _inert(text: str) -> str:
    """A cell that a spreadsheet will not calculate, and that stays one cell."""
    plain = text.replace('"', '""')
    return f"'{plain}" if plain.startswith(("=", "+", "-", "@", "\t", "\r")) else plain


def _xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    import openpyxl  # here: it takes longer than the rest of the import

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Usulan")
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([text_cell(sheet, cell) for cell in row])
    out = BytesIO()
    book.save(out)
    return out.getvalue()
