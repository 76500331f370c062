/* p2phlssrc: fuzzes the reader of tracker messages; an answer to what it
 * accepts must come back with the same ids.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "formats/trackermsg.h"

#include "base/limits.h"
#include "fuzz.h"

static void
check_answer (const P2pTrackerMessage *message)
{
  const P2pInfoHash hash = { "anIwjeulyYgtKNC7Ieak" };
  g_autofree char *text = p2p_tracker_answer (&hash, &message->peer_id,
      &message->peer_id, message->offer_id, message->sdp, message->tracker_id);
  g_autoptr (GBytes) frame = g_bytes_new (text, strlen (text));
  g_auto (P2pTrackerMessage) back = { 0 };

  if (g_bytes_get_size (frame) > P2P_TRACKER_MESSAGE_MAX_BYTES)
    return; /* control characters grow when they are escaped */
  g_assert (g_utf8_validate (text, -1, NULL));
  if (!p2p_tracker_message_parse (frame, &back, NULL))
    return; /* more brackets than we read */
  g_assert (back.kind == P2P_TRACKER_ANSWER);
  g_assert (g_str_equal (back.offer_id, message->offer_id));
  g_assert (g_str_equal (back.sdp, message->sdp));
  g_assert (p2p_peer_id_equal (&back.peer_id, &message->peer_id));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) frame = g_bytes_new (data, size);
  g_auto (P2pTrackerMessage) message = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean ok = p2p_tracker_message_parse (frame, &message, &error);

  g_assert (ok == (error == NULL));
  if (!ok)
    return 0;

  switch (message.kind) {
    case P2P_TRACKER_OFFER:
    case P2P_TRACKER_ANSWER:
      g_assert (strlen (message.peer_id.text) == P2P_ID_LENGTH);
      check_answer (&message);
      break;
    case P2P_TRACKER_FAILURE:
      g_assert (message.failure != NULL);
      break;
    case P2P_TRACKER_REPLY:
    case P2P_TRACKER_IGNORED:
      break;
  }
  g_assert (message.interval_s == -1 || message.interval_s > 0);

  return 0;
}
