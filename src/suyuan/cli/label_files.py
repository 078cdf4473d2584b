"""Images of labels from files: a folder of an item, photos whose code says of which item, frames of a video."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, overload

import msgspec

from suyuan.errors import InputError, NotFoundError, SuyuanError

if TYPE_CHECKING:
    from suyuan.enrolment.image_worker import ImageWorker

IMAGES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
VIDEOS: Final = frozenset({".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm"})
# A code that cannot be read in so many images of an item is on none of them.
_LOOKED_AT: Final = 5
_JPEG_QUALITY: Final = 95
_FORMS: Final = "Images are JPEG, PNG or WebP, videos MP4, MOV, AVI, MKV or WebM; their names say so."


# What is wrong with the command, and so with every file alike.
_OF_THE_COMMAND: Final = ("enrolment.placement", "enrolment.party", "enrolment.event_time", "printing.")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a file, and what to do; ``files`` is how many have the same fault, of which this is one."""

    file: str
    code: str
    reason: str
    remedy: str = ""
    files: int = 1

    @classmethod
    def of(cls, file: Path, error: SuyuanError) -> Fault:
        return cls(file=str(file), code=error.code, reason=error.reason, remedy=error.remedy)


class Faults:
    """Faults in the order in which they were met; one of the command itself is kept once, and counted."""

    def __init__(self) -> None:
        self._kept: dict[object, Fault] = {}

    def add(self, fault: Fault) -> None:
        same = fault.code.startswith(_OF_THE_COMMAND)
        key: object = (fault.code, fault.reason) if same else len(self._kept)
        known = self._kept.get(key)
        self._kept[key] = fault if known is None else msgspec.structs.replace(known, files=known.files + 1)

    def told(self) -> tuple[Fault, ...]:
        """All of them."""
        return tuple(self._kept.values())


def no_image(folder: Path) -> Fault:
    """The fault of a folder without an image."""
    return Fault(
        file=str(folder),
        code="cli.label.empty",
        reason="There is no image in it.",
        remedy="Name the folder that has the images, or one with a folder of images for each label.",
    )


class Images(Sequence[bytes]):
    """Images that are read when it is their turn."""

    def one(self, index: int) -> bytes:
        """The bytes of one of them."""
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self.one(number) for number in range(*index.indices(len(self)))]
        return self.one(index)


class Files(Images):
    """Images in files."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)

    def __len__(self) -> int:
        return len(self.paths)

    def one(self, index: int) -> bytes:
        return self.paths[index].read_bytes()


class Joined(Images):
    """Images of several kinds one after the other."""

    def __init__(self, parts: Sequence[Sequence[bytes]]) -> None:
        self._places = [(part, number) for part in parts for number in range(len(part))]

    def __len__(self) -> int:
        return len(self._places)

    def one(self, index: int) -> bytes:
        part, number = self._places[index]
        return part[number]


class Frames(Images):
    """Frames of a video, in a temporary file without a name that goes with the object.

    It is as large as the frames that were added, of which some are not chosen in the end: three or four times what is
    wanted, for a video of some minutes.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="suyuan-", buffering=0)  # noqa: SIM115 - closed with the object
        self._size = 0
        self._places: list[tuple[int, int]] = []
        weakref.finalize(self, self._file.close)

    def add(self, frame: bytes) -> int:
        """Append a frame; its number."""
        view = memoryview(frame)
        while view:
            view = view[self._file.write(view) :]
        self._places.append((self._size, len(frame)))
        self._size += len(frame)
        return len(self._places) - 1

    def choose(self, numbers: Sequence[int]) -> None:
        """Keep these frames, in this order."""
        self._places = [self._places[number] for number in numbers]

    def __len__(self) -> int:
        return len(self._places)

    def one(self, index: int) -> bytes:
        start, size = self._places[index]
        return os.pread(self._file.fileno(), size, start)


class Item(msgspec.Struct, frozen=True):
    """Images of one label. ``source`` is the folder, the video, or the first of the photos."""

    source: Path
    images: Sequence[bytes]

    def file_of(self, path: str) -> Path:
        """The file that an error names, as ``images[2]`` or ``frames[2]``."""
        number = path.partition("[")[2].partition("]")[0]
        if isinstance(self.images, Files) and number.isdigit() and int(number) < len(self.images):
            return self.images.paths[int(number)]
        return self.source


