/* p2phlssrc: tests of the peer commands.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "formats/peermsg.h"

#include "base/error.h"
#include "base/limits.h"
#include "unit/vectors.h"

/* Reads a list, or a { from, count, step } that stands for a long one. */
static GArray *
ids_from_json (JsonNode *node)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint64));

  if (JSON_NODE_HOLDS_ARRAY (node)) {
    JsonArray *array = json_node_get_array (node);

    for (guint i = 0; i < json_array_get_length (array); i++) {
      gint64 id = json_array_get_int_element (array, i);

      g_array_append_val (ids, id);
    }
  } else {
    JsonObject *range = json_node_get_object (node);
    gint64 id = vectors_int (range, "from", 0);

    for (gint64 n = vectors_int (range, "count", 0); n > 0; n--) {
      g_array_append_val (ids, id);
      id += vectors_int (range, "step", 1);
    }
  }

  return ids;
}

static GArray *
ids_range (gint64 from, guint count, gint64 step)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (guint i = 0; i < count; i++) {
    gint64 id = from + i * step;

    g_array_append_val (ids, id);
  }

  return ids;
}

static void
command_from_json (JsonObject *object, P2pCommand *command)
{
  *command = (P2pCommand){
    .kind = vectors_int (object, "c", 0),
    .segment_id = vectors_int (object, "i", 0),
    .request_id = vectors_int (object, "r", 0),
    .byte_from = vectors_int (object, "b", 0),
    .size = vectors_int (object, "s", 0),
  };
  if (json_object_has_member (object, "l"))
    command->loaded = ids_from_json (json_object_get_member (object, "l"));
  if (json_object_has_member (object, "p"))
    command->loading = ids_from_json (json_object_get_member (object, "p"));
}

static char *
to_hex (GBytes *bytes)
{
  GString *hex = g_string_new (NULL);
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  for (gsize i = 0; i < length; i++)
    g_string_append_printf (hex, "%02x", data[i]);

  return g_string_free (hex, FALSE);
}

static void
assert_ids (const GArray *a, const GArray *b)
{
  guint n = a != NULL ? a->len : 0;

  g_assert_cmpuint (n, ==, b != NULL ? b->len : 0);
  for (guint i = 0; i < n; i++)
    g_assert_cmpint (
        g_array_index (a, gint64, i), ==, g_array_index (b, gint64, i));
}

/* It says nothing without an id that it is about. */
static void
assert_claim (GArray *about, gint64 said, gint64 read)
{
  if (about != NULL && about->len > 0)
    g_assert_cmpint (read, ==, said);
  else if (read != P2P_NEVER)
    g_assert_cmpint (read, ==, 0);
}

static void
assert_command (const P2pCommand *a, const P2pCommand *b)
{
  g_assert_cmpint (a->kind, ==, b->kind);
  g_assert_cmpint (a->segment_id, ==, b->segment_id);
  g_assert_cmpint (a->request_id, ==, b->request_id);
  g_assert_cmpint (a->byte_from, ==, b->byte_from);
  g_assert_cmpint (a->needed_ms, ==, b->needed_ms);
  g_assert_cmpint (a->size, ==, b->size);
  assert_ids (a->loaded, b->loaded);
  assert_ids (a->loading, b->loading);
  assert_ids (a->arriving, b->arriving);
  assert_ids (a->heard, b->heard);
  assert_ids (a->rumoured, b->rumoured);
  assert_claim (a->heard, a->heard_claim, b->heard_claim);
  assert_claim (a->rumoured, a->rumoured_claim, b->rumoured_claim);
  g_assert_cmpint (a->has_open, ==, b->has_open);
  g_assert_cmpint (a->open, ==, b->open);
}

