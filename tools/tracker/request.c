/* p2phlssrc: what a client asks of a tracker.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "request.h"

#include <string.h>

/* The members that matter, as found. */
typedef struct
{
  P2pJsonSpan action;
  P2pJsonSpan event;
  P2pJsonSpan left;
  P2pJsonSpan offers;
  P2pJsonSpan to_peer_id;
} Members;

static void
find_members (const P2pJsonSpan *message, Members *members,
    P2pTrackerServerRequest *request)
{
  const struct
  {
    const char *name;
    P2pJsonSpan *span;
  } wanted[] = {
    { "action", &members->action },
    { "event", &members->event },
    { "left", &members->left },
    { "offers", &members->offers },
    { "to_peer_id", &members->to_peer_id },
    { "info_hash", &request->info_hash_span },
    { "peer_id", &request->peer_id_span },
    { "answer", &request->answer },
    { "offer_id", &request->offer_id },
  };
  P2pJsonCursor cursor;
  P2pJsonSpan name, value;
  guint i;

  p2p_json_open_object (message, &cursor);
  while (p2p_json_next (&cursor, &name, &value)) {
    for (i = 0; i < G_N_ELEMENTS (wanted); i++) {
      if (p2p_json_equal (&name, wanted[i].name))
        *wanted[i].span = value;
    }
  }
}

static gboolean
is_offer_id (const P2pJsonSpan *span)
{
  return p2p_json_is_string (span)
      && p2p_json_length (span) <= P2P_TRACKER_SERVER_OFFER_ID_MAX_BYTES;
}

static gboolean
is_description (const P2pJsonSpan *span)
{
  return p2p_json_is_object (span)
      && p2p_json_length (span) <= P2P_TRACKER_SERVER_OFFER_MAX_BYTES;
}

static void
read_offers (const P2pJsonSpan *offers, P2pTrackerServerRequest *request)
{
  P2pJsonCursor cursor, inside;
  P2pJsonSpan element, name, value;

  if (!p2p_json_open_array (offers, &cursor))
    return;
  while (request->n_offers < P2P_TRACKER_SERVER_OFFERS_MAX
      && p2p_json_next (&cursor, NULL, &element)) {
    P2pTrackerServerOffer offer = { { NULL, NULL }, { NULL, NULL } };

    if (!p2p_json_open_object (&element, &inside))
      continue;
    while (p2p_json_next (&inside, &name, &value)) {
      if (p2p_json_equal (&name, "offer"))
        offer.offer = value;
      else if (p2p_json_equal (&name, "offer_id"))
        offer.offer_id = value;
    }
    if (is_description (&offer.offer) && is_offer_id (&offer.offer_id))
      request->offers[request->n_offers++] = offer;
  }
}

static const char *
read_answer (const Members *members, P2pTrackerServerRequest *request)
{
  request->action = P2P_TRACKER_SERVER_ANSWER;
  if (!p2p_json_read_bytes (&members->to_peer_id, request->to_peer_id,
          P2P_TRACKER_SERVER_ID_LENGTH))
    return "invalid to_peer_id (required with answer)";
  if (!is_description (&request->answer))
    return "invalid answer";
  if (!is_offer_id (&request->offer_id))
    return "invalid offer_id (required with answer)";

  return NULL;
}

static const char *
read_announce (const Members *members, P2pTrackerServerRequest *request)
{
  if (!p2p_json_read_bytes (&request->info_hash_span, request->info_hash,
          P2P_TRACKER_SERVER_ID_LENGTH))
    return "invalid info_hash";
  if (!p2p_json_read_bytes (&request->peer_id_span, request->peer_id,
          P2P_TRACKER_SERVER_ID_LENGTH))
    return "invalid peer_id";
  if (request->answer.start != NULL
      && !p2p_json_equal (&request->answer, "null"))
    return read_answer (members, request);

  request->action = p2p_json_equal (&members->event, "\"stopped\"")
      ? P2P_TRACKER_SERVER_STOP
      : P2P_TRACKER_SERVER_ANNOUNCE;
  request->complete = p2p_json_equal (&members->left, "0")
      || p2p_json_equal (&members->event, "\"completed\"");
  read_offers (&members->offers, request);

  return NULL;
}

const char *
p2p_tracker_server_request_parse (
    const char *text, gsize length, P2pTrackerServerRequest *request)
{
  P2pJsonSpan message;
  Members members;

  memset (request, 0, sizeof *request);
  memset (&members, 0, sizeof members);
  if (!p2p_json_check (text, length, &message)
      || !p2p_json_is_object (&message))
    return "not a JSON object";

  find_members (&message, &members, request);
  if (p2p_json_equal (&members.action, "\"announce\""))
    return read_announce (&members, request);
  if (p2p_json_equal (&members.action, "\"scrape\"")) {
    request->action = P2P_TRACKER_SERVER_SCRAPE;
    return NULL;
  }

  return "invalid action";
}
