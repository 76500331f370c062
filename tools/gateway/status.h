/* p2phlssrc: the gateway program's status page.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main. Source: docs/design/gateway.md.
 */
#pragma once

#include "engine/stats.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _P2pStatusPage P2pStatusPage;

/**
 * P2pStatusFacts:
 * @address: where the stream is to be had, for people to copy
 * @cache_bytes: the room for segments
 * @p2p: whether segments may come from other viewers
 * @upload: whether they are given to others
 *
 * What never changes.
 */
typedef struct
{
  const char *address;
  guint64 cache_bytes;
  gboolean p2p;
  gboolean upload;
} P2pStatusFacts;

/**
 * p2p_status_page_new:
 * @facts: (transfer none): what it tells beside the snapshots
 * @error: (out): why nothing can be listened to
 *
 * A web page on a port of its own of 127.0.0.1, below a path that nobody can
 * guess, in the thread-default context. Answers only under names of this
 * machine, and allows no other page to read it.
 *
 * Returns: (transfer full) (nullable): the page.
 * Bounds: P2P_EVENT_STREAM_CLIENTS_MAX, P2P_STATUS_SAMPLES_MAX.
 */
P2pStatusPage *p2p_status_page_new (
    const P2pStatusFacts *facts, GError **error);
void p2p_status_page_free (P2pStatusPage *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pStatusPage, p2p_status_page_free)

const char *p2p_status_page_get_uri (P2pStatusPage *page);

/* Snapshots that are remembered for who opens the page later: five minutes
 * with one a second. */
#define P2P_STATUS_SAMPLES_MAX 301

/**
 * p2p_status_page_update:
 * @page: the page
 * @stats: (transfer none): a snapshot
 * @now_us: when it was taken; monotonic, never before the last one
 *
 * Tells everybody who looks at the page.
 */
void p2p_status_page_update (
    P2pStatusPage *page, const P2pStats *stats, gint64 now_us);

G_END_DECLS