/* Joins @messages with a fresh joiner. */
static P2pJoinResult
join (GPtrArray *messages, P2pCommand *command, GError **error)
{
  g_autoptr (P2pCommandJoiner) joiner = p2p_command_joiner_new ();
  P2pJoinResult result = P2P_JOIN_MORE;

  for (guint i = 0; i < messages->len; i++) {
    gsize length;
    const guint8 *data = g_bytes_get_data (messages->pdata[i], &length);

    g_assert_true (p2p_command_is_chunk (data, length));
    g_assert_cmpint (result, ==, P2P_JOIN_MORE);
    result =
        p2p_command_joiner_push (joiner, messages->pdata[i], command, error);
    if (result == P2P_JOIN_ERROR)
      break;
  }

  return result;
}

/* 2.3.1 writes a full group in a way that it cannot read itself; we write
 * two groups. */
static gboolean
has_full_group (const P2pCommand *command)
{
  return command->loaded != NULL && command->loaded->len >= 256
      && g_array_index (command->loaded, gint64, 255)
          - g_array_index (command->loaded, gint64, 0)
      == 255;
}

static void
check_encoding (JsonObject *vector)
{
  JsonArray *frames = vectors_array (vector, "frames");
  g_auto (P2pCommand) command = { 0 };
  g_auto (P2pCommand) back = { 0 };
  g_autoptr (GPtrArray) messages = NULL;
  g_autoptr (GError) error = NULL;

  command_from_json (
      json_object_get_object_member (vector, "command"), &command);
  messages = p2p_command_encode (
      &command, vectors_int (vector, "max_message_size", 0));

  if (!has_full_group (&command)) {
    g_assert_cmpuint (messages->len, ==, json_array_get_length (frames));
    for (guint i = 0; i < messages->len; i++) {
      g_autofree char *hex = to_hex (messages->pdata[i]);

      g_assert_cmpstr (hex, ==, json_array_get_string_element (frames, i));
    }
  }
  g_assert_cmpint (join (messages, &back, &error), ==, P2P_JOIN_DONE);
  g_assert_no_error (error);
  assert_command (&command, &back);
}

static void
test_encode_vectors (void)
{
  g_autoptr (JsonNode) root = vectors_load ("commands.json");
  JsonObject *all = json_node_get_object (root);
  static const char *const sections[] = { "commands", "chunking" };

  for (guint s = 0; s < G_N_ELEMENTS (sections); s++) {
    JsonArray *vectors = vectors_array (all, sections[s]);

    for (guint i = 0; i < json_array_get_length (vectors); i++)
      check_encoding (json_array_get_object_element (vectors, i));
  }
}

static GBytes *
frame (const char *body_hex)
{
  g_autofree char *hex = g_strconcat ("63737472", body_hex, "63656e64", NULL);

  return vectors_hex (hex);
}

static P2pJoinResult
join_one (GBytes *message, P2pCommand *command, GError **error)
{
  g_autoptr (P2pCommandJoiner) joiner = p2p_command_joiner_new ();

  return p2p_command_joiner_push (joiner, message, command, error);
}

static void
test_int_vectors (void)
{
  g_autoptr (JsonNode) root = vectors_load ("commands.json");
  JsonArray *ints = vectors_array (json_node_get_object (root), "ints");

  for (guint i = 0; i < json_array_get_length (ints); i++) {
    JsonObject *vector = json_array_get_object_element (ints, i);
    const char *hex = json_object_get_string_member (vector, "hex");
    g_autofree char *body = g_strconcat ("0469", hex, "720107", NULL);
    g_autoptr (GBytes) message = frame (body);
    g_auto (P2pCommand) command = { 0 };
    g_autoptr (GPtrArray) again = NULL;

    g_assert_cmpint (join_one (message, &command, NULL), ==, P2P_JOIN_DONE);
    g_assert_cmpint (command.segment_id, ==,
        json_object_get_int_member (vector, "v5_decodes_to"));
    again = p2p_command_encode (&command, P2P_MESSAGE_MAX_BYTES);
    g_assert_true (g_bytes_equal (again->pdata[0], message));
  }
}

