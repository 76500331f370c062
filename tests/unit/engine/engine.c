/* p2phlssrc: tests of the engine as a whole: a short life with every port
 * call failing once, ended at any moment, and under a hail of events.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "base/prng.h"
#include "support/fakeports.h"

#define SIZE FAKE_SEGMENT_BYTES
#define ALICE "-PM0500-alice0000000"
#define BOB "-GS0100-bob000000000"

/* --- a small world ------------------------------------------------------------ */

/* Segments played in one life. */
#define SEGMENTS 8

typedef enum
{
  PHASE_NEW,
  PHASE_SIGNALLED,
  PHASE_OPEN,
} Phase;

/* A player, an origin, a tracker and two peers: Alice holds everything, Bob
 * nothing, and asks for what we hold. */
typedef struct
{
  FakePorts *fake;
  GHashTable *phases; /* FakeConn → Phase */
  guint limit;        /* actions until the end, 0: none */
  guint actions;
  gboolean half; /* what breaks over HTTP breaks in the middle */
  gboolean offered;
} World;

/* Returns: whether the life goes on. */
static gboolean
act (World *world)
{
  return world->limit == 0 || ++world->actions < world->limit;
}

static void
answer_http (World *world, FakeHttp *http)
{
  FakePorts *fake = world->fake;
  g_autoptr (GBytes) body = NULL;

  if (!http->broken) {
    fake_http_answer (fake, http);
    return;
  }
  body = fake_http_begin (fake, http);
  if (!http->over && world->half && http->range.start < SIZE / 2)
    fake_http_data (
        fake, http, g_bytes_get_data (body, NULL), g_bytes_get_size (body) / 2);
  if (!http->over)
    fake_http_fail (fake, http, P2P_HTTP_FAILURE_IO, 0, "broken");
}

static void
answer_tracker (World *world, FakeSocket *socket)
{
  FakePorts *fake = world->fake;
  g_autoptr (JsonNode) node = fake_socket_next (socket);
  JsonObject *message;
  JsonArray *offers;
  P2pInfoHash hash;

  if (node == NULL)
    return;
  message = json_node_get_object (node);
  if (!json_object_has_member (message, "offers"))
    return;
  g_strlcpy (hash.text, json_object_get_string_member (message, "info_hash"),
      sizeof hash.text);
  fake_tracker_reply (fake, socket, &hash, 2, 30);
  if (!world->offered && !socket->over)
    fake_tracker_offer (fake, socket, &hash, BOB, "bobsofferbobsofferbo");
  world->offered = TRUE;
  offers = json_object_get_array_member (message, "offers");
  if (json_array_get_length (offers) > 0 && !socket->over)
    fake_tracker_answer (fake, socket, &hash, ALICE,
        json_object_get_string_member (
            json_array_get_object_element (offers, 0), "offer_id"));
}

static void
open_conn (World *world, FakeConn *conn)
{
  FakePorts *fake = world->fake;
  gint64 ids[SEGMENTS];

  g_hash_table_insert (world->phases, conn, GINT_TO_POINTER (PHASE_OPEN));
  fake_conn_open (fake, conn);
  if (conn->over || !conn->offerer)
    return;
  for (guint i = 0; i < SEGMENTS; i++)
    ids[i] = i;
  fake_conn_announce (fake, conn, ids, SEGMENTS, NULL, 0);
}

static void
answer_peer (World *world, FakeConn *conn)
{
  FakePorts *fake = world->fake;
  P2pCommand command;

  while (!conn->over && fake_conn_next (conn, &command)) {
    gint64 asks = command.kind == P2P_COMMAND_ANNOUNCE && command.loaded != NULL
        ? g_array_index (command.loaded, gint64, 0)
        : -1;
    P2pCommandKind kind = command.kind;

    if (kind == P2P_COMMAND_REQUEST)
      fake_conn_serve (fake, conn, &command);
    else if (asks >= 0 && !conn->offerer)
      fake_conn_request (fake, conn, asks, conn->read, 100);
    p2p_command_clear (&command);
  }
}

static void
move_conn (World *world, FakeConn *conn)
{
  FakePorts *fake = world->fake;
  Phase phase = GPOINTER_TO_INT (g_hash_table_lookup (world->phases, conn));

  if (conn->over)
    return;
  if (conn->broken) {
    fake_conn_close (fake, conn);
    return;
  }
  switch (phase) {
    case PHASE_NEW:
      g_hash_table_insert (
          world->phases, conn, GINT_TO_POINTER (PHASE_SIGNALLED));
      fake_conn_sdp (fake, conn, "v=0 ours");
      break;
    case PHASE_SIGNALLED:
      if (conn->remote_sdp != NULL)
        open_conn (world, conn);
      break;
    case PHASE_OPEN:
      answer_peer (world, conn);
      break;
  }
}

