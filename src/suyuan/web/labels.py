"""Other systems' codes at this resolver: ``/label/{system}/{code}`` leads to the item that bears the code.

An inspection body or a brand points its own address here: ``/label/ccic/000000204200233``,
``/label/city-440100/...``, ``/label/url/https%3A%2F%2Fbrand.example%2Fx%2F123``. What leads on is an alias that the
public's trace of the code follows, and only where it leads to one item.
"""

from __future__ import annotations

from suyuan.errors import NotFoundError
from suyuan.gs1.percent import decode_value
from suyuan.issuing.foreign_codes import code_system
from suyuan.web.links import path_of
from suyuan.web.model import ItemSource

_ITEMS = "https://id.gs1.org/"


async def item_path_of(source: ItemSource, path: str) -> str:
    """The path of the item on which the code at ``path`` (raw, ``/system/code``) is.

    Raises ``InputError`` (``issuing.alias.*``) for what is no such code, ``NotFoundError`` (``web.label.unknown``).
    """
    system, _, code = path.removeprefix("/").partition("/")
    name, _, city = system.partition("-")
    thing = code_system(name, city).thing(decode_value(code))
    found = await source.read_public(thing)
    items = [] if found is None else [uri for uri in found.trace.aliases if uri.startswith(_ITEMS)]
    if len(items) != 1:
        raise NotFoundError("web.label.unknown", "No item is known under this code.", path="/")
    return path_of(items[0])
