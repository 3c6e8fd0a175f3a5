"""Starts a program as systemd does, with a listening socket for each argument before `--`: a name
and either `tcp` or the path of a Unix socket."""

import os
import socket
import sys

split = sys.argv.index("--")
names, sockets = [], []
for argument in sys.argv[1:split]:
    name, kind = argument.split("=")
    if kind == "tcp":
        listener = socket.create_server(("127.0.0.1", 0))
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(kind)
        listener.listen()
    names.append(name)
    sockets.append(listener)
# First to numbers that are free, so that none is overwritten.
copies = [os.dup(listener.fileno()) for listener in sockets]
copies = [os.dup2(copy, 100 + index) for index, copy in enumerate(copies)]
for index, copy in enumerate(copies):
    os.dup2(copy, 3 + index)
os.environ["LISTEN_FDS"] = str(len(sockets))
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDNAMES"] = ":".join(names)
os.execv(sys.argv[split + 1], sys.argv[split + 1 :])
