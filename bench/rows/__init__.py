"""The rows of the measured table, each with its floor."""
