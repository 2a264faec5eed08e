"""What people wait for, beside a bare answer of the same server in the same run: `make bench`.

A real server on a folder of its own with the demonstration register; nothing is left behind. Of
several rounds the best counts: other work on the machine only ever makes a round worse.
"""

import argparse
import html
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from io import BytesIO
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

from kiosk import (
    archive,
    bundles,
    certificate,
    demo,
    desk,
    periods,
    population,
    presses,
    proposal_sheet,
    spool,
    stack,
    staff,
    store,
    visit,
)
from kiosk.loket import Loket, open_loket, prepare
from kiosk.proposal_uploads import Uploads
from kiosk.staff import Actor
from models import Application, Letter, Member, Ticket, User
from tests.households import households
from views import web

CLIENTS = 16
SERVICE = "sk_dtks"
PERSON = population.DEMO_PERSON
WRONG_KK = "3602111111110000"
PAIRS = {
    "hit": (PERSON.nik, PERSON.kk),
    "wrong": (PERSON.nik, WRONG_KK),
    "absent": ("3602010101010099", PERSON.kk),
}
EACH_KIND = 8  # a device may look up 30 times in ten minutes, and there are three kinds
TO_SIGN = (
    ("front_office", "lengkap", {}),
    ("sekretariat", "teruskan", {}),
    ("kepala_dinas", "disposisi", {}),
    ("kabid_linjamsos", "tugaskan", {}),
    ("operator", "ditemukan", {"seen": ["Terdaftar"], "register_id": [PERSON.register_id]}),
)
HALF_OPEN = 150
LEGITIMATE = 20
PATIENCE_S = 5.0


@dataclass(frozen=True)
class Options:
    people: int
    rounds: int
    tickets: int
    polls: int
    lookups: int
    letters: int
    stack: int
    households: int


WHOLE = Options(
    people=100_000,
    rounds=3,
    tickets=160,
    polls=3_200,
    lookups=320,
    letters=20,
    stack=100,
    households=3_334,
)
QUICK = Options(
    people=2_000, rounds=1, tickets=64, polls=640, lookups=24, letters=3, stack=12, households=100
)


@dataclass(frozen=True)
class Row:
    """A line of the table: ours beside the bare answer, in the same unit."""

    what: str
    ours: str
    bare: str
    note: str
    figures: dict[str, float] = field(default_factory=dict)


# --- a client that costs little -------------------------------------------------------------


class Client:
    """One keep-alive connection that sends requests made beforehand."""

    def __init__(self, port: int, patience: float = 30) -> None:
        self.port = port
        self.patience = patience
        self.sock = self._connect()

    def _connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=self.patience)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def ask(self, request: bytes) -> tuple[int, str, bytes]:
        """Status, headers and body of the answer."""
        self.sock.sendall(request)
        head, _, body = self._until(b"", lambda data: b"\r\n\r\n" in data).partition(b"\r\n\r\n")
        said = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        length = int(said[1]) if said else 0
        body = self._until(body, lambda data: len(data) >= length)
        if re.search(rb"(?i)\r\nconnection: *close", head):
            self.sock.close()
            self.sock = self._connect()
        return int(head[9:12]), head.decode("latin-1"), body

    def _until(self, data: bytes, enough: Callable[[bytes], bool]) -> bytes:
        while not enough(data):
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError("the server hung up")
            data += more
        return data


def request(port: int, method: str, path: str, cookies: str = "", **form: str) -> bytes:
    """The bytes of a request as htmx sends it."""
    body = urlencode(form).encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "HX-Request: true"]
    if cookies:
        lines.append(f"Cookie: {cookies}")
    if method == "POST":
        lines.append("Content-Type: application/x-www-form-urlencoded")
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class Burst:
    """What many clients at once got: the answers, each one's seconds, and seconds for all."""

    answers: list[tuple[int, str, bytes]]
    each: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        return len(self.answers) / self.seconds


def burst(port: int, work: Sequence[Sequence[bytes]]) -> Burst:
    """Every client sends its requests one after the other, all clients at once."""
    clients = [Client(port) for _ in work]
    gate = threading.Barrier(len(work) + 1)
    answers: list[tuple[int, str, bytes]] = []
    each: list[float] = []

    def send(client: Client, requests: Sequence[bytes]) -> None:
        gate.wait()
        with suppress(OSError):  # who was hung up on is missed below
            for one in requests:
                began = time.perf_counter()
                answers.append(client.ask(one))
                each.append(time.perf_counter() - began)

    threads = [threading.Thread(target=send, args=pair) for pair in zip(clients, work, strict=True)]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    for client in clients:
        client.sock.close()
    if len(answers) != sum(map(len, work)):
        raise SystemExit("the server hung up on a client")
    return Burst(answers, each, seconds)