static void
check_reordered (JsonNode *expected, const GArray *ids)
{
  JsonObject *object = json_node_get_object (expected);
  JsonArray *first = json_object_get_array_member (object, "first");

  g_assert_cmpint (ids->len, ==, vectors_int (object, "len", -1));
  for (guint i = 0; i < json_array_get_length (first); i++)
    g_assert_cmpint (g_array_index (ids, gint64, i), ==,
        json_array_get_int_element (first, i));
}

static void
check_int_array (JsonObject *vector)
{
  const char *hex = json_object_get_string_member (vector, "hex");
  g_autofree char *body = g_strconcat ("006c", hex, NULL);
  g_autoptr (GBytes) message = frame (body);
  g_autoptr (GArray) input =
      ids_from_json (json_object_get_member (vector, "input"));
  JsonNode *decoded = json_object_get_member (vector, "v5_decode");
  g_auto (P2pCommand) command = { 0 };

  /* What every decoder would misread as further fields: not a vector of the
   * array alone once it stands in a command. */
  if (vectors_int (vector, "v5_consumed", 0)
      != vectors_int (vector, "byte_length", 0)) {
    g_assert_cmpint (join_one (message, &command, NULL), ==, P2P_JOIN_ERROR);
    return;
  }

  g_assert_cmpint (join_one (message, &command, NULL), ==, P2P_JOIN_DONE);
  if (JSON_NODE_HOLDS_OBJECT (decoded))
    check_reordered (decoded, command.loaded);
  else
    assert_ids (command.loaded, input);
}

static void
test_int_array_vectors (void)
{
  g_autoptr (JsonNode) root = vectors_load ("commands.json");
  JsonArray *arrays = vectors_array (json_node_get_object (root), "int_arrays");

  for (guint i = 0; i < json_array_get_length (arrays); i++)
    check_int_array (json_array_get_object_element (arrays, i));
}

static void
check_hostile (JsonObject *vector)
{
  g_autoptr (GBytes) message =
      vectors_hex (json_object_get_string_member (vector, "hex"));
  gsize length;
  const guint8 *data = g_bytes_get_data (message, &length);
  gboolean is_chunk =
      json_object_get_boolean_member (vector, "v5_is_command_chunk");
  g_auto (P2pCommand) command = { 0 };
  g_autoptr (GError) error = NULL;
  JsonObject *decoded;

  g_test_message ("%s", json_object_get_string_member (vector, "name"));
  g_assert_cmpint (p2p_command_is_chunk (data, length), ==, is_chunk);
  if (!is_chunk)
    return;

  if (json_object_has_member (vector, "v5_throws")) {
    g_assert_cmpint (join_one (message, &command, &error), ==, P2P_JOIN_ERROR);
    g_assert_nonnull (error);
    g_assert_true (error->domain == P2P_FORMAT_ERROR);
    return;
  }

  g_assert_cmpint (join_one (message, &command, &error), ==, P2P_JOIN_DONE);
  decoded = json_object_get_object_member (vector, "v5_decoded");
  g_assert_cmpint (command.kind, ==, vectors_int (decoded, "c", -1));
  g_assert_cmpint (command.segment_id, ==, vectors_int (decoded, "i", 0));
  g_assert_cmpint (command.request_id, ==, vectors_int (decoded, "r", 0));
  g_assert_cmpint (command.byte_from, ==, vectors_int (decoded, "b", 0));
  g_assert_cmpint (command.size, ==, vectors_int (decoded, "s", 0));
  if (vectors_text (decoded, "l") != NULL) {
    g_assert_cmpstr (vectors_text (decoded, "l"), ==, "(256 items)");
    g_assert_cmpuint (command.loaded->len, ==, 256);
  } else if (json_object_has_member (decoded, "l")) {
    g_autoptr (GArray) expected =
        ids_from_json (json_object_get_member (decoded, "l"));

    assert_ids (command.loaded, expected);
  }
}

