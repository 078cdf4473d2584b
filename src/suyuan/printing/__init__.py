"""Labels as printers take them: PDF, SVG, ZPL and CSV, streamed."""
