/* p2phlssrc: tests of live playlists that wait for their segment.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/prng.h"
#include "formats/gatewayurl.h"
#include "policy/hold.h"
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES
#define ALICE "-GS0100-alice0000000"
#define BOB "-GS0100-bob000000000"

/* No playlist waits for longer. */
#define LONGEST_US G_USEC_PER_SEC

static void
play (FakePorts *fake, gint64 id)
{
  fake_request_finish (fake, fake_request_segment (fake, id), id);
}

/* A player of a live stream, window 100 to 105, that has played 103 up to
 * @position and has that much ahead; Alice holds nothing. */
static FakePorts *
playing_live (gint64 position, FakeConn **alice)
{
  P2pEngineConfig config = fake_config ();
  FakePorts *fake;

  config.http_window_us = 0;
  fake = fake_ports_playing_live (&config, position);
  *alice = fake_connect (fake, ALICE);
  fake_conn_announce (fake, *alice, NULL, 0, NULL, 0);

  return fake;
}

static void
claim (FakePorts *fake, FakeConn *conn, gint64 id)
{
  fake_conn_announce (fake, conn, NULL, 0, &id, 1);
}

static FakeRequest *
ask_for_playlist (FakePorts *fake)
{
  FakeRequest *request = fake_request (fake, FAKE_PLAYLIST);

  fake_http_answer (fake, fake_http (fake, FAKE_PLAYLIST));

  return request;
}

/* The window moves on by one, and the player reads it. */
static FakeRequest *
refresh (FakePorts *fake, gint64 first)
{
  fake_publish (fake, first, 6, TRUE);

  return ask_for_playlist (fake);
}

/* Lets time pass until @request ends. Returns: how much. */
static gint64
wait_for (FakePorts *fake, FakeRequest *request)
{
  gint64 begun_us = fake->now_us;

  while (!request->ended) {
    fake_advance (fake, 1000);
    g_assert_cmpint (fake->now_us - begun_us, <=, LONGEST_US);
  }

  return fake->now_us - begun_us;
}

/* The last segment that the player hears of; all before it as published. */
static gint64
last_listed (FakePorts *fake, FakeRequest *request)
{
  GBytes *whole = g_hash_table_lookup (fake->origin, FAKE_PLAYLIST);
  g_autofree char *text =
      g_strndup ((char *) request->body->data, request->body->len);
  const char *last = g_strrstr (text, "segment");

  g_assert_true (request->ended);
  g_assert_nonnull (last);
  g_assert_cmpuint (request->body->len, <=, g_bytes_get_size (whole));
  g_assert_cmpmem (request->body->data, request->body->len,
      g_bytes_get_data (whole, NULL), request->body->len);
  g_assert_cmpuint (request->headers->content_length, ==, request->body->len);
  g_assert_true (g_str_has_suffix (text, ".ts\n"));

  return g_ascii_strtoll (last + strlen ("segment"), NULL, 10);
}

/* --- late -------------------------------------------------------------------- */

static void
test_released_by_a_peers_segment (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);
  FakeRequest *playlist;
  P2pCommand asked;

  claim (fake, alice, 106);
  playlist = refresh (fake, 101);
  g_assert_null (playlist->headers);
  fake_advance (fake, 100 * 1000);
  g_assert_null (playlist->headers);
  fake_conn_has (fake, alice, 106);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  g_assert_cmpint (asked.segment_id, ==, 106);
  g_assert_false (playlist->ended);
  fake_conn_serve (fake, alice, &asked);
  g_assert_cmpint (last_listed (fake, playlist), ==, 106);
  play (fake, 106);
  g_assert_cmpuint (fake_http_segment_count (fake, 106), ==, 0);
}

/* It is on its way already. */
static void
test_released_by_what_was_coming (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);
  FakeRequest *playlist;
  P2pCommand asked;

  fake_conn_has (fake, alice, 106);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  playlist = refresh (fake, 101);
  g_assert_null (playlist->headers);
  fake_conn_serve (fake, alice, &asked);
  g_assert_cmpint (last_listed (fake, playlist), ==, 106);
}

static void
test_released_by_the_origins_segment (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);
  FakeRequest *playlist = refresh (fake, 101);
  FakeHttp *http;

  while ((http = fake_http_segment (fake, 106)) == NULL) {
    g_assert_null (playlist->headers);
    fake_advance (fake, 10 * 1000);
  }
  fake_http_answer (fake, http);
  g_assert_cmpint (last_listed (fake, playlist), ==, 106);
}

