/* p2phlssrc: a player modelled on hls.js, above the model of a page.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source: hls.js 1.7.4 as npm has it (stream-controller, latency-controller,
 * base-playlist-controller), with what P2P Media Loader's adapters set.
 */
#include "base/log.h"
#include "sim/browser-private.h"

/* liveSyncDurationCount, maxBufferLength. */
#define LIVE_SYNC_SEGMENTS 3
#define BUFFER_US (30 * G_USEC_PER_SEC)

/* Playlists with fewer segments are left alone by the adapters. */
#define TUNED_LEAST_V2 5
#define TUNED_LEAST_V5 4

/* 2.3 goes this far behind the end of a playlist, at most. */
#define LIVE_SYNC_MOST_V2_US (120 * G_USEC_PER_SEC)

/* What a page does between two segments: transmuxing and appending, as
 * measured. */
#define APPEND_US (10 * 1000)

/* How often hls.js looks whether its buffer has room. */
#define TICK_US (100 * 1000)

/* How often a media element says where it is. */
#define TIMEUPDATE_US (250 * 1000)

/* What failed is tried again after this, doubled each time. */
#define RETRY_US G_USEC_PER_SEC
#define RETRY_MOST_US (8 * G_USEC_PER_SEC)

/* As SimPlayer's: later than this is a stall. */
#define STALL_US (300 * 1000)

struct _SimHlsJs
{
  SimBrowser *browser;
  SimNode *node;
  char *uri; /* of the playlist that is asked for next */
  gboolean has_master;
  gboolean is_too_late; /* 2.3: for the tail of a live playlist */
  gint64 asked_us;      /* when it was asked for */
  P2pTimer playlist_timer;
  gint64 first; /* segment of it */
  gint64 end;   /* one past the last */

  gboolean positioned;
  gint64 next; /* asked for now, or next */
  gboolean asking;
  gint64 asked_segment_us;
  guint failures;
  P2pTimer segment_timer;

  gboolean begun;
  gint64 epoch_us; /* when media time 0 is due */
  gint64 edge_us;  /* end of the media that has come */
  P2pTimer playback_timer;
  SimPlayerResult result;
};

static gint64
now_us (SimHlsJs *player)
{
  return player->node->world->now_us;
}

static gint64
segment_us (SimHlsJs *player)
{
  return player->node->world->config.segment_us;
}

static gboolean
is_live (SimHlsJs *player)
{
  return !player->node->world->config.vod;
}

static void
complain (SimHlsJs *player, const char *what)
{
  sim_world_fail (player->node->world, player->node, "%s", what);
}

/* --- where it plays ---------------------------------------------------------------- */

/* Less than none: it has run dry. */
static gint64
margin_us (SimHlsJs *player)
{
  if (!player->begun)
    return 0;

  return player->epoch_us + player->edge_us - now_us (player);
}

gint64
sim_hlsjs_ahead_us (SimHlsJs *player)
{
  return MAX (0, margin_us (player));
}

gint64
sim_hlsjs_position_us (SimHlsJs *player)
{
  return player->next * segment_us (player) - sim_hlsjs_ahead_us (player);
}

static gboolean
is_tuned (SimHlsJs *player)
{
  gint64 least =
      sim_browser_is_v5 (player->browser) ? TUNED_LEAST_V5 : TUNED_LEAST_V2;

  return player->node->world->config.p2p
      && player->end - player->first >= least;
}

/* The segment of a live playlist that it begins, or goes on, with: both
 * adapters move that towards the tail, 2.3 if it comes in time. */
static gint64
sync_segment (SimHlsJs *player)
{
  gint64 count = LIVE_SYNC_SEGMENTS;

  if (is_tuned (player) && sim_browser_is_v5 (player->browser))
    count = sim_browser_live_delay_us (player->browser) / segment_us (player);
  else if (is_tuned (player) && !player->is_too_late)
    count = MIN (player->end - player->first - 1,
        LIVE_SYNC_MOST_V2_US / segment_us (player));

  return MAX (player->first, player->end - count);
}

/* It asks for no more while it has this much. */
static gint64
buffer_goal_us (SimHlsJs *player)
{
  gint64 two_us = 2 * segment_us (player);

  if (!is_tuned (player))
    return BUFFER_US;
  if (!sim_browser_is_v5 (player->browser))
    return MAX (two_us, player->node->world->config.demand_us);

  return is_live (player) ? sim_browser_live_buffer_us (player->browser)
                          : MAX (two_us, DEMAND_US);
}

/* --- segments ------------------------------------------------------------------------ */

static void
ask_segment (SimHlsJs *player)
{
  gint64 room_us = margin_us (player) - buffer_goal_us (player);

  if (!player->positioned || player->asking || player->next >= player->end)
    return;
  if (room_us >= 0) {
    p2p_timer_set (&player->segment_timer, now_us (player) + room_us + TICK_US);
    return;
  }
  P2P_LOG_DEBUG (P2P_AREA_SRC, player->next,
      "a page asks for segment %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
      " ms ahead",
      player->next, margin_us (player) / 1000);
  player->asking = TRUE;
  player->asked_segment_us = now_us (player);
  sim_browser_ask_segment (player->browser, player->next);
}

