/* p2phlssrc: a proxy for TLS: it opens a way to a server, and looks away.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Each connection has threads of its own.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TestTunnel TestTunnel;

/* On 127.0.0.1, on a port of its own. With @user: for those who log in. */
TestTunnel *test_tunnel_new (const char *user, const char *password);

/* Waits for those who are still on their way: whoever came must have gone. */
void test_tunnel_free (TestTunnel *tunnel);

/* Returns: (transfer full): "http://127.0.0.1:PORT". */
char *test_tunnel_uri (TestTunnel *tunnel);

/* How many ways it has opened so far. */
guint test_tunnel_opened (TestTunnel *tunnel);

G_END_DECLS
