/* p2phlssrc: a certificate for one test run.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Self-signed, for localhost and 127.0.0.1, with its key, valid around now:
 * no key lies in the sources, and none expires. Returns: (transfer full). */
GTlsCertificate *test_certificate_new (void);

G_END_DECLS
