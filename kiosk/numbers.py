"""Gap-free numbers: taken inside the transaction that makes the document, never given back."""

from models import Counter


def take(kind: str, period: str) -> int:
    """The next number of this kind and period, from 1. Call it inside a transaction."""
    counter = Counter.get_or_none(kind=kind, period=period) or Counter.create(
        kind=kind, period=period
    )
    row = (
        Counter.update(value=Counter.value + 1)
        .where(Counter.id == counter.id)
        .returning(Counter.value)
        .execute()
    )
    return int(next(iter(row)).value)
