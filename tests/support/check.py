# p2phlssrc: one expectation, said aloud.
# SPDX-License-Identifier: LGPL-2.1-or-later

import sys


def check(true, what, seen=""):
    """Ends the test unless `true`, with what was seen."""
    if true:
        print("ok: %s" % what, flush=True)
        return
    print("NOT: %s\n  seen: %s" % (what, seen), flush=True)
    sys.exit(1)
