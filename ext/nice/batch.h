/* p2phlssrc: several datagrams to one address in one system call.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: transport.
 */
#pragma once

#include <glib.h>

#include <sys/socket.h>

G_BEGIN_DECLS

typedef struct _P2pBatch P2pBatch;

P2pBatch *p2p_batch_new (void);

/* What was not flushed is lost. */
void p2p_batch_free (P2pBatch *batch);

/**
 * p2p_batch_set_target:
 * @fd: a datagram socket, borrowed; -1: none
 * @address: (nullable): where datagrams go
 * @length: bytes of @address
 *
 * Flushes what was meant for the target before.
 */
void p2p_batch_set_target (
    P2pBatch *batch, int fd, const struct sockaddr *address, socklen_t length);

gboolean p2p_batch_has_target (const P2pBatch *batch);

/**
 * p2p_batch_add:
 * @data: one datagram of at most %P2P_DATAGRAM_BYTES
 *
 * Keeps it until the batch is full, the sizes stop being equal, or it is
 * flushed. Linux cuts the batch into datagrams (UDP_SEGMENT), as late as the
 * network card where that can; a kernel or a route that does not gets them
 * one by one. What the socket does not take is as good as lost on the way.
 */
void p2p_batch_add (P2pBatch *batch, const guint8 *data, gsize length);

void p2p_batch_flush (P2pBatch *batch);

G_END_DECLS
