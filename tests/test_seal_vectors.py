"""docs/seal.md, its vectors and its two verifiers say the same as the seal itself."""

import hashlib
import importlib.util
import json
import random
import re
import sys
import zlib
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from kiosk import key_file as key_file_room
from kiosk import seal
from scripts import seal_vectors, verifier

ROOT = Path(__file__).resolve().parent.parent
VECTORS = json.loads((ROOT / "docs" / "seal-vectors.json").read_text())
BAD, OTHER, EXPIRED = "tanda_tangan_tidak_sah", "tidak_cocok", "kedaluwarsa"
NO_ED25519 = """
const importKey = crypto.subtle.importKey;
crypto.subtle.importKey = function (form, key, algorithm, ...rest) {
  if (algorithm.name === "Ed25519") {
    return Promise.reject(new DOMException("not supported", "NotSupportedError"));
  }
  return importKey.call(this, form, key, algorithm, ...rest);
};
"""
ANSWERS = """async ([vectors, from]) => {
  const verify = from ? (await import(from)).verify : globalThis.sealVerify;
  const told = [];
  for (const { url, keys, nik, name, today, status_list } of vectors) {
    const now = Date.parse(`${today}T12:00:00Z`) / 1000;
    const offices = [{ office: "uji", keys }];
    const statusLists = { uji: status_list };
    const said = await verify({ text: url, offices, nik, name, today, now, statusLists });
    told.push(said.fits === false ? "tidak_cocok" : said.result);
  }
  return told;
}"""


STATUSES = """async ([lists, office]) => {
  const { statusOf } = await import("/seal.js");
  return Promise.all(lists.map(async (jwt) => (await statusOf(jwt, office, 0, 1796104801)).value));
}"""


@pytest.fixture(scope="module")
def stranger() -> ModuleType:
    """docs/verifier.py, which knows nothing of us."""
    spec = importlib.util.spec_from_file_location("verifier", ROOT / "docs" / "verifier.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verifier"] = module
    spec.loader.exec_module(module)
    return module


def wrong(answers: list[str]) -> list[tuple[str, str, str]]:
    return [
        (one["note"], said, one["result"])
        for one, said in zip(VECTORS, answers, strict=True)
        if said != one["result"]
    ]


def test_the_vectors_are_fresh() -> None:
    """Where this fails: python -m scripts.seal_vectors > docs/seal-vectors.json"""
    assert (ROOT / "docs" / "seal-vectors.json").read_text() == seal_vectors.document()


def test_the_page_is_fresh() -> None:
    """Where this fails: python -m scripts.verifier > docs/verifier.html"""
    assert (ROOT / "docs" / "verifier.html").read_text() == verifier.document()


def test_every_vector_has_what_the_page_says_of_it() -> None:
    asked = {"note", "url", "keys", "nik", "name", "today", "result"}
    assert all(set(one) - {"status_list"} == asked for one in VECTORS)
    assert {one["result"] for one in VECTORS} == {
        "sah", EXPIRED, "dicabut", "diganti", "ditangguhkan", BAD, "status_belum_dapat_dicek", OTHER
    }  # fmt: skip


def test_the_seal_itself_answers_every_vector(stranger: ModuleType) -> None:
    for one in VECTORS:
        try:
            core = seal.read(stranger.digits_in(one["url"]), one["keys"])
        except seal.BadSeal:
            assert one["result"] == BAD, one["note"]
            continue
        assert one["result"] != BAD, one["note"]
        if one["nik"] is not None:
            fits = seal.fits(core, one["nik"], one["name"])
            assert fits is (one["result"] != OTHER), (one["note"], one["name"])
        if one["result"] in (EXPIRED, "sah"):
            past = date.fromisoformat(one["today"]) > core.until
            assert past is (one["result"] == EXPIRED), one["note"]


def test_the_strangers_verifier_answers_every_vector(stranger: ModuleType) -> None:
    assert wrong([stranger.by_vector(one) for one in VECTORS]) == []


def test_the_strangers_verifier_uses_nothing_of_ours() -> None:
    text = (ROOT / "docs" / "verifier.py").read_text()
    assert not any(f"{word} {room}" in text for word in ("import", "from") for room in
                   ("kiosk", "models", "views", "app", "scripts"))  # fmt: skip


