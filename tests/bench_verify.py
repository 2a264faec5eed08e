"""Rows of `make bench` for whoever checks letters: page, API, ten thousand codes at once."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kiosk import institutions
from kiosk.loket import Loket
from kiosk.staff import Actor
from models import Letter, User
from tests import bench
from tests.bench import CLIENTS, Burst, Options, Row, Server


def rows(loket: Loket, server: Server, bare: Server, options: Options) -> Iterator[Row]:
    """Needs letters that were issued: those of the rows before."""
    codes = _codes(loket)
    paths = {"verify page/s": "/v/{}", "verification API/s": "/api/v1/verifikasi/{}"}
    for what, path in paths.items():
        yield _asked(what, [path.format(code) for code in codes], server, bare, options)
    yield _many(loket, codes, options)


def _codes(loket: Loket) -> list[str]:
    letters = Letter.select().where(Letter.state == "issued")
    return [str(_facts(loket, letter)["digits"]) for letter in letters]


def _facts(loket: Loket, letter: Letter) -> Mapping[str, Any]:
    return loket.vault.unlock_json("letter", letter.facts_ct)


def _asked(what: str, paths: Sequence[str], server: Server, bare: Server, options: Options) -> Row:
    """Phones that open one letter each, again and again, beside the bare answer."""
    plain = bench.bare_rate(bare, "GET", options)
    done = bench.best(options.rounds, lambda: _burst(server.port, paths, options))
    if any(status != 200 for status, _, _ in done.answers):
        raise SystemExit(f"{what}: not every letter was answered")
    return Row(
        f"{what}, {CLIENTS} at once",
        f"{done.rate:.0f}",
        f"{plain:.0f}",
        f"{done.rate / plain:.2f} of the bare answer; p95 {bench.p95(done.each) * 1e3:.1f} ms",
        {"rate": done.rate, "bare": plain, "ratio": done.rate / plain},
    )


def _burst(port: int, paths: Sequence[str], options: Options) -> Burst:
    each = options.polls // CLIENTS
    asked = [bench.request(port, "GET", path) for path in paths]
    work = [[asked[(n + m) % len(asked)] for m in range(each)] for n in range(CLIENTS)]
    return bench.burst(port, work)


def _many(loket: Loket, codes: Sequence[str], options: Options) -> Row:
    """A school's file of codes answered, genuine and forged ones mixed."""
    now, user = int(time.time()), User.get(User.role == "admin")
    institution = Actor(user.id, user.name, "", user.role)
    key = institutions.add("Sekolah ukur", institution, now)
    id_ = institutions.of_key(key, "", now)
    many = options.polls * 25 // 8
    lines = [codes[n % len(codes)] if n % 4 else "1" + codes[0][1:] for n in range(many)]
    began = time.perf_counter()
    answer = institutions.verify(loket, id_, "\n".join(lines).encode(), now)
    seconds = time.perf_counter() - began
    if answer.count("\r\n") != many + 1:
        raise SystemExit("a code was not answered")
    return Row(
        f"{many:,} codes of an institution, s",
        f"{seconds:.1f}",
        "-",
        f"{seconds / many * 1e6:.0f} µs each",
        {"seconds": seconds, "codes": many},
    )