static void
on_segment_timer (gpointer owner, gint64 at_us)
{
  SimHlsJs *player = owner;

  sim_browser_enter (player->browser);
  ask_segment (player);
  sim_browser_leave (player->browser);
}

/* A whole segment has been appended. */
static void
keep_pace (SimHlsJs *player)
{
  SimPlayerResult *result = &player->result;
  gint64 late_us = -margin_us (player);

  if (!player->begun) {
    player->begun = TRUE;
    player->epoch_us = now_us (player) - player->edge_us;
    late_us = 0;
  }
  if (late_us > STALL_US) {
    result->stalls++;
    result->stalled_us += late_us;
    player->epoch_us += late_us;
    P2P_LOG_INFO (P2P_AREA_SRC, player->next,
        "a page stalled for %" G_GINT64_FORMAT " ms, segment %" G_GINT64_FORMAT,
        late_us / 1000, player->next);
  }
  player->edge_us += segment_us (player);
  if (!p2p_timer_is_armed (&player->playback_timer))
    p2p_timer_set (&player->playback_timer, now_us (player) + TIMEUPDATE_US);
}

/* A page can no more know than our own. */
static void
take_wrong_bytes (SimHlsJs *player, GBytes *bytes, GBytes *expected)
{
  SimNode *node = player->node;

  player->result.spoiled++;
  if (!sim_taint_is_on (node->world->taint, node->number, player->next)
      || g_bytes_get_size (bytes) != g_bytes_get_size (expected))
    complain (player, "was given bytes that are not the origin's");
}

static void
take_bytes (SimHlsJs *player, GBytes *bytes)
{
  SimPlayerResult *result = &player->result;
  SimCdn *cdn = player->node->world->cdn;
  GBytes *expected = sim_cdn_segment (
      cdn, sim_cdn_id (cdn, player->next, SIM_BROWSER_VARIANT));

  if (bytes != expected && !g_bytes_equal (bytes, expected))
    take_wrong_bytes (player, bytes, expected);
  result->segments++;
  result->longest_us =
      MAX (result->longest_us, now_us (player) - player->asked_segment_us);
  if (result->startup_us < 0)
    result->startup_us = result->first_byte_us =
        now_us (player) - player->node->join_us;
  player->failures = 0;
  keep_pace (player);
  player->next++;
  p2p_timer_set (&player->segment_timer, now_us (player) + APPEND_US);
}

void
sim_hlsjs_take_segment (SimHlsJs *player, gint64 id, GBytes *bytes)
{
  if (!player->asking || id != player->next) {
    complain (player, "was given a segment that it did not ask for");
    return;
  }
  player->asking = FALSE;
  if (bytes != NULL) {
    take_bytes (player, bytes);
    return;
  }
  p2p_timer_set (&player->segment_timer,
      now_us (player) + MIN (RETRY_US << player->failures, RETRY_MOST_US));
  player->failures = MIN (player->failures + 1, 3);
}

static void
on_playback_timer (gpointer owner, gint64 at_us)
{
  SimHlsJs *player = owner;

  sim_browser_enter (player->browser);
  if (margin_us (player) > 0)
    sim_browser_report_playback (player->browser);
  p2p_timer_set (&player->playback_timer, at_us + TIMEUPDATE_US);
  sim_browser_leave (player->browser);
}

/* Somewhere else; what is buffered is of no use there. */
static void
go_to (SimHlsJs *player, gint64 id)
{
  if (player->asking)
    sim_browser_cancel_segment (player->browser);
  player->asking = FALSE;
  player->next = id;
  player->epoch_us -= sim_hlsjs_ahead_us (player);
}

/* --- playlists ------------------------------------------------------------------------- */

static void
ask_playlist (SimHlsJs *player)
{
  player->asked_us = now_us (player);
  sim_browser_ask_playlist (player->browser, player->uri);
}

static void
on_playlist_timer (gpointer owner, gint64 at_us)
{
  SimHlsJs *player = owner;

  sim_browser_enter (player->browser);
  ask_playlist (player);
  sim_browser_leave (player->browser);
}

static void
take_master (SimHlsJs *player, const char *text)
{
  g_autofree char *base = g_path_get_dirname (player->uri);

  if (strstr (text, "media0.m3u8") == NULL)
    complain (player, "was given a bad multivariant playlist");
  player->has_master = TRUE;
  g_free (player->uri);
  player->uri = g_strdup_printf ("%s/media%u.m3u8", base, SIM_BROWSER_VARIANT);
  p2p_timer_set (&player->playlist_timer, now_us (player) + APPEND_US);
}

