"""The CSV lists that belong to a form, stored as one ZIP beside its version."""

import io
import zipfile


def zip_lists(files: dict[str, bytes]) -> bytes | None:
    """Return the CSV lists of a form, by name, as one ZIP; None when there are none.

    Names are sorted and carry no time, so that the same lists give the same bytes.
    """
    if not files:
        return None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unzip_lists(data: bytes | None) -> dict[str, bytes]:
    """Return the CSV lists of a form by name: the inverse of zip_lists."""
    if not data:
        return {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
