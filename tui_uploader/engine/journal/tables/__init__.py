"""All SQL of the journal, by subject. Every function takes the connection of the transaction that it is part of.

In the order in which a photo passes: projects, uploads, sources (added paths), walked (found files), known_contents,
deduplication, files, file_parts, open_multiparts, stored_files, retention. transitions and commands change many files
at once; preferences holds settings. Imported by the engine.
"""