def images_in(folder: Path) -> list[Path]:
    """The image files of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGES and path.is_file())


def count_items(source: Path) -> int | None:
    """How many labels there will be, as far as it shows without looking into images."""
    if source.is_file():
        return 1
    apart = sum(1 for path in source.iterdir() if path.is_dir() or path.suffix.lower() in VIDEOS)
    return None if images_in(source) else apart


def whole_items(source: Path, frames: int) -> Iterator[Item | Fault]:
    """A video, or of a folder its videos and its folders with images, each one label; by name."""
    paths = [source] if source.is_file() else sorted(source.iterdir())
    for path in paths:
        try:
            if path.suffix.lower() in VIDEOS and path.is_file():
                yield Item(path, video_frames(path, frames))
            elif path.is_dir():
                found = images_in(path)
                if found:
                    yield Item(path, Files(found))
                else:
                    yield no_image(path)
            elif source.is_file() and path.suffix.lower() in IMAGES:
                yield Item(path, Files([path]))
            elif source.is_file():
                raise InputError(
                    "cli.label.file",
                    "This is neither an image nor a video that is read here.",
                    path=str(path),
                    remedy=_FORMS,
                )
        except (SuyuanError, OSError) as error:
            yield _fault(path, error)


async def loose_items(folder: Path, worker: ImageWorker) -> tuple[list[tuple[str, Item]], list[Fault]]:
    """Photos that lie loose in a folder, by what the code on them says; and those on which none is read."""
    by_text: dict[str, list[Path]] = {}
    faults: list[Fault] = []
    for path in images_in(folder):
        try:
            by_text.setdefault(await read_text(worker, Files([path])), []).append(path)
        except (SuyuanError, OSError) as error:
            faults.append(_fault(path, error))
    return [(text, Item(paths[0], Files(paths))) for text, paths in by_text.items()], faults


async def read_text(worker: ImageWorker, images: Sequence[bytes]) -> str:
    """What the code on a label says, from the first of its images that shows it.

    Raises ``NotFoundError`` (``cli.label.no_code``), and what the images are refused for.
    """
    from suyuan.enrolment.image_tasks import ReadCode

    for start in range(min(len(images), _LOOKED_AT)):
        try:
            answer = await worker.run(ReadCode(), images[start : start + 1])
        except SuyuanError as error:
            # Only here it is known which of the files was looked at.
            place = str(images.paths[start]) if isinstance(images, Files) else error.path
            raise type(error)(error.code, error.reason, path=place, remedy=error.remedy) from None
        if answer.texts[0]:
            return answer.texts[0]
    raise NotFoundError(
        "cli.label.no_code",
        "No code can be read on it.",
        remedy="Take it again with the whole QR code in the picture, sharp and evenly lit.",
    )


def video_frames(path: Path, most: int) -> Sequence[bytes]:
    """At most ``most`` frames of a video, evenly spread, as JPEG. However long it is, memory holds one of them.

    Raises ``InputError`` (``cli.label.video``) and ``UnsupportedError`` (``label.extra``).
    """
    from suyuan.enrolment.image_worker import check_extra

    check_extra()
    import cv2

    capture = cv2.VideoCapture(str(path))
    frames = Frames()
    kept: list[int] = []
    number = 0
    try:
        # How many frames there are is often not known before the end: twice as many as wanted are kept, then thinned.
        stride = 1
        while capture.grab():
            if number % stride == 0:
                good, frame = capture.retrieve()
                if good:
                    data = cv2.imencode(".jpg", frame, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))[1]
                    kept.append(frames.add(data.tobytes()))
                if len(kept) >= 2 * most:
                    kept, stride = kept[::2], stride * 2
            number += 1
    finally:
        capture.release()
    if not kept:
        raise InputError(
            "cli.label.video",
            "No frame of this video can be read.",
            path=str(path),
            remedy="Send MP4 with H.264, as phones write it, or its frames as images in a folder.",
        )
    count = min(most, len(kept))
    frames.choose([kept[round(n * (len(kept) - 1) / max(1, count - 1))] for n in range(count)])
    return frames


def _fault(path: Path, error: SuyuanError | OSError) -> Fault:
    if isinstance(error, SuyuanError):
        return Fault.of(path, error)
    return Fault(file=str(path), code="cli.file", reason=f"It cannot be read: {error.strerror}.")
