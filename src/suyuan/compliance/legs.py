"""The legs that the law asks for, per mode, as dated data.

Legs are TOML files beside the code; an operator replaces them by files of the same form in the folder
``legs`` of the data directory. A profile counts for goods whose first fact lies on or after ``valid_from``; of
several, the newest that does.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import msgspec

from suyuan.capture.links import document_kind, link_kind
from suyuan.errors import InputError
from suyuan.trace.model import Fact
from suyuan.trace.state import short_name


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way for a fact to be a leg: every line that is given must hold, one entry of it is enough."""

    steps: tuple[str, ...] = ()
    papers: tuple[str, ...] = ()
    dispositions: tuple[str, ...] = ()
    things: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    def met_by(self, fact: Fact) -> bool:
        """Whether the fact meets every line."""
        if self.steps and short_name(fact.biz_step) not in self.steps:
            return False
        if self.dispositions and short_name(fact.disposition) not in self.dispositions:
            return False
        if self.papers and not any(link_kind(document.uri) in self.papers for document in fact.documents):
            return False
        if self.things and not any(document_kind(uri) in self.things for uri in fact.things):
            return False
        country = fact.place.country if fact.place is not None else ""
        if self.outside and (not country or country in self.outside):
            return False
        return not self.countries or country in self.countries


class LegRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One leg: its names, the role that owes it, when it is due, what counts as it."""

    code: str
    name_en: str
    name_zh: str
    owed_by: str
    after: str = ""
    days: int = 0
    conditional: bool = False
    conditions: tuple[Condition, ...] = msgspec.field(name="is", default=())


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The legs of one mode from one date on."""

    mode: str
    name_en: str
    name_zh: str
    valid_from: date
    legs: tuple[LegRule, ...] = msgspec.field(name="leg")

    @property
    def name(self) -> str:
        """Mode and date, which identify a profile."""
        return f"{self.mode}/{self.valid_from.isoformat()}"


def read_profile(data: bytes, *, path: str) -> Profile:
    """Raises ``InputError`` (``compliance.legs.malformed``)."""
    try:
        profile = msgspec.convert(tomllib.loads(data.decode("utf-8")), Profile)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InputError("compliance.legs.malformed", f"{error}.", path=path) from None
    seen: set[str] = set()
    for leg in profile.legs:
        if leg.code in seen or (leg.after and leg.after not in seen) or not leg.conditions:
            raise InputError(
                "compliance.legs.malformed",
                f"The leg {leg.code!r} is named twice, comes before the leg it is due after, or is met by nothing.",
                path=path,
            )
        seen.add(leg.code)
    return profile


@lru_cache(maxsize=8)
def load_profiles(folder: Path | None = None) -> tuple[Profile, ...]:
    """Profiles that ship with the product and those in ``folder``, which win at equal mode and date."""
    found: dict[tuple[str, date], Profile] = {}
    shipped = files("suyuan.compliance") / "data"
    for entry in sorted(shipped.iterdir(), key=lambda entry: entry.name):
        if entry.name.startswith("legs-"):
            profile = read_profile(entry.read_bytes(), path=entry.name)
            found[profile.mode, profile.valid_from] = profile
    if folder is not None and folder.is_dir():
        for file in sorted(folder.glob("*.toml")):
            profile = read_profile(file.read_bytes(), path=str(file))
            found[profile.mode, profile.valid_from] = profile
    return tuple(found[key] for key in sorted(found))


def find_profile(profiles: Sequence[Profile], mode: str, day: date) -> Profile | None:
    """The newest profile of the mode that is in force on ``day``, or None."""
    fitting = [profile for profile in profiles if profile.mode == mode and profile.valid_from <= day]
    return max(fitting, key=lambda profile: profile.valid_from, default=None)
