"""Personal data: pseudonyms in the open, sealed values per subject, reveals and erasures that leave a trace.

- A *subject* is a person or a document of a person (an order, a waybill ...), named by a tuple such as
  ``("order", issuer, number)``. It is stored under a keyed digest; the tuple itself is nowhere in the open.
- Each subject has a data key of its own, wrapped by the key-encryption key. Everything personal is sealed
  under its subject's data key, so deleting one row of a hundred bytes makes all of it unreadable, wherever
  copies lie.
- Numbers of person documents appear in events as keyed pseudonyms. Without the deployment's key nobody can
  test a guessed number against them.
- Whoever has a number finds its pseudonym, also without the issuer: a second keyed digest leads to it. A look-up
  is journalled like a reveal, and what it found goes by an opaque token that ends by itself.
- A reveal is journalled before the plain text is given, an erasure before anything is deleted.

Trust: who can write to these tables can destroy personal data, or move a sealed value between rows of one
subject; without the key files they can neither read nor forge a value. Who holds the key files can read all.

Not here: which field is personal (``customs``, ``epcis``), when it is sealed (``capture``).
"""

from suyuan.vault.erasing import (
    Erasure,
    become_eraser,
    erase_subject,
    journal_erasure,
    read_erasure_journal,
    replay_erasures,
)
from suyuan.vault.keys import VaultKeys
from suyuan.vault.pseudonyms import PersonDocument, is_pseudonym, normal_number
from suyuan.vault.vault import FoundNumber, Reveal, SealedPart, Vault, list_reveals

__all__ = [
    "Erasure",
    "FoundNumber",
    "PersonDocument",
    "Reveal",
    "SealedPart",
    "Vault",
    "VaultKeys",
    "become_eraser",
    "erase_subject",
    "is_pseudonym",
    "journal_erasure",
    "list_reveals",
    "normal_number",
    "read_erasure_journal",
    "replay_erasures",
]
