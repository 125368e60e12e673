"""A question in SQL to Spark Connect, as a client asks it, and whether one without the token is turned away.

Arguments: the port on this host, and the file with the token. A client in Python needs packages that no release brings,
so what goes over the wire (HTTP/2 and gRPC: RFC 9113, https://grpc.github.io/grpc/core/md_doc__p_r_o_t_o_c_o_l-_h_t_t_p2.html;
messages: spark/connect/base.proto, relations.proto) is made here, as far as one question needs it.
"""

import socket
import struct
import sys
import uuid
from collections.abc import Iterator

port, place = int(sys.argv[1]), sys.argv[2]
#: The sum of 0 to 99,999 in words that nobody would find in the answer by chance.
QUESTION = "select concat('the answer is ', cast(sum(id) as string)) from range(0, 100000, 1, 2)"
ANSWER = b"the answer is 4999950000"
#: Kinds of frames.
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame of HTTP/2."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def field(number: int, value: "bytes | str") -> bytes:
    """A field of a message that is a text or a message."""
    raw = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2]) + length(raw) + raw


def length(raw: bytes) -> bytes:
    """How long something is, seven bits a byte."""
    left, out = len(raw), b""
    while left > 127:
        out, left = out + bytes([left & 127 | 128]), left >> 7
    return out + bytes([left])


def header(name: str, value: str) -> bytes:
    """A header as HPACK writes one that nobody shall remember; all of these are shorter than 127 bytes."""
    return b"\x10" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def request() -> bytes:
    """spark.connect.ExecutePlanRequest: session_id, user_context.user_id, plan.root.sql.query."""
    plan = field(1, field(10, field(1, QUESTION)))
    return field(1, str(uuid.uuid4())) + field(2, field(1, "bramble-verify")) + field(3, plan)


def answers(token: str) -> "Iterator[bytes]":
    """What comes for the question, piece by piece: headers as they are, and data."""
    words = [(":method", "POST"), (":scheme", "http"), (":path", "/spark.connect.SparkConnectService/ExecutePlan")]
    words += [(":authority", f"127.0.0.1:{port}"), ("content-type", "application/grpc"), ("te", "trailers")]
    words += [("authorization", f"Bearer {token}")] if token else []
    head, body = b"".join(header(*word) for word in words), request()
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b""))
        connection.sendall(frame(HEADERS, END_HEADERS, 1, head))
        connection.sendall(frame(DATA, END_STREAM, 1, b"\0" + struct.pack(">I", len(body)) + body))
        reader = connection.makefile("rb")
        while len(begin := reader.read(9)) == 9:
            size, kind, flags = int.from_bytes(begin[:3], "big"), begin[3], begin[4]
            payload = reader.read(size)
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(frame(SETTINGS, ACK, 0, b""))
            elif kind == PING and not flags & ACK:
                connection.sendall(frame(PING, ACK, 0, payload))
            elif kind in (HEADERS, DATA):
                yield payload
            if kind in (RST_STREAM, GOAWAY) or (kind in (HEADERS, DATA) and flags & END_STREAM):
                return


try:
    with open(place, encoding="utf-8") as file:
        secret = file.read().strip()
    if ANSWER in b"".join(answers(secret)):
        sys.stdout.write("Spark Connect answers\n")
    if ANSWER not in b"".join(answers("")):
        sys.stdout.write("not without the token\n")
except OSError as error:
    sys.stderr.write(f"Spark Connect answers: {error}\n")
