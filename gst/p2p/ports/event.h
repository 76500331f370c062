/* p2phlssrc: everything that can happen to the engine.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner. Events are borrowed: the engine takes its own
 * references to what it keeps.
 */
#pragma once

#include "ports/http.h"

G_BEGIN_DECLS

/**
 * P2pPlaylistStyle:
 * @P2P_PLAYLIST_AS_IT_IS: as the origin wrote it
 * @P2P_PLAYLIST_PREFIXED: absolute http: and https: URIs are given the p2phls+
 *   prefix
 * @P2P_PLAYLIST_GATEWAY: all http: and https: URIs lead to the gateway
 * @P2P_PLAYLIST_ASK: the player decides when it knows that it is a playlist:
 *   after the headers %P2P_EVENT_REQUEST_STYLE is waited for
 *
 * How the URIs in a playlist are written on their way to the player.
 */
typedef enum
{
  P2P_PLAYLIST_AS_IT_IS,
  P2P_PLAYLIST_PREFIXED,
  P2P_PLAYLIST_GATEWAY,
  P2P_PLAYLIST_ASK,
} P2pPlaylistStyle;

/**
 * P2pEventKind:
 * @P2P_EVENT_REQUEST: the player asks for a URI (@request)
 * @P2P_EVENT_REQUEST_CANCEL: and no longer wants it (@id)
 * @P2P_EVENT_REQUEST_DRAINED: what waited for the player fell to
 *   P2P_OUTQUEUE_LOW_BYTES after it was at P2P_OUTQUEUE_HIGH_BYTES (@id)
 * @P2P_EVENT_REQUEST_STYLE: of %P2P_PLAYLIST_ASK, the player's answer (@id);
 *   of @request, only the style and the gateway's key count
 * @P2P_EVENT_HTTP_HEADERS: @id is the http number, @response
 * @P2P_EVENT_HTTP_DATA: @id, @bytes
 * @P2P_EVENT_HTTP_DONE: @id
 * @P2P_EVENT_HTTP_FAILED: @id, @failure
 * @P2P_EVENT_WS_OPEN: @id is the socket number
 * @P2P_EVENT_WS_MESSAGE: @id, @bytes: one text or binary frame
 * @P2P_EVENT_WS_CLOSED: @id, @text: the reason. Never follows our own close
 * @P2P_EVENT_CONN_SDP: @id is the connection number, @text: our offer or
 *   answer, candidates inside
 * @P2P_EVENT_CONN_OPEN: @id: the data channel is open
 * @P2P_EVENT_CONN_MESSAGE: @id, @bytes: one message, binary or text
 * @P2P_EVENT_CONN_LOW_WATER: @id: see P2pTransportOps.send
 * @P2P_EVENT_CONN_CLOSED: @id, @text: the reason. Never follows our own close
 */
typedef enum
{
  P2P_EVENT_REQUEST,
  P2P_EVENT_REQUEST_CANCEL,
  P2P_EVENT_REQUEST_DRAINED,
  P2P_EVENT_REQUEST_STYLE,
  P2P_EVENT_HTTP_HEADERS,
  P2P_EVENT_HTTP_DATA,
  P2P_EVENT_HTTP_DONE,
  P2P_EVENT_HTTP_FAILED,
  P2P_EVENT_WS_OPEN,
  P2P_EVENT_WS_MESSAGE,
  P2P_EVENT_WS_CLOSED,
  P2P_EVENT_CONN_SDP,
  P2P_EVENT_CONN_OPEN,
  P2P_EVENT_CONN_MESSAGE,
  P2P_EVENT_CONN_LOW_WATER,
  P2P_EVENT_CONN_CLOSED,
} P2pEventKind;

/**
 * P2pRequest:
 * @uri: http: or https: (the p2phls+ prefix is taken off by the element)
 * @range: bytes wanted
 * @consumer: which element asks, or another client; consecutive requests of
 *   one consumer for segments of one type (main, secondary) are one playback
 * @profile: how HTTP is asked
 * @p2p: whether peers may be asked, and served, for this request
 * @style: how playlists are handed on
 * @gateway_key: (nullable): the gateway's secret, for its style
 */
typedef struct
{
  const char *uri;
  P2pRange range;
  guint64 consumer;
  P2pHttpProfile *profile;
  gboolean p2p;
  P2pPlaylistStyle style;
  const char *gateway_key;
} P2pRequest;

typedef struct
{
  P2pEventKind kind;
  guint64 id;
  union
  {
    const P2pRequest *request;
    P2pHttpResponse *response;
    P2pHttpFailure *failure;
    GBytes *bytes;
    const char *text;
  };
} P2pEvent;

/**
 * P2pEventFunc:
 *
 * How an adapter hands over an event; set when it is made.
 */
typedef void (*P2pEventFunc) (gpointer user_data, const P2pEvent *event);

G_END_DECLS