static void
test_hostile_vectors (void)
{
  g_autoptr (JsonNode) root = vectors_load ("commands.json");
  JsonArray *hostile = vectors_array (json_node_get_object (root), "hostile");

  for (guint i = 0; i < json_array_get_length (hostile); i++)
    check_hostile (json_array_get_object_element (hostile, i));
}

/* "ok" ends in a command; anything else closes the connection at the first
 * faulty frame, which is where 2.3.1 also reports one. */
static void
check_sequence (JsonObject *vector)
{
  JsonArray *frames = vectors_array (vector, "frames");
  JsonArray *js = vectors_array (vector, "js231_result_per_frame");
  g_autoptr (P2pCommandJoiner) joiner = p2p_command_joiner_new ();
  gboolean ok = g_str_equal (vectors_text (vector, "v5"), "ok");
  guint n = json_array_get_length (frames);

  for (guint i = 0; i < n; i++) {
    g_autoptr (GBytes) message =
        vectors_hex (json_array_get_string_element (frames, i));
    g_auto (P2pCommand) command = { 0 };
    P2pJoinResult result =
        p2p_command_joiner_push (joiner, message, &command, NULL);

    if (!g_str_equal (json_array_get_string_element (js, i), "ok")) {
      g_assert_false (ok);
      g_assert_cmpint (result, ==, P2P_JOIN_ERROR);
      return;
    }
    g_assert_cmpint (result, ==, i + 1 == n ? P2P_JOIN_DONE : P2P_JOIN_MORE);
  }
  g_assert_true (ok);
}

static void
test_sequence_vectors (void)
{
  g_autoptr (JsonNode) root = vectors_load ("commands.json");
  JsonArray *all =
      vectors_array (json_node_get_object (root), "chunk_sequences");

  for (guint i = 0; i < json_array_get_length (all); i++)
    check_sequence (json_array_get_object_element (all, i));
}

static void
round_trip (P2pCommand *command, P2pCommand *back)
{
  g_autoptr (GPtrArray) messages =
      p2p_command_encode (command, P2P_MESSAGE_MAX_BYTES);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (join (messages, back, &error), ==, P2P_JOIN_DONE);
  g_assert_no_error (error);
}

static void
test_full_group_is_split (void)
{
  g_auto (P2pCommand) command = { .loaded = ids_range (0, 256, 1) };
  g_autoptr (GPtrArray) messages =
      p2p_command_encode (&command, P2P_MESSAGE_MAX_BYTES);
  g_autoptr (JsonNode) root = vectors_load ("commands.json");
  JsonArray *hostile = vectors_array (json_node_get_object (root), "hostile");
  g_autofree char *hex = to_hex (messages->pdata[0]);
  gboolean found = FALSE;

  for (guint i = 0; i < json_array_get_length (hostile); i++) {
    JsonObject *vector = json_array_get_object_element (hostile, i);

    if (!g_str_has_prefix (vectors_text (vector, "name"), "SAFE split"))
      continue;
    g_assert_cmpstr (hex, ==, vectors_text (vector, "hex"));
    found = TRUE;
  }
  g_assert_true (found);
}

static void
test_long_announcement (void)
{
  g_auto (P2pCommand) command = { .loaded = ids_range (1000, 32000, 1) };
  g_auto (P2pCommand) back = { 0 };

  round_trip (&command, &back);
  assert_ids (command.loaded, back.loaded);
}

static void
test_oldest_groups_are_dropped (void)
{
  g_auto (P2pCommand) command = { .loaded = ids_range (0, 300, 256) };
  g_auto (P2pCommand) back = { 0 };

  round_trip (&command, &back);
  g_assert_cmpuint (back.loaded->len, ==, P2P_INT_GROUPS_MAX);
  g_assert_cmpint (g_array_index (back.loaded, gint64, 0), ==, 45 * 256);
  g_assert_cmpint (g_array_index (back.loaded, gint64, 254), ==, 299 * 256);
}

