/* p2phlssrc: a player modelled on hlsdemux, and the sink it takes bytes from.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every byte that it is given is compared with the origin's.
 */
#include "base/log.h"
#include "sim/node.h"

#include <stdio.h>

/* A live stream is begun this many segments before its end. */
#define BEGIN_FROM_END 3

/* What a demuxer does between two segments. */
#define BETWEEN_US (5 * 1000)

/* A segment or a playlist that failed is asked for again. */
#define RETRY_US (500 * 1000)

/* A buffer later than this is a stall that a viewer would see; the same as
 * p2phls-viewer's. */
#define STALL_US (300 * 1000)

/* hlsdemux leaves a variant whose rate is above 0.8 of what it measured. */
#define VARIANT_SHARE 0.8

/* The number by which the engine knows the element that asks for segments. */
#define SEGMENTS_CONSUMER 1

/* One request to the engine. */
typedef struct
{
  guint64 id; /* 0: none */
  gint64 asked_us;
  gboolean headers;
  guint64 got;
  GBytes *expected;  /* (nullable): a segment's bytes */
  GString *playlist; /* (nullable) */
} Asked;

struct _SimPlayer
{
  P2pSinkPort port;
  SimNode *node;
  P2pHttpProfile *profile;
  guint64 last_id;

  Asked manifest;
  char *manifest_uri;
  gboolean has_master;
  gboolean listed; /* the media playlist has been read */
  gint64 first;    /* segment of it */
  gint64 end;      /* one past the last */
  gint64 phase_us; /* of its refreshes */
  P2pTimer manifest_timer;

  Asked segment;
  gint64 next; /* asked for now, or next */
  gboolean positioned;
  P2pTimer segment_timer;

  gboolean begun;
  gint64 epoch_us; /* when media time 0 is due */
  gint64 edge_us;  /* end of the media that has come */
  SimPlayerResult result;
};

static void ask_segment (SimPlayer *player);

/* --- asking ---------------------------------------------------------------------- */

static void
ask (SimPlayer *player, Asked *asked, const char *uri, guint64 consumer)
{
  P2pRequest request = {
    .uri = uri,
    .range = P2P_RANGE_ALL,
    .consumer = consumer,
    .profile = player->profile,
    .p2p = TRUE,
  };
  P2pEvent event = { P2P_EVENT_REQUEST, ++player->last_id,
    .request = &request };

  g_assert (asked->id == 0);
  asked->id = event.id;
  asked->asked_us = player->node->world->now_us;
  sim_node_deliver (player->node, &event);
}

static void
forget (Asked *asked)
{
  g_clear_pointer (&asked->expected, g_bytes_unref);
  if (asked->playlist != NULL)
    g_string_free (asked->playlist, TRUE);
  *asked = (Asked){ 0 };
}

static void
ask_manifest (gpointer owner, gint64 now_us)
{
  SimPlayer *player = owner;

  /* The last refresh is not back: this one is left out. */
  if (player->manifest.id != 0)
    return;
  player->manifest.playlist = g_string_new (NULL);
  ask (player, &player->manifest, player->manifest_uri, player->last_id + 1000);
}

/* Media ahead of the playhead. */
static gint64
ahead_us (SimPlayer *player)
{
  if (!player->begun)
    return 0;

  return player->epoch_us + player->edge_us - player->node->world->now_us;
}

static void
on_segment_timer (gpointer owner, gint64 now_us)
{
  ask_segment (owner);
}

/* Asks for the next segment, or when there is room for it. */
static void
ask_segment (SimPlayer *player)
{
  SimWorld *world = player->node->world;
  gint64 room_us = ahead_us (player) - world->config.ahead_us;
  g_autofree char *base = NULL;
  g_autofree char *uri = NULL;

  if (!player->listed || player->segment.id != 0)
    return;
  if (player->next < player->first)
    player->next = MAX (player->first, player->end - BEGIN_FROM_END);
  if (player->next >= player->end)
    return;
  if (room_us > 0) {
    p2p_timer_set (&player->segment_timer, world->now_us + room_us);
    return;
  }

  P2P_LOG_DEBUG (P2P_AREA_SRC, player->last_id + 1,
      "asks for segment %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT " ms ahead",
      player->next, ahead_us (player) / 1000);
  base = g_path_get_dirname (player->manifest_uri);
  uri = g_strdup_printf ("%s/media-%06d.ts", base, (int) player->next);
  player->segment.expected =
      g_bytes_ref (sim_cdn_segment (world->cdn, player->next));
  ask (player, &player->segment, uri, SEGMENTS_CONSUMER);
}

/* --- playlists ----------------------------------------------------------------------- */

static void
complain (SimPlayer *player, const char *what)
{
  sim_world_fail (player->node->world, player->node, "%s", what);
}

