"""Gap-free numbers: taken inside the transaction that makes the document, never given back."""

from models import Counter


def take(kind: str, period: str) -> int:
    """The next number of this kind and period, from 1. Call it inside a transaction."""
    return take_many(kind, period, 1)[0]


def take_many(kind: str, period: str, many: int) -> range:
    """The next `many` numbers of this kind and period. Call it inside a transaction."""
    counter = Counter.get_or_none(kind=kind, period=period) or Counter.create(
        kind=kind, period=period
    )
    row = (
        Counter.update(value=Counter.value + many)
        .where(Counter.id == counter.id)
        .returning(Counter.value)
        .execute()
    )
    last = int(next(iter(row)).value)
    return range(last - many + 1, last + 1)
