"""How well a household's data agree with Dukcapil's, in percent: asked of a service, or typed.

Dukcapil's own interface is under contract and not public. This is a small one of ours, described
in docs/dukcapil.md; behind it an office's integrator puts the client of its contract. Neither a
NIK nor a name is ever logged or said in an error.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http.client import HTTPException
from typing import Any

from kiosk import limits
from kiosk.errors import Invalid, LoketError, NotAllowed, NotFound, Stale, TooMany, Unusable
from kiosk.loket import Loket
from kiosk.proposal_lists import find, service_at
from kiosk.settings import Settings
from kiosk.staff import Actor
from models import Application, Audit, Document, Member, Proposal, transaction

PATH = "/padan"
TIMEOUT_S = 15.0
LARGEST_ANSWER = 1024 * 1024
SERVICE = "Layanan web Dukcapil"
EVIDENCE = "bukti_padan"
ASKS_PER_HOUR = 600
PARTS = (
    "nik", "kk", "name", "birth_place", "birth_date", "sex", "mother", "address", "rt", "rw",
    "village", "district",
)  # fmt: skip

SILENT = "Layanan Dukcapil tidak menjawab. Coba lagi, atau isi persentase dengan bukti."
TROUBLED = "Layanan Dukcapil sedang terganggu. Coba lagi nanti, atau isi persentase dengan bukti."
UNREADABLE = "Jawaban layanan Dukcapil tidak terbaca: tidak ada yang disimpan. Hubungi admin."
BUSY = "Layanan Dukcapil membatasi permintaan. Tunggu beberapa menit, lalu coba lagi."
REFUSED = "Layanan Dukcapil menolak kunci kantor ini. Hubungi admin."
PERCENT = "Isi angka 0 sampai 100."


@dataclass(frozen=True)
class Query:
    """A person to compare; `ref` is ours and says nothing. The rest as on KTP and KK."""

    ref: str
    nik: str
    kk: str
    name: str
    birth_place: str
    birth_date: str
    sex: str
    mother: str
    address: str
    rt: str
    rw: str
    village: str
    district: str


@dataclass(frozen=True)
class Answer:
    """Percent of the population data that agree, and of the address alone; 0 to 100."""

    population: int
    address: int


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another address would be sent the people's data: an answer that points there is none."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Client:
    """Speaks docs/dukcapil.md with the service at `url`; `key` goes in the Authorization header."""

    def __init__(self, url: str, key: str = "", timeout_s: float = TIMEOUT_S) -> None:
        self._url = url.rstrip("/") + PATH
        self._key = key
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(_NoRedirect())

    def ask(self, people: Sequence[Query]) -> dict[str, Answer]:
        """`ref` → its answer, for every one asked.

        Raises TooMany when the service limits us, Unusable when it is silent, troubled, refuses
        the key or answers something else: then nothing is known of anybody.
        """
        body = json.dumps({"people": [asdict(person) for person in people]}).encode()
        return _read(self._send(body), {person.ref for person in people})

    def _send(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._url, body, headers, method="POST")  # noqa: S310 - settings allow https and loopback only
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                if answer.headers.get_content_type() != "application/json":
                    raise Unusable(UNREADABLE)
                data: bytes = answer.read(LARGEST_ANSWER + 1)
        except urllib.error.HTTPError as error:
            error.close()
            raise _refusal(error.code) from None
        except (OSError, HTTPException):
            raise Unusable(SILENT) from None
        if len(data) > LARGEST_ANSWER:
            raise Unusable(UNREADABLE)
        return data


def client_of(settings: Settings) -> Client | None:
    """The client that the settings name, or None where the office has no service."""
    return Client(settings.dukcapil_url, settings.dukcapil_key) if settings.dukcapil_url else None


def _refusal(status: int) -> LoketError:
    if status in (401, 403):
        return Unusable(REFUSED)
    if status == 429:
        return TooMany(BUSY)
    return Unusable(TROUBLED if status >= 500 else UNREADABLE)


def _read(data: bytes, refs: set[str]) -> dict[str, Answer]:
    """The answers, if there is just one for each `ref`, and each is two whole percentages."""
    try:
        results = json.loads(data)["results"]
        found = {str(one["ref"]): _answer(one) for one in results}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unusable(UNREADABLE) from None
    if set(found) != refs or len(results) != len(refs):
        raise Unusable(UNREADABLE)
    return found


def _answer(one: Mapping[str, Any]) -> Answer:
    percents = (one["population"], one["address"])
    if not all(type(percent) is int and 0 <= percent <= 100 for percent in percents):
        raise ValueError("no percentage")
    return Answer(*percents)


def may(loket: Loket, application_id: int, actor: Actor) -> bool:
    """Whether the actor may ask or write down percentages now: whose step it is, or a supervisor.

    Raises NotFound for another village's proposal.
    """
    application, _ = find(loket, application_id, actor)
    service = service_at(loket, application)
    if service.padan is None or application.closed_at is not None:
        return False
    step = service.step(application.step)
    return actor.role in step.roles or loket.profile.may(actor.role, "supervise")


def check(loket: Loket, client: Client, application_id: int, actor: Actor, now: int) -> int:
    """Ask the service about every member and keep its answers; how many people were asked.

    Nothing is kept unless all were answered. Raises what `Client.ask` raises, NotFound, NotAllowed,
    TooMany, and Stale when the household was changed while the service was asked.
    """
    number, proposal = _theirs(loket, application_id, actor)
    limits.spend(f"padan|{actor.id}", ASKS_PER_HOUR, 3600, now)
    members = _members(proposal)
    answers = client.ask([_query(loket, member) for member in members])
    with transaction():
        if [(m.id, m.person_ct) for m in _members(proposal)] != [
            (m.id, m.person_ct) for m in members
        ]:
            raise Stale("Usulan ini berubah selagi dipadankan. Ulangi.")
        for member in members:
            answer = answers[str(member.position)]
            _keep(member, answer, SERVICE, now)
        Audit.create(at=now, actor=actor.id, what="padan dukcapil", subject=number)
    return len(members)


def record(
    loket: Loket,
    application_id: int,
    given: Mapping[str, str],
    document_id: int | None,
    actor: Actor,
    now: int,
) -> None:
    """Write down the percentages that Dukcapil's service showed elsewhere, with the evidence.

    `given` has `padan.<position>` and `address.<position>` of each member; the evidence is a
    document of the proposal of the kind `bukti_padan`. Raises Invalid by field ("file" for the
    evidence), NotFound, NotAllowed.
    """
    number, proposal = _theirs(loket, application_id, actor)
    with transaction():
        members = _members(proposal)
        answers = _typed(members, given)
        if not _is_evidence(application_id, document_id):
            raise Invalid({"file": "Lampirkan bukti pemadanan."})
        for member in members:
            _keep(member, answers[member.position], f"{actor.full_name}, dengan bukti", now)
        Audit.create(at=now, actor=actor.id, what="isi padan", subject=number)


def _typed(members: Sequence[Member], given: Mapping[str, str]) -> dict[int, Answer]:
    faults: dict[str, str] = {}
    answers: dict[int, Answer] = {}
    for member in members:
        names = (f"padan.{member.position}", f"address.{member.position}")
        texts = [given.get(name, "").strip().removesuffix("%").strip() for name in names]
        for name, text in zip(names, texts, strict=True):
            if not _is_percent(text):
                faults[name] = PERCENT
        if not faults:
            answers[member.position] = Answer(*map(int, texts))
    if faults:
        raise Invalid(faults)
    return answers


def _is_percent(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 100


def _is_evidence(application_id: int, document_id: int | None) -> bool:
    return bool(
        document_id is not None
        and Document.select()
        .where(
            (Document.id == document_id)
            & (Document.application == application_id)
            & (Document.kind == EVIDENCE)
            & Document.removed_at.is_null()
        )
        .exists()
    )


def _theirs(loket: Loket, application_id: int, actor: Actor) -> tuple[str, Proposal]:
    if not may(loket, application_id, actor):
        raise NotAllowed("Usulan ini tidak sedang Anda periksa.")
    proposal = Proposal.get_or_none(Proposal.application == application_id)
    if proposal is None:
        raise NotFound("Usulan ini tidak ada.")
    return Application.get_by_id(application_id).number, proposal


def _members(proposal: Proposal) -> list[Member]:
    return list(Member.select().where(Member.proposal == proposal).order_by(Member.position))


def _query(loket: Loket, member: Member) -> Query:
    person = loket.vault.unlock_json("member", member.person_ct)
    return Query(ref=str(member.position), **{part: person.get(part, "") for part in PARTS})


def _keep(member: Member, answer: Answer, source: str, now: int) -> None:
    Member.update(
        padan=answer.population, padan_address=answer.address, padan_source=source, padan_at=now
    ).where(Member.id == member.id).execute()
