"""A report as one ZIP file, the same bytes for the same report."""

from __future__ import annotations

import zipfile
from pathlib import Path

from reports.site.staging import placed

_PACKED_ALREADY = {".png", ".webp", ".parquet"}
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that the format knows


def write(report: Path) -> Path:
    """Pack a report's folder into a file beside it.

    Args:
        report: Folder of a finished report.

    Returns:
        Path of the file: the folder's name and ``.zip``.

    Raises:
        BenchError: If it cannot be written.
    """
    report = report.resolve()
    target = report.with_name(f"{report.name}.zip")
    with placed(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for path in sorted(report.rglob("*")):
            if path.is_file():
                name = f"{report.name}/{path.relative_to(report).as_posix()}"
                entry = zipfile.ZipInfo(name, _NO_TIME)
                entry.external_attr = 0o644 << 16
                stored = path.suffix in _PACKED_ALREADY
                entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return target
