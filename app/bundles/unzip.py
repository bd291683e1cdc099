"""Unpacking a zip of a bundle, which anybody may have made, into a private temporary folder.

Nothing is unpacked but the files that a bundle has, by their own names, into that folder. No
state; any thread that may wait for the disk.
"""

from __future__ import annotations

import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath

from app.bundles.bundle import FILES, BundleError
from app.bundles.bundle_lock import BundleLock
from app.bundles.leftovers import remove_old_unpacked
from audio.wavfile import reason_of

_TELLING = {"session.json", "events.jsonl"}
"""A folder with one of these is a bundle."""
MOST_FILES = 10_000
MOST_BYTES = 16 * 1024**3
"""Of all files together: three tracks of two days."""
SUSPECT_BYTES = 1024**3
SUSPECT_RATIO = 200
"""More than a gigabyte that unpacks to so many times its size is no recording."""
MARGIN_BYTES = 256 * 1024**2
"""Room that is left on the disk."""

_ADVICE = "Choose the zip of a recording, as Turnscope exports it."
_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_LOCATOR_MARK = b"PK\x06\x07"
_LOCATOR_BYTES = 20
_LONG_END = struct.Struct("<4sQ2H2L4Q")
_LONGEST_COMMENT = 0xFFFF
_MOST_DIRECTORY_BYTES = MOST_FILES * 1024
_PIECE = 1024 * 1024
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""Only these unpack piece by piece: a megabyte of the others may become gigabytes at once."""


@contextmanager
def unpack_bundle(path: Path) -> Iterator[Path]:
    """Unpack the bundle in the zip ``path``, and give its folder, which is gone afterwards.

    What programs that were killed have left of older ones is removed first.

    Raises:
        BundleError: it is no zip, holds no bundle, or is not safe to unpack; the sentence says why.

    """
    remove_old_unpacked(Path(tempfile.gettempdir()))
    outer = Path(tempfile.mkdtemp(prefix="turnscope-"))
    with ExitStack() as left:
        left.callback(shutil.rmtree, outer, ignore_errors=True)
        with suppress(OSError):  # it tells that somebody has it open, however long
            left.callback(BundleLock(outer).release)
        folder = outer / "recording"
        folder.mkdir(0o700)
        _unpack(path, folder)
        yield folder


def _unpack(path: Path, folder: Path) -> None:
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            members = _members(path, archive)
            _check_sizes(path, list(members.values()), folder)
            for name, member in members.items():
                _unpack_member(path, archive, member, folder / name)
    except FileNotFoundError as error:
        raise BundleError(f"There is no file “{path}”.", "Check the name.") from error
    except OSError as error:
        sentence = f"“{path}” cannot be unpacked: {reason_of(error)}."
        raise BundleError(sentence, "Check the disk.") from error
    except (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, ValueError) as error:
        sentence = f"“{path}” is not a zip that can be read, or is damaged."
        raise BundleError(sentence, _ADVICE) from error


def _refuse(path: Path, why: str) -> BundleError:
    return BundleError(f"“{path}” is not opened: {why}.", _ADVICE)


def _check_directory(path: Path) -> None:
    """Refuse a zip with a list of files so long that reading it alone would do harm."""
    if path.exists() and not path.is_file():
        raise _refuse(path, "it is a folder or a device")
    with path.open("rb") as file:
        length = file.seek(0, 2)
        file.seek(max(length - _LONGEST_COMMENT - _END.size - _LOCATOR_BYTES - _LONG_END.size, 0))
        tail = file.read()
    at = tail.rfind(_END_MARK)
    if at < 0 or len(tail) - at < _END.size:
        return  # zipfile says that it is no zip
    directory_bytes = max(_END.unpack_from(tail, at)[5], _long_directory_bytes(tail[:at]))
    if min(directory_bytes, length) > _MOST_DIRECTORY_BYTES:
        raise _refuse(path, f"it holds more than {MOST_FILES} files")


def _long_directory_bytes(before_end: bytes) -> int:
    """Return how long the list is by the zip64 record, which outranks the end's; 0 without one."""
    locator, record = before_end[-_LOCATOR_BYTES:], before_end[:-_LOCATOR_BYTES]
    if not locator.startswith(_LOCATOR_MARK) or len(record) < _LONG_END.size:
        return 0
    size: int = _LONG_END.unpack_from(record, len(record) - _LONG_END.size)[8]
    return size


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files of the one bundle that is in the zip, at its top or in one folder."""
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        raise _refuse(path, f"it holds more than {MOST_FILES} files")
    placed = [(_checked_parts(path, info), info) for info in infos if not info.is_dir()]
    homes = {parts[:-1] for parts, _ in placed if parts[-1] in _TELLING and len(parts) <= 2}
    if not homes:
        raise _refuse(path, "it holds no recording")
    own = [item for item in placed if item[0][:-1] in homes and item[0][-1] in FILES]
    found = {parts[-1]: info for parts, info in own}
    if len(homes) > 1 or len(found) < len(own):
        raise _refuse(path, "it holds more than one recording")
    return found


def _checked_parts(path: Path, info: zipfile.ZipInfo) -> tuple[str, ...]:
    """Return the parts of a file's name; a name that is not a plain one below is refused."""
    name, parts = info.orig_filename, PurePosixPath(info.filename).parts
    if ".." in parts or ".." in name.replace("\\", "/").split("/"):
        raise _refuse(path, "it holds a file that would be put outside its folder (“..”)")
    if not parts or name.startswith(("/", "\\")) or name[1:2] == ":" or "\0" in name:
        raise _refuse(path, "it holds a file with an absolute path")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise _refuse(path, "it holds a link")
    return parts


def _check_sizes(path: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    unpacked = sum(info.file_size for info in members)
    packed = sum(info.compress_size for info in members)
    if any(info.flag_bits & _ENCRYPTED for info in members):
        raise _refuse(path, "it is encrypted")
    if any(info.compress_type not in _METHODS for info in members):
        raise _refuse(path, "it is packed in a way that is not known to be safe; deflate is")
    if unpacked > MOST_BYTES:
        raise _refuse(path, f"it unpacks to {unpacked / 1e9:.0f} GB")
    if unpacked > SUSPECT_BYTES and unpacked > SUSPECT_RATIO * max(packed, 1):
        raise _refuse(path, f"it unpacks to {unpacked // max(packed, 1)} times its size")
    if unpacked > shutil.disk_usage(folder).free - MARGIN_BYTES:
        raise _refuse(path, f"there is no room for the {unpacked / 1e6:.0f} MB that it unpacks to")


def _unpack_member(
    path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path
) -> None:
    left = info.file_size
    with archive.open(info) as packed, target.open("xb") as file:
        while piece := packed.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise _refuse(path, "it unpacks to more than it says")
            file.write(piece)
    if left:
        raise _refuse(path, "it unpacks to less than it says")
