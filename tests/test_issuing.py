"""The order of issuing, with the process killed between each two steps of it."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from kiosk import archive, casefile, desk, issuing, letter_prints, verification
from kiosk.errors import Stale
from kiosk.loket import Loket
from models import Application, Event, Letter, Ticket, VoidNumber
from tests.conftest import PASSWORD, Clock, actor
from tests.crashing import POINTS, REAL, Zygote, job, zygote
from tests.letters import act, digits_of, to_step
from tests.own_file import letter_text

KILLED = -9
Submit = Callable[..., int]


@pytest.fixture
def others(home: Path) -> Iterator[Zygote]:
    """Other processes on this office's data."""
    with zygote(home) as made:
        yield made


@pytest.fixture
def waiting(loket: Loket, clock: Clock, submit: Submit) -> Callable[[int], list[int]]:
    """So many letters that wait for a signature: what follows the check is the same for all."""

    def make(count: int) -> list[int]:
        ids = [submit(loket) for _ in range(count)]
        for id_ in ids:
            to_step(loket, clock, id_, "periksa")
        clock.tick(60)
        return ids

    return make


def parts(loket: Loket) -> list[str]:
    return [file.name for file in loket.archive.rglob("*.part")]


def require_whole(loket: Loket, ids: list[int]) -> None:
    """Each has one issued letter whose bytes are in the archive; the numbers have no hole."""
    letters = list(Letter.select().order_by(Letter.no))
    assert [letter.no for letter in letters] == list(range(1, len(ids) + 1))
    assert {letter.state for letter in letters} == {"issued"}
    assert sorted(letter.application_id for letter in letters) == sorted(ids)
    for letter in letters:
        file = archive.path_of(loket, letter)
        assert sha256(file.read_bytes()).hexdigest() == letter.sha256
        assert file.stat().st_mode & 0o777 == 0o400
    signed = Event.select().where(Event.action == "tanda_tangan")
    assert sorted(event.application_id for event in signed) == sorted(ids)


def test_killed_between_any_two_steps_a_letter_is_issued_once_with_its_number(
    loket: Loket, clock: Clock, waiting: Callable[[int], list[int]], others: Zygote
) -> None:
    ids = waiting(len(POINTS))
    numbers = {}
    for id_, point in zip(ids, POINTS, strict=True):
        real = point in REAL
        assert others.run(job([id_], clock.at, point, real=real)) == [KILLED], point
        left = Letter.get_or_none(Letter.application == id_)
        numbers[id_] = left and left.number
        done = point == POINTS[-1]
        assert (left is None) == (point == POINTS[0]), point
        assert left is None or (left.state == "issued") == done, point
        # Whoever starts after it does so as the server does: at once, not when the claim ends.
        again = others.run(job([id_], clock.tick(1), real=real, new=True))
        assert again == [0 if done else 1], point
        letter = Letter.get(Letter.application == id_)
        assert letter.number == (numbers[id_] or letter.number), point
        assert parts(loket) == [], point
    require_whole(loket, ids)
    # Cut off between the file's place and the commit, the file was never a letter; it is kept
    # beside, because a database that was put back could not tell it from one that was.
    strangers = {fault.what.split("/")[-1].split(".")[0] for fault in archive.check(loket)}
    cut = [ids[POINTS.index(point)] for point in ("after archive.put", "after desk.carry_out")]
    nos = [Letter.get(Letter.application == id_).no for id_ in cut]
    assert strangers == {f"{no:06d}" for no in nos}


def test_numbers_of_four_processes_and_25_kills_have_no_gap_and_no_duplicate(
    loket: Loket, clock: Clock, waiting: Callable[[int], list[int]], others: Zygote
) -> None:
    ids, dice, kills = waiting(24), random.Random(15), 0  # noqa: S311
    points = [point for point in POINTS if point not in REAL]
    while kills < 25:
        # The claims of the dead have run out; they who live meet at the same few letters.
        at, issued = clock.tick(issuing.CLAIM_S), Letter.state == "issued"
        done = {letter.application_id for letter in Letter.select().where(issued)}
        few = [id_ for id_ in ids if id_ not in done][:4]
        ended = others.run(
            *(job(dice.sample(few, len(few)), at, dice.choice(points)) for _ in range(4))
        )
        kills += ended.count(KILLED)
        assert 101 not in ended
        assert few
    assert others.run(job(ids, clock.tick(1), new=True))[0] in range(len(ids))
    require_whole(loket, ids)
    assert parts(loket) == []