def test_the_strangers_command_takes_key_files_and_tells(
    stranger: ModuleType, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    keys, status = tmp_path / "sk-keys.json", tmp_path / "sk-status.jwt"
    keys.write_text(json.dumps(key_file()))
    status.write_text(seal_vectors.token(seal_vectors.claims(hours=24 * 20_000)) + "\n")
    one = seal_vectors.payload(seal_vectors.core(days=20_000))
    given = ["verifier.py", "--keys", str(keys), "--status", str(status), seal_vectors.digits(one)]
    monkeypatch.setattr(sys, "argv", given)
    assert stranger.main() == 0
    assert capsys.readouterr().out.startswith("sah: genuine and valid\n  office Dinas Contoh")
    keys.write_text(json.dumps({"offices": [key_file() | {"keys": [seal_vectors.SECOND]}]}))
    assert stranger.main() == 1
    assert capsys.readouterr().out.startswith(BAD)


@pytest.mark.parametrize(
    "spoilt",
    [{"format": "loket15-keys-2"}, {"keys": []}, {"keys": [seal_vectors.FIRST] * 2}, {"name": None},
     {"keys": [{**seal_vectors.FIRST, "not_before": 2026}]}],
)  # fmt: skip
def test_the_strangers_verifier_refuses_what_is_no_key_file(
    stranger: ModuleType, spoilt: dict[str, Any]
) -> None:
    assert stranger.key_files(json.dumps(key_file())) == [key_file()]
    with pytest.raises(ValueError, match="loket15-keys-1"):
        stranger.key_files(json.dumps(key_file() | spoilt))


def lists() -> list[str]:
    """One that is believed; of another address; of all serials; of one more; one that swells."""
    sizes = (1 << 22, (1 << 22) + 1, 1 << 26)
    swelling = [seal.base64(zlib.compress(bytes(size), 9)) for size in sizes]
    return [
        seal_vectors.token(seal_vectors.claims()),
        seal_vectors.token(seal_vectors.claims(sub="https://x.example/.well-known/sk-status.jwt")),
        *(seal_vectors.token(seal_vectors.claims(status_list={"bits": 2, "lst": lst}))
          for lst in swelling),
    ]  # fmt: skip


SAID_OF_LISTS = [1, None, 0, None, None]


def test_a_list_of_another_address_or_without_end_says_nothing(stranger: ModuleType) -> None:
    said = [stranger.status_of(jwt, key_file(), 0, 1_796_104_801)[0] for jwt in lists()]
    assert said == SAID_OF_LISTS


def key_file() -> dict[str, Any]:
    host = "https://sk.dinsos.example"
    return {
        "format": "loket15-keys-1",
        "office": "contoh",
        "name": "Dinas Contoh",
        "address": host,
        "status_list": f"{host}/.well-known/sk-status.jwt",
        "keys": seal_vectors.KEYS,
    }


# ── What is no code is refused ──


def refusals(codes: list[str]) -> int:
    refused = 0
    for code in codes:
        try:
            seal.read(code, seal_vectors.KEYS)  # type: ignore[arg-type]
        except seal.BadSeal:
            refused += 1
    return refused


def test_of_a_million_random_codes_none_is_accepted() -> None:
    """All have 193 digits and half have the leading byte; a tenth begin as a genuine core does."""
    dice = random.Random(15)  # noqa: S311
    first, past = 10**192, 10**193
    for _ in range(100):
        assert refusals([str(dice.randrange(first, past)) for _ in range(9_000)]) == 9_000
        assert refusals([begun(dice) for _ in range(1_000)]) == 1_000


def begun(dice: random.Random) -> str:
    known = dice.choice((b"\x01", b"\x01\x01", b"\x01\x02\x00"))
    return seal_vectors.digits(known + dice.randbytes(80 - len(known)))


def test_of_ten_thousand_mutated_codes_none_is_accepted() -> None:
    dice = random.Random(16)  # noqa: S311
    signed = [seal_vectors.payload(seal_vectors.core(serial=n)) for n in range(40)]
    genuine = {seal_vectors.digits(one) for one in signed}
    mutants = {mutant(signed, dice) for _ in range(11_500)} - genuine
    assert len(mutants) >= 10_000
    assert refusals(sorted(mutants)) == len(mutants)
    assert refusals(sorted(genuine)) == 0


def mutant(signed: list[bytes], dice: random.Random) -> str:
    """A digit, a byte or a bit of a genuine code changed, or parts of two put together."""
    one, other = dice.sample(signed, 2)
    digits = seal_vectors.digits(one)
    at, place = dice.randrange(80), dice.randrange(193)
    changed = bytes([dice.randrange(256)])
    flipped = bytes([one[at] ^ 1 << dice.randrange(8)])
    cut = dice.choice((5, 10, 13, 16, 48))
    return dice.choice((
        digits[:place] + dice.choice("0123456789") + digits[place + 1 :],
        digits[:place] + digits[place + 1 :] + dice.choice("0123456789"),
        seal_vectors.digits(one[:at] + changed + one[at + 1 :]),
        seal_vectors.digits(one[:at] + flipped + one[at + 1 :]),
        seal_vectors.digits(one[:cut] + other[cut:]),
    ))  # fmt: skip


# ── In a browser ──


def serve_parts(route: Route) -> None:
    """static/verify/ at an address of its own."""
    part = ROOT / "static" / "verify" / route.request.url.rsplit("/", 1)[1]
    if part.suffix == ".js":
        route.fulfill(body=part.read_text(), content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html><title>-</title>", content_type="text/html")


@pytest.mark.parametrize("ed25519", [True, False], ids=["webcrypto", "library"])
def test_the_script_answers_every_vector(chromium: Browser, ed25519: bool) -> None:
    """With the browser's own Ed25519, and with the library that is fetched where it has none."""
    with chromium.new_context() as context:
        page = context.new_page()
        if not ed25519:
            page.add_init_script(NO_ED25519)
        fetched = []
        page.on("request", lambda request: fetched.append(request.url.rsplit("/", 1)[1]))
        page.route("https://segel.test/**", serve_parts)
        page.goto("https://segel.test/")
        assert wrong(page.evaluate(ANSWERS, [VECTORS, "/seal.js"])) == []
        assert ("noble-ed25519-3.2.0.js" in fetched) is not ed25519
        assert page.evaluate(STATUSES, [lists(), key_file()]) == SAID_OF_LISTS
        if ed25519:
            same_names(page)


def same_names(page: Page) -> None:
    """Every sign there is up to U+2FFF, alone and between letters, is reduced as Python does."""
    names = [f"a{chr(at)}b {chr(at)}" for at in range(0x3000)]
    reduced = page.evaluate(
        "async (names) => names.map((await import('/seal.js')).plainName)", names
    )
    differing = [hex(at) for at, name in enumerate(names) if seal.plain_name(name) != reduced[at]]
    assert differing == []


def test_the_page_from_a_disk_answers_people_and_programs(chromium: Browser) -> None:
    with chromium.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.add_init_script(NO_ED25519)
        page.goto((ROOT / "docs" / "verifier.html").as_uri())
        assert wrong(page.evaluate(ANSWERS, [VECTORS, ""])) == []

        page.click("button")
        assert page.is_visible("#no-text")
        assert page.is_visible("#no-keys")
        one = seal_vectors.payload(seal_vectors.core(days=20_000))
        page.fill("#text", seal_vectors.ADDRESS + seal_vectors.digits(one))
        keys = json.dumps(key_file()).encode()
        chosen = {"name": "sk-keys.json", "mimeType": "application/json", "buffer": keys}
        page.set_input_files("#key-file", chosen)
        page.click("button")
        page.wait_for_selector(".is-status_belum_dapat_dicek")
        assert page.inner_text("[data-fact=office]") == "Dinas Contoh"

        for summary in page.query_selector_all("summary"):
            summary.click()
        page.fill("#list-text", seal_vectors.token(seal_vectors.claims(hours=24 * 20_000)))
        page.fill("#nik", seal_vectors.NIK)
        page.fill("#name", "siti  aminah")
        page.click("button")
        page.wait_for_selector(".is-sah")
        page.fill("#name", "Siti Rahma")
        page.click("button")
        page.wait_for_selector(".is-tidak_cocok")
        page.fill("#text", "4" * 193)
        page.click("button")
        page.wait_for_selector(".is-tanda_tangan_tidak_sah")
        assert complaints == []


# ── The page ──


def test_the_worked_example_is_the_vector_it_names() -> None:
    """Every intermediate value on the page is what the vector's code comes to."""
    page = "".join((ROOT / "docs" / "seal.md").read_text().split())
    example = next(one for one in VECTORS if one["note"] == "valid, and the paper fits")
    digits = example["url"].removeprefix(seal_vectors.ADDRESS)
    signed = int(digits).to_bytes(81)[1:]
    core, signature = signed[:16], signed[16:]
    checked = b"SKDTKS1-CHECK\0" + core[2:5] + example["nik"].encode() + b"\0SITI AMINAH"
    coded = hashlib.sha256(b"SKDTKS1-CODE\0" + signature).digest()
    head, claims, _ = example["status_list"].split(".")
    shown = (
        example["url"],
        core.hex() + signature.hex(),
        (b"SKDTKS1\0" + core).hex(),
        seal.unbase64(seal_vectors.FIRST["key"]).hex(),
        seal_vectors.FIRST["key"],
        checked.hex() + hashlib.sha256(checked).hexdigest(),
        coded.hex() + f"{int.from_bytes(coded[:5]):040b}" + seal.code(digits),
        seal.unbase64(head).decode(),
        seal.unbase64(claims).decode(),
        zlib.decompress(seal.unbase64(seal_vectors.LIST["lst"])).hex(),
    )
    assert [one for one in shown if one not in page] == []


def test_the_page_shows_a_key_file_that_verifiers_take(stranger: ModuleType) -> None:
    blocks = (ROOT / "docs" / "seal.md").read_text().split("```json\n")
    (file,) = stranger.key_files(blocks[1].split("```")[0])
    assert file["keys"] == [seal_vectors.FIRST]
    assert key_file_room.of(file)


def test_the_pages_names_are_reduced_as_it_says(stranger: ModuleType) -> None:
    page = (ROOT / "docs" / "seal.md").read_text().split("## 6.")[1].split("## 7.")[0]
    rows = re.findall(r"^\| (.*`.*) \| `([A-Z0-9 ]+)` \|", page, re.MULTILINE)
    assert len(rows) == 9
    for typed, reduced in rows:
        for name in re.findall(r"`` (.+?) ``|`(.+?)`", typed):
            assert seal.plain_name("".join(name)) == reduced
            assert stranger.plain_name("".join(name)) == reduced
