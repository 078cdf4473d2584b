"""Captures as a form sends them (``multipart/form-data``): a few short fields, and images that wait in a file.

The body is parsed as it comes. Images go to a temporary file without a name and are read one at a time when it is their
turn, so that memory does not grow with what is sent, however slowly and by however many.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Final, Literal, overload

import multipart  # type: ignore[import-untyped]

from suyuan.capture.sources import Source, Spool
from suyuan.errors import InputError, TooLargeError, UnavailableError, UnsupportedError
from suyuan.scans.label_model import CHECK_BOUNDS, Bounds

MAX_FIELDS: Final = 20
MAX_FIELD_BYTES: Final = 4096
IMAGES: Final = "images"
# Forms on their way into one process, of strangers' checks and of enrolments each: what they may take of the disk, and
# neither takes the other's places.
MAX_UPLOADS: Final = 32
MAX_UPLOADS_FROM_ONE: Final = 8
# A form that takes longer holds a place that somebody else could have.
RECEIVE_SECONDS: Final = 240.0
# So much of a form is its own: boundaries, the heads of its parts, short fields.
FORM_BYTES: Final = 256 * 1024
_BOUNDARY = re.compile(r'boundary="?([A-Za-z0-9\'()+_,./:=? -]{1,70})"?')
_CHECK = Bounds(
    max(one.images for one in CHECK_BOUNDS.values()), max(one.image_bytes for one in CHECK_BOUNDS.values())
)
CHECK_BYTES: Final = max(one.total_bytes for one in CHECK_BOUNDS.values())
Purpose = Literal["check", "enrolment"]
# Forms on their way by the place that they come from.
_under_way: Final[dict[Purpose, Counter[str]]] = {"check": Counter(), "enrolment": Counter()}


class SlowUploadError(InputError):
    """The images came too slowly."""

    http_status = 408


class SpooledImages(Sequence[bytes]):
    """Images in a temporary file; each is read when it is asked for."""

    def __init__(self, source: Source, sizes: Sequence[int]) -> None:
        self._source = source
        starts = [sum(sizes[:number]) for number in range(len(sizes))]
        self._places = tuple(zip(starts, sizes, strict=True))

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        start, size = self._places[index]
        with self._source.open() as reader:
            reader.seek(start)
            return reader.read(size)


class Upload:
    """What a form brought: its short fields and its images."""

    def __init__(self, fields: dict[str, str], images: Sequence[bytes]) -> None:
        self.fields = fields
        self.images = images

    def field(self, name: str) -> str:
        """A field that must be there. Raises ``InputError`` (``label.upload.field``)."""
        value = self.fields.get(name, "")
        if not value:
            raise InputError("label.upload.field", "The form lacks a field.", path=name)
        return value


@contextlib.asynccontextmanager
async def received_upload(
    chunks: AsyncIterable[bytes],
    content_type: str,
    *,
    bounds: Bounds = _CHECK,
    total_bytes: int = CHECK_BYTES,
    seconds: float = RECEIVE_SECONDS,
    place: str = "",
    purpose: Purpose = "check",
) -> AsyncIterator[Upload]:
    """A form for the length of a block. Every part under the name ``images`` is an image, others are fields.

    It must have come within ``seconds``; ``place`` is where it comes from, ``purpose`` whose places it takes.

    Raises ``UnsupportedError`` (``label.upload.type``), ``InputError`` (``label.upload.form``, ``label.upload.slow``),
    ``TooLargeError`` (``label.upload.too_large``) and ``UnavailableError`` (``label.upload.busy``), as soon as that is
    known.
    """
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.strip().lower().startswith("multipart/form-data"):
        raise UnsupportedError(
            "label.upload.type",
            "Images come as a form.",
            path="Content-Type",
            remedy="Send multipart/form-data, each image as a part with the name images.",
        )
    under_way = _under_way[purpose]
    if under_way.total() >= MAX_UPLOADS or under_way[place] >= MAX_UPLOADS_FROM_ONE:
        raise UnavailableError(
            "label.upload.busy",
            "Too many images are being sent just now.",
            remedy="Try again in a moment.",
        )
    under_way[place] += 1
    spool = Spool()
    try:
        parser = multipart.PushMultipartParser(
            found[1], max_segment_count=bounds.images + MAX_FIELDS, max_segment_size=bounds.image_bytes
        )
        form = _Form(spool, bounds, total_bytes)
        received = 0
        try:
            async with asyncio.timeout(seconds):
                async for chunk in chunks:
                    received += len(chunk)
                    if received > total_bytes + FORM_BYTES:
                        raise _too_large(bounds)
                    if chunk and not parser.closed:
                        # In a thread: it writes to a file.
                        await asyncio.to_thread(form.take, parser, chunk)
            parser.close()
        except TimeoutError:
            raise SlowUploadError(
                "label.upload.slow",
                "The images came too slowly.",
                remedy="Send fewer or smaller ones, or try where the network is better.",
            ) from None
        except multipart.ParserLimitReached:
            raise _too_large(bounds) from None
        except multipart.MultipartError as error:
            raise InputError(
                "label.upload.form",
                f"The form cannot be read: {error}.",
                remedy="Send multipart/form-data, whole.",
            ) from None
        yield Upload(form.fields, SpooledImages(spool.source(), form.sizes))
    finally:
        under_way[place] -= 1
        if not under_way[place]:
            del under_way[place]
        spool.close()


class _Form:
    """A form on its way in."""

    def __init__(self, spool: Spool, bounds: Bounds, total_bytes: int) -> None:
        self.fields: dict[str, str] = {}
        self.sizes: list[int] = []
        self._spool = spool
        self._bounds = bounds
        self._total = total_bytes
        self._name = ""
        self._text = bytearray()

    def take(self, parser: multipart.PushMultipartParser, chunk: bytes) -> None:
        for part in parser.parse(chunk):
            if isinstance(part, multipart.MultipartSegment):
                self._begin(part.name or "")
            elif part is None:
                self._end()
            else:
                self._add(bytes(part))

    def _begin(self, name: str) -> None:
        self._name = name
        self._text.clear()
        if name == IMAGES:
            if len(self.sizes) == self._bounds.images:
                raise _too_large(self._bounds)
            self.sizes.append(0)

    def _add(self, data: bytes) -> None:
        if self._name != IMAGES:
            self._text += data
            if len(self._text) > MAX_FIELD_BYTES:
                raise InputError("label.upload.form", "A field of the form is too long.", path=self._name)
            return
        if self._spool.size + len(data) > self._total:
            raise _too_large(self._bounds)
        self._spool.write(data)
        self.sizes[-1] += len(data)

    def _end(self) -> None:
        if self._name == IMAGES:
            return
        if len(self.fields) == MAX_FIELDS:
            raise InputError("label.upload.form", "The form has too many fields.")
        self.fields[self._name] = self._text.decode("utf-8", "replace").strip()


def _too_large(bounds: Bounds) -> TooLargeError:
    return TooLargeError(
        "label.upload.too_large",
        "More images, or larger ones, than are taken here.",
        path=IMAGES,
        remedy=f"Send at most {bounds.images} images of at most {bounds.image_bytes:,} bytes each, as the camera's"
        " ordinary mode gives them.",
    )