# --- servers --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    port: int
    started_s: float
    pid: int


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def serving(home: Path, command: Sequence[str], path: str = "/sehat") -> Iterator[Server]:
    """The command as a server on a free port, stopped as a service manager stops it."""
    port = free_port()
    environ = os.environ | {"LOKET15_HOME": str(home), "LOKET15_PORT": str(port)}
    environ.pop("LOKET15_BASE_URL", None)
    began = time.perf_counter()
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        _wait(port, path, process)
        yield Server(port, time.perf_counter() - began, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(port: int, path: str, process: subprocess.Popen[bytes]) -> None:
    until = time.perf_counter() + 60
    while time.perf_counter() < until and process.poll() is None:
        with suppress(OSError):
            if Client(port).ask(request(port, "GET", path))[0] == 200:
                return
        time.sleep(0.02)
    raise SystemExit("the server did not start; see its server.log")


def loket15(*command: str) -> list[str]:
    return [str(Path(sys.executable).with_name("loket15")), *command]


BARE = [sys.executable, "-m", "tests.bench_bare"]


# --- the office -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Kiosk:
    """An enrolled device and, once it has been to the server, its session."""

    id: int
    token: str

    def cookies(self, port: int) -> tuple[str, str]:
        """Its cookies, and the CSRF token of its page."""
        device = f"{web.device_cookie('kiosk')}={self.token}"
        _, head, page = Client(port).ask(request(port, "GET", "/kiosk", device))
        session = re.search(r"(?i)set-cookie: (loket15=[^;]+)", head)
        token = re.search(rb'name="csrf_token" value="([^"]+)"', page)
        if session is None or token is None:
            raise SystemExit("the kiosk's page has no session or no CSRF token")
        return f"{device}; {session[1]}", token[1].decode()


def build(home: Path, people: int) -> Loket:
    """A data folder with keys, register and staff, as `loket15 demo` makes it."""
    now = int(time.time())
    prepare(home, "lebak", now)
    store.connect(home)
    store.create()
    loket = open_loket(home, "lebak", "http://127.0.0.1")
    demo.fill_register(loket, people, now, lambda _done, _total: None)
    demo.add_staff(loket, now)
    return loket


def kiosks(count: int) -> list[Kiosk]:
    now = int(time.time())
    codes = [
        staff.add_device(f"Kios ukur {time.monotonic_ns()}", "kiosk", now) for _ in range(count)
    ]
    enrolled = [staff.enrol(code, now) for code in codes]
    return [Kiosk(device.id, token) for device, token in enrolled]


def visit_until(loket: Loket, kiosk: Kiosk, last: str, nik: str = PERSON.nik) -> str:
    """A visit answered as far as the screen `last`, without the server: its token."""
    now = int(time.time())
    token, current = visit.start(loket, kiosk.id, SERVICE, now)
    given = {"nik": [nik], "kk": [PERSON.kk], "purpose": ["pip"], "agree": ["yes"]}
    while current.state.screen != last:
        before = current.state.screen
        current = visit.answer(loket, current, before, given, now)
        if current.state.screen == before:
            raise SystemExit(f"a visit stays at {before}")
    return token


# --- rows -----------------------------------------------------------------------------------


def best(rounds: int, measure: Callable[[], Burst]) -> Burst:
    return max((measure() for _ in range(rounds)), key=lambda done: done.rate)


def bare_rate(bare: Server, method: str, options: Options) -> float:
    one = request(bare.port, method, "/")
    work = [[one] * (options.polls // CLIENTS)] * CLIENTS
    return best(options.rounds, lambda: burst(bare.port, work)).rate


def tickets(loket: Loket, server: Server, bare: Server, options: Options) -> Row:
    """The last answer at the kiosk, which gives the ticket, from 16 kiosks at once."""
    before = Ticket.select().count()
    done = best(options.rounds, lambda: take_tickets(loket, server.port, options.tickets))
    taken = Ticket.select().count() - before
    numbers = sorted(ticket.number for ticket in Ticket.select())
    if taken != options.tickets * options.rounds or numbers != list(range(1, len(numbers) + 1)):
        raise SystemExit("tickets are missing, double or have a gap")
    printed = drain()
    plain = bare_rate(bare, "POST", options)
    return Row(
        f"tickets/s, {CLIENTS} kiosks at once",
        f"{done.rate:.0f}",
        f"{plain:.0f}",
        f"p95 {_ms(p95(done.each))}; {taken} taken: no duplicate, no gap; all on paper{printed}",
        {"rate": done.rate, "bare": plain, "p95_s": p95(done.each), "taken": taken},
    )


def drain() -> str:
    """Wait until the tickets are printed, so that the next row is measured without it."""
    began = time.perf_counter()
    while spool.waiting() and time.perf_counter() - began < 180:
        time.sleep(0.2)
    return f" {time.perf_counter() - began:.0f} s later"


def take_tickets(loket: Loket, port: int, count: int) -> Burst:
    work = [ticket_requests(loket, port, kiosk, count // CLIENTS) for kiosk in kiosks(CLIENTS)]
    done = burst(port, work)
    labels = [re.search(rb">([A-Z]\d{2,})<", body) for _, _, body in done.answers]
    shown = {label[1] for label in labels if label}
    if any(status != 200 for status, _, _ in done.answers) or len(shown) != count:
        raise SystemExit("a kiosk was not given its ticket, or two were shown the same")
    return done


def ticket_requests(loket: Loket, port: int, kiosk: Kiosk, count: int) -> list[bytes]:
    cookies, csrf = kiosk.cookies(port)
    visits = [visit_until(loket, kiosk, "check") for _ in range(count)]
    answer = {"screen": "check", "correct": "yes", "csrf_token": csrf}
    return [
        request(port, "POST", "/kiosk/answers", f"{cookies}; visit={token}", **answer)
        for token in visits
    ]


def polls(server: Server, bare: Server, options: Options) -> Row:
    """Phones that ask whether something has changed, and nothing has."""
    tokens = [ticket.token for ticket in Ticket.select().limit(CLIENTS)]
    if not tokens:
        raise SystemExit("there is no ticket to look at")
    done = best(options.rounds, lambda: poll(server.port, tokens, options.polls // CLIENTS))
    plain = bare_rate(bare, "GET", options)
    unchanged = sum(status == 204 for status, _, _ in done.answers)
    return Row(
        f"status polls/s, {CLIENTS} phones at once",
        f"{done.rate:.0f}",
        f"{plain:.0f}",
        f"p95 {_ms(p95(done.each))}; {unchanged} of {len(done.answers)} answered 204",
        {"rate": done.rate, "bare": plain, "p95_s": p95(done.each)},
    )


def poll(port: int, tokens: Sequence[str], each: int) -> Burst:
    paths = [_poll_path(port, token) for token in tokens]
    return burst(port, [[request(port, "GET", path)] * each for path in paths])


def _poll_path(port: int, token: str) -> str:
    page = Client(port).ask(request(port, "GET", f"/t/{token}"))[2].decode()
    found = re.search(r'hx-get="([^"]+/rows\?v=[^"]+)"', page)
    if found is None:
        raise SystemExit("the status page does not poll")
    return html.unescape(found[1])


def lookups(loket: Loket, options: Options) -> Row:
    """`find_pair` in this process: a hit, a NIK with another's KK, a NIK that is not there."""
    kinds = {kind: [pair] * options.lookups * 20 for kind, pair in PAIRS.items()}
    times = timed(kinds, lambda pair: loket.register.find_pair(*pair))
    nothing = median(timed({"": [()] * 1000}, lambda _: None)[""])
    return _lookup_row(f"look-up among {options.people:,}, µs", times, 1e6, nothing)


def lookups_http(loket: Loket, server: Server, bare: Server, options: Options) -> Row:
    """The same at a kiosk: the answer to the KK number, over HTTP."""
    kinds = _kk_requests(loket, server.port, options.lookups)
    times = timed(kinds, Client(server.port).ask)
    one = [request(bare.port, "POST", "/")] * options.lookups
    alone = median(timed({"": one}, Client(bare.port).ask)[""])
    return _lookup_row("look-up at the kiosk, ms", times, 1e3, alone)


def _kk_requests(loket: Loket, port: int, count: int) -> dict[str, list[bytes]]:
    """Each kiosk asks for each kind, so that a kiosk's own history tells nothing of the kind."""
    made: dict[str, list[bytes]] = {kind: [] for kind in PAIRS}
    for kiosk in kiosks(-(-count // EACH_KIND)):
        cookies, csrf = kiosk.cookies(port)
        for kind, (nik, kk) in [*PAIRS.items()] * EACH_KIND:
            token = visit_until(loket, kiosk, "kk", nik)
            form = {"screen": "kk", "kk": kk, "csrf_token": csrf}
            sent = request(port, "POST", "/kiosk/answers", f"{cookies}; visit={token}", **form)
            made[kind].append(sent)
    return made


def timed(
    kinds: Mapping[str, Sequence[Any]], act: Callable[[Any], object]
) -> dict[str, list[float]]:
    """Seconds of each act by kind; the kinds mixed, so that what drifts drifts for all."""
    turns = [(kind, one) for kind, many in kinds.items() for one in many]
    random.Random(15).shuffle(turns)  # noqa: S311
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for kind, one in turns:
        began = time.perf_counter()
        act(one)
        times[kind].append(time.perf_counter() - began)
    return times


def _lookup_row(what: str, times: dict[str, list[float]], unit: float, bare: float) -> Row:
    said = [
        f"{kind} {median(each) * unit:.1f} (p95 {p95(each) * unit:.1f})"
        for kind, each in times.items()
    ]
    likely = auc(times["wrong"], times["absent"])
    figures = {f"{kind}_p50_s": median(each) for kind, each in times.items()}
    return Row(
        what,
        f"{median(times['hit']) * unit:.1f}",
        f"{bare * unit:.1f}",
        f"{', '.join(said)}; wrong KK or absent told apart by time: AUC {likely:.2f}",
        {**figures, "auc": likely, "bare_s": bare},
    )


def auc(some: Sequence[float], others: Sequence[float]) -> float:
    """How likely one of `some` is above one of `others`: 0.5 when time tells nothing."""
    ranked = sorted([(one, 1) for one in some] + [(one, 0) for one in others])
    below, wins = 0, 0
    for _, mine in ranked:
        wins += below if mine else 0
        below += not mine
    return wins / (len(some) * len(others))


def letters(loket: Loket, bare: Server, options: Options) -> Row:
    """The act of signing: number, render, sign, read back, archive, release.

    From the approval on: the password before it is slow on purpose, and told beside.
    """
    actors = _actors()
    certificate.warm_up()
    times = [_sign(loket, actors) for _ in range(options.letters)]
    _require_numbers(options.letters)
    plain, head = latency(bare), actors["kepala_dinas"]
    asked = timed(
        {"": [demo.PASSWORD] * 5},
        lambda word: staff.confirm_password(head, word, int(time.time())),
    )
    return Row(
        "SK from approval to archived, p50 ms",
        f"{median(times) * 1e3:.0f}",
        f"{plain * 1e3:.1f}",
        f"p95 {_ms(p95(times))}; the password before it {_ms(median(asked['']))}; numbers without "
        "duplicate or gap",
        {"p50_s": median(times), "p95_s": p95(times), "bare_s": plain},
    )


def stacked(loket: Loket, options: Options) -> Row:
    """A stack read through, signed with one password; beside it the same one by one."""
    actors, now = _actors(), int(time.time())
    head, given = actors["kepala_dinas"], {"password": [demo.PASSWORD]}
    before = Letter.select().count()
    alone = median([_sign(loket, actors) for _ in range(5)]) * options.stack
    chosen = [_to_sign(loket, actors) for _ in range(options.stack)]
    for number, seq in chosen:
        stack.mark_read(loket, number, seq, head, now)
    # As the page before the password does: a second before anybody has typed one.
    stack.prepare(stack.of(loket, head, now))
    time.sleep(3)
    began = time.perf_counter()
    sheets, _ = stack.choose(loket, chosen, given, head, now)
    told = stack.sign(loket, sheets, given, head, time.time, lambda _done, _of: None)
    seconds = time.perf_counter() - began
    if [one.state for one in told] != ["signed"] * options.stack:
        raise SystemExit("a letter of the stack was not signed")
    _require_numbers(before + 5 + options.stack)
    if any(archive.check(loket)):
        raise SystemExit("a letter is not in the archive as it was issued")
    return Row(
        f"stack of {options.stack} SK signed, s",
        f"{seconds:.1f}",
        f"{alone:.1f}",
        f"{presses.how_many()} processes, {seconds / options.stack * 1e3:.0f} ms each; bare: as "
        "many one by one; each in the archive as issued",
        {"seconds": seconds, "alone_s": alone, "letters": options.stack},
    )


def _actors() -> dict[str, Actor]:
    return {user.role: Actor(user.id, user.name, "", user.role) for user in User.select()}


def _require_numbers(count: int) -> None:
    if sorted(letter.no for letter in Letter.select()) != list(range(1, count + 1)):
        raise SystemExit("a letter's number is missing or double")


def _sign(loket: Loket, actors: Mapping[str, Actor]) -> float:
    """Seconds of the last act of an application that goes all the way."""
    number, seq = _to_sign(loket, actors)
    head, now = actors["kepala_dinas"], int(time.time())
    began = time.perf_counter()
    desk.act(loket, number, "tanda_tangan", {}, head, seq, now, confirmed=True)
    return time.perf_counter() - began


def _to_sign(loket: Loket, actors: Mapping[str, Actor]) -> tuple[int, int]:
    """An application that waits for its signature, and its state."""
    now = int(time.time())
    person = {key: str(value) for key, value in PERSON.as_dict().items()}
    draft = desk.Draft(SERVICE, "pip", "", PERSON.nik, PERSON.kk, person, in_snapshot=True)
    number, seq = desk.submit(loket, draft, None, now), 1
    for role, action, given in TO_SIGN:
        seq = desk.act(loket, number, action, given, actors[role], seq, now).seq
    return number, seq


def latency(server: Server) -> float:
    one = [request(server.port, "GET", "/")] * 100
    return median(timed({"": one}, Client(server.port).ask)[""])


def start(home: Path, options: Options) -> Row:
    """A second `loket15 demo`, from the command to the first answer."""
    ours, bare = (
        [_started(home, *command) for _ in range(options.rounds)]
        for command in ((loket15("demo"), "/sehat"), (BARE, "/"))
    )
    return Row(
        "second start, s",
        f"{min(ours):.2f}",
        f"{min(bare):.2f}",
        f"best of {len(ours)}, worst {max(ours):.2f}; under 3 is asked",
        {"seconds": min(ours), "bare": min(bare)},
    )


def _started(home: Path, command: Sequence[str], path: str) -> float:
    with serving(home, command, path) as server:
        return server.started_s


def half_open(server: Server, bare: Server) -> Row:
    """Requests of others while 300 clients never finish theirs."""
    ours, plain = answered(server.port, "/masuk"), answered(bare.port, "/")
    return Row(
        f"{LEGITIMATE} requests past {2 * HALF_OPEN} half-open, p50 ms",
        f"{len(ours)}/{LEGITIMATE} {_ms(median(ours)) if ours else ''}",
        f"{len(plain)}/{LEGITIMATE} {_ms(median(plain)) if plain else ''}",
        f"{HALF_OPEN} slow headers, {HALF_OPEN} slow bodies; p95 {_ms(p95(ours)) if ours else '-'}",
        {"answered": len(ours), "p50_s": median(ours) if ours else -1.0},
    )


def answered(port: int, path: str) -> list[float]:
    """Seconds of the legitimate requests that were answered in time."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 900\r\n\r\nname=a"
    with ExitStack() as held:
        for n in range(2 * HALF_OPEN):
            slow = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            slow.sendall(head + (form if n % 2 else b"X-Slow: "))
        time.sleep(0.5)
        asked = [_asked(port, path) for _ in range(LEGITIMATE)]
    return [seconds for seconds in asked if seconds is not None]


def _asked(port: int, path: str) -> float | None:
    began = time.perf_counter()
    with suppress(OSError), closing(Client(port, PATIENCE_S).sock) as sock:
        sock.sendall(request(port, "GET", path))
        if sock.recv(12) == b"HTTP/1.1 200":
            return time.perf_counter() - began
    return None


def proposed(home: Path, options: Options) -> Iterator[Row]:
    """An office of proposals: a filled template of households taken in, then ratified."""
    now = int(time.time())
    prepare(home, "binjai", now)
    store.connect(home)
    store.create()
    loket = open_loket(home, "binjai", "http://127.0.0.1")
    village = loket.profile.villages[0]
    for role, where in (("operator_kelurahan", village), ("supervisor", "")):
        staff.add_user(loket.profile, role, role, role, demo.PASSWORD, now, village=where)
    actors = {
        user.role: Actor(user.id, user.name, "", user.role, None, user.village)
        for user in User.select()
    }
    yield _uploaded(loket, actors["operator_kelurahan"], village, options, now)
    Application.update(step="final").execute()  # the way there is walked by the tests
    yield _ratified(loket, actors["supervisor"], now)
    store.close()


def _uploaded(loket: Loket, actor: Actor, village: str, options: Options, now: int) -> Row:
    filled = _filled(loket, village, options.households)
    uploads = Uploads(loket)
    began = time.perf_counter()
    uploads.start(BytesIO(filled), "usulan", village, False, actor, now)
    done = uploads.wait(actor, 600)
    seconds = time.perf_counter() - began
    if done is None or done.taken != options.households:
        raise SystemExit("a filled template was not taken in whole")
    members = Member.select().count()
    return Row(
        "template of proposals taken in, s",
        f"{seconds:.1f}",
        "-",
        f"{members:,} members of {done.taken:,} households; under 10 for 10,000 is asked",
        {"seconds": seconds, "members": members},
    )


def _filled(loket: Loket, village: str, many: int) -> bytes:
    service = loket.profile.proposals[0]
    columns = proposal_sheet.columns_of(service)
    purpose, route = service.purposes[1].title.id, service.routes[0].title.id
    groups = []
    for one in households(many):
        asked = {"purpose": purpose, "route": route, "size": str(one.family_size)}
        lines = [
            asked | {f"member.{part}": text for part, text in person.items()}
            for person in one.members
        ]
        cells = (tuple(line.get(column.name, "") for column in columns) for line in lines)
        rows = tuple(proposal_sheet.Line(0, row) for row in cells)
        groups.append(proposal_sheet.Group(rows, one))
    sheet = proposal_sheet.Sheet(village, columns, tuple(groups))
    return proposal_sheet.returned(loket, service, sheet, only_faulty=False)


def _ratified(loket: Loket, actor: Actor, now: int) -> Row:
    code = periods.current(loket, loket.profile.proposals[0], now).code
    given = {"penandatangan": ["kepala_daerah"]}
    drawn: list[float] = []
    began = time.perf_counter()
    sheet = bundles.freeze(
        loket, "usulan", "pengesahan", given, "", code, actor, now,
        lambda _done, _of: drawn.append(time.perf_counter() - began),
    )  # fmt: skip
    seconds = time.perf_counter() - began
    pages = certificate.page_count(bundles.pdf(loket, sheet, actor, now))
    return Row(
        "pengesahan with its annex frozen, s",
        f"{seconds:.1f}",
        "-",
        f"{pages} pages drawn in {drawn[-1]:.1f}; under 60 for 300 pages is asked",
        {"seconds": seconds, "drawn_s": drawn[-1], "pages": pages},
    )


# --- the table ------------------------------------------------------------------------------


def p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def run(home: Path, options: Options) -> Iterator[Row]:
    from tests import bench_status, bench_verify  # their rows are of this module's kind

    loket = build(home, options.people)
    yield lookups(loket, options)
    with serving(home, loket15("serve")) as server, serving(home, BARE, "/") as bare:
        yield tickets(loket, server, bare, options)
        yield polls(server, bare, options)
        yield lookups_http(loket, server, bare, options)
        yield letters(loket, bare, options)
        yield from bench_verify.rows(loket, server, bare, options)
        yield stacked(loket, options)
        yield half_open(server, bare)
    store.close()
    yield start(home, options)
    yield from bench_status.rows(home.parent / "status", options)
    yield from proposed(home.parent / "usulan", options)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, help="people in the register (100,000)")
    parser.add_argument("--quick", action="store_true", help="a look in seconds, not a figure")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    asked = parser.parse_args()
    options = QUICK if asked.quick else WHOLE
    if asked.people:
        options = replace(options, people=asked.people)
    with tempfile.TemporaryDirectory(prefix="loket15-bench-") as folder:
        rows = list(_told(run(Path(folder) / "var", options), quiet=asked.json))
    if asked.json:
        sys.stdout.write(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def _told(rows: Iterable[Row], quiet: bool) -> Iterator[Row]:
    if not quiet:
        sys.stdout.write(f"{'':<44}{'ours':>14}{'bare':>14}\n")
    for row in rows:
        if not quiet:
            sys.stdout.write(f"{row.what:<44}{row.ours:>14}{row.bare:>14}   {row.note}\n")
            sys.stdout.flush()
        yield row


if __name__ == "__main__":
    main()
