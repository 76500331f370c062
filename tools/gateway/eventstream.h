/* p2phlssrc: server-sent events to a few web pages.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Pages that listen at once; one more is refused. */
#define P2P_EVENT_STREAM_CLIENTS_MAX 8

/* Events in a row that a page may leave in its socket before it is dropped. */
#define P2P_EVENT_STREAM_MISSED_MAX 30

/* How soon a page comes back that has lost us, in milliseconds. */
#define P2P_EVENT_STREAM_RETRY_MS 2000

typedef struct _P2pEventStream P2pEventStream;

P2pEventStream *p2p_event_stream_new (void);

/* Drops every page; before the server. */
void p2p_event_stream_free (P2pEventStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2pEventStream, p2p_event_stream_free)

/* Returns: (transfer full): one event, on its way to a page. @json has no line
 * break. */
char *p2p_event_text (const char *name, const char *json);

/* Answers @message and keeps it open; @first is what it is told at once. */
void p2p_event_stream_add (
    P2pEventStream *stream, SoupServerMessage *message, const char *first);

/* Tells every page. A page that has not taken the one before misses it: each
 * event stands for itself, so no more than one ever waits. */
void p2p_event_stream_send (P2pEventStream *stream, const char *event);

guint p2p_event_stream_clients (P2pEventStream *stream);

G_END_DECLS