static void
test_nothing_to_wait_for (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);
  P2pCommand asked;

  fake_conn_has (fake, alice, 106);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  fake_conn_serve (fake, alice, &asked);
  g_assert_cmpint (last_listed (fake, refresh (fake, 101)), ==, 106);
  /* Nor with nothing new. */
  play (fake, 106);
  g_assert_cmpint (last_listed (fake, ask_for_playlist (fake)), ==, 106);
}

/* Who claims and never gives keeps nobody for long. */
static void
test_released_by_time (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);
  g_autoptr (P2pStats) before = fake_stats (fake);
  g_autoptr (P2pStats) after = NULL;
  FakeRequest *playlist;
  gint64 waited_us;

  claim (fake, alice, 106);
  playlist = refresh (fake, 101);
  g_assert_null (playlist->headers);
  waited_us = wait_for (fake, playlist);
  g_assert_cmpint (waited_us, >=, 100 * 1000);
  g_assert_cmpint (last_listed (fake, playlist), <=, 106);
  after = fake_stats (fake);
  g_assert_cmpuint (before->playlists_delayed, ==, 0);
  g_assert_cmpuint (after->playlists_delayed, ==, 1);
  g_assert_cmpint (after->playlist_delay_us, ==, waited_us);
}

/* Nobody who does not want it waits, or hears of less. */
static void
test_as_configured (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (104, &alice);
  g_autoptr (P2pStats) stats = NULL;

  fake->config.max_playlist_delay_us = 0;
  fake_configure (fake);
  claim (fake, alice, 107);
  g_assert_cmpint (last_listed (fake, refresh (fake, 102)), ==, 107);
  play (fake, 105);
  play (fake, 106);
  play (fake, 107);
  claim (fake, alice, 108);
  g_assert_cmpint (last_listed (fake, refresh (fake, 103)), ==, 108);
  stats = fake_stats (fake);
  g_assert_cmpuint (stats->playlists_delayed, ==, 0);
}

/* The less the player has ahead the shorter, and then not at all. */
static void
test_never_beyond_the_buffer (void)
{
  gint64 before_us = LONGEST_US;

  for (gint64 played_us = 0; played_us <= 6 * G_USEC_PER_SEC;
       played_us += G_USEC_PER_SEC / 10) {
    FakeConn *alice;
    g_autoptr (FakePorts) fake = playing_live (105, &alice);
    FakeRequest *playlist;
    gint64 waited_us;

    fake_advance (fake, played_us);
    claim (fake, alice, 106);
    playlist = refresh (fake, 101);
    waited_us = wait_for (fake, playlist);
    g_assert_cmpint (waited_us, <=, before_us);
    before_us = waited_us;
    /* Half a segment's time makes it urgent. */
    if (waited_us > 0)
      g_assert_cmpint (
          6 * G_USEC_PER_SEC - played_us - waited_us, >, FAKE_SEGMENT_US / 2);
    else
      g_assert_cmpint (last_listed (fake, playlist), ==, 106);
  }
  g_assert_cmpint (before_us, ==, 0);
}

static void
test_released_by_the_last_peer (void)
{
  FakeConn *alice, *bob;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);
  FakeRequest *playlist;

  bob = fake_connect (fake, BOB);
  claim (fake, alice, 106);
  claim (fake, bob, 106);
  playlist = refresh (fake, 101);
  fake_conn_close (fake, bob);
  g_assert_null (playlist->headers);
  fake_conn_close (fake, alice);
  g_assert_cmpint (last_listed (fake, playlist), ==, 106);
  play (fake, 106);
}

static void
test_released_by_failure (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);
  FakeRequest *playlist = refresh (fake, 101);
  FakeHttp *http;

  while ((http = fake_http_segment (fake, 106)) == NULL)
    fake_advance (fake, 10 * 1000);
  fake_http_fail (fake, http, P2P_HTTP_FAILURE_STATUS, 404, "Not Found");
  g_assert_true (playlist->ended);
  g_assert_null (playlist->failure);
  /* Not for one that the origin has just refused. */
  playlist = ask_for_playlist (fake);
  g_assert_true (playlist->ended);
}

