/* p2phlssrc: a bounded set of URLs.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner.
 */
#pragma once

#include "model/urlindex.h"

G_BEGIN_DECLS

/**
 * P2pUrlSet:
 *
 * URLs with byte ranges. When it is full, what was added longest ago goes.
 */
typedef struct _P2pUrlSet P2pUrlSet;

P2pUrlSet *p2p_url_set_new (guint max);
void p2p_url_set_free (P2pUrlSet *set);

/* Adds @url, or makes it the youngest; what is no http(s) URL is left out. */
void p2p_url_set_add (P2pUrlSet *set, const char *url, const P2pRange *range);

gboolean p2p_url_set_contains (P2pUrlSet *set, const P2pUrlEntry *probe);

G_END_DECLS
