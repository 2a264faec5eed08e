"""The signed status list: what it says of each letter, who may believe it, how large it is."""

import json
import zlib
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

import models
from kiosk import letter_status, replacing, status_list
from kiosk.loket import Loket
from kiosk.seal import BadSeal, base64, unbase64
from kiosk.status_list import AGES_S, HOLDS_S, TTL_S, TYP, read, token, value
from models import Letter, db
from tests import bench_status
from tests.conftest import Clock, actor
from tests.letters import act, to_step
from tests.pages import Browser
from tests.test_letter_status import corrected, sign

Submit = Callable[..., int]
URL = "/.well-known/sk-status.jwt"


@pytest.fixture
def rows(loket: Loket, clock: Clock) -> Iterator[Callable[..., None]]:
    """Letters as rows alone, without their applications: rows(ids, state=…, revoked_at=…)."""
    db.execute_sql("PRAGMA foreign_keys = 0")

    def add(serials: range | list[int], **more: object) -> None:
        plain = {
            "kind": "sk", "year": 2026, "state": "issued", "claimed_at": 0, "signer": 1,
            "facts_ct": b"x", "valid_until": "2027-01-01", "issued_at": clock.at,
        } | more  # fmt: skip
        made = [
            plain | {"id": n, "application": n, "no": n, "number": f"{n}", "sha256": f"{n}"}
            for n in serials
        ]
        with models.transaction():
            Letter.insert_many(made).execute()

    yield add
    Letter.delete().execute()
    db.execute_sql("PRAGMA foreign_keys = 1")


def parts(jwt: str) -> tuple[dict[str, object], dict[str, object]]:
    head, claims, _ = jwt.split(".")
    return json.loads(unbase64(head)), json.loads(unbase64(claims))


def test_the_list_is_a_token_status_list_under_the_offices_key(
    loket: Loket, clock: Clock, rows: Callable[..., None]
) -> None:
    rows([1, 2, 7])
    rows([3], revoked_at=5)
    rows([4], revoked_at=5, replaced_by=2)
    rows([5], suspended_at=5)
    rows([6], state="numbered")
    rows([8], state="void")
    rows([9], suspended_at=4, revoked_at=5)
    rows([10], suspended_at=4, revoked_at=5, replaced_by=2)
    made = token(loket, clock.at)
    head, claims = parts(made)
    key_id, _ = loket.seal_keys.current()
    assert head == {"alg": "EdDSA", "typ": "statuslist+jwt", "kid": str(key_id)}
    listed = claims.pop("status_list")
    assert claims == {
        "sub": "http://loket.test/.well-known/sk-status.jwt",
        "iat": clock.at,
        "exp": clock.at + HOLDS_S,
        "ttl": TTL_S,
    }
    assert set(listed) == {"bits", "lst"}  # type: ignore[call-overload]
    # Index 0 in the lowest bits of the first byte, as the Token Status List demands.
    packed = zlib.decompress(unbase64(listed["lst"]))  # type: ignore[index]
    assert packed == bytes([0b01_00_00_10, 0b00_10_10_11, 0b10_11_01_10])
    assert [value(made, n) for n in range(13)] == [2, 0, 0, 1, 3, 2, 2, 0, 2, 1, 3, 2, None]
    assert value(made, -1) is None
    believed = read(made, loket.seal_keys.public())
    assert (believed.made_at, believed.expires_at) == (clock.at, clock.at + HOLDS_S)
    assert [believed.value(n) for n in (3, 4, 7, 12)] == [1, 3, 0, None]


def test_a_list_without_letters_knows_none(loket: Loket, clock: Clock) -> None:
    made = read(token(loket, clock.at), loket.seal_keys.public())
    assert [made.value(n) for n in (0, 1, 4)] == [2, 2, None]


def test_a_list_that_was_touched_or_is_anothers_is_not_believed(
    loket: Loket, clock: Clock, rows: Callable[..., None]
) -> None:
    rows([1])
    keys = loket.seal_keys.public()
    made = token(loket, clock.at)
    head, claims, signature = made.split(".")
    other = json.loads(unbase64(claims)) | {"iat": clock.at + 1}
    touched = f"{head}.{base64(json.dumps(other).encode())}.{signature}"
    stranger = [key | {"key": base64(bytes(range(32)))} for key in keys]
    for text, believed in ((touched, keys), (made, stranger), (made, []), ("", keys)):
        with pytest.raises(BadSeal):
            read(text, believed)  # type: ignore[arg-type]
    with pytest.raises(BadSeal):
        read(loket.seal_keys.sign_jwt(json.loads(unbase64(claims)), "JWT"), keys)


