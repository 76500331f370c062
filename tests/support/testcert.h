/* p2phlssrc: certificates for one test run.
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

/**
 * TestAuthority:
 *
 * Signs certificates of servers. Its own lies in a temporary file, as
 * libraries want to read it there.
 */
typedef struct _TestAuthority TestAuthority;

TestAuthority *test_authority_new (void);
void test_authority_free (TestAuthority *authority);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestAuthority, test_authority_free)

/* The file, in PEM. */
const char *test_authority_get_path (TestAuthority *authority);

/* For @names, as OpenSSL writes subjectAltName: "DNS:localhost,IP:127.0.0.1".
 * Returns: (transfer full). */
GTlsCertificate *test_authority_sign (
    TestAuthority *authority, const char *names);

G_END_DECLS
