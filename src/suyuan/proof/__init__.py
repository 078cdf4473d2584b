"""Proof bundles: the facts about one item with everything that a stranger needs to check them offline."""
