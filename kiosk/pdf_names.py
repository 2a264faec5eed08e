"""Every name that stands in a PDF's objects, however deep. Pure."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

MOST_OBJECTS = 100_000


def names_in(data: bytes) -> Iterator[str]:
    """The names in the file's dictionaries, keys and values. Raises ValueError when damaged."""
    try:
        yield from _names(PdfFileReader(BytesIO(data), strict=False))
    except (PdfError, ValueError, KeyError, TypeError, IndexError, RecursionError, OSError):
        raise ValueError("damaged") from None


def _names(reader: PdfFileReader) -> Iterator[str]:
    """Every name in the file's dictionaries, keys and values, from its trailer on."""
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [reader.trailer_view]
    while waiting:
        at = waiting.pop()
        if isinstance(at, generic.IndirectObject):
            if (at.idnum, at.generation) in seen:
                continue
            seen.add((at.idnum, at.generation))
            if len(seen) > MOST_OBJECTS:
                raise ValueError("too many objects")
            at = reader.get_object(at.reference)  # type: ignore[no-untyped-call]
        if isinstance(at, generic.DictionaryObject):
            yield from (str(key) for key in at)
            waiting += [at.raw_get(key) for key in at]
        elif isinstance(at, generic.ArrayObject):
            waiting += [at.raw_get(n) for n in range(len(at))]
        elif isinstance(at, generic.NameObject):
            yield str(at)