static void
test_cancelled (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);
  FakeRequest *playlist;
  P2pCommand asked;

  claim (fake, alice, 106);
  playlist = refresh (fake, 101);
  g_assert_null (playlist->headers);
  fake_request_cancel (fake, playlist);
  /* The next one waits as if that had never been. */
  playlist = ask_for_playlist (fake);
  g_assert_null (playlist->headers);
  fake_conn_has (fake, alice, 106);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  fake_request_cancel (fake, playlist);
  fake_conn_serve (fake, alice, &asked);
  g_assert_cmpint (last_listed (fake, ask_for_playlist (fake)), ==, 106);
}

static void
test_released_by_switching_off (void)
{
  for (guint how = 0; how < 2; how++) {
    FakeConn *alice;
    g_autoptr (FakePorts) fake = playing_live (105, &alice);
    g_autoptr (P2pStats) stats = NULL;
    FakeRequest *playlist;

    if (how == 0)
      claim (fake, alice, 106);
    else
      fake_conn_has (fake, alice, 106);
    playlist = refresh (fake, 101);
    g_assert_null (playlist->headers);
    fake->config.p2p = FALSE;
    fake_configure (fake);
    g_assert_cmpint (last_listed (fake, playlist), ==, 106);
    stats = fake_stats (fake);
    g_assert_cmpuint (stats->stored_bytes, ==, 0);
  }
}

/* fake_ports_free() asserts the rest. */
static void
test_engine_goes_while_it_waits (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);
  FakeRequest *playlist;

  claim (fake, alice, 106);
  playlist = refresh (fake, 101);
  g_assert_null (playlist->headers);
}

/* hlsdemux would hand on nothing of it meanwhile. */
static void
test_not_while_a_segment_is_under_way (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (104, &alice);
  FakeRequest *segment;

  claim (fake, alice, 106);
  segment = fake_request_segment (fake, 105);
  g_assert_true (refresh (fake, 101)->ended);
  g_assert_false (segment->ended);
}

/* Whoever asks for it meanwhile is not kept waiting. */
static void
test_asked_for_while_it_waits (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);
  FakeRequest *playlist, *segment, *second;
  P2pCommand asked;

  claim (fake, alice, 106);
  playlist = refresh (fake, 101);
  g_assert_null (playlist->headers);
  fake->consumer = 2;
  second = ask_for_playlist (fake);
  g_assert_true (second->ended);
  segment = fake_request_segment (fake, 106);
  fake_conn_has (fake, alice, 106);
  if (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked))
    fake_conn_serve (fake, alice, &asked);
  else
    fake_http_answer (fake, fake_http_segment (fake, 106));
  fake_advance (fake, 1);
  fake_assert_segment (segment, 106, SIZE);
  g_assert_cmpint (last_listed (fake, playlist), ==, 106);
}

static void
test_who_never_waits (void)
{
  FakeConn *alice;

  /* Who has nobody to wait for. */
  {
    g_autoptr (FakePorts) fake = playing_live (105, &alice);

    fake_conn_close (fake, alice);
    g_assert_cmpint (last_listed (fake, refresh (fake, 101)), ==, 106);
  }
  /* Who has not begun. */
  {
    g_autoptr (FakePorts) fake = playing_live (102, &alice);

    claim (fake, alice, 106);
    g_assert_cmpint (last_listed (fake, refresh (fake, 101)), ==, 106);
  }
  /* Who is gone. */
  {
    g_autoptr (FakePorts) fake = playing_live (105, &alice);

    fake_advance (fake, 60 * G_USEC_PER_SEC);
    claim (fake, alice, 106);
    g_assert_cmpint (last_listed (fake, refresh (fake, 101)), ==, 106);
  }
  /* What ends. */
  {
    g_autoptr (FakePorts) fake = playing_live (105, &alice);
    FakeRequest *playlist;

    claim (fake, alice, 106);
    fake_publish (fake, 101, 6, FALSE);
    playlist = ask_for_playlist (fake);
    g_assert_true (playlist->ended);
    g_assert_cmpuint (playlist->body->len, ==,
        g_bytes_get_size (g_hash_table_lookup (fake->origin, FAKE_PLAYLIST)));
  }
}

/* --- through the gateway ---------------------------------------------------------- */

