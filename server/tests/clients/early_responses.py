"""Sends requests that are answered before their bodies are read, each followed by another request,
over one HTTPConnection. Arguments: the address, the sizes of the bodies. Prints the statuses."""

import http.client
import sys

address, *sizes = sys.argv[1:]
connection = http.client.HTTPConnection(address, timeout=10)


def send(method, path, body=None):
    connection.request(method, path, body)
    response = connection.getresponse()
    response.read()
    return response.status


statuses = []
for size in sizes:
    whole = b"x" * int(size)
    chunks = (whole[start : start + 65536] for start in range(0, int(size), 65536))
    for method, path, body in [
        ("PUT", "/session/shop", whole),
        ("POST", "/nothing", whole),
        ("POST", "/healthz", whole),
        ("POST", "/rpc", chunks),
    ]:
        statuses += [send(method, path, body), send("GET", "/healthz")]
print(*statuses)
