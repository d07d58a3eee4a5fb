"""Rasters in, polygons out: reading, tiling, blending, outlines, files. No model and no torch in this room."""
