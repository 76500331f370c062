/* p2phlssrc: where the engine puts what the player asked for.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner. The calls never call back into the engine.
 */
#pragma once

#include "ports/http.h"

G_BEGIN_DECLS

typedef struct _P2pSinkPort P2pSinkPort;

/**
 * P2pSinkOps:
 * @headers: once per request, before the first data. For a segment that is
 *   shared, wherever it comes from, the response is made up: status 200 or
 *   206, no headers
 * @data: the next bytes, in order, once. Returns the bytes of the request
 *   that now wait for the player
 * @end: all bytes were given; nothing follows
 * @fail: the request has failed; nothing follows
 *
 * A request for which the player has sent %P2P_EVENT_REQUEST_CANCEL gets no
 * calls any more.
 */
typedef struct
{
  void (*headers) (
      P2pSinkPort *port, guint64 request, P2pHttpResponse *response);
  gsize (*data) (P2pSinkPort *port, guint64 request, GBytes *bytes);
  void (*end) (P2pSinkPort *port, guint64 request);
  void (*fail) (P2pSinkPort *port, guint64 request, P2pHttpFailure *failure);
} P2pSinkOps;

struct _P2pSinkPort
{
  const P2pSinkOps *ops;
};

G_END_DECLS
