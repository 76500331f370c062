# p2phlssrc: TLS with an authority that only this test trusts.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""enter () starts the program anew in a mount namespace of its own, where the
test's authority has taken the place of the system's: every player then trusts
it, without a setting. Nothing outside is touched."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile

INSIDE = "P2PHLS_INSIDE_TRUST"
SYSTEM = "/etc/ssl/certs/ca-certificates.crt"  # where GnuTLS looks in Debian
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make(folder):
    """authority.pem, and server.pem with its key."""
    def path(name):
        return os.path.join(folder, name)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
           "-nodes")
    openssl("req", "-x509", *new, "-days", "2", "-subj", "/CN=Tests",
            "-keyout", path("authority.key"), "-out", path("authority.pem"))
    openssl("req", *new, "-subj", "/CN=localhost",
            "-keyout", path("server.key"), "-out", path("server.csr"))
    with open(path("names"), "w") as names:
        names.write(NAMES)
    openssl("x509", "-req", "-days", "2", "-in", path("server.csr"),
            "-CA", path("authority.pem"), "-CAkey", path("authority.key"),
            "-CAcreateserial", "-extfile", path("names"),
            "-out", path("server.pem"))
    with open(path("server.pem"), "a") as both, \
            open(path("server.key")) as key:
        both.write(key.read())


def unshare():
    """Never returns."""
    command = ["unshare", "--mount"]
    if os.getuid() != 0:
        command.append("--map-root-user")
    os.environ[INSIDE] = tempfile.mkdtemp()
    make(os.environ[INSIDE])
    os.execvp(command[0], [*command, sys.executable, *sys.argv])


def enter():
    """Returns only inside: the file with a server's certificate and key, for
    localhost and 127.0.0.1."""
    if INSIDE not in os.environ:
        unshare()
    folder = os.environ.pop(INSIDE)
    atexit.register(shutil.rmtree, folder)
    subprocess.run(["mount", "--bind", os.path.join(folder, "authority.pem"),
                    SYSTEM], check=True)
    return os.path.join(folder, "server.pem")