@pytest.mark.parametrize(
    "listed",
    [
        None, {}, {"bits": 1, "lst": ""}, {"bits": 2}, {"bits": 2, "lst": "!"},
        {"bits": 2, "lst": base64(b"no zlib")},
        {"bits": 2, "lst": base64(zlib.compress(bytes(status_list.LARGEST + 2)))},
        {"bits": 2, "lst": base64(zlib.compress(bytes(500))[:-6])},
    ],
)  # fmt: skip
def test_a_signed_list_that_is_none_or_swells_without_end_is_refused(
    loket: Loket, clock: Clock, listed: object
) -> None:
    claims = {"sub": "x", "iat": clock.at, "status_list": listed}
    with pytest.raises(BadSeal):
        read(loket.seal_keys.sign_jwt(claims, TYP), loket.seal_keys.public())


def test_every_change_of_status_is_in_the_next_list_at_once(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    head = actor("kepala_dinas")
    seen = [token(loket, clock.at)]

    def changed() -> str:
        """The list is another one than before, though no time has passed."""
        seen.append(token(loket, clock.at))
        assert seen[-1] != seen[-2]
        return "".join(str(value(seen[-1], n)) for n in range(1, Letter.select().count() + 1))

    old = submit(loket)
    to_step(loket, clock, old, "penyerahan")
    assert changed() == "0"
    letter_status.suspend(loket, old, "Diperiksa", head, clock.at)
    assert changed() == "2"
    letter_status.lift(loket, old, "Benar", head, clock.at)
    assert changed() == "0"
    new = replacing.replace(loket, old, corrected(loket, old), "Alamat", head, clock.at)
    assert token(loket, clock.at) == seen[-1]
    sign(loket, clock, new)
    assert changed() == "30"
    letter_status.revoke(loket, new, "Keliru", head, clock.at)
    assert changed() == "31"
    third = submit(loket)
    to_step(loket, clock, third, "periksa")
    Letter.update(claimed_at=0).execute()
    act(loket, clock, third, "kabid_linjamsos", "tanda_tangan", password="sandi-contoh-15")
    assert changed() == "310"


def test_swapping_which_letter_is_suspended_changes_the_list(
    loket: Loket, clock: Clock, rows: Callable[..., None]
) -> None:
    rows(range(1, 9))
    for held in ([1, 4], [2, 3], [2], [3], [1, 5, 6], [2, 3, 7]):
        Letter.update(suspended_at=None).execute()
        Letter.update(suspended_at=7).where(Letter.id << held).execute()
        made = token(loket, clock.at)
        assert [n for n in range(1, 9) if value(made, n) == 2] == held


def test_the_list_is_kept_while_nothing_changes_and_signed_anew_before_it_ages(
    loket: Loket, clock: Clock
) -> None:
    first = token(loket, clock.at)
    assert token(loket, clock.tick(AGES_S - 1)) == first
    second = token(loket, clock.tick(1))
    assert second != first
    assert read(second, loket.seal_keys.public()).made_at == clock.at
    assert AGES_S < TTL_S < HOLDS_S
    loket.seal_keys.rotate(clock.at)
    assert parts(token(loket, clock.at))[0]["kid"] == "2"


def test_the_list_is_open_to_all_with_its_own_media_type_and_answers_304(
    app: Flask, browser: Browser, clock: Clock, submit: Submit
) -> None:
    loket: Loket = app.extensions["loket"]
    found = browser.page(URL)
    assert found.get_data(as_text=True) == token(loket, clock.at)
    assert found.mimetype == "application/statuslist+jwt"
    assert found.headers["Access-Control-Allow-Origin"] == "*"
    assert "no-cache" in found.headers["Cache-Control"]
    asked = {"If-None-Match": found.headers["ETag"]}
    again = browser.client.get(URL, headers=asked)
    assert (again.status_code, again.get_data()) == (304, b"")
    to_step(loket, clock, submit(loket), "penyerahan")
    assert browser.client.get(URL, headers=asked).status_code == 200


def test_the_index_alone_is_read_whatever_the_letters_weigh(
    loket: Loket, clock: Clock, rows: Callable[..., None]
) -> None:
    rows(range(1, 20))
    asked: list[str] = []
    handle = db.connection()
    handle.set_trace_callback(asked.append)
    status_list.token(loket, clock.at)
    handle.set_trace_callback(None)
    about = [sql for sql in asked if '"letter"' in sql]
    assert len(about) == 1
    for sql in about:
        plan = " ".join(str(row) for row in db.execute_sql(f"EXPLAIN QUERY PLAN {sql}"))
        assert "USING COVERING INDEX letter_not_plain" in plan, plan
        assert plan.count("SCAN") == 1, plan


def test_a_list_of_131072_letters_is_small_and_made_signed_and_asked_quickly(
    loket: Loket, clock: Clock
) -> None:
    found = bench_status.of_one_list(loket, clock.at)
    assert found.size < 4_000
    assert found.letters == 131_072
    assert max(found.made_s, found.read_s) < 1
