"""The built pages: static files with a fallback to the application for its own addresses."""

from __future__ import annotations

import mimetypes
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

router = APIRouter(include_in_schema=False)
_COMPRESSED = (("br", ".br"), ("gzip", ".gz"))
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>servitwin</title>
<body style="font: 1rem/1.5 system-ui; max-width: 42rem; margin: 4rem auto; padding: 0 1rem">
<h1>The pages have not been built</h1>
<p>servitwin runs and its API answers, but this installation has no built pages.</p>
<p>In a source tree run <code>make ui</code>, then reload this page. Installed packages contain the pages.</p>
<p>The API is described at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p></body></html>
"""


@router.get("/")
async def to_pages() -> Response:
    """The address people type."""
    return RedirectResponse("/app/", 307)


@router.get("/app")
async def to_pages_with_slash() -> Response:
    """So that relative addresses in the pages work."""
    return RedirectResponse("/app/", 308)


@router.get("/app/{path:path}")
@router.head("/app/{path:path}")
async def page(request: Request, path: str) -> Response:
    """A built file; any other address below /app/ is the application's own and gets its first page."""
    folder: Path = request.app.state.parts.options.ui
    index = folder / "index.html"
    if not index.is_file():
        return HTMLResponse(_NOT_BUILT, 503 if path == "" else 404)
    file = _inside(folder, path) if path else index
    if file is None or not file.is_file():
        if _is_file(path, request):
            return HTMLResponse("<!doctype html><title>404</title>There is no such file.", 404)
        file = index
    return _send(request, file)


def _is_file(path: str, request: Request) -> bool:
    """Whether a file was asked for: a page in its place would break the browser's modules.

    A dot alone does not tell: names of things may have one, and people come to their pages by a link or by loading
    them again. A browser says that it wants a page.
    """
    return bool(Path(path).suffix) and (
        path.startswith("assets/") or "text/html" not in request.headers.get("accept", "")
    )


def _inside(folder: Path, path: str) -> Path | None:
    if "\0" in path or len(path) > 1000:
        return None
    file = (folder / path).resolve()
    return file if file.is_relative_to(folder.resolve()) else None


def _send(request: Request, file: Path) -> Response:
    kind = _media_type(file.name)
    accepted = request.headers.get("accept-encoding", "")
    headers = {
        # Built assets carry a hash of their content in the name; the first page must always be asked for.
        "Cache-Control": "public, max-age=31536000, immutable" if file.parent.name == "assets" else "no-cache",
        "Vary": "Accept-Encoding",
    }
    for name, suffix in _COMPRESSED:
        packed = file.with_name(file.name + suffix)
        if name in accepted and packed.is_file():
            return FileResponse(packed, media_type=kind, headers={**headers, "Content-Encoding": name})
    return FileResponse(file, media_type=kind, headers=headers)


@lru_cache(maxsize=256)
def _media_type(name: str) -> str:
    known = {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".svg": "image/svg+xml",
        ".webmanifest": "application/manifest+json",
        ".woff2": "font/woff2",
        ".json": "application/json",
    }
    return known.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
