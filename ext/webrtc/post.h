/* p2phlssrc: a box that one thread fills and another empties.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any for push, the reader's for free.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _P2pPost P2pPost;

/**
 * P2pPostFunc:
 * @item: (transfer full): what was pushed
 *
 * Runs in the reader's context. May free the box.
 */
typedef void (*P2pPostFunc) (gpointer user_data, gpointer item);

/**
 * p2p_post_new:
 * @context: (transfer none): the reader's
 *
 * Items are given to @func in order, all that are there at once, so a burst
 * wakes the reader once. Not bounded itself: its users count what they push.
 */
P2pPost *p2p_post_new (
    GMainContext *context, P2pPostFunc func, gpointer user_data);

/* Items still inside are given to @discard. */
void p2p_post_free (P2pPost *post, GDestroyNotify discard);

void p2p_post_push (P2pPost *post, gpointer item);

G_END_DECLS
