"""docs/verifier.html: the verifier in one page, of static/verify/ and scripts/verifier_page.html.

    python -m scripts.verifier > docs/verifier.html

A file opened from a disk may load no modules: the library becomes a function in the same script.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ROOT / "static" / "verify"
LIBRARY = "noble-ed25519-3.2.0.js"
LAZILY = f'const library = () => import("./{LIBRARY}");'
PLACE = "/*{verifier}*/"


def document() -> str:
    """The whole page."""
    page = (ROOT / "scripts" / "verifier_page.html").read_text()
    return _put(page, PLACE, f"{_library()}\n{_seal()}".strip())


def _seal() -> str:
    seal = (PARTS / "seal.js").read_text()
    here = _put(seal, LAZILY, "const library = async () => nobleEd25519();")
    return re.sub(r"^export (async function|function)", r"\1", here, flags=re.MULTILINE)


def _library() -> str:
    """Its module as a function: run when it is needed, its exports are what it returns."""
    source = (PARTS / LIBRARY).read_text()
    body, names = source.rsplit("export {", 1)
    licence = (PARTS / "LICENSE-noble-ed25519.txt").read_text().strip()
    return (
        f"/* {LIBRARY.removesuffix('.js')}\n\n{licence} */\n"
        f"function nobleEd25519() {{\n{body}return {{{names.strip()}\n}}\n"
    )


def _put(text: str, place: str, what: str) -> str:
    if text.count(place) != 1:
        raise ValueError(f"not once in the text: {place}")
    return text.replace(place, what)


if __name__ == "__main__":
    sys.stdout.write(document())