static void
read_playlist (SimHlsJs *player, const char *text)
{
  if (!sim_cdn_read_playlist (player->node->world->cdn, SIM_BROWSER_VARIANT,
          text, &player->first, &player->end))
    complain (player, "was given a playlist that the origin never had");
}

/* Too far behind: 5 sets how far that is, else where there is nothing left to
 * play and nothing to get. */
static gboolean
is_lost (SimHlsJs *player)
{
  gint64 end_us = player->end * segment_us (player);
  gint64 most_us =
      sim_browser_live_delay_us (player->browser) + 2 * segment_us (player);
  gint64 position_us = sim_hlsjs_position_us (player);

  if (!player->begun)
    return player->next < player->first;
  if (is_tuned (player) && sim_browser_is_v5 (player->browser)
      && position_us < end_us
              - MAX (
                  most_us, (player->end - player->first) * segment_us (player)))
    return TRUE;

  return position_us < player->first * segment_us (player)
      && margin_us (player) <= 0;
}

static void
place (SimHlsJs *player)
{
  if (!player->positioned) {
    player->positioned = TRUE;
    player->next = is_live (player) ? sync_segment (player) : 0;
  } else if (is_live (player) && is_lost (player)) {
    go_to (player, sync_segment (player));
  }
}

/* Each target duration from asking to asking; half of it where nothing is
 * new. */
static void
arm_refresh (SimHlsJs *player, gboolean is_new)
{
  gint64 period_us = is_new ? segment_us (player) : segment_us (player) / 2;

  if (is_live (player))
    p2p_timer_set (&player->playlist_timer,
        MAX (player->asked_us + period_us, now_us (player)));
}

void
sim_hlsjs_take_playlist (SimHlsJs *player, const char *text)
{
  gint64 end = player->end;

  if (text == NULL) {
    p2p_timer_set (&player->playlist_timer, now_us (player) + RETRY_US);
    return;
  }
  if (!player->has_master) {
    take_master (player, text);
    return;
  }
  read_playlist (player, text);
  place (player);
  arm_refresh (player, player->end != end);
  if (!p2p_timer_is_armed (&player->segment_timer))
    ask_segment (player);
}

/* --- life ------------------------------------------------------------------------------ */

SimHlsJs *
sim_hlsjs_new (SimBrowser *browser)
{
  SimHlsJs *player = g_new0 (SimHlsJs, 1);
  P2pTimerQueue *queue = browser->node->world->queue;

  player->browser = browser;
  player->node = browser->node;
  player->uri = g_strdup (sim_cdn_url ());
  player->result.startup_us = player->result.first_byte_us = -1;
  player->is_too_late = !sim_browser_is_v5 (browser)
      && p2p_prng_unit (&browser->prng) < browser->node->world->config.late_v2;
  p2p_timer_init (&player->playlist_timer, queue, on_playlist_timer, player);
  p2p_timer_init (&player->segment_timer, queue, on_segment_timer, player);
  p2p_timer_init (&player->playback_timer, queue, on_playback_timer, player);

  return player;
}

void
sim_hlsjs_free (SimHlsJs *player)
{
  sim_hlsjs_stop (player);
  g_free (player->uri);
  g_free (player);
}

void
sim_hlsjs_start (SimHlsJs *player)
{
  ask_playlist (player);
}

void
sim_hlsjs_stop (SimHlsJs *player)
{
  p2p_timer_clear (&player->playlist_timer);
  p2p_timer_clear (&player->segment_timer);
  p2p_timer_clear (&player->playback_timer);
}

void
sim_hlsjs_pause (SimHlsJs *player, gint64 for_us)
{
  if (player->begun)
    player->epoch_us += for_us;
}

void
sim_hlsjs_seek (SimHlsJs *player, double place_in_film)
{
  if (is_live (player) || !player->begun)
    return;
  go_to (player, place_in_film * player->end);
  player->begun = FALSE;
  p2p_timer_set (&player->segment_timer, now_us (player) + APPEND_US);
}

static const char *
state_of (SimHlsJs *player)
{
  if (player->node->gone)
    return "gone";
  if (!player->begun)
    return "starting";
  if (!is_live (player) && player->next >= player->end)
    return "ended";

  return margin_us (player) < -STALL_US ? "stalled" : "playing";
}

static gint64
behind_us (SimHlsJs *player)
{
  SimWorld *world = player->node->world;

  return world->now_us - SIM_BEGIN_US
      + world->config.window * segment_us (player)
      - (player->next * segment_us (player) - margin_us (player));
}

SimPlayerResult
sim_hlsjs_result (SimHlsJs *player)
{
  SimPlayerResult result = player->result;

  result.state = state_of (player);
  if (is_live (player))
    result.behind_us = behind_us (player);
  if (strcmp (result.state, "stalled") == 0) {
    result.stalls++;
    result.stalled_us -= margin_us (player);
  }
  result.playing = strcmp (result.state, "playing") == 0
      || strcmp (result.state, "ended") == 0;

  return result;
}