static FakeRequest *
refresh_in_style (FakePorts *fake, P2pPlaylistStyle style)
{
  P2pRequest wanted = {
    .uri = FAKE_PLAYLIST,
    .range = P2P_RANGE_ALL,
    .consumer = fake->consumer,
    .profile = fake->profile,
    .p2p = TRUE,
    .style = style,
    .gateway_key = "key",
  };
  FakeRequest *request;

  fake_publish (fake, 101, 6, TRUE);
  request = fake_request_full (fake, &wanted);
  fake_http_answer (fake, fake_http (fake, FAKE_PLAYLIST));

  return request;
}

/* Whether segment @id is listed with the gateway's own address. */
static gboolean
is_led_back (FakeRequest *request, gint64 id)
{
  g_autofree char *text =
      g_strndup ((char *) request->body->data, request->body->len);
  g_autofree char *uri = fake_segment_uri (id);
  g_autofree char *address = p2p_gateway_path ("key", uri);

  g_assert_true (request->ended);
  g_assert_cmpuint (request->headers->content_length, ==, request->body->len);

  return strstr (text, address) != NULL;
}

static void
test_gateway (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);
  FakeRequest *playlist;

  claim (fake, alice, 106);
  playlist = refresh_in_style (fake, P2P_PLAYLIST_GATEWAY);
  g_assert_null (playlist->headers);
  fake_conn_close (fake, alice);
  g_assert_true (is_led_back (playlist, 106));
}

static void
test_style_is_asked_for_afterwards (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);
  P2pRequest answer = { .style = P2P_PLAYLIST_AS_IT_IS };
  P2pEvent event = { .kind = P2P_EVENT_REQUEST_STYLE, .request = &answer };
  FakeRequest *playlist;

  claim (fake, alice, 106);
  playlist = refresh_in_style (fake, P2P_PLAYLIST_ASK);
  g_assert_null (playlist->headers);
  /* A word before the question is none. */
  event.id = playlist->id;
  fake_handle (fake, &event);
  g_assert_null (playlist->headers);
  fake_conn_close (fake, alice);
  g_assert_true (playlist->headers->is_playlist);
  g_assert_false (playlist->ended);
  fake_handle (fake, &event);
  g_assert_cmpint (last_listed (fake, playlist), ==, 106);
}

static void
test_unlisted_through_the_gateway (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (104, &alice);
  FakeRequest *playlist = refresh_in_style (fake, P2P_PLAYLIST_GATEWAY);

  g_assert_true (is_led_back (playlist, 105));
  g_assert_false (is_led_back (playlist, 106));
}

/* --- short ------------------------------------------------------------------------ */

/* Two segments have come that are not here yet, and there is one to go on
 * with. */
static void
test_what_is_not_here_stays_unlisted (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (104, &alice);
  FakeRequest *playlist;
  P2pCommand asked;

  playlist = refresh (fake, 102);
  g_assert_cmpint (last_listed (fake, playlist), ==, 105);
  /* What has come is told with the next. */
  fake_conn_has (fake, alice, 106);
  g_assert_true (fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked));
  fake_conn_serve (fake, alice, &asked);
  g_assert_cmpint (last_listed (fake, ask_for_playlist (fake)), ==, 106);
  play (fake, 105);
  g_assert_cmpint (last_listed (fake, ask_for_playlist (fake)), ==, 106);
}

static void
test_no_more_than_the_bound_stays_unlisted (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (104, &alice);

  g_assert_cmpint (
      last_listed (fake, refresh (fake, 104)), ==, 109 - P2P_HOLD_UNLISTED_MAX);
}

/* Who has little ahead hears of what there is. */
static void
test_nothing_stays_unlisted_when_it_is_needed (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (105, &alice);

  fake_advance (fake, 5900 * 1000);
  g_assert_cmpint (last_listed (fake, refresh (fake, 101)), ==, 106);
}

/* But not of what comes after that, and is not here either. */
static void
test_what_is_needed_later_stays_unlisted (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (104, &alice);

  fake_advance (fake, 3900 * 1000);
  g_assert_cmpint (last_listed (fake, refresh (fake, 102)), ==, 106);
}

/* An edge that lags behind what we know: its playlist is cut by what it lists. */
static void
test_older_playlist_names_no_less (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (104, &alice);

  g_assert_cmpint (last_listed (fake, refresh (fake, 102)), ==, 105);
  g_assert_cmpint (last_listed (fake, refresh (fake, 101)), ==, 105);
}

