"""S3 storage of one project. Imported by implementations of clouds such as `pix4d`.

`store` implements the contract's `ObjectStore` with calls of `client`, which takes `session_credentials` (checked by
`endpoint_policy`), signs (`signing`), sends, and decides after a refusal what to try (`retry`), remembering what the
store supports (`capabilities`). `bodies`, `headers`, `proofs` and `object_match` decide whether the storage holds what
was sent; `xml` reads and writes S3's documents.
"""
