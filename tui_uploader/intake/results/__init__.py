"""Processed results, recognised and checked by their content: only headers, tags and ends of files are read.

In the order in which data passes them: `survey` (which files belong together) over `companions` (files beside a result
and those that it names) and `check` (one file) · `geotiff` with `raster_type` · `point_cloud` · `mesh` · `glb` ·
`geokeys` and `wkt` (coordinate systems) · `facts` (what is known of one file). Everything here blocks.
"""