def test_thirty_two_processes_signing_the_same_letter_at_once_make_one_certificate(
    loket: Loket, clock: Clock, waiting: Callable[[int], list[int]], others: Zygote
) -> None:
    ids = waiting(1)
    ended = others.run(*(job(ids, clock.at) for _ in range(32)))
    assert sorted(ended) == [0] * 31 + [1]
    require_whole(loket, ids)
    assert [file.suffix for file in loket.archive.rglob("*.*")] == [".pdf"]


def test_a_release_that_fails_frees_the_letter_at_once(
    loket: Loket, clock: Clock, waiting: Callable[[int], list[int]]
) -> None:
    (id_,) = waiting(1)
    head, seq = actor("kepala_dinas"), desk.find(id_).seq
    step = loket.profile.letter_service("sk_dtks").step("periksa").action("tanda_tangan")
    assert step is not None
    made = issuing.make(loket, id_, step, head, seq, clock.at)
    assert made.part.exists()
    issuing.abandon(made)
    assert parts(loket) == []
    act(loket, clock, id_, "kabid_linjamsos", "tanda_tangan", password=PASSWORD)
    assert Application.get_by_id(id_).step == "penyerahan"
    # Whoever was slower frees nothing that is another's.
    with pytest.raises(Stale):
        issuing.release(made, clock.at)
    issuing.abandon(made)
    require_whole(loket, [id_])


def test_a_letter_of_december_that_is_signed_in_january_has_a_number_and_a_date_of_january(
    loket: Loket, clock: Clock, waiting: Callable[[int], list[int]]
) -> None:
    first, second = waiting(2)
    step = loket.profile.letter_service("sk_dtks").step("periksa").action("tanda_tangan")
    assert step is not None
    for day in (datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2026, 12, 31, 9, tzinfo=UTC)):
        clock.at = int(day.timestamp())
        issuing.abandon(
            issuing.make(loket, first, step, actor("kepala_dinas"), desk.find(first).seq, clock.at)
        )
    assert (Letter.get().number, VoidNumber.select().count()) == ("400.9.1/1/DINSOS/2026", 0)
    clock.at = int(datetime(2027, 1, 1, 9, tzinfo=UTC).timestamp())
    for id_ in (second, first):
        act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    row, void = Letter.get(Letter.application == first), VoidNumber.get()
    assert (row.year, row.number) == (2027, "400.9.1/2/DINSOS/2027")
    assert (void.kind, void.year, void.no) == ("sk_dtks", 2026, 1)
    assert "1 Januari 2027" in letter_text(loket, first)
    assert row.number in letter_text(loket, first)
    assert verification.check(loket, digits_of(loket, first), clock.at).code == "sah"
    assert list(archive.check(loket)) == []


def test_an_issued_letter_is_never_made_again(
    loket: Loket, clock: Clock, waiting: Callable[[int], list[int]]
) -> None:
    (id_,) = waiting(1)
    act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    # A file whose steps lead back behind the signature, which no office's does.
    Application.update(step="periksa").execute()
    with pytest.raises(Stale, match="sudah terbit"):
        act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    require_whole(loket, [id_])


def test_each_print_is_counted_and_shown_with_its_place_time_and_person(
    loket: Loket, clock: Clock, waiting: Callable[[int], list[int]]
) -> None:
    (id_,) = waiting(1)
    act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    front = actor("front_office")
    first = clock.tick(60)
    letter_prints.print_at_kiosk(loket, Ticket.get().token, first)
    again = clock.tick(60)
    for key in ("a", "b", "b"):
        letter_prints.print_at_counter(loket, id_, front, key, again)
    view = casefile.read(loket, id_, front, clock.at).letter
    assert view is not None
    assert [(one.at, one.place, one.who) for one in view.printed] == [
        (first, "kiosk", ""),
        (again, "counter", "Lilis Loket"),
        (again, "counter", "Lilis Loket"),
    ]
    assert view.prints == 3


def test_the_archive_is_read_through_and_every_change_in_it_is_told(
    loket: Loket, clock: Clock, waiting: Callable[[int], list[int]]
) -> None:
    ids = waiting(3)
    for id_ in ids:
        act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    assert list(archive.check(loket)) == []
    first, second, third = (archive.path_of(loket, row) for row in Letter.select())
    first.unlink()
    second.chmod(0o600)
    second.write_bytes(second.read_bytes() + b" ")
    third.with_name("000009.pdf").write_bytes(b"%PDF")
    numbers = [row.number for row in Letter.select().limit(2)]
    assert list(archive.check(loket)) == [
        (numbers[0], archive.MISSING),
        (numbers[1], archive.CHANGED),
        ("sk_dtks/2026/000009.pdf", archive.UNKNOWN),
    ]
