"""File formats: as much of each as it takes to check a file and read its facts. Only `intake` imports this folder.

`jpeg` over `jpeg_decoder` · `tiff_pixels` over `tiff` · `exif` over `tiff` and `gps` · `mesh_text`.
"""
