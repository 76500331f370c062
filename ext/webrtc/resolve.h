/* p2phlssrc: names to addresses, by the system's resolver.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: transport.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _P2pResolve P2pResolve;

/**
 * P2pResolveFunc:
 * @address: (nullable): numeric, IPv4 when there is one; %NULL: none was
 *   found in %P2P_RESOLVE_TIMEOUT_US
 *
 * The answer; the lookup is over and may be freed.
 */
typedef void (*P2pResolveFunc) (gpointer user_data, const char *address);

/**
 * p2p_resolve_new:
 * @context: (transfer none): the transport's, and the thread's default
 *
 * Looks @host up without blocking. A lookup that takes too long is not waited
 * for, but occupies one of the system resolver's threads until it ends, so it
 * goes on counting as pending.
 */
P2pResolve *p2p_resolve_new (GMainContext *context, const char *host,
    P2pResolveFunc func, gpointer user_data);

/* The answer does not come any more. */
void p2p_resolve_free (P2pResolve *resolve);

/* Lookups that the system still works on. */
guint p2p_resolve_n_pending (void);

/* Asks all of them to end; the context has to run until none is pending. */
void p2p_resolve_cancel_all (void);

G_END_DECLS