static void
test_alone_nothing_stays_unlisted (void)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (104, &alice);

  fake_conn_close (fake, alice);
  g_assert_cmpint (last_listed (fake, refresh (fake, 102)), ==, 107);
}

/* --- whatever happens --------------------------------------------------------------- */

/* A player hears of ever newer segments, never of fewer, of all but two, and
 * never later than a second, whatever comes and goes. */
static void
play_at_random (guint64 seed)
{
  FakeConn *alice;
  g_autoptr (FakePorts) fake = playing_live (104, &alice);
  gint64 position = 104, heard = 105, first = 100;
  P2pPrng prng;

  p2p_prng_init (&prng, seed);
  for (guint i = 0; i < 60; i++) {
    FakeRequest *playlist;
    P2pCommand asked;

    first += p2p_prng_below (&prng, 3);
    if (alice->over)
      alice = fake_connect (fake, ALICE);
    switch (p2p_prng_below (&prng, 4)) {
      case 0:
        claim (fake, alice, first + 5);
        break;
      case 1:
        fake_conn_has (fake, alice, first + 5);
        break;
      case 2:
        fake_conn_close (fake, alice);
        break;
      default:
        fake_conn_announce (fake, alice, NULL, 0, NULL, 0);
        break;
    }
    if (!alice->over && fake_conn_find (alice, P2P_COMMAND_REQUEST, &asked))
      fake_conn_serve (fake, alice, &asked);

    playlist = refresh (fake, first);
    wait_for (fake, playlist);
    g_assert_cmpint (last_listed (fake, playlist), >=, heard);
    heard = last_listed (fake, playlist);
    g_assert_cmpint (heard, <=, first + 5);
    g_assert_cmpint (heard, >=, first + 5 - P2P_HOLD_UNLISTED_MAX);

    position = MAX (position, first - 1);
    while (position < heard && p2p_prng_below (&prng, 4) > 0)
      play (fake, ++position);
    fake_advance (fake, p2p_prng_below (&prng, 2 * FAKE_SEGMENT_US));
  }
}

static void
test_at_random (void)
{
  for (guint64 seed = 1; seed <= 20; seed++)
    play_at_random (seed);
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/engine/hold/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("released-by-a-peers-segment", test_released_by_a_peers_segment);
  ADD ("released-by-what-was-coming", test_released_by_what_was_coming);
  ADD ("released-by-the-origins-segment", test_released_by_the_origins_segment);
  ADD ("nothing-to-wait-for", test_nothing_to_wait_for);
  ADD ("released-by-time", test_released_by_time);
  ADD ("as-configured", test_as_configured);
  ADD ("never-beyond-the-buffer", test_never_beyond_the_buffer);
  ADD ("released-by-the-last-peer", test_released_by_the_last_peer);
  ADD ("released-by-failure", test_released_by_failure);
  ADD ("cancelled", test_cancelled);
  ADD ("released-by-switching-off", test_released_by_switching_off);
  ADD ("engine-goes-while-it-waits", test_engine_goes_while_it_waits);
  ADD ("not-while-a-segment-is-under-way",
      test_not_while_a_segment_is_under_way);
  ADD ("asked-for-while-it-waits", test_asked_for_while_it_waits);
  ADD ("who-never-waits", test_who_never_waits);
  ADD ("gateway", test_gateway);
  ADD ("style-is-asked-for-afterwards", test_style_is_asked_for_afterwards);
  ADD ("unlisted-through-the-gateway", test_unlisted_through_the_gateway);
  ADD ("what-is-not-here-stays-unlisted", test_what_is_not_here_stays_unlisted);
  ADD ("no-more-than-the-bound-stays-unlisted",
      test_no_more_than_the_bound_stays_unlisted);
  ADD ("nothing-stays-unlisted-when-it-is-needed",
      test_nothing_stays_unlisted_when_it_is_needed);
  ADD ("what-is-needed-later-stays-unlisted",
      test_what_is_needed_later_stays_unlisted);
  ADD ("older-playlist-names-no-less", test_older_playlist_names_no_less);
  ADD ("alone-nothing-stays-unlisted", test_alone_nothing_stays_unlisted);
  ADD ("at-random", test_at_random);

  return g_test_run ();
}
