"""The script that a page owner pastes."""

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, request, send_from_directory
from werkzeug.exceptions import NotFound as FileNotFound

from app.domain.errors import NotFound
from app.web.contract import contract
from app.web.services import services

blueprint = Blueprint("widget", __name__, url_prefix="/widget")

_CONTENT_TYPE = "application/javascript; charset=utf-8"
_MODULE = re.compile(r"(panel|people|markdown|sources)\.[0-9a-f]{8}\.js")
# The same as the script, as an ES module; and its types.
_ES_MODULE = "perch.js"
_TYPES = "perch.d.ts"
_LATER = re.compile(
    rf"locales/[A-Za-z-]{{2,16}}\.json|({_MODULE.pattern}|{re.escape(_ES_MODULE)})\.map"
    rf"|{re.escape(_TYPES)}"
)
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


@blueprint.get("/chat-widget.js")
@contract(media_type="application/javascript", raises=(NotFound,))
def bundle() -> Response:
    """Serve the widget's script, compressed as the browser likes it."""
    path = services().settings.widget_bundle_path
    if not path.is_file():
        raise NotFound("The widget is not built: run `make widget`")
    return _script(path)


@blueprint.get("/<path:name>")
@contract(media_type="application/octet-stream", raises=(NotFound,))
def part(name: str) -> Response:
    """Serve a file beside the script: the ES module, the panel and its parts, a language, a map."""
    path = services().settings.widget_bundle_path.resolve()
    if name == _ES_MODULE and (path.parent / name).is_file():
        return _script(path.parent / name)
    if module := _MODULE.fullmatch(name):
        return _module(path.parent, name, module[1])
    # Never the whole folder: beside an owner's own bundle may lie an `.env`.
    if name != f"{path.name}.map" and not _LATER.fullmatch(name):
        raise NotFound
    try:
        # By its ending a file of types would be a film.
        kind = "text/plain" if name == _TYPES else None
        response = send_from_directory(path.parent, name, mimetype=kind, max_age=None)
    except FileNotFound as error:
        raise NotFound from error
    return _public(response)


def _module(folder: Path, name: str, kind: str) -> Response:
    """Serve the module of that name; a script of another edition gets the one that there is."""
    if (folder / name).is_file():
        return _script(folder / name, forever=True)
    others = [path for path in folder.glob(f"{kind}.*.js") if _MODULE.fullmatch(path.name)]
    if not others:
        raise NotFound
    return _script(max(others, key=lambda path: path.stat().st_mtime_ns))


def _script(path: Path, forever: bool = False) -> Response:
    body, encoding, tag = _read(path, _encoding(path), path.stat().st_mtime_ns)
    response = Response(body, content_type=_CONTENT_TYPE)
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.set_etag(tag)
    response.headers["SourceMap"] = f"{path.name}.map"
    return _public(response, forever).make_conditional(request)  # type: ignore[return-value]


def _public(response: Response, forever: bool = False) -> Response:
    kept = "public, max-age=31536000, immutable" if forever else "public, max-age=300"
    response.headers["Cache-Control"] = kept if services().settings.is_production else "no-store"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _encoding(path: Path) -> tuple[str, str] | None:
    accepted = request.accept_encodings
    for name, suffix in _ENCODINGS:
        if accepted[name] and Path(f"{path}{suffix}").is_file():
            return name, suffix
    return None


@lru_cache(maxsize=16)
def _read(
    path: Path, encoding: tuple[str, str] | None, _changed_at: int
) -> tuple[bytes, str | None, str]:
    name, suffix = encoding or (None, "")
    body = Path(f"{path}{suffix}").read_bytes()
    return body, name, hashlib.sha256(body).hexdigest()[:20]
