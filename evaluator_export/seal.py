"""Step 5: put the files in one ZIP with a manifest of their hashes. The same files give the same bytes."""

import hashlib
import io
import json
import zipfile
from typing import Any

from evaluator_export.release import Built

MANIFEST = "manifest.json"


def seal(built: Built) -> tuple[bytes, dict[str, Any]]:
    """Return the package and its manifest, which lists the size and SHA-256 of every other file."""
    hashes = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in sorted(built.files.items())
    }
    manifest = {**built.manifest, "files": hashes}
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [(MANIFEST, text), *sorted(built.files.items())]:
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue(), manifest