static void
read_media_playlist (SimPlayer *player, const char *text)
{
  SimWorld *world = player->node->world;
  const char *tag = strstr (text, "#EXT-X-MEDIA-SEQUENCE:");
  g_autofree char *expected = NULL;
  const char *line;
  int sequence = 0;
  guint count = 0;

  if (tag != NULL)
    sscanf (tag, "#EXT-X-MEDIA-SEQUENCE:%d", &sequence);
  for (line = strstr (text, "#EXTINF"); line != NULL;
       line = strstr (line + 1, "#EXTINF"))
    count++;
  expected = sim_cdn_playlist (world->cdn, sequence + count);
  if (strcmp (text, expected) != 0)
    complain (player, "was given a playlist that the origin never had");

  player->first = sequence;
  player->end = sequence + count;
  player->listed = TRUE;
  if (!player->positioned) {
    player->positioned = TRUE;
    player->next = world->config.vod
        ? 0
        : MAX (player->first, player->end - BEGIN_FROM_END);
    player->phase_us = player->manifest.asked_us;
  }
}

static void
arm_refresh (SimPlayer *player)
{
  SimWorld *world = player->node->world;
  gint64 period_us = world->config.segment_us;
  gint64 since_us = world->now_us - player->phase_us;

  if (!world->config.vod)
    p2p_timer_set (&player->manifest_timer,
        player->phase_us + (since_us / period_us + 1) * period_us);
}

static void
on_manifest (SimPlayer *player)
{
  const char *text = player->manifest.playlist->str;

  if (!player->has_master) {
    g_autofree char *base = g_path_get_dirname (player->manifest_uri);

    if (strstr (text, "media.m3u8") == NULL)
      complain (player, "was given a bad multivariant playlist");
    player->has_master = TRUE;
    g_free (player->manifest_uri);
    player->manifest_uri = g_strdup_printf ("%s/media.m3u8", base);
    p2p_timer_set (
        &player->manifest_timer, player->node->world->now_us + BETWEEN_US);
    return;
  }
  read_media_playlist (player, text);
  arm_refresh (player);
  if (!p2p_timer_is_armed (&player->segment_timer))
    p2p_timer_set (
        &player->segment_timer, player->node->world->now_us + BETWEEN_US);
}

/* --- media --------------------------------------------------------------------------- */

/* Part of a segment has come: @part_us more media. */
static void
keep_pace (SimPlayer *player, gint64 part_us)
{
  gint64 now_us = player->node->world->now_us;
  gint64 late_us;

  if (!player->begun) {
    player->begun = TRUE;
    player->epoch_us = now_us - player->edge_us;
  }
  late_us = now_us - (player->epoch_us + player->edge_us);
  if (late_us > STALL_US) {
    player->result.stalls++;
    player->result.stalled_us += late_us;
    player->epoch_us += late_us;
    P2P_LOG_INFO (P2P_AREA_SRC, player->segment.id,
        "stalled for %" G_GINT64_FORMAT " ms, segment %" G_GINT64_FORMAT,
        late_us / 1000, player->next);
  }
  player->edge_us += part_us;
}

static void
on_segment_data (SimPlayer *player, GBytes *bytes)
{
  Asked *asked = &player->segment;
  gint64 segment_us = player->node->world->config.segment_us;
  gsize size, whole;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  const guint8 *expected = g_bytes_get_data (asked->expected, &whole);

  if (size == 0)
    complain (player, "was given an empty piece of a segment");
  /* Mostly they are the origin's own bytes. */
  if (size > whole - asked->got
      || (data != expected + asked->got
          && memcmp (data, expected + asked->got, size) != 0)) {
    complain (player, "was given bytes that are not the origin's");
    return;
  }
  keep_pace (player,
      segment_us * (asked->got + size) / whole
          - segment_us * asked->got / whole);
  asked->got += size;
}

static void
on_segment_end (SimPlayer *player)
{
  SimPlayerResult *result = &player->result;
  SimWorld *world = player->node->world;
  Asked *asked = &player->segment;
  gint64 took_us = world->now_us - asked->asked_us;

  if (asked->got != g_bytes_get_size (asked->expected))
    complain (player, "was given half a segment as a whole one");
  result->segments++;
  result->longest_us = MAX (result->longest_us, took_us);
  if (took_us > VARIANT_SHARE * world->config.segment_us)
    result->slow_segments++;
  if (result->startup_us < 0)
    result->startup_us = world->now_us - player->node->join_us;
  forget (asked);
  player->next++;
  p2p_timer_set (&player->segment_timer, world->now_us + BETWEEN_US);
}

/* --- the sink -------------------------------------------------------------------------- */

static Asked *
find (SimPlayer *player, guint64 id)
{
  sim_node_assert_inside (player->node);
  if (id == player->segment.id)
    return &player->segment;
  if (id == player->manifest.id)
    return &player->manifest;
  complain (player, "was told of a request that is over");

  return NULL;
}

