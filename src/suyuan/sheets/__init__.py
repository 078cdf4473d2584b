"""Spreadsheets, delimited texts and JSON lists of firms without EDI, read into events.

Pure: bytes in, a ``Reading`` or a ``SuyuanError`` out.
"""

from suyuan.sheets.faults import Fault, FaultySheetError
from suyuan.sheets.reader import KINDS, check_size, read, recognise

__all__ = ["KINDS", "Fault", "FaultySheetError", "check_size", "read", "recognise"]