/* 255 groups of 256 ids are all that one array can say: within the bound on
 * ids, so that no announcement of a friend is refused. */
static void
test_fullest_announcement (void)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  g_autoptr (GBytes) message = NULL;
  g_auto (P2pCommand) command = { 0 };

  G_STATIC_ASSERT (255 * 256 <= P2P_ANNOUNCEMENT_MAX_IDS);
  g_byte_array_append (body, (const guint8 *) "cstr\0l\x10\xff", 8);
  for (guint i = 0; i < 255; i++) {
    guint8 head[3] = { 0x02, i >> 1, 0 };
    guint8 low[256] = { 0 };

    g_byte_array_append (body, head, sizeof head);
    g_byte_array_append (body, low, sizeof low);
  }
  g_byte_array_append (body, (const guint8 *) "cend", 4);
  message = g_bytes_new (body->data, body->len);

  g_assert_cmpint (join_one (message, &command, NULL), ==, P2P_JOIN_DONE);
  g_assert_cmpuint (command.loaded->len, ==, 255 * 256);
}

static void
test_too_many_fields (void)
{
  g_autoptr (GString) hex = g_string_new ("00");
  g_autoptr (GBytes) allowed = NULL;
  g_autoptr (GBytes) refused = NULL;
  g_auto (P2pCommand) command = { 0 };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < P2P_COMMAND_MAX_FIELDS; i++)
    g_string_append (hex, "7a0105");
  allowed = frame (hex->str);
  g_string_append (hex, "7a0105");
  refused = frame (hex->str);

  g_assert_cmpint (join_one (allowed, &command, NULL), ==, P2P_JOIN_DONE);
  g_assert_cmpint (join_one (refused, &command, &error), ==, P2P_JOIN_ERROR);
  g_assert_error (error, P2P_FORMAT_ERROR, P2P_FORMAT_ERROR_LIMIT);
}

static void
test_endless_command (void)
{
  g_autoptr (P2pCommandJoiner) joiner = p2p_command_joiner_new ();
  g_autofree guint8 *data = g_malloc0 (65535);
  g_auto (P2pCommand) command = { 0 };
  g_autoptr (GError) error = NULL;
  P2pJoinResult result = P2P_JOIN_MORE;
  guint n = 0;

  memcpy (data + 65531, "dend", 4);
  while (result == P2P_JOIN_MORE) {
    g_autoptr (GBytes) message = NULL;

    memcpy (data, n++ == 0 ? "cstr" : "dstr", 4);
    message = g_bytes_new (data, 65535);
    result = p2p_command_joiner_push (joiner, message, &command, &error);
  }
  g_assert_cmpuint (n, <=, P2P_COMMAND_MAX_BYTES / 65527 + 1);
  g_assert_error (error, P2P_FORMAT_ERROR, P2P_FORMAT_ERROR_LIMIT);
}

/* Every prefix of a good body is an error or a smaller command, never a read
 * past its end (the sanitizers look). */
static void
test_truncated (void)
{
  g_auto (P2pCommand) command = { .loaded = ids_range (250, 20, 1),
    .loading = ids_range (17500000000, 5, 20) };
  g_autoptr (GPtrArray) messages =
      p2p_command_encode (&command, P2P_MESSAGE_MAX_BYTES);
  gsize length;
  const guint8 *data = g_bytes_get_data (messages->pdata[0], &length);

  for (gsize n = 0; n + 8 < length; n++) {
    g_autofree guint8 *copy = g_malloc (n + 8);
    g_autoptr (GBytes) message = NULL;
    g_auto (P2pCommand) back = { 0 };

    memcpy (copy, data, n + 4);
    memcpy (copy + n + 4, "cend", 4);
    message = g_bytes_new_take (g_steal_pointer (&copy), n + 8);
    g_assert_cmpint (join_one (message, &back, NULL), !=, P2P_JOIN_MORE);
  }
}

