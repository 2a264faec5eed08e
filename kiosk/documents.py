"""Scans and photos of a case: checked by content, kept encrypted, removed in their time."""

from collections.abc import Iterable

from kiosk.service import FormField
from models import Document


def held(application_id: int, fields: Iterable[FormField]) -> dict[str, list[str]]:
    """The ids of the case's documents, by the name of the field that asks for their kind."""
    return {
        field.name: [
            str(document.id)
            for document in Document.select(Document.id)
            .where(
                (Document.application == application_id)
                & (Document.kind == field.document)
                & Document.removed_at.is_null()
            )
            .order_by(Document.id)
        ]
        for field in fields
        if field.kind == "files"
    }