static void
on_headers (P2pSinkPort *port, guint64 id, P2pHttpResponse *response)
{
  SimPlayer *player = (SimPlayer *) port;
  Asked *asked = find (player, id);

  if (asked == NULL)
    return;
  if (asked->headers || response->status != 200)
    complain (player, "was given wrong headers, or headers twice");
  asked->headers = TRUE;
}

static gsize
on_data (P2pSinkPort *port, guint64 id, GBytes *bytes)
{
  SimPlayer *player = (SimPlayer *) port;
  Asked *asked = find (player, id);

  if (asked == NULL)
    return 0;
  if (!asked->headers)
    complain (player, "was given data before headers");
  if (asked->playlist != NULL)
    g_string_append_len (asked->playlist, g_bytes_get_data (bytes, NULL),
        g_bytes_get_size (bytes));
  else
    on_segment_data (player, bytes);

  return 0;
}

static void
on_end (P2pSinkPort *port, guint64 id)
{
  SimPlayer *player = (SimPlayer *) port;
  Asked *asked = find (player, id);

  if (asked == NULL)
    return;
  if (asked == &player->manifest) {
    on_manifest (player);
    forget (asked);
  } else {
    on_segment_end (player);
  }
}

static void
on_fail (P2pSinkPort *port, guint64 id, P2pHttpFailure *failure)
{
  SimPlayer *player = (SimPlayer *) port;
  SimWorld *world = player->node->world;
  Asked *asked = find (player, id);
  P2pTimer *timer = asked == &player->manifest ? &player->manifest_timer
                                               : &player->segment_timer;

  if (asked == NULL)
    return;
  /* What came of a segment that failed will come again. */
  if (asked == &player->segment)
    player->edge_us -= world->config.segment_us * asked->got
        / g_bytes_get_size (asked->expected);
  forget (asked);
  p2p_timer_set (timer, world->now_us + RETRY_US);
}

static const P2pSinkOps ops = {
  .headers = on_headers,
  .data = on_data,
  .end = on_end,
  .fail = on_fail,
};

/* --- life -------------------------------------------------------------------------------- */

SimPlayer *
sim_player_new (SimNode *node)
{
  SimPlayer *player = g_new0 (SimPlayer, 1);
  P2pTimerQueue *queue = node->world->queue;

  player->port.ops = &ops;
  player->node = node;
  player->profile = p2p_http_profile_new ();
  player->profile->retries = 3;
  player->manifest_uri = g_strdup (sim_cdn_url ());
  player->result.startup_us = -1;
  p2p_timer_init (&player->manifest_timer, queue, ask_manifest, player);
  p2p_timer_init (&player->segment_timer, queue, on_segment_timer, player);

  return player;
}

void
sim_player_free (SimPlayer *player)
{
  sim_player_stop (player);
  p2p_http_profile_unref (player->profile);
  g_free (player->manifest_uri);
  g_free (player);
}

P2pSinkPort *
sim_player_sink (SimPlayer *player)
{
  return &player->port;
}

void
sim_player_start (SimPlayer *player)
{
  ask_manifest (player, player->node->world->now_us);
}

void
sim_player_stop (SimPlayer *player)
{
  p2p_timer_clear (&player->manifest_timer);
  p2p_timer_clear (&player->segment_timer);
  forget (&player->manifest);
  forget (&player->segment);
}

void
sim_player_pause (SimPlayer *player, gint64 for_us)
{
  if (player->begun)
    player->epoch_us += for_us;
}

void
sim_player_seek (SimPlayer *player, double place)
{
  SimWorld *world = player->node->world;
  P2pEvent event = { P2P_EVENT_REQUEST_CANCEL, .id = player->segment.id };

  if (!world->config.vod || !player->begun)
    return;
  forget (&player->segment);
  player->begun = FALSE;
  player->next = place * player->end;
  p2p_timer_set (&player->segment_timer, world->now_us + BETWEEN_US);
  if (event.id != 0)
    sim_node_deliver (player->node, &event);
}

static gboolean
has_ended (SimPlayer *player)
{
  return player->node->world->config.vod && player->listed
      && player->next >= player->end;
}

SimPlayerResult
sim_player_result (SimPlayer *player)
{
  SimPlayerResult result = player->result;
  gint64 late_us = -ahead_us (player);

  if (player->node->gone) {
    result.state = "gone";
    return result;
  }
  if (!player->begun) {
    result.state = "starting";
  } else if (has_ended (player)) {
    result.state = "ended";
  } else if (late_us > STALL_US) {
    result.state = "stalled";
    result.stalls++;
    result.stalled_us += late_us;
  } else {
    result.state = "playing";
  }
  result.playing = player->begun && strcmp (result.state, "stalled") != 0;

  return result;
}