/* What native peers tell each other besides: each alone, and all at once. */
static void
test_fields_of_natives (void)
{
  for (guint fields = 0; fields < 256; fields++) {
    g_auto (P2pCommand) command = { .kind = P2P_COMMAND_ANNOUNCE };
    g_auto (P2pCommand) back = { 0 };
    g_autoptr (GPtrArray) messages = NULL;
    g_autoptr (GError) error = NULL;

    if (fields & 1)
      command.loaded = ids_range (100, 300, 1);
    if (fields & 2)
      command.loading = ids_range (400, 2, 1);
    if (fields & 4)
      command.arriving = ids_range (-3, 200, 300);
    if (fields & 8)
      command.heard = ids_range (G_GINT64_CONSTANT (1) << 40, 4, 1);
    if (fields & 16)
      command.rumoured = ids_range (1 << 20, 1, 1);
    if (fields & 32)
      command.heard_claim = 1;
    if (fields & 64)
      command.rumoured_claim = G_GINT64_CONSTANT (1) << 32;
    if (fields & 128) {
      command.has_open = TRUE;
      command.open = 401;
    }
    messages = p2p_command_encode (&command, 1000);
    g_assert_cmpint (join (messages, &back, &error), ==, P2P_JOIN_DONE);
    g_assert_no_error (error);
    assert_command (&command, &back);
    g_assert_true ((back.arriving != NULL) == ((fields & 4) != 0));
    g_assert_true ((back.heard != NULL) == ((fields & 8) != 0));
    g_assert_true ((back.rumoured != NULL) == ((fields & 16) != 0));
  }
}

static void
test_request_of_natives (void)
{
  static const gint64 needed[] = { 1, 255, 256, 60 * 1000, 24 * 3600 * 1000 };

  for (guint i = 0; i < G_N_ELEMENTS (needed); i++) {
    P2pCommand command = { .kind = P2P_COMMAND_REQUEST,
      .segment_id = 7,
      .request_id = 8,
      .byte_from = i % 2 * 1000,
      .needed_ms = needed[i] };
    g_auto (P2pCommand) back = { 0 };
    g_autoptr (GPtrArray) messages = NULL;

    messages = p2p_command_encode (&command, P2P_MESSAGE_MAX_BYTES);
    g_assert_cmpint (join (messages, &back, NULL), ==, P2P_JOIN_DONE);
    assert_command (&command, &back);
  }
}

/* Nothing has come, or something, or that is not said, as browsers. */
static void
test_cancel_of_natives (void)
{
  static const gint64 came[] = { 0, 1, 255, P2P_SEGMENT_MAX_BYTES, -1 };

  for (guint i = 0; i < G_N_ELEMENTS (came); i++) {
    P2pCommand command = { .kind = P2P_COMMAND_CANCEL,
      .segment_id = 7,
      .request_id = 8,
      .has_size = came[i] >= 0,
      .size = MAX (came[i], 0) };
    g_auto (P2pCommand) back = { 0 };
    g_autoptr (GPtrArray) messages = NULL;

    messages = p2p_command_encode (&command, P2P_MESSAGE_MAX_BYTES);
    g_assert_cmpint (join (messages, &back, NULL), ==, P2P_JOIN_DONE);
    assert_command (&command, &back);
    g_assert_cmpint (back.has_size, ==, command.has_size);
  }
}

