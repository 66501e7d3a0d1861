"""PIX4Dcloud. Only the engine, which creates the client, may import this package.

`client` implements the contract with calls of `rest` (access token, limits, errors) over `rest_connections`;
`projects` parses projects, `registration` and `shortfall` register images and settle what the service leaves unclear.
"""
