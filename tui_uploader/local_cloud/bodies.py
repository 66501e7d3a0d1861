"""Request bodies that are read into memory, up to a limit."""

from __future__ import annotations

from contextlib import aclosing

from starlette.requests import Request


class BodyTooLarge(Exception):
    """The body is longer than any valid request of its kind."""


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises BodyTooLarge, and starlette's ClientDisconnect when the client disconnects."""
    body = bytearray()
    async with aclosing(request.stream()) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > limit:
                raise BodyTooLarge
    return bytes(body)
