"""What a warehouse's station does with a scanner: acts on goods that become events, and checks before they do.

- ``acts``: one act (a parcel packed, a pallet broken down, goods received, put away, counted, found damaged) is one
  event under the act's own ID. Sent again it changes nothing; undone it is declared wrong by its own party.
- ``standing``: how codes stand right now (issued, voided, recalled, in which container), read for one scan.
- ``waybills``: which parcel a scanned waybill means, what is already in it, what was ordered.
- ``labels``: a code drawn for a label that is printed at the packing table.
- ``drawn``: such codes are made active once they are on goods in a parcel.

What a person reads at the station is the console's business: here are codes, no sentences.
"""

from suyuan.compliance.stations.acts import ActResult, Undo, perform, withdraw
from suyuan.compliance.stations.drawn import DrawnActivation, activate_drawn, find_drawn
from suyuan.compliance.stations.labels import draw_label, lots_at_hand
from suyuan.compliance.stations.model import Act, Finding, Part, goods_key
from suyuan.compliance.stations.standing import Standing, findings_of, standings_of
from suyuan.compliance.stations.waybills import Parcel, find_parcel

__all__ = [
    "Act",
    "ActResult",
    "DrawnActivation",
    "Finding",
    "Parcel",
    "Part",
    "Standing",
    "Undo",
    "activate_drawn",
    "draw_label",
    "find_drawn",
    "find_parcel",
    "findings_of",
    "goods_key",
    "lots_at_hand",
    "perform",
    "standings_of",
    "withdraw",
]
