"""A file that begins like a ZIP: a workbook, which is one itself, or a single packed data file."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, Any

from django.utils.translation import gettext as _

from core.errors import DomainError

ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second has nothing in it
MAX_BYTES = 20 * 1024**3
# Text packs to a tenth or a thirtieth; what packs to less was made to unpack without an end.
SMALL, MAX_RATIO = 100 * 1024**2, 200
XLSX, ODS = "xlsx", "ods"
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
_UTF8_NAME, _ENCRYPTED = 0x800, 0x1


def document(source: Any) -> str:
    """XLSX or ODS when the ZIP in `source` (a path or a stream) is such a document, by what stands
    in it and not by its name; "" when it only packs files. Raises DomainError `damaged_file`."""
    try:
        with zipfile.ZipFile(source) as archive:
            names = set(archive.namelist())
    except UNREADABLE as error:
        raise _damaged() from error
    if "[Content_Types].xml" in names:
        return XLSX
    return ODS if names & {"mimetype", "content.xml"} else ""


def single_file(source: Any) -> str:
    """The name, as the archive has it, of the only file in a ZIP. Folders, hidden files and what
    macOS adds do not count.

    Raises DomainError: `damaged_file`, `no_single_file`, `encrypted`, `unsafe_archive`,
    `too_large`.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            files = [info for info in archive.infolist() if _counts(info)]
    except UNREADABLE as error:
        raise _damaged() from error
    if not files:
        raise DomainError("no_single_file", _("The archive holds no file."))
    if len(files) > 1:
        shown = ", ".join(_name(info) for info in files[:5]) + (", …" if len(files) > 5 else "")
        raise DomainError(
            "no_single_file",
            _("The archive holds %(count)d files, and one can be loaded: %(names)s.")
            % {"count": len(files), "names": shown},
        )
    _check(files[0])
    return files[0].filename


def open_file(source: Any, name: str) -> IO[bytes]:
    """The unpacked bytes of a file in a ZIP, as a stream: nothing is written by a name of it."""
    with zipfile.ZipFile(source) as archive:
        return archive.open(name)


def refuse_nested() -> DomainError:
    """What a packed file in an archive is refused with."""
    return DomainError(
        "nested_archive", _("The archive holds another archive. Pack the file itself.")
    )


def _check(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise encrypted()
    path = PurePosixPath(_name(info).replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or stat.S_ISLNK(info.external_attr >> 16):
        raise DomainError(
            "unsafe_archive", _("The archive holds a link or a path that leads out of it.")
        )
    # Reading ends at the size it says, and then the checksum has to be right.
    if info.file_size > min(MAX_BYTES, max(SMALL, info.compress_size * MAX_RATIO)):
        raise DomainError("too_large", _("The file in the archive is too large."))


def _counts(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename.replace("\\", "/"))
    return not (info.is_dir() or "__MACOSX" in path.parts or path.name.startswith("."))


def _name(info: zipfile.ZipInfo) -> str:
    """The name as people read it: Windows in China writes GBK, which is read as something else."""
    if info.flag_bits & _UTF8_NAME:
        return info.filename
    raw = info.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def encrypted() -> DomainError:
    """What a file is refused with that needs a password."""
    return DomainError("encrypted", _("The file is protected by a password. Save it without one."))


def _damaged() -> DomainError:
    return DomainError("damaged_file", _("The file is damaged or is no workbook."))
