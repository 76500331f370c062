/* p2phlssrc: a player modelled on hlsdemux, and the sink it takes bytes from.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every byte that it is given is compared with the origin's.
 */
#include "base/log.h"
#include "sim/node.h"

/* A live stream is begun with this segment from its end: three steps back from
 * the last one. */
#define BEGIN_FROM_END 4

/* What a demuxer does between two segments. */
#define BETWEEN_US (5 * 1000)

/* What it adds to the time between two refreshes. */
#define REFRESH_US (2 * 1000)

/* A segment or a playlist that failed is asked for again. */
#define RETRY_US (500 * 1000)

/* A buffer later than this is a stall that a viewer would see; the same as
 * p2phls-viewer's. */
#define STALL_US (300 * 1000)

/* hlsdemux leaves a variant whose rate is above 0.8 of what it measured: the
 * lesser of the last segment's rate and the mean of so many. */
#define VARIANT_SHARE 0.8
#define RATES 3

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
  gboolean is_wrong; /* some were not */
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
  P2pTimer manifest_timer;

  guint variant;
  double rates[RATES]; /* bit/s, of the last segments */
  guint n_rates;       /* ever measured */

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

/* It is of a variant that was left. */
static void
drop_manifest (SimPlayer *player)
{
  P2pEvent event = { P2P_EVENT_REQUEST_CANCEL, .id = player->manifest.id };

  forget (&player->manifest);
  sim_node_deliver (player->node, &event);
}

static void
ask_manifest (gpointer owner, gint64 now_us)
{
  SimPlayer *player = owner;

  /* The last refresh is not back: this one is left out. */
  if (player->manifest.id != 0 && player->listed)
    return;
  if (player->manifest.id != 0)
    drop_manifest (player);
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
  g_autofree char *uri = NULL;
  guint id;

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
  id = sim_cdn_id (world->cdn, player->next, player->variant);
  uri = sim_cdn_segment_uri (world->cdn, id);
  player->segment.expected = g_bytes_ref (sim_cdn_segment (world->cdn, id));
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

  if (!sim_cdn_read_playlist (
          world->cdn, player->variant, text, &player->first, &player->end))
    complain (player, "was given a playlist that the origin never had");
  player->listed = TRUE;
  if (!player->positioned) {
    player->positioned = TRUE;
    player->next = world->config.vod
        ? 0
        : MAX (player->first, player->end - BEGIN_FROM_END);
  }
}

/* One target duration after the answer, which so moves the phase of all later
 * refreshes by what it took (docs/design/playlists.md). */
static void
arm_refresh (SimPlayer *player)
{
  SimWorld *world = player->node->world;

  if (!world->config.vod)
    p2p_timer_set (&player->manifest_timer,
        world->now_us + world->config.segment_us + REFRESH_US);
}

/* Its playlist comes first, then the next segment. */
static void
take_variant (SimPlayer *player, guint variant)
{
  g_autofree char *base = g_path_get_dirname (player->manifest_uri);

  player->variant = variant;
  player->listed = FALSE;
  g_free (player->manifest_uri);
  player->manifest_uri = g_strdup_printf ("%s/media%u.m3u8", base, variant);
  p2p_timer_set (
      &player->manifest_timer, player->node->world->now_us + BETWEEN_US);
}