/* A browser gets what it always got. */
static void
test_empty_fields_of_natives (void)
{
  g_auto (P2pCommand) with = { .kind = P2P_COMMAND_ANNOUNCE };
  P2pCommand without = { .kind = P2P_COMMAND_ANNOUNCE };
  g_autoptr (GPtrArray) messages = NULL, expected = NULL;

  with.loaded = without.loaded = ids_range (100, 6, 1);
  with.arriving = ids_range (0, 0, 1);
  with.heard = ids_range (0, 0, 1);
  with.rumoured = ids_range (0, 0, 1);
  messages = p2p_command_encode (&with, P2P_MESSAGE_MAX_BYTES);
  expected = p2p_command_encode (&without, P2P_MESSAGE_MAX_BYTES);
  g_assert_cmpuint (messages->len, ==, 1);
  g_assert_true (g_bytes_equal (messages->pdata[0], expected->pdata[0]));
}

/* The last of a repeated field counts. */
static void
test_repeated_fields_of_natives (void)
{
  g_autoptr (GBytes) message = frame ("00" /* announcement */
                                      "611001010105611001010106"
                                      "6b10010101076b1001010108");
  g_auto (P2pCommand) command = { 0 };

  g_assert_cmpint (join_one (message, &command, NULL), ==, P2P_JOIN_DONE);
  g_assert_cmpuint (command.arriving->len, ==, 1);
  g_assert_cmpint (g_array_index (command.arriving, gint64, 0), ==, 6);
  g_assert_cmpuint (command.heard->len, ==, 1);
  g_assert_cmpint (g_array_index (command.heard, gint64, 0), ==, 8);
}

static void
test_wrong_types (void)
{
  static const char *const bodies[] = {
    "006c0105",                   /* l is an int */
    "0070200161",                 /* p is a string */
    "00610105",                   /* a is an int */
    "0061200161",                 /* a is a string */
    "006b0105",                   /* k is an int */
    "006b200161",                 /* k is a string */
    "006a0105",                   /* j is an int */
    "006a200161",                 /* j is a string */
    "0169016472013262200161",     /* b is a string */
    "0163200161",                 /* c is a string */
    "01690164722001617201",       /* r is truncated */
    "02690164721001010101730101", /* r is a list */
  };

  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++) {
    g_autoptr (GBytes) message = frame (bodies[i]);
    g_auto (P2pCommand) command = { 0 };

    g_assert_cmpint (join_one (message, &command, NULL), ==, P2P_JOIN_ERROR);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/formats/peermsg/encode-vectors", test_encode_vectors);
  g_test_add_func ("/formats/peermsg/int-vectors", test_int_vectors);
  g_test_add_func (
      "/formats/peermsg/int-array-vectors", test_int_array_vectors);
  g_test_add_func ("/formats/peermsg/hostile-vectors", test_hostile_vectors);
  g_test_add_func ("/formats/peermsg/sequence-vectors", test_sequence_vectors);
  g_test_add_func ("/formats/peermsg/full-group", test_full_group_is_split);
  g_test_add_func (
      "/formats/peermsg/long-announcement", test_long_announcement);
  g_test_add_func (
      "/formats/peermsg/oldest-dropped", test_oldest_groups_are_dropped);
  g_test_add_func ("/formats/peermsg/fullest", test_fullest_announcement);
  g_test_add_func ("/formats/peermsg/too-many-fields", test_too_many_fields);
  g_test_add_func ("/formats/peermsg/endless-command", test_endless_command);
  g_test_add_func ("/formats/peermsg/truncated", test_truncated);
  g_test_add_func (
      "/formats/peermsg/fields-of-natives", test_fields_of_natives);
  g_test_add_func (
      "/formats/peermsg/request-of-natives", test_request_of_natives);
  g_test_add_func (
      "/formats/peermsg/cancel-of-natives", test_cancel_of_natives);
  g_test_add_func (
      "/formats/peermsg/empty-fields-of-natives", test_empty_fields_of_natives);
  g_test_add_func ("/formats/peermsg/repeated-fields-of-natives",
      test_repeated_fields_of_natives);
  g_test_add_func ("/formats/peermsg/wrong-types", test_wrong_types);

  return g_test_run ();
}
