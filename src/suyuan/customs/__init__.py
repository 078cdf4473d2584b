"""Customs messages: CEB (cross-border e-commerce) and SAS (bonded zones), bytes in, events out.

Pure: no I/O beyond the packaged tables. Says which fields are personal; assurance, pseudonyms, storage and
the joining of several papers are decided elsewhere. A receipt that says "released" is read as just that.
"""

from suyuan.customs.codes import CodeLabel, CodeLists, code_label, packaged_codes
from suyuan.customs.findings import FaultyMessageError, Finding
from suyuan.customs.message import recognise
from suyuan.customs.reader import FieldGroup, FieldValue, check, fields, message_kinds, read
from suyuan.customs.states import DocumentState, document_states

__all__ = [
    "CodeLabel",
    "CodeLists",
    "DocumentState",
    "FaultyMessageError",
    "FieldGroup",
    "FieldValue",
    "Finding",
    "check",
    "code_label",
    "document_states",
    "fields",
    "message_kinds",
    "packaged_codes",
    "read",
    "recognise",
]
