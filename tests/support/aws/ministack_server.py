"""Runs ministack, for what moto lacks; ends when its standard input is closed, so that a killed test leaves nothing.

    ministack_server.py PORT
"""

import os
import sys
import threading

# Without BIND_HOST it listens on all addresses.
os.environ.update(BIND_HOST="127.0.0.1", IOT_MTLS_ENABLED="0", GATEWAY_PORT=sys.argv[1])

from ministack.app import main


def end_with_the_test():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_the_test, daemon=True).start()
sys.argv = sys.argv[:1]
main()
