"""An export as a download that is written while it is read."""

from collections.abc import Iterable
from itertools import chain

from flask import Response

from app.operations import export
from app.operations.statistics import utc_now
from app.operations.transcripts import Excerpt


def stream_export(
    excerpts: Iterable[Excerpt],
    kind: export.Format,
    *,
    bom: bool | None = None,
    separator: str = ",",
) -> Response:
    """Return the response.

    Raises:
        ServiceError: before the first byte; after it the connection breaks off,
            so that nobody takes a part for the whole.
    """
    pieces = export.to_export(excerpts, kind, bom=bom, separator=separator)
    first = next(pieces, b"")
    name = export.file_name(kind, f"{utc_now():%Y-%m-%d}")
    response = Response(
        chain([first], pieces),
        content_type=f"{export.MEDIA_TYPES[kind]}; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        },
    )
    response.call_on_close(pieces.close)
    return response


def download_table(pieces: Iterable[bytes], name: str) -> Response:
    """Return a table as a download, saved under a name and the day."""
    return Response(
        pieces,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}-{utc_now():%Y-%m-%d}.csv"',
            "Cache-Control": "no-store",
        },
    )
