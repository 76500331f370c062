/* p2phlssrc: the demonstration's viewers, processes of their own.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: app.
 */
#pragma once

#include "table.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _P2pDemoViewers P2pDemoViewers;

/**
 * p2p_demo_viewers_new:
 * @program: p2phls-viewer
 * @uri: what they watch
 * @settings: GST_P2PHLS for each of them
 *
 * Nobody has joined yet.
 */
P2pDemoViewers *p2p_demo_viewers_new (
    const char *program, const char *uri, const char *settings);

/* Asks all to leave and waits until they have. */
void p2p_demo_viewers_free (P2pDemoViewers *viewers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pDemoViewers, p2p_demo_viewers_free)

/* One more joins. */
gboolean p2p_demo_viewers_join (P2pDemoViewers *viewers, GError **error);

/* Asks all to leave; they say their last words first. */
void p2p_demo_viewers_leave (P2pDemoViewers *viewers);

/* Whether the last has said its last words. */
gboolean p2p_demo_viewers_gone (P2pDemoViewers *viewers);

/**
 * p2p_demo_viewers_look:
 * @viewers: the viewers
 * @count: (out): how many have joined
 *
 * Returns: (transfer none) (array length=count): what each has last said.
 */
const P2pDemoViewer *p2p_demo_viewers_look (
    P2pDemoViewers *viewers, guint *count);

G_END_DECLS
