"""EPCIS events: the model, readers and writers of both syntaxes, the canonical body and the event hash.

Pure: bytes in, events out, or an error with the place of the fault. What other rooms use is named here.
"""

from suyuan.epcis.body import canonical_body, event_from_body
from suyuan.epcis.event_hash import VERSIONS, event_hash, hash_of, identity_of, pre_hash
from suyuan.epcis.identifiers import RawPersonDocument, canonical_uri, read_person_document
from suyuan.epcis.jsonld_reader import read_json
from suyuan.epcis.jsonld_writer import encode_json, write_json_document, write_json_event
from suyuan.epcis.model import Event
from suyuan.epcis.reader import read, recognise
from suyuan.epcis.reading import DerivedEvent, PersonalField, Reading, Warning_
from suyuan.epcis.uris import canonical_event, identifier_uris, map_uris, person_documents
from suyuan.epcis.xml_reader import read_xml_events
from suyuan.epcis.xml_writer import write_xml_document

__all__ = [
    "VERSIONS",
    "DerivedEvent",
    "Event",
    "PersonalField",
    "RawPersonDocument",
    "Reading",
    "Warning_",
    "canonical_body",
    "canonical_event",
    "canonical_uri",
    "encode_json",
    "event_from_body",
    "event_hash",
    "hash_of",
    "identifier_uris",
    "identity_of",
    "map_uris",
    "person_documents",
    "pre_hash",
    "read",
    "read_json",
    "read_person_document",
    "read_xml_events",
    "recognise",
    "write_json_document",
    "write_json_event",
    "write_xml_document",
]
