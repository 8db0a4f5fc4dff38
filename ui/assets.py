"""Style sheet, scripts and icons: read once at the start and served from memory, so that no address can reach another file.

The address carries the content's hash; a browser may therefore keep an asset for ever and still sees a new version at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FOLDER = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    kind: str
    content: bytes
    version: str


def load_assets(folders: Iterable[Path]) -> Mapping[str, Asset]:
    """Every asset of `folders` by name; a later folder's file replaces an earlier one's."""
    found: dict[str, Asset] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.suffix in KINDS:
                content = path.read_bytes()
                found[path.name] = Asset(path.name, KINDS[path.suffix], content, hashlib.sha256(content).hexdigest()[:12])
    return found
