"""GS1 Digital Link."""

from suyuan.gs1.canonical_form import canonical, canonical_or_same

__all__ = ["canonical", "canonical_or_same"]