static void
on_manifest (SimPlayer *player)
{
  const char *text = player->manifest.playlist->str;

  /* Of a variant that was left while it was on its way. */
  if (p2p_timer_is_armed (&player->manifest_timer))
    return;
  if (!player->has_master) {
    if (strstr (text, "media0.m3u8") == NULL)
      complain (player, "was given a bad multivariant playlist");
    player->has_master = TRUE;
    take_variant (player, 0);
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
    if (player->result.first_byte_us < 0)
      player->result.first_byte_us = now_us - player->node->join_us;
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

/* That is as it must be if a liar has offered this segment to this viewer,
 * maybe by way of others. */
static void
on_wrong_bytes (SimPlayer *player)
{
  SimNode *node = player->node;

  player->segment.is_wrong = TRUE;
  if (!sim_taint_is_on (node->world->taint, node->number, player->next))
    complain (player, "was given bytes that are not the origin's");
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
  if (size > whole - asked->got) {
    complain (player, "was given more than a segment");
    return;
  }
  if (data != expected + asked->got
      && memcmp (data, expected + asked->got, size) != 0)
    on_wrong_bytes (player);
  keep_pace (player,
      segment_us * (asked->got + size) / whole
          - segment_us * asked->got / whole);
  asked->got += size;
}

/* The best that the network carries, as hlsdemux reckons. */
static guint
choose_variant (SimPlayer *player)
{
  guint n = MIN (player->n_rates, RATES);
  double last = player->rates[(player->n_rates - 1) % RATES];
  double sum = 0;
  guint variant, i;

  for (i = 0; i < n; i++)
    sum += player->rates[i];
  for (variant = player->node->world->config.variants - 1; variant > 0;
       variant--) {
    if (sim_cdn_bps (player->node->world->cdn, variant)
        <= VARIANT_SHARE * MIN (last, sum / n))
      break;
  }

  return variant;
}

static void
adapt (SimPlayer *player, gsize bytes, gint64 took_us)
{
  SimPlayerResult *result = &player->result;
  guint variant;

  result->bitrates += sim_cdn_bps (player->node->world->cdn, player->variant);
  player->rates[player->n_rates++ % RATES] =
      bytes * 8.0 * G_USEC_PER_SEC / MAX (took_us, 1);
  variant = choose_variant (player);
  if (variant == player->variant)
    return;
  P2P_LOG_INFO (P2P_AREA_SRC, player->segment.id, "variant %u in place of %u",
      variant, player->variant);
  result->switches++;
  take_variant (player, variant);
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
  result->spoiled += asked->is_wrong;
  result->longest_us = MAX (result->longest_us, took_us);
  if (took_us > VARIANT_SHARE * world->config.segment_us)
    result->slow_segments++;
  if (result->startup_us < 0)
    result->startup_us = world->now_us - player->node->join_us;
  player->next++;
  adapt (player, asked->got, took_us);
  forget (asked);
  if (player->listed)
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
  player->result.first_byte_us = -1;
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
  if (player->node->browser != NULL)
    sim_browser_pause (player->node->browser, for_us);
  if (player->begun)
    player->epoch_us += for_us;
}

void
sim_player_seek (SimPlayer *player, double place)
{
  SimWorld *world = player->node->world;
  P2pEvent event = { P2P_EVENT_REQUEST_CANCEL, .id = player->segment.id };
  gint64 next = place * player->end;

  if (player->node->browser != NULL)
    sim_browser_seek (player->node->browser, place);
  if (!world->config.vod || !player->begun)
    return;
  /* What has been handed over is told from playing on, in the same variant. */
  player->result.quiet_seeks += player->segment.id == 0
      && next >= player->next - (world->config.variants > 1)
      && next <= player->next + 1;
  forget (&player->segment);
  player->begun = FALSE;
  player->next = next;
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

/* How far the playhead is from the end of what there is. */
static gint64
behind_us (SimPlayer *player)
{
  SimWorld *world = player->node->world;
  gint64 segment_us = world->config.segment_us;
  gint64 end_us =
      world->now_us - SIM_BEGIN_US + world->config.window * segment_us;
  gint64 at_us = player->next * segment_us - ahead_us (player);

  if (player->segment.expected != NULL)
    at_us += segment_us * player->segment.got
        / g_bytes_get_size (player->segment.expected);

  return end_us - at_us;
}

SimPlayerResult
sim_player_result (SimPlayer *player)
{
  SimPlayerResult result = player->result;
  gint64 late_us = -ahead_us (player);

  if (player->node->browser != NULL)
    return sim_browser_result (player->node->browser);
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
  if (!player->node->world->config.vod)
    result.behind_us = behind_us (player);
  result.playing = player->begun && strcmp (result.state, "stalled") != 0;

  return result;
}
