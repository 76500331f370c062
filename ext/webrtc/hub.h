/* p2phlssrc: the thread that all WebRTC of the process runs in.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any, but for the hub's own.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * p2p_hub_acquire:
 *
 * Starts the thread with its first user. usrsctp is one stack for the whole
 * process, so sessions share it (docs/design/transport.md).
 *
 * Returns: (transfer none): the context to attach to, valid until released
 */
GMainContext *p2p_hub_acquire (void);

/* The last user's release stops the thread and waits for its end. */
void p2p_hub_release (void);

/**
 * p2p_hub_busy:
 *
 * Says that packets are moving, so that SCTP's timers are kept exactly.
 *
 * Threads: transport.
 */
void p2p_hub_busy (void);

G_END_DECLS
