"""The catalogue's upkeep: ``python -m suyuan.web.catalogue`` brings ``web.po`` up to date with the sources.

Run it after adding or changing a sentence, then translate the entries that it left empty; a test refuses a
catalogue that is stale, incomplete or fuzzy. Not used when pages are served.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from suyuan.web.language import CATALOGUE

HERE = Path(__file__).parent
_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "N_": None,
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "count": (1, 2),
}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


def sources() -> Catalog:
    """Every message of the room's modules and templates, as an untranslated catalogue."""
    catalogue = Catalog(locale="zh_CN")
    found = extract_from_dir(
        HERE,
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2")],
        options_map={"templates/**.html": {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"}},
        keywords=_KEYWORDS,
    )
    for filename, _, message, comments, context in found:
        catalogue.add(message, None, [(filename, 1)], auto_comments=comments, context=context)
    return catalogue


def stored() -> Catalog:
    """The catalogue as it is kept."""
    with CATALOGUE.open("rb") as source:
        return read_po(source, locale="zh_CN")


def update() -> list[str]:
    """Rewrite ``web.po`` from the sources, keeping translations; returns the messages without one."""
    catalogue = stored()
    catalogue.update(sources(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    with CATALOGUE.open("wb") as target:
        write_po(target, catalogue, width=100, sort_output=True, no_location=True, omit_header=False)
    return untranslated(catalogue)


def untranslated(catalogue: Catalog) -> list[str]:
    """The messages that have no translation, or one with an empty form."""
    missing = []
    for message in catalogue:
        if not message.id:
            continue
        forms = message.string if isinstance(message.string, list | tuple) else (message.string,)
        if not forms or not all(forms):
            missing.append(message.id if isinstance(message.id, str) else message.id[0])
    return missing


if __name__ == "__main__":
    missing = update()
    for message in missing:
        sys.stdout.write(f"untranslated: {message}\n")
    sys.exit(1 if missing else 0)
