/* p2phlssrc: what a client asks of a tracker.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any.
 */
#pragma once

#include "bounds.h"
#include "json.h"

G_BEGIN_DECLS

#define P2P_TRACKER_SERVER_ID_LENGTH 20

typedef struct
{
  P2pJsonSpan offer; /* an object */
  P2pJsonSpan offer_id;
} P2pTrackerServerOffer;

typedef enum
{
  P2P_TRACKER_SERVER_ANNOUNCE,
  P2P_TRACKER_SERVER_STOP,
  P2P_TRACKER_SERVER_ANSWER,
  P2P_TRACKER_SERVER_SCRAPE,
} P2pTrackerServerAction;

/* Spans point into the message. */
typedef struct
{
  P2pTrackerServerAction action;
  P2pJsonSpan info_hash_span; /* (scrape: nothing, a string or an array) */
  guint8 info_hash[P2P_TRACKER_SERVER_ID_LENGTH];
  P2pJsonSpan peer_id_span;
  guint8 peer_id[P2P_TRACKER_SERVER_ID_LENGTH];
  gboolean complete; /* has everything */
  P2pTrackerServerOffer offers[P2P_TRACKER_SERVER_OFFERS_MAX];
  guint n_offers;
  P2pJsonSpan answer; /* (answer) an object */
  P2pJsonSpan offer_id;
  guint8 to_peer_id[P2P_TRACKER_SERVER_ID_LENGTH];
} P2pTrackerServerRequest;

/**
 * p2p_tracker_server_request_parse:
 * @text: UTF-8
 * @length: of @text
 * @request: (out caller-allocates): what was asked
 *
 * Reads one message. Offers beyond the bound, or without an id, are left out.
 *
 * Returns: (nullable): %NULL, or the failure reason to send back.
 */
const char *p2p_tracker_server_request_parse (
    const char *text, gsize length, P2pTrackerServerRequest *request);

G_END_DECLS
