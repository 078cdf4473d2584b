"""Entries of the timeline as markup, each made once for as long as it is remembered.

The goods of one case or consignment share most of what is told of them: an entry of the same facts at the same
places in the same language is the same markup on every page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import msgspec
from markupsafe import Markup

from suyuan.trace.kept import Kept
from suyuan.trace.model import Fact
from suyuan.web.language import Language
from suyuan.web.timeline import EntryView, entry_view

ENTRY_BYTES = 6 << 20
# The view of an entry takes some of this beside its markup.
_VIEW_BYTES = 3_000
_encoder = msgspec.msgpack.Encoder()
_entries: Kept[bytes, EntryView] = Kept(ENTRY_BYTES)


def entry_with_markup(
    positioned: Sequence[tuple[int, Fact]], language: Language, render: Callable[[EntryView], Markup]
) -> EntryView:
    """The entry of these facts with its markup, by ``render`` where it is not remembered."""
    content = _encoder.encode((language.code, positioned))
    key = hashlib.blake2b(content, digest_size=20).digest()
    known = _entries.get(key)
    if known is None:
        view = entry_view(positioned, language)
        known = msgspec.structs.replace(view, markup=render(view))
        _entries.put(key, known, len(known.markup) + _VIEW_BYTES)
    return known