static void
move_socket (World *world, FakeSocket *socket)
{
  if (socket->over)
    return;
  if (socket->broken)
    fake_socket_close (world->fake, socket);
  else if (!socket->open)
    fake_socket_open (world->fake, socket);
  else
    answer_tracker (world, socket);
}

/* Everything moves by one. Returns: whether the life goes on. */
static gboolean
turn (World *world)
{
  FakePorts *fake = world->fake;

  for (guint i = 0; i < fake->sockets->len; i++) {
    if (!act (world))
      return FALSE;
    move_socket (world, fake->sockets->pdata[i]);
  }
  for (guint i = 0; i < fake->conns->len; i++) {
    if (!act (world))
      return FALSE;
    move_conn (world, fake->conns->pdata[i]);
  }
  for (guint i = 0; i < fake->https->len; i++) {
    FakeHttp *http = fake->https->pdata[i];

    if (http->over)
      continue;
    if (!act (world))
      return FALSE;
    answer_http (world, http);
  }
  fake_advance (fake, 50 * 1000);

  return act (world);
}

static gboolean
play_one (World *world, const char *uri, FakeRequest **request)
{
  *request = fake_request (world->fake, uri);
  for (guint i = 0; !(*request)->ended; i++) {
    g_assert_cmpuint (i, <, 200);
    g_assert_null ((*request)->failure);
    if (!turn (world))
      return FALSE;
  }

  return TRUE;
}

/* A life: a playlist, then each segment at playback's pace. Returns: the port
 * calls it took. */
static guint
live (guint fail_at, gboolean half, guint limit, guint *actions)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);
  g_autoptr (GHashTable) phases = g_hash_table_new (NULL, NULL);
  World world = {
    .fake = fake,
    .phases = phases,
    .limit = limit,
    .half = half,
  };
  FakeRequest *request;
  gboolean goes_on;

  fake->fail_at = fail_at;
  fake_publish (fake, 0, SEGMENTS, FALSE);
  goes_on = play_one (&world, FAKE_PLAYLIST, &request);
  for (gint64 id = 0; goes_on && id < SEGMENTS; id++) {
    g_autofree char *uri = fake_segment_uri (id);

    goes_on = play_one (&world, uri, &request);
    if (goes_on)
      fake_assert_segment (request, id, SIZE);
    for (guint i = 0; goes_on && i < 10; i++)
      goes_on = turn (&world);
  }
  if (actions != NULL)
    *actions = world.actions;
  if (fail_at == 0 && goes_on) {
    g_autoptr (P2pStats) stats = fake_stats (fake);

    /* A life worth testing shares, both ways. */
    g_assert_cmpuint (stats->p2p_segments, >=, 2);
    g_assert_cmpuint (stats->http_segments, >=, 1);
    g_assert_cmpuint (stats->upload_segments, >=, 1);
  }

  return fake->calls;
}

static void
test_the_life (void)
{
  guint calls = live (0, FALSE, 0, NULL);

  g_assert_cmpuint (calls, >, 30);
}

static void
test_every_call_fails_once (void)
{
  guint calls = live (0, FALSE, 0, NULL);

  for (guint n = 1; n <= calls; n++) {
    g_test_message ("call %u of %u", n, calls);
    live (n, FALSE, 0, NULL);
    live (n, TRUE, 0, NULL);
  }
}

static void
test_freed_at_any_moment (void)
{
  guint actions;

  live (0, FALSE, G_MAXUINT, &actions);
  g_assert_cmpuint (actions, >, 100);
  for (guint limit = 1; limit < actions; limit += 1 + limit / 100)
    live (0, FALSE, limit, NULL);
}

static void
test_freed_at_once (void)
{
  g_autoptr (FakePorts) fake = fake_ports_new (NULL);

  g_assert_nonnull (fake->engine);
}

/* --- settings -------------------------------------------------------------------- */

