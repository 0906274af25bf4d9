"""Static files: read once at start, named by their content, kept by browsers for a year.

`/static/<hash>/<name>` answers with `immutable`; the hash in the address changes when any file changes, so a browser never
holds an old one, and a file that names another by a relative path (CSS, ES modules) stays inside the same hash.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from xinglin.base.errors import NotFoundError, UnavailableError
from xinglin.web.icons import ICONS

STATIC = Path(__file__).parent / "static"
SPRITE = "vendor/bootstrap-icons/bootstrap-icons.svg"
REQUIRED = (
    "vendor/bootstrap/bootstrap.min.css",
    "vendor/htmx/htmx.min.js",
    "vendor/echarts/echarts.common.min.js",
    "vendor/leaflet/leaflet.js",
    SPRITE,
)
_YEAR = "public, max-age=31536000, immutable"
_KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".geojson": "application/geo+json"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served: its bytes, the same bytes gzipped (None where that saves nothing), its media type."""

    content: bytes
    packed: bytes | None
    media: str


@dataclass(frozen=True, slots=True)
class Assets:
    """Every static file of the product by name, under one hash of them all."""

    version: str
    files: Mapping[str, Asset]

    def address(self, name: str) -> str:
        """Return the address of a file. Raises: NotFoundError when a template names a file that does not exist."""
        if name not in self.files:
            raise NotFoundError(f"没有静态文件 {name}", f"there is no static file {name}")
        return f"/static/{self.version}/{name}"

    async def serve(self, request: Request) -> Response:
        """Answer one file: 304 when the browser has it, gzipped when it can read that, 404 when it does not exist."""
        asset = self.files.get(request.path_params["name"])
        if asset is None:
            return Response("not found", status_code=404, media_type="text/plain")
        headers = {"cache-control": _YEAR if request.path_params["version"] == self.version else "no-cache", "vary": "accept-encoding"}
        if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.packed, media_type=asset.media, headers={**headers, "content-encoding": "gzip"})
        return Response(asset.content, media_type=asset.media, headers=headers)


def read_assets(folder: Path = STATIC) -> Assets:
    """Return every static file below folder, with the icon sprite cut down to the icons in use.

    Raises: UnavailableError naming the command that brings the browser assets when they are not there.
    """
    missing = [name for name in REQUIRED if not (folder / name).exists()]
    if missing:
        raise UnavailableError(
            f"缺少浏览器资源 {missing[0]}：请运行 python scripts/hatch_build.py",
            f"the browser asset {missing[0]} is missing: run `python scripts/hatch_build.py`",
        )
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    files = {name: _asset(name, (folder / name).read_bytes()) for name in names if name != SPRITE}
    files["icons.svg"] = _asset("icons.svg", cut_sprite((folder / SPRITE).read_text(encoding="utf-8"), ICONS))
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode())
        digest.update(files[name].content)
    return Assets(version=digest.hexdigest()[:12], files=files)


def cut_sprite(sprite: str, names: tuple[str, ...]) -> bytes:
    """Return an SVG sprite holding only the named symbols. Raises: NotFoundError naming an icon the sprite lacks."""
    symbols = dict(re.findall(r'(?s)(?=<symbol [^>]*id="([^"]+)")(<symbol .*?</symbol>)', sprite))
    for name in names:
        if name not in symbols:
            raise NotFoundError(f"图标集中没有 {name}", f"the icon sprite has no {name}")
    inside = "".join(symbols[name] for name in names)
    return f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>'.encode()


def _asset(name: str, content: bytes) -> Asset:
    kind = _KINDS.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    packed = gzip.compress(content, 6, mtime=0) if len(content) > 512 and kind.split("/")[0] != "image" or kind == "image/svg+xml" else None
    return Asset(content=content, packed=packed if packed is not None and len(packed) < len(content) else None, media=kind)
