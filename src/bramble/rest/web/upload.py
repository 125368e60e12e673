"""A file out of a browser's form, as it comes: one of some GB fits into no memory, nor into every /tmp."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ..problem import Refused


async def first_file(request: Request) -> tuple[str, AsyncIterator[bytes]]:
    """The first file of a form: its name, and what is in it, to be read while the request comes in.

    Raises
    ------
    Refused
        This is no such form, or it has no file.
    """
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    boundary = parameters.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise _none()
    parts = _Parts(boundary)
    chunks = request.stream()
    while not (parts.begun or parts.over):
        await parts.more(chunks)
    if not parts.begun:
        raise _none()

    async def content() -> AsyncIterator[bytes]:
        while True:
            while parts.data:
                yield parts.data.popleft()
            if parts.over:
                return
            await parts.more(chunks)

    return parts.name, content()


def _none() -> Refused:
    return Refused(422, "this form brings no file", hint="choose one, and send it again")


class _Parts:
    """What has come in of a form, up to the end of its first file."""

    def __init__(self, boundary: bytes) -> None:
        self.begun, self.over, self.name = False, False, ""
        self.data: deque[bytes] = deque()
        self._header = [bytearray(), bytearray()]
        self._disposition = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": lambda data, begin, end: self._header[0].extend(data[begin:end]),
                "on_header_value": lambda data, begin, end: self._header[1].extend(data[begin:end]),
                "on_header_end": self._on_header,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._on_end,
                "on_end": self._on_end_of_all,
            },
        )

    async def more(self, chunks: AsyncIterator[bytes]) -> None:
        """Take in what comes next."""
        try:
            self._parser.write(await anext(chunks))
        except (StopAsyncIteration, FormParserError):
            raise Refused(400, "the form broke off before its end", hint="send it again") from None

    def _on_header(self) -> None:
        if bytes(self._header[0]).lower() == b"content-disposition":
            self._disposition = bytes(self._header[1])
        self._header = [bytearray(), bytearray()]

    def _on_headers(self) -> None:
        _, told = parse_options_header(self._disposition)
        if b"filename" in told and not self.over:
            self.begun, self.name = True, told[b"filename"].decode(errors="replace")

    def _on_data(self, data: bytes, begin: int, end: int) -> None:
        if self.begun and not self.over:
            self.data.append(data[begin:end])

    def _on_end(self) -> None:
        self.over = self.over or self.begun

    def _on_end_of_all(self) -> None:
        self.over = True