static void
test_off_is_plain_http (void)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;

  config.p2p = FALSE;
  fake = fake_ports_new (&config);
  fake_publish (fake, 0, 5, FALSE);
  fake_load_playlist (fake);
  for (gint64 id = 0; id < 5; id++) {
    FakeRequest *request = fake_request_segment (fake, id);

    fake_http_answer_all (fake);
    fake_assert_segment (request, id, SIZE);
  }
  g_assert_cmpuint (fake->sockets->len, ==, 0);
  g_assert_cmpuint (fake->conns->len, ==, 0);
}

static void
test_peer_id (void)
{
  P2pEngineConfig config = fake_config ();
  g_autofree char *before = NULL;

  for (guint i = 0; i < 4; i++) {
    g_autoptr (FakePorts) fake = NULL;
    g_autofree char *id = NULL;

    config.seed = i;
    fake = fake_ports_playing (&config);
    id = fake_own_id (fake);
    g_assert_cmpuint (strlen (id), ==, P2P_ID_LENGTH);
    g_assert_true (g_str_has_prefix (id, "-GS"));
    g_assert_cmpstr (id, !=, before);
    g_free (before);
    before = g_steal_pointer (&id);
  }
}

/* --- any event at any time ----------------------------------------------------------- */

static void
hail_on_conn (FakePorts *fake, P2pPrng *prng, FakeConn *conn)
{
  static const gint64 numbers[] = { -1, 0, 1, 2, 3, 4, 5, 8, SIZE, SIZE + 1,
    G_GINT64_CONSTANT (1) << 50 };
  P2pCommand command = {
    .kind = p2p_prng_below (prng, 6),
    .segment_id = p2p_prng_below (prng, 12),
    .request_id = p2p_prng_below (prng, 5),
    .byte_from = numbers[p2p_prng_below (prng, G_N_ELEMENTS (numbers))],
    .size = numbers[p2p_prng_below (prng, G_N_ELEMENTS (numbers))],
  };
  gint64 ids[6];

  if (conn->over)
    return;
  if (!conn->open) {
    fake_conn_sdp (fake, conn, "v=0 ours");
    if (!conn->over && (!conn->offerer || conn->remote_sdp != NULL))
      fake_conn_open (fake, conn);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = p2p_prng_below (prng, 12);
  switch (p2p_prng_below (prng, 8)) {
    case 0:
      fake_conn_close (fake, conn);
      break;
    case 1:
    case 2:
      fake_conn_announce (fake, conn, ids, p2p_prng_below (prng, 6), ids,
          p2p_prng_below (prng, 6));
      break;
    case 3:
      conn->deaf = !conn->deaf;
      if (conn->was_high)
        fake_conn_low_water (fake, conn);
      break;
    case 4:
      while (
          !conn->over && fake_conn_find (conn, P2P_COMMAND_REQUEST, &command))
        fake_conn_serve (fake, conn, &command);
      break;
    case 5:
      fake_conn_message (fake, conn, "cstr\x02rubbishcend", 16);
      break;
    default:
      fake_conn_command (fake, conn, &command);
      break;
  }
}

static void
hail_on_http (FakePorts *fake, P2pPrng *prng, FakeHttp *http)
{
  if (http->over)
    return;
  switch (p2p_prng_below (prng, 6)) {
    case 0:
      fake_http_fail (fake, http, p2p_prng_below (prng, 10), 0, "hail");
      break;
    case 1:
      fake_http_fail (fake, http, P2P_HTTP_FAILURE_STATUS, 404, "hail");
      break;
    default:
      fake_http_answer (fake, http);
      break;
  }
}

static void
hail_on_tracker (FakePorts *fake, P2pPrng *prng, FakeSocket *socket)
{
  static const char *const peers[] = { ALICE, BOB, "-PM0500-carol0000000",
    "-PM0203-dave00000000" };
  const char *peer = peers[p2p_prng_below (prng, G_N_ELEMENTS (peers))];
  g_autoptr (JsonNode) node = NULL;
  P2pInfoHash hash;

  if (socket->over)
    return;
  if (!socket->open) {
    fake_socket_open (fake, socket);
    return;
  }
  if (socket->texts->len == 0)
    return;
  fake_info_hash (socket, &hash);
  switch (p2p_prng_below (prng, 8)) {
    case 0:
      fake_socket_close (fake, socket);
      break;
    case 1:
    case 2:
      fake_tracker_offer (fake, socket, &hash, peer, "offeroffer0123456789");
      break;
    case 3:
      fake_tracker_reply (fake, socket, &hash, p2p_prng_below (prng, 5), 20);
      break;
    default:
      node = fake_socket_next (socket);
      if (node != NULL
          && json_object_has_member (json_node_get_object (node), "offers")) {
        JsonArray *offers = json_object_get_array_member (
            json_node_get_object (node), "offers");

        for (guint i = 0; i < json_array_get_length (offers) && !socket->over;
             i++)
          fake_tracker_answer (fake, socket, &hash,
              peers[p2p_prng_below (prng, G_N_ELEMENTS (peers))],
              json_object_get_string_member (
                  json_array_get_object_element (offers, i), "offer_id"));
      }
      break;
  }
}

static gpointer
any (GPtrArray *array, P2pPrng *prng)
{
  return array->len == 0 ? NULL
                         : array->pdata[p2p_prng_below (prng, array->len)];
}

static void
hail_on_player (FakePorts *fake, P2pPrng *prng)
{
  FakeRequest *request = any (fake->requests, prng);

  fake->consumer = p2p_prng_below (prng, 3);
  switch (p2p_prng_below (prng, 8)) {
    case 0:
      if (request != NULL && !request->ended && request->failure == NULL
          && !request->cancelled)
        fake_request_cancel (fake, request);
      break;
    case 1:
      fake_request (fake, FAKE_PLAYLIST);
      break;
    case 2:
      fake->config.upload = p2p_prng_below (prng, 2);
      fake->config.p2p = p2p_prng_below (prng, 4) > 0;
      fake->config.max_upload_bps = p2p_prng_below (prng, 2) * 1000 * 1000;
      fake_configure (fake);
      break;
    default:
      fake_request_segment (fake, p2p_prng_below (prng, 12));
      break;
  }
}

/* Whatever happens: each request that ended without a failure has the origin's
 * bytes. Peers here lie about lengths, never about bytes. */
static void
hail (guint64 seed)
{
  P2pEngineConfig config = fake_config ();
  g_autoptr (FakePorts) fake = NULL;
  P2pPrng prng;
  gpointer target;

  p2p_prng_init (&prng, seed);
  config.seed = seed;
  config.cache_bytes = (2 + p2p_prng_below (&prng, 10)) * SIZE;
  config.protocols = P2P_PROTOCOL_V3 | p2p_prng_below (&prng, 2);
  fake = fake_ports_new (&config);
  fake_publish (fake, 0, 12, FALSE);
  fake_load_playlist (fake);
  for (guint i = 0; i < 400; i++) {
    switch (p2p_prng_below (&prng, 6)) {
      case 0:
        hail_on_player (fake, &prng);
        break;
      case 1:
        if ((target = any (fake->https, &prng)) != NULL)
          hail_on_http (fake, &prng, target);
        break;
      case 2:
        if ((target = any (fake->sockets, &prng)) != NULL)
          hail_on_tracker (fake, &prng, target);
        break;
      case 3:
        fake_advance (fake, p2p_prng_below (&prng, 2 * G_USEC_PER_SEC));
        break;
      default:
        if ((target = any (fake->conns, &prng)) != NULL)
          hail_on_conn (fake, &prng, target);
        break;
    }
  }
  for (guint i = 0; i < fake->requests->len; i++) {
    FakeRequest *request = fake->requests->pdata[i];
    GBytes *expected = g_hash_table_lookup (fake->origin, request->uri);
    gsize size;
    const guint8 *data = g_bytes_get_data (expected, &size);

    /* The origin's bytes, all of them or the first. */
    g_assert_cmpuint (request->body->len, <=, size);
    g_assert_cmpmem (
        request->body->data, request->body->len, data, request->body->len);
    if (request->ended)
      g_assert_cmpuint (request->body->len, ==, size);
  }
}

static void
test_hail (void)
{
  guint64 last = g_test_thorough () ? 20000 : 200;

  for (guint64 seed = 1; seed <= last; seed++) {
    g_test_message ("seed %" G_GUINT64_FORMAT, seed);
    hail (seed);
  }
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add_func ("/engine/engine/" name, func)
  g_test_init (&argc, &argv, NULL);
  ADD ("the-life", test_the_life);
  ADD ("every-call-fails-once", test_every_call_fails_once);
  ADD ("freed-at-any-moment", test_freed_at_any_moment);
  ADD ("freed-at-once", test_freed_at_once);
  ADD ("off-is-plain-http", test_off_is_plain_http);
  ADD ("peer-id", test_peer_id);
  ADD ("hail", test_hail);

  return g_test_run ();
}
