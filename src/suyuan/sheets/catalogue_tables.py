"""Tables of products and places as templates make them: their headers, and a workbook as the CSV of its table.

The records themselves are the catalogue's; this room knows how such tables are written.
"""

from __future__ import annotations

import csv
import io

from suyuan.sheets.choices import meanings_of
from suyuan.sheets.formulas import no_value
from suyuan.sheets.templates import catalogue_labels, side_sheets
from suyuan.sheets.workbook import is_workbook, read_grids

__all__ = ["catalogue_fields", "is_workbook", "truth_of", "workbook_as_csv"]

_TRUTHS = {"1": True, "true": True, "y": True, "": False, "0": False, "false": False, "n": False}


def catalogue_fields(kind: str) -> dict[str, str]:
    """The field by its header in lower case, for ``product`` or ``place``."""
    return catalogue_labels(kind)


def truth_of(text: str) -> bool | None:
    """Yes or no in any language of the templates; an empty cell is no, anything else None."""
    folded = text.strip().casefold()
    if folded in _TRUTHS:
        return _TRUTHS[folded]
    word = meanings_of("flag").get(folded)
    return None if word is None else word == "yes"


def workbook_as_csv(data: bytes) -> bytes:
    """The first sheet that is not a template's guide, as CSV; line numbers are those of the sheet.

    Raises as ``workbook.read_grids``, and ``InputError`` (``sheet.cell.formula``) for a formula without a value.
    """
    tables = [grid for grid in read_grids(data) if grid.name not in side_sheets()]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in tables[0].rows if tables else ():
        for cell in row:
            if cell and cell.uncomputed:
                raise no_value(cell.path)
        writer.writerow([cell.text if cell else "" for cell in row])
    return out.getvalue().encode()
