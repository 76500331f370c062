/* p2phlssrc: the owner of the next live segment looks for it by itself.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: docs/design/refresh.md.
 */
#include "engine-private.h"

/* Who says that it has the next segment may take it back. */
#define KNOWN_AGAIN_US (200 * 1000)

/* Delivery directives ask for a certain segment: not ours to repeat. */
#define DIRECTIVE "_HLS_"

static gint64
next_id (P2pShare *share)
{
  return share->newest + 1;
}

/* Of the newest segment: a target duration is rounded. */
static gint64
duration_us (P2pShare *share)
{
  const P2pSegment *newest = p2p_stream_segment (share->stream, share->newest);

  return newest != NULL ? newest->duration_us
                        : share->stream->target_duration_us;
}

void
p2p_refresh_arm (P2pShare *share)
{
  gint64 expected_us =
      p2p_sights_expect (&share->sights, next_id (share), duration_us (share));

  if (!share->stream->live || share->refresh_uri == NULL
      || share->refresh_http != 0 || share->looks >= P2P_SIGHTS_LOOKS_MAX
      || expected_us == P2P_NEVER) {
    p2p_timer_clear (&share->refresh_timer);
    return;
  }
  p2p_timer_set (&share->refresh_timer,
      MAX (p2p_sights_look_us (expected_us, share->looks),
          share->engine->now_us));
}

static void
look (P2pShare *share)
{
  P2pEngine *engine = share->engine;
  P2pFetchOwner owner = { .share = share };
  P2pHttpRequest http = {
    .uri = share->refresh_uri,
    .range = P2P_RANGE_ALL,
    .profile = share->profile,
  };

  share->looks++;
  share->refresh_http = p2p_engine_number (engine);
  share->refresh_body = g_byte_array_new ();
  g_hash_table_insert (engine->fetches,
      g_memdup2 (&share->refresh_http, sizeof (share->refresh_http)),
      g_memdup2 (&owner, sizeof (owner)));
  engine->ports.http->ops->start (
      engine->ports.http, share->refresh_http, &http);
}

void
p2p_refresh_due (gpointer owner, gint64 now_us)
{
  P2pShare *share = owner;
  gint64 id = next_id (share);

  if (share->profile == NULL || share->engine->http_window_us == 0
      || !p2p_share_is_followed (share) || p2p_share_open_peers (share) == 0
      || !p2p_schedule_is_owner (share, id))
    return;
  if (p2p_schedule_is_known (share, id))
    p2p_timer_set (&share->refresh_timer, now_us + KNOWN_AGAIN_US);
  else
    look (share);
}

static void
end_look (P2pShare *share)
{
  share->refresh_http = 0;
  g_clear_pointer (&share->refresh_body, g_byte_array_unref);
}

void
p2p_refresh_stop (P2pShare *share)
{
  P2pEngine *engine = share->engine;

  p2p_timer_clear (&share->refresh_timer);
  if (share->refresh_http == 0)
    return;
  g_hash_table_remove (engine->fetches, &share->refresh_http);
  engine->ports.http->ops->cancel (engine->ports.http, share->refresh_http);
  end_look (share);
}

void
p2p_refresh_listed (P2pShare *share, const char *uri)
{
  /* With directives, or under another token, than before. */
  if (g_strcmp0 (uri, share->refresh_uri) != 0) {
    p2p_refresh_stop (share);
    g_free (share->refresh_uri);
    share->refresh_uri =
        strstr (uri, DIRECTIVE) == NULL ? g_strdup (uri) : NULL;
  }
  p2p_refresh_arm (share);
}

void
p2p_refresh_http_headers (P2pShare *share, P2pHttpResponse *response)
{
  g_free (share->refresh_found);
  share->refresh_found =
      g_strdup (response->uri != NULL ? response->uri : share->refresh_uri);
}

void
p2p_refresh_http_data (P2pShare *share, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  g_byte_array_append (share->refresh_body, data, size);
  if (share->refresh_body->len > P2P_PLAYLIST_MAX_BYTES)
    p2p_refresh_stop (share);
}

void
p2p_refresh_http_done (P2pShare *share)
{
  P2pEngine *engine = share->engine;
  g_autoptr (GBytes) body =
      g_byte_array_free_to_bytes (g_steal_pointer (&share->refresh_body));
  gint64 newest = share->newest;
  P2pStream *stream = NULL;

  end_look (share);
  if (p2p_registry_add_playlist (engine->registry, share->refresh_uri,
          share->refresh_found, body, &stream, NULL)
      && stream == share->stream)
    p2p_share_listed (share);
  P2P_LOG_DEBUG (P2P_AREA_MANIFEST, share->stream->serial,
      "looked for segment %" G_GINT64_FORMAT ": %s", newest + 1,
      share->newest > newest ? "it is there" : "not yet");
  p2p_refresh_arm (share);
}

void
p2p_refresh_http_failed (P2pShare *share)
{
  end_look (share);
}
