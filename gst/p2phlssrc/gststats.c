/* p2phlssrc: the counters as a GstStructure.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:p2phlssrc-stats
 * @title: Statistics
 *
 * Fields of the property #GstP2pHlsSrc:stats and of the message
 * `p2phls-stats`. They count for the whole session, all its elements and
 * streams together. Bytes and segments are those of media segments only:
 * playlists, keys and initialization segments are not counted.
 *
 * - `http-bytes` (#guint64, bytes): received from the origin
 * - `p2p-bytes` (#guint64, bytes): received from peers
 * - `upload-bytes` (#guint64, bytes): sent to peers
 * - `http-segments` (#guint64, segments): complete, most of their bytes from
 *   the origin
 * - `p2p-segments` (#guint64, segments): complete, most of their bytes from
 *   peers
 * - `upload-segments` (#guint64, segments): sent to peers to their last byte
 * - `overhead-bytes` (#guint64, bytes): received and thrown away: bytes that
 *   came twice, or that nobody needed any more
 * - `peers` (#guint, connections): open data channels
 * - `peers-known` (#guint, viewers): in our swarms, as trackers count them
 * - `segments-stored` (#guint, segments): complete in memory now
 * - `stored-bytes` (#guint64, bytes): in memory now, parts of segments too
 * - `registry-misses` (#guint64, requests): for what no playlist had named,
 *   and so was not shared
 * - `playlists-delayed` (#guint64, playlists): live ones that were kept back for
 *   their newest segment, see #GstP2pHlsSrc:max-playlist-delay
 * - `playlist-delay-us` (#guint64, microseconds): for how long, all together
 * - `trackers` (array of structures): one for each of
 *   #GstP2pHlsSrc:trackers
 *   - `url` (string): as it was given
 *   - `state` (string): `connecting`, `connected`, or `waiting` until it is
 *     tried again
 *   - `error` (string): why the last connection ended, or what the tracker
 *     complained about; null when all is well
 * - `swarms` (array of structures): one for each stream and generation of
 *   the peer protocol
 *   - `info-hash` (string): the name by which trackers know it
 *   - `protocol` (string): `v2` or `v3`, see #GstP2pHlsSrc:protocols
 *   - `stream` (string): URL of its media playlist, without the query
 *   - `peers` (#guint, connections): open data channels
 * - `peer-list` (array of structures): one for each open data channel
 *   - `id` (string): by which trackers know the peer; 20 characters
 *   - `address` (string): `host:port` on the other side. It and `rtt-us` are
 *     as old as the question before this one: empty in the first answer
 *   - `down-bytes` (#guint64, bytes): of segments received from it
 *   - `up-bytes` (#guint64, bytes): of segments sent to it
 *   - `rtt-us` (#gint64, microseconds): round trip; 0 before it is measured
 */
#include "gststats.h"

static GstStructure *
tracker_structure (gconstpointer entry)
{
  const P2pTrackerStats *tracker = entry;

  return gst_structure_new ("tracker", "url", G_TYPE_STRING, tracker->url,
      "state", G_TYPE_STRING, tracker->state, "error", G_TYPE_STRING,
      tracker->error, NULL);
}

static GstStructure *
swarm_structure (gconstpointer entry)
{
  const P2pSwarmStats *swarm = entry;

  return gst_structure_new ("swarm", "info-hash", G_TYPE_STRING,
      swarm->info_hash, "protocol", G_TYPE_STRING,
      swarm->protocol == P2P_PROTOCOL_V2 ? "v2" : "v3", "stream", G_TYPE_STRING,
      swarm->stream, "peers", G_TYPE_UINT, swarm->peers, NULL);
}

static GstStructure *
peer_structure (gconstpointer entry)
{
  const P2pPeerStats *peer = entry;

  return gst_structure_new ("peer", "id", G_TYPE_STRING, peer->id, "address",
      G_TYPE_STRING, peer->address, "down-bytes", G_TYPE_UINT64,
      peer->down_bytes, "up-bytes", G_TYPE_UINT64, peer->up_bytes, "rtt-us",
      G_TYPE_INT64, peer->rtt_us, NULL);
}

/* Puts @entries into @structure as an array of structures. */
static void
take_array (GstStructure *structure, const char *field, const GArray *entries,
    GstStructure *(*to_structure) (gconstpointer entry))
{
  GValue array = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  for (guint i = 0; i < entries->len; i++) {
    gsize size = g_array_get_element_size ((GArray *) entries);
    GValue value = G_VALUE_INIT;

    g_value_init (&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&value, to_structure (entries->data + i * size));
    gst_value_array_append_and_take_value (&array, &value);
  }
  gst_structure_take_value (structure, field, &array);
}

GstStructure *
p2p_stats_to_structure (const P2pStats *stats, const char *name)
{
  GstStructure *structure = gst_structure_new (name, "http-bytes",
      G_TYPE_UINT64, stats->http_bytes, "p2p-bytes", G_TYPE_UINT64,
      stats->p2p_bytes, "upload-bytes", G_TYPE_UINT64, stats->upload_bytes,
      "http-segments", G_TYPE_UINT64, stats->http_segments, "p2p-segments",
      G_TYPE_UINT64, stats->p2p_segments, "upload-segments", G_TYPE_UINT64,
      stats->upload_segments, "overhead-bytes", G_TYPE_UINT64,
      stats->overhead_bytes, "peers", G_TYPE_UINT, stats->peers, "peers-known",
      G_TYPE_UINT, stats->peers_known, "segments-stored", G_TYPE_UINT,
      stats->segments_stored, "stored-bytes", G_TYPE_UINT64,
      stats->stored_bytes, "registry-misses", G_TYPE_UINT64,
      stats->registry_misses, "playlists-delayed", G_TYPE_UINT64,
      stats->playlists_delayed, "playlist-delay-us", G_TYPE_UINT64,
      (guint64) stats->playlist_delay_us, NULL);

  take_array (structure, "trackers", stats->trackers, tracker_structure);
  take_array (structure, "swarms", stats->swarms, swarm_structure);
  take_array (structure, "peer-list", stats->peer_list, peer_structure);

  return structure;
}
