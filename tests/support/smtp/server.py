"""A mail server for tests: aiosmtpd, which also does what servers do on a bad day.

    server.py SETTINGS      a JSON object:
        tls     "starttls", "tls" or "none"
        cert    PEM files of its certificate and key, where it speaks TLS
        key
        login   [user name, password]; nobody gets in without
        limit   the most bytes of a mail; more gets 552
        full    true: a host says its full name at EHLO, as Postfix wants it (reject_non_fqdn_helo_hostname)
        at      stage to what happens there: "hang", "drop" (the connection ends), or the lines of an answer.
                Stages: CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, CONTENT (after the mail), QUIT
        times   how often that happens before all is well again; always when absent

Prints its port. Then prints a line of JSON for each command ({"command", "encrypted"}) and for each mail that it takes
({"mail": {...}}, as Python's parser of emails reads it). Ends when its standard input is closed.
"""

import asyncio
import email
import email.policy
import json
import logging
import os
import ssl
import sys
import threading
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

# It tells of every connection that breaks and of every login without TLS, which is what tests are about.
logging.disable()
warnings.simplefilter("ignore")

SETTINGS = json.loads(sys.argv[1])
LEFT = {"times": SETTINGS.get("times")}


def tell(what):
    print(json.dumps(what), flush=True)


def trouble_at(stage):
    """What happens at a stage, or None."""
    trouble = SETTINGS.get("at", {}).get(stage)
    if trouble is None or LEFT["times"] == 0:
        return None
    if LEFT["times"] is not None:
        LEFT["times"] -= 1
    return trouble


class Handler:
    """Keeps what is sent."""

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server, session, envelope):
        trouble = trouble_at("CONTENT")
        if trouble:
            return await server.troubled(trouble) or "451 not reached"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        tell(
            {
                "mail": {
                    "sender": envelope.mail_from,
                    "recipients": envelope.rcpt_tos,
                    "headers": [[name, str(value)] for name, value in mail.items()],
                    "type": mail.get_content_type() + "; " + str(mail.get_content_charset()),
                    "date": mail["date"].datetime.isoformat(),
                    "body": mail.get_content(),
                    "defects": [str(defect) for defect in mail.defects],
                }
            }
        )
        return "250 2.0.0 Ok: queued as 4F3KQ1"


class Server(SMTP):
    """aiosmtpd with trouble at each stage."""

    async def troubled(self, trouble):
        """Does what is asked; gives the words of an answer."""
        if trouble == "hang":
            await asyncio.sleep(3600)
        if trouble == "drop":
            self.transport.abort()
            await asyncio.sleep(3600)
        return trouble

    async def stage(self, name, argument, next_step):
        encrypted = self._tls_protocol is not None or SETTINGS["tls"] == "tls"
        tell({"command": name, "argument": argument, "encrypted": encrypted})
        trouble = trouble_at(name)
        if trouble:
            await self.push(await self.troubled(trouble))
        else:
            await next_step(argument)

    async def _handle_client(self):
        trouble = trouble_at("CONNECT")
        if trouble:
            await self.push(await self.troubled(trouble))
            self.transport.close()
        else:
            await super()._handle_client()

    async def smtp_EHLO(self, hostname):
        await self.stage("EHLO", hostname, self.only_full_names if SETTINGS.get("full") else super().smtp_EHLO)

    async def only_full_names(self, hostname):
        if "." in hostname:
            await super().smtp_EHLO(hostname)
        else:
            await self.push(f"504 5.5.2 <{hostname}>: Helo command rejected: need fully-qualified hostname")

    async def smtp_STARTTLS(self, arg):
        await self.stage("STARTTLS", arg, super().smtp_STARTTLS)

    async def smtp_AUTH(self, arg):
        await self.stage("AUTH", arg, super().smtp_AUTH)

    async def smtp_MAIL(self, arg):
        await self.stage("MAIL", arg, super().smtp_MAIL)

    async def smtp_RCPT(self, arg):
        await self.stage("RCPT", arg, super().smtp_RCPT)

    async def smtp_DATA(self, arg):
        await self.stage("DATA", arg, super().smtp_DATA)

    async def smtp_QUIT(self, arg):
        await self.stage("QUIT", arg, super().smtp_QUIT)


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and [data.login.decode(), data.password.decode()] == SETTINGS["login"]
    # Not handled: the server has to answer.
    return AuthResult(success=known, handled=False)


async def serve():
    loop = asyncio.get_running_loop()
    # A client that ends the connection in the middle of a stage is what many tests are about.
    loop.set_exception_handler(lambda *_: None)
    context = None
    if SETTINGS["tls"] != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(SETTINGS["cert"], SETTINGS["key"])
    login = SETTINGS.get("login")

    def session():
        return Server(
            Handler(),
            hostname="mail.test",
            loop=loop,
            enable_SMTPUTF8=True,
            data_size_limit=SETTINGS.get("limit"),
            tls_context=context if SETTINGS["tls"] == "starttls" else None,
            require_starttls=SETTINGS["tls"] == "starttls",
            auth_required=login is not None,
            # Whether a password came in clear text is the test's question; aiosmtpd knows only of STARTTLS.
            auth_require_tls=False,
            authenticator=authenticate if login else None,
        )

    listener = await loop.create_server(session, "127.0.0.1", 0, ssl=context if SETTINGS["tls"] == "tls" else None)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


def end_with_the_test():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_the_test, daemon=True).start()
asyncio.run(serve())
