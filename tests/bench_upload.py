"""How long a filled template takes, from the upload to the kept households: `python -m
tests.bench_upload [members]`. Prints wall and processor seconds, to be read beside those of a bare
loop of ten million additions (some 0.6 s on an idle core): a loaded machine shows in it.
"""

import sys
import tempfile
import time
from io import BytesIO
from itertools import islice
from pathlib import Path

import openpyxl

import models
from kiosk import proposal_sheet, proposals
from kiosk.household import Household
from kiosk.loket import Loket, open_loket
from kiosk.proposal_uploads import Uploads
from tests import proposal_office
from tests.households import VILLAGE, households
from tests.proposal_office import NOW, SERVICE, actor

MEMBERS = 10_000


def main(members: int) -> None:
    """Measure an upload, the same again (each row a fault), an act on all, a list, a search."""
    with tempfile.TemporaryDirectory() as folder:
        home = proposal_office.made("lumajang", Path(folder))
        with models.connect(home / "loket15.sqlite").connection_context():
            loket = open_loket(home, "lumajang", "http://loket.test")
            _measure(loket, filled(loket, list(_of(members))))


def _of(members: int) -> list[Household]:
    found, people = [], 0
    for one in islice(households(members), members):
        if people >= members:
            break
        found.append(one)
        people += len(one.members)
    return found


def filled(loket: Loket, many: list[Household]) -> bytes:
    """A template with these households typed in."""
    service = loket.profile.proposals[0]
    columns = proposal_sheet.columns_of(service)
    titles = {purpose.id: purpose.title.id for purpose in service.purposes}
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(proposal_sheet.SHEET)
    sheet.append([])
    sheet.append([proposal_sheet.VILLAGE_LABEL, VILLAGE])
    sheet.append([])
    sheet.append([column.heading for column in columns])
    for one in many:
        for member in one.members:
            row = {f"member.{part}": text for part, text in member.items()}
            row |= {"purpose": titles[one.purpose], "size": str(one.family_size)}
            sheet.append([row.get(column.name, "") for column in columns])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _measure(loket: Loket, data: bytes) -> None:
    with _told("bare loop"):
        sum(range(10_000_000))
    desa, uploads = actor("desa"), Uploads(loket)
    with _told("upload"):
        uploads.start(BytesIO(data), SERVICE, VILLAGE, True, desa, NOW)
        ended = uploads.wait(desa, 600)
    print(ended)  # noqa: T201
    with _told("all given back"):
        uploads.start(BytesIO(data), SERVICE, VILLAGE, True, desa, NOW)
        uploads.wait(desa, 600)
    ids = proposals.ids(loket, SERVICE, desa, proposals.Filter())
    with _told(f"act on {len(ids)}"):
        proposals.act_all(loket, ids, "bawa", {}, desa, NOW)
    with _told("list"):
        proposals.listing(loket, SERVICE, desa, proposals.Filter(), 1, NOW)
    with _told("search by name"):
        proposals.listing(loket, SERVICE, desa, proposals.Filter(text="agus"), 1, NOW)


class _told:
    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        print(f"{self._what:<20} {wall:7.2f} s wall {cpu:7.2f} s processor")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MEMBERS)
