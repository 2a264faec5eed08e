"""The status list: how large it is, and what it costs to make and to ask. A part of `make bench`.

The table's letters weigh what real ones weigh, so that a query that reads them is seen at once. The
yardstick is the same question asked of the table itself, as it would be without the index.
"""

import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

import models
from kiosk import jws, status_list
from kiosk.loket import Loket, open_loket, prepare
from kiosk.seal import unbase64
from models import NOT_PLAIN, Letter
from tests.bench import Options, Row

ONE_LIST = 131_072
ONE_IN = 200  # of the issued ones is revoked, suspended or replaced
A_LETTER = 1_500  # bytes of a letter's locked facts
SERIALS = (1, 4_711, 65_536, ONE_LIST - 1)


def rows(home: Path, options: Options) -> Iterator[Row]:
    """Making the list of a large office, and asking one of 131,072 letters."""
    many = of_many(home, 10 * options.people)
    yield Row(
        f"status list of {many.letters:,} letters, ms",
        f"{many.first_s * 1e3:.1f}",
        f"{many.bare_s * 1e3:.0f}",
        f"{many.size:,} bytes; unchanged {many.kept_s * 1e3:.1f}; bare: the table read, no more",
        {"first_s": many.first_s, "kept_s": many.kept_s, "bare_s": many.bare_s, "size": many.size},
    )
    one = of_one_list(open_loket(home, "lebak", "http://127.0.0.1"), int(time.time()))
    yield Row(
        f"status list of {one.letters:,} read, ms",
        f"{one.read_s * 1e3:.2f}",
        f"{one.inflated_s * 1e3:.2f}",
        f"{one.size:,} bytes; signed in {one.made_s * 1e3:.1f}, a letter asked of it in "
        f"{one.asked_s * 1e6:.1f} µs; bare: zlib alone",
        {"read_s": one.read_s, "made_s": one.made_s, "asked_s": one.asked_s, "size": one.size},
    )


@dataclass(frozen=True)
class Found:
    """A list's `size` in bytes; seconds to sign, to read with its signature, to ask once, and of
    decompressing alone.
    """

    letters: int
    size: int
    made_s: float
    read_s: float
    asked_s: float
    inflated_s: float


def of_one_list(loket: Loket, now: int) -> Found:
    """A list of 131,072 letters of which half are issued and one in 200 is revoked."""
    packed = bytearray(ONE_LIST // 4)
    chosen = Random(15)  # noqa: S311 - the same letters each time
    for serial in range(ONE_LIST):
        if serial >= ONE_LIST // 2:
            status_list._put(packed, serial, status_list.NOT_ISSUED)
        elif not chosen.randrange(ONE_IN):
            status_list._put(packed, serial, status_list.REVOKED)
    keys = loket.seal_keys.public()
    made_s = timed(lambda: status_list._signed(loket, bytes(packed), now))
    jwt = status_list._signed(loket, bytes(packed), now)
    read_s = timed(lambda: status_list.read(jwt, keys))
    known = status_list.read(jwt, keys)
    asked_s = timed(lambda: [known.value(serial) for serial in SERIALS]) / len(SERIALS)
    lst = unbase64(jws.unverified(jwt)["status_list"]["lst"])
    inflated_s = timed(lambda: zlib.decompress(lst))
    return Found(len(known.packed) * 4, len(jwt), made_s, read_s, asked_s, inflated_s)


def timed(act: Callable[[], object], rounds: int = 9) -> float:
    """Seconds, the median of some rounds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return median(times)


@dataclass(frozen=True)
class Many:
    """Of an office with `letters`: seconds of a first list, a kept one, and of the bare table."""

    letters: int
    size: int
    first_s: float
    kept_s: float
    bare_s: float


def of_many(home: Path, letters: int) -> Many:
    """Make an office with so many letters in `home`, and its status list."""
    now = int(time.time())
    prepare(home, "lebak", now)
    loket = open_loket(home, "lebak", "http://127.0.0.1")
    database = models.connect(home / "loket15.sqlite")
    with closing(database), database.connection_context():
        models.create()
        fill(letters, now)

        def first() -> str:
            status_list._made.clear()
            return status_list.token(loket, now)

        size, first_s = len(first()), timed(first)
        kept_s = timed(lambda: status_list.token(loket, now))
        bare_s = timed(lambda: list(bare()), rounds=3)
    return Many(letters, size, first_s, kept_s, bare_s)


def bare() -> Iterator[tuple[int]]:
    """What is not plainly valid, from the table's own rows."""
    query = Letter.select(Letter.id).where(NOT_PLAIN).sql()[0]
    plain = query.replace('AS "t1"', 'AS "t1" NOT INDEXED')
    return iter(models.db.execute_sql(plain).fetchall())


def fill(letters: int, now: int) -> None:
    """So many letters, one in 200 not plainly valid: a third each revoked, suspended, replaced."""
    models.db.execute_sql("PRAGMA foreign_keys = 0")
    models.db.execute_sql("PRAGMA synchronous = off")
    ended = f"CASE WHEN i % {ONE_IN * 3} IN (0, {ONE_IN}) THEN {now} END"
    filled = {
        "id": "i", "application_id": "i", "kind": "'sk'", "year": "2026", "no": "i",
        "number": "'400.9.1/' || i || '/DINSOS/2026'", "state": "'issued'", "claimed_at": "1",
        "signer_id": "1", "facts_ct": f"zeroblob({A_LETTER})", "valid_until": "'2027-05-21'",
        "issued_at": f"{now}", "sha256": "printf('%064d', i)", "revoked_at": ended,
        "suspended_at": f"CASE WHEN i % {ONE_IN * 3} = {ONE_IN * 2} THEN {now} END",
        "replaced_by_id": f"CASE WHEN i % {ONE_IN * 3} = 0 THEN i - 1 END",
    }  # fmt: skip
    rest = {
        field.column_name: f"'{field.default}'"
        for field in Letter._meta.sorted_fields
        if field.default is not None and field.column_name not in filled
    }
    names, values = zip(*(filled | rest).items(), strict=True)
    # Names and figures of this module alone.
    series = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {letters})"  # noqa: S608
    chosen = f"SELECT {', '.join(values)} FROM n"  # noqa: S608
    with models.transaction():
        models.db.execute_sql(f"{series} INSERT INTO letter ({', '.join(names)}) {chosen}")
