"""Emulators and scripts for the tests of one program, each in a process of its own.

Importing moto and boto3 takes seconds, so that is done once, here; each process is a fork. Prints the path of its
socket once it answers. A connection asks with one line of JSON:

    {"do": "emulator", "log": PATH}                      answers with the port, and serves until the connection ends
    {"do": "boto", "endpoint": URL, "script": TEXT}      answers with {"result": ...} or {"failed": TEXT}

It ends when its standard input is closed, so that a test program that was killed leaves nothing behind.
"""

import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import traceback

import emulator
import boto
from moto.backends import get_backend

SERVICES = ("cloudfront", "cloudwatch", "eks", "iam", "kafka", "rds", "route53", "s3", "sns", "sts")


def main():
    emulator.install()
    warm()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    folder = tempfile.mkdtemp(prefix="lifeboat-nursery-")
    path = os.path.join(folder, "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    print(path, flush=True)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            break
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(connection)
            os._exit(0)
        connection.close()
    shutil.rmtree(folder, ignore_errors=True)


def warm():
    """What each process would else load by itself."""
    for service in SERVICES:
        get_backend(service)
        boto.make("http://127.0.0.1:1", service, "us-east-1")


def serve(connection):
    asked = json.loads(connection.makefile().readline())
    if asked["do"] == "emulator":
        log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND)
        os.dup2(log, 2)
        connection.sendall(f"{emulator.serve()}\n".encode())
        while connection.recv(1):
            pass
        return
    try:
        answer = {"result": json.loads(boto.run(asked["endpoint"], asked["script"]))}
    except BaseException:
        answer = {"failed": traceback.format_exc()}
    connection.sendall(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
