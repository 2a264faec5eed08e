"""A finished letter signed: with the office's own key, through BSrE, or by hand on its sheet.

The way is the letter's, from the office's file; none ever takes another's place. A failure leaves
the letter with its number, waiting for its signature.

Who checked the data does not sign what is said of them, and nobody works on their own application.
By hand the one meant is the official named under the letter, looked at when the sheet is drawn up;
whoever records afterwards that it was signed (`release`) signs nothing and may have checked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kiosk import certificate, letter_status, limits, mandates, own, versions
from kiosk.bsre import Client
from kiosk.errors import Invalid, NotAllowed, Unusable
from kiosk.loket import Loket
from kiosk.profile import Signer
from kiosk.service import Action, LetterService, Service, Signing
from kiosk.staff import Actor
from models import Application, Event, User

WRONG_PASSPHRASES, WINDOW_S = 5, 15 * 60
LONGEST_PASSPHRASE = 200

CHECKED = "Anda yang mengecek data surat ini: penandatangannya harus orang lain."
CHECKED_BY_NAMED = "Data surat ini dicek oleh pejabat yang menandatanganinya: harus orang lain."
NOT_SET = "Kantor ini belum tersambung ke BSrE. Minta admin mengaturnya."
NO_NIK = "NIK Anda belum dicatat untuk BSrE. Minta admin mengisinya di halaman Petugas."
PHRASE_MISSING = "Isi passphrase sertifikat BSrE Anda."

UNSIGNED = "BSrE mengembalikan surat tanpa tanda tangan. Surat menunggu tanda tangan. Coba lagi."
CHANGED = (
    "Yang dikembalikan BSrE bukan surat yang dikirim. Surat menunggu tanda tangan. Hubungi admin."
)
BROKEN = "Tanda tangan dari BSrE rusak atau terpotong. Surat menunggu tanda tangan. Coba lagi."
UNTRUSTED = (
    "Sertifikat pada tanda tangan bukan dari PSrE yang dipercaya kantor ini. "
    "Surat menunggu tanda tangan. Hubungi admin."
)


@dataclass(frozen=True)
class Signed:
    """The finished bytes; `reference` is the id a PSrE gave them, `certificate` whose it is."""

    pdf: bytes = field(repr=False)
    reference: str = ""
    certificate: str = ""


def sign(
    loket: Loket, text: certificate.Letter, way: Signing, actor: Actor, passphrase: str, now: int
) -> Signed:
    """Render, sign and read back. Raises Unusable, and then there is no letter.

    One to be signed by hand has no electronic signature, which would claim what only the sheet has.
    `passphrase` is for BSrE alone and goes nowhere else; a wrong one is Invalid({"passphrase": …}).
    """
    if way == "wet_ink":
        return Signed(certificate.unsigned(text))
    if way == "bsre":
        return _through_bsre(loket, text, actor, passphrase, now)
    return Signed(certificate.make(text, loket.office_key, now))


def _through_bsre(
    loket: Loket, text: certificate.Letter, actor: Actor, passphrase: str, now: int
) -> Signed:
    """Sent with its number in it, and looked into when it comes back."""
    if not passphrase:
        raise Invalid({"passphrase": PHRASE_MISSING})
    client, nik = loket.bsre, _nik(loket, actor)
    if client is None or not nik:
        raise Unusable(NO_NIK if client else NOT_SET)
    sent = certificate.for_psre(text)
    bucket = f"passphrase|{actor.id}"
    limits.spend(bucket, WRONG_PASSPHRASES, WINDOW_S, now)
    try:
        answer = client.sign(sent, nik, passphrase)
    except Unusable:
        limits.forget(bucket)
        raise
    limits.forget(bucket)
    whose = _require_signed(client, answer.pdf, sent, now)
    certificate.require_readable(answer.pdf, text)
    return Signed(answer.pdf, answer.reference, whose)


def _require_signed(client: Client, pdf: bytes, sent: bytes, now: int) -> str:
    """Our bytes with one signature over all of them; whose certificate it is and by whom."""
    from kiosk import tte  # pyHanko, like the letter's own signature: not before it is needed

    said = {tte.UNSIGNED: UNSIGNED, tte.CHANGED: CHANGED, tte.UNTRUSTED: UNTRUSTED}
    try:
        whose = tte.check_one(pdf, sent, client.roots, now)
    except Invalid as fault:
        raise Unusable(said.get(fault.message, BROKEN)) from None
    return f"{whose.name} · {whose.issuer}"[:200]


def _nik(loket: Loket, actor: Actor) -> str:
    locked = User.get_by_id(actor.id).nik_ct
    return loket.vault.unlock("nik_petugas", locked).decode() if locked else ""


def passphrase_in(action: Action, given: Mapping[str, Sequence[str]]) -> str:
    """The passphrase that this act was handed; "" where it asks for none. Raises Invalid."""
    if not any(one.kind == "passphrase" for one in action.fields):
        return ""
    passphrase = (list(given.get("passphrase", ())) or [""])[0]
    if not passphrase or len(passphrase) > LONGEST_PASSPHRASE:
        raise Invalid({"passphrase": PHRASE_MISSING})
    return passphrase


# ── Who may not ──


def bar(
    loket: Loket, application: Application, service: Service, action: Action, actor: Actor, now: int
) -> str:
    """Why this person cannot do this act today, whatever they type; "" when nothing is known."""
    if own.is_own(application, actor):
        return own.OWN
    if not {"issue", "draw_up"} & set(action.does) or not isinstance(service, LetterService):
        return ""
    text = service.letter_of(action.letter)
    try:
        signer = mandates.of(loket, text, actor, now)
    except NotAllowed as refused:
        return refused.message
    if text.signing == "wet_ink":
        return CHECKED_BY_NAMED if _checked_by(loket, application, signer) else ""
    if _is_checker(loket, application, actor):
        return CHECKED
    return _way_bar(loket, actor) if text.signing == "bsre" else ""


def require(
    loket: Loket, application: Application, service: Service, action: Action, actor: Actor, now: int
) -> None:
    """The same as an error. Raises NotAllowed."""
    if reason := bar(loket, application, service, action, actor, now):
        raise NotAllowed(reason)


def _way_bar(loket: Loket, actor: Actor) -> str:
    if loket.bsre is None:
        return NOT_SET
    return "" if User.get_by_id(actor.id).nik_ct else NO_NIK


def _check(loket: Loket, application: Application) -> Event | None:
    """The last act that recorded what the register says, in the steps of its own version."""
    recording = {
        (step.id, action.id)
        for step in versions.service_of(loket, application).steps
        for action in step.actions
        if "record_check" in action.does
    }
    events = Event.select().where(Event.application == application.id).order_by(Event.seq.desc())
    found = next((e for e in events if (e.from_step, e.action) in recording), None)
    old = letter_status.replaced_of(application)
    # A letter in place of another rests on that one's check.
    return _check(loket, old.application) if found is None and old else found


def _is_checker(loket: Loket, application: Application, actor: Actor) -> bool:
    check = _check(loket, application)
    return check is not None and check.actor_id == actor.id


def _checked_by(loket: Loket, application: Application, signer: Signer) -> bool:
    """Where the file names no person the role stands for whoever has it."""
    check = _check(loket, application)
    if check is None or check.actor is None:
        return False
    return bool(check.actor.name == signer.user if signer.user else check.role == signer.role)


def trouble(loket: Loket) -> str:
    """What the admin should know of the way to BSrE; "" when all is set or it is not needed."""
    if not any(
        letter.signing == "bsre" for s in loket.profile.letters for letter in (s.letter, *s.letters)
    ):
        return ""
    if loket.bsre is None:
        return NOT_CONNECTED
    return "" if loket.bsre.roots else NO_ROOTS


NOT_CONNECTED = "Surat kantor ini ditandatangani melalui BSrE, tetapi alamat BSrE belum diatur."
NO_ROOTS = (
    "Akar sertifikat PSrE belum diatur: siapa penerbit sertifikat penanda tangan tidak diperiksa."
)
