/* p2phlssrc: tests of the tracker messages.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "formats/trackermsg.h"

#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "unit/vectors.h"

static const P2pInfoHash our_hash = { "anIwjeulyYgtKNC7Ieak" };
static const P2pPeerId our_id = { "-PM0500-abcdefghijkl" };
static const P2pPeerId their_id = { "-PM0203-vZto2mQXO54h" };

static gboolean
parse (const char *text, P2pTrackerMessage *message)
{
  g_autoptr (GBytes) frame = g_bytes_new (text, strlen (text));
  g_autoptr (GError) error = NULL;
  gboolean ok = p2p_tracker_message_parse (frame, message, &error);

  g_assert_true (ok == (error == NULL));
  g_assert_true (ok || error->domain == P2P_FORMAT_ERROR);

  return ok;
}

static JsonNode *
parse_json (const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = json_from_string (text, &error);

  g_assert_no_error (error);

  return node;
}

static P2pTrackerMessageKind
kind_of (const char *text)
{
  g_auto (P2pTrackerMessage) message = { 0 };

  g_assert_true (parse (text, &message));

  return message.kind;
}

/* A captured message's text as a browser would have sent it. json-glib ends
 * strings at a NUL, so the file's own text is cut, not printed again. */
static char *
raw_messages (void)
{
  g_autofree char *path =
      g_build_filename (P2P_VECTORS_DIR, "signalling_231.json", NULL);
  char *text;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));

  return text;
}

/* The object that follows the next "msg": in @at; its end is the line with
 * its closing brace, since the file is indented. */
static char *
next_message (const char **at)
{
  const char *start = strstr (*at, "\n   \"msg\": {");
  const char *stop;

  if (start == NULL)
    return NULL;
  start = strchr (start, '{');
  stop = strstr (start, "\n   }");
  g_assert_nonnull (stop);
  *at = stop;

  return g_strndup (start, stop + 5 - start);
}

static void
test_captured (void)
{
  g_autofree char *file = raw_messages ();
  const char *at = file;
  guint replies = 0;
  guint offers = 0;
  guint answers = 0;

  for (;;) {
    g_autofree char *text = next_message (&at);
    g_auto (P2pTrackerMessage) message = { 0 };

    if (text == NULL)
      break;
    g_assert_true (parse (text, &message));
    g_assert_true (message.has_info_hash);
    g_assert_true (p2p_info_hash_equal (&message.info_hash, &our_hash));
    if (message.kind == P2P_TRACKER_REPLY) {
      replies++;
      g_assert_cmpint (message.interval_s, ==, 120);
      g_assert_cmpint (message.complete, ==, 0);
      g_assert_cmpint (message.incomplete, ==, replies);
    } else if (message.kind == P2P_TRACKER_OFFER
        || message.kind == P2P_TRACKER_ANSWER) {
      offers += message.kind == P2P_TRACKER_OFFER;
      answers += message.kind == P2P_TRACKER_ANSWER;
      g_assert_cmpint (g_utf8_strlen (message.offer_id, -1), ==, 20);
      g_assert_true (g_str_has_prefix (message.sdp, "v=0\r\n"));
      g_assert_true (g_str_has_suffix (message.sdp, "\r\n"));
    }
  }
  /* The client's own answer is shaped as the tracker's forwarded one. */
  g_assert_cmpuint (replies, ==, 2);
  g_assert_cmpuint (offers, ==, 1);
  g_assert_cmpuint (answers, ==, 2);
}

static void
test_offer_id_vector (void)
{
  g_autoptr (JsonNode) root = vectors_load ("signalling_231.json");
  JsonObject *vector = json_object_get_object_member (
      json_node_get_object (root), "first_offer_id");
  const char *json = json_object_get_string_member (vector, "json");
  g_autofree char *text =
      g_strdup_printf ("{\"peer_id\":\"%s\",\"offer_id\":%s,"
                       "\"offer\":{\"type\":\"offer\",\"sdp\":\"v=0\"}}",
          their_id.text, json);
  g_auto (P2pTrackerMessage) message = { 0 };
  g_autofree char *answer = NULL;

  g_assert_true (parse (text, &message));
  g_assert_cmpint (message.kind, ==, P2P_TRACKER_OFFER);
  g_assert_cmpint (g_utf8_strlen (message.offer_id, -1), ==, 20);
  answer = p2p_tracker_answer (
      &our_hash, &our_id, &message.peer_id, message.offer_id, "v=0", NULL);
  g_assert_nonnull (strstr (answer, json));
}

/* Every byte 0x00 to 0xff, 20 at a time, as JSON.stringify() writes them. */
static void
test_offer_id_bytes (void)
{
  static const char *const short_escapes[] = { [8] = "\\b",
    [9] = "\\t",
    [10] = "\\n",
    [12] = "\\f",
    [13] = "\\r",
    ['"'] = "\\\"",
    ['\\'] = "\\\\",
    [127] = NULL };

  for (guint start = 0; start < 256; start += 20) {
    g_autoptr (GString) json = g_string_new ("\"");
    g_autofree char *text = NULL;
    g_autofree char *answer = NULL;
    g_auto (P2pTrackerMessage) message = { 0 };

    for (guint c = start; c < start + 20; c++) {
      guint byte = c & 0xff;

      if (byte < G_N_ELEMENTS (short_escapes) && short_escapes[byte] != NULL)
        g_string_append (json, short_escapes[byte]);
      else if (byte < 0x20)
        g_string_append_printf (json, "\\u%04x", byte);
      else
        g_string_append_unichar (json, byte);
    }
    g_string_append_c (json, '"');

    text = g_strdup_printf ("{\"offer_id\":%s,\"peer_id\":\"%s\","
                            "\"offer\":{\"type\":\"offer\",\"sdp\":\"v\"}}",
        json->str, their_id.text);
    g_assert_true (parse (text, &message));
    g_assert_cmpint (message.kind, ==, P2P_TRACKER_OFFER);
    answer = p2p_tracker_answer (
        &our_hash, &our_id, &message.peer_id, message.offer_id, "v", NULL);
    g_assert_nonnull (strstr (answer, json->str));
  }
}

/* A backslash before \u0000 makes it six ordinary characters. */
static void
test_escaped_backslash (void)
{
  g_auto (P2pTrackerMessage) message = { 0 };

  g_assert_true (
      parse ("{\"failure reason\":\"a\\\\u0000\\u0000\\\"b\"}", &message));
  g_assert_cmpstr (message.failure, ==, "a\\u0000\xc0\x80\"b");
}

static void
test_announce (void)
{
  const P2pTrackerOffer offers[] = {
    { "aaaaaaaaaaaaaaaaaaaa", "v=0\r\n" },
    { "bbbbbbbbbbbbbbbbbbbb", "v=1\r\n" },
  };
  g_autofree char *text = p2p_tracker_announce (
      &our_hash, &our_id, P2P_TRACKER_EVENT_STARTED, offers, 2, NULL);

  g_assert_cmpstr (text, ==,
      "{\"action\":\"announce\",\"info_hash\":\"anIwjeulyYgtKNC7Ieak\","
      "\"peer_id\":\"-PM0500-abcdefghijkl\",\"numwant\":2,\"uploaded\":0,"
      "\"downloaded\":0,\"event\":\"started\",\"offers\":["
      "{\"offer\":{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"},"
      "\"offer_id\":\"aaaaaaaaaaaaaaaaaaaa\"},"
      "{\"offer\":{\"type\":\"offer\",\"sdp\":\"v=1\\r\\n\"},"
      "\"offer_id\":\"bbbbbbbbbbbbbbbbbbbb\"}]}");
}

/* The members that a browser sends, but for those that depend on it. */
static void
test_announce_like_a_browser (void)
{
  g_autoptr (JsonNode) root = vectors_load ("signalling_231.json");
  JsonObject *captured = json_object_get_object_member (
      json_array_get_object_element (
          vectors_array (json_node_get_object (root), "messages"), 0),
      "msg");
  P2pTrackerOffer offers[5];
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) ours = NULL;
  g_autoptr (GList) names = json_object_get_members (captured);

  for (guint i = 0; i < G_N_ELEMENTS (offers); i++)
    offers[i] = (P2pTrackerOffer){ (char *) "x", (char *) "v=0" };
  text = p2p_tracker_announce (
      &our_hash, &their_id, P2P_TRACKER_EVENT_STARTED, offers, 5, NULL);
  ours = parse_json (text);

  g_assert_cmpuint (json_object_get_size (captured), ==,
      json_object_get_size (json_node_get_object (ours)));
  for (GList *name = names; name != NULL; name = name->next) {
    JsonNode *a = json_object_get_member (captured, name->data);
    JsonNode *b =
        json_object_get_member (json_node_get_object (ours), name->data);

    g_assert_nonnull (b);
    if (JSON_NODE_HOLDS_VALUE (a))
      g_assert_true (json_node_equal (a, b));
  }
}

static void
test_announce_empty (void)
{
  g_autofree char *stop = p2p_tracker_announce (
      &our_hash, &our_id, P2P_TRACKER_EVENT_STOPPED, NULL, 0, "id \"1\"");
  g_autofree char *plain = p2p_tracker_announce (
      &our_hash, &our_id, P2P_TRACKER_EVENT_NONE, NULL, 0, NULL);

  g_assert_nonnull (strstr (stop, "\"numwant\":0"));
  g_assert_nonnull (strstr (stop, "\"event\":\"stopped\",\"offers\":[]"));
  g_assert_true (g_str_has_suffix (stop, ",\"trackerid\":\"id \\\"1\\\"\"}"));
  g_assert_null (strstr (plain, "event"));
  g_assert_true (g_str_has_suffix (plain, "\"offers\":[]}"));
}

static void
test_replies (void)
{
  g_auto (P2pTrackerMessage) message = { 0 };
  g_auto (P2pTrackerMessage) odd = { 0 };

  g_assert_true (parse ("{\"action\":\"announce\",\"min interval\":33.9,"
                        "\"tracker id\":\"t\",\"warning message\":\"w\"}",
      &message));
  g_assert_cmpint (message.kind, ==, P2P_TRACKER_REPLY);
  g_assert_false (message.has_info_hash);
  g_assert_cmpint (message.interval_s, ==, 33);
  g_assert_cmpint (message.complete, ==, -1);
  g_assert_cmpstr (message.tracker_id, ==, "t");
  g_assert_cmpstr (message.warning, ==, "w");

  g_assert_true (parse ("{\"interval\":-5,\"complete\":\"3\","
                        "\"incomplete\":1e300}",
      &odd));
  g_assert_cmpint (odd.kind, ==, P2P_TRACKER_IGNORED);
  g_assert_cmpint (odd.interval_s, ==, -1);
  g_assert_cmpint (odd.complete, ==, -1);
  g_assert_cmpint (odd.incomplete, ==, -1);
}

static void
test_failure (void)
{
  g_auto (P2pTrackerMessage) message = { 0 };

  g_assert_true (parse ("{\"failure reason\":\"no\",\"info_hash\":"
                        "\"anIwjeulyYgtKNC7Ieak\",\"interval\":9}",
      &message));
  g_assert_cmpint (message.kind, ==, P2P_TRACKER_FAILURE);
  g_assert_cmpstr (message.failure, ==, "no");
  g_assert_true (message.has_info_hash);
}

#define SIGNAL(peer, id, type, body) \
  "{\"peer_id\":" peer ",\"offer_id\":" id ",\"" type "\":" body "}"
#define GOOD_PEER "\"-PM0203-vZto2mQXO54h\""
#define GOOD_ID "\"aaaaaaaaaaaaaaaaaaaa\""
#define GOOD_OFFER "{\"type\":\"offer\",\"sdp\":\"v\"}"

static void
test_ignored (void)
{
  static const char *const texts[] = {
    "{}",
    "{\"info_hash\":7,\"interval\":5}",
    "{\"info_hash\":\"short\",\"interval\":5}",
    "{\"info_hash\":\"anIwjeulyYgtKNC7Iea\\u00ff\",\"interval\":5}",
    SIGNAL ("\"short\"", GOOD_ID, "offer", GOOD_OFFER),
    SIGNAL ("\"-PM0203-vZto2mQXO54hX\"", GOOD_ID, "offer", GOOD_OFFER),
    SIGNAL ("\"-PM0203-vZto2mQXO54\\u0000\"", GOOD_ID, "offer", GOOD_OFFER),
    SIGNAL ("\"-PM0203-vZto2mQXO54\\n\"", GOOD_ID, "offer", GOOD_OFFER),
    SIGNAL ("5", GOOD_ID, "offer", GOOD_OFFER),
    SIGNAL (GOOD_PEER, "5", "offer", GOOD_OFFER),
    SIGNAL (GOOD_PEER, "\"\"", "offer", GOOD_OFFER),
    SIGNAL (GOOD_PEER, GOOD_ID, "offer", "\"v=0\""),
    SIGNAL (GOOD_PEER, GOOD_ID, "offer", "[]"),
    SIGNAL (GOOD_PEER, GOOD_ID, "offer", "{\"sdp\":\"v\"}"),
    SIGNAL (GOOD_PEER, GOOD_ID, "offer", "{\"type\":\"offer\"}"),
    SIGNAL (GOOD_PEER, GOOD_ID, "offer", "{\"type\":\"offer\",\"sdp\":1}"),
    SIGNAL (GOOD_PEER, GOOD_ID, "answer", GOOD_OFFER),
    SIGNAL (GOOD_PEER, GOOD_ID, "offers", GOOD_OFFER),
  };

  g_assert_cmpint (kind_of (SIGNAL (GOOD_PEER, GOOD_ID, "offer", GOOD_OFFER)),
      ==, P2P_TRACKER_OFFER);
  g_assert_cmpint (
      kind_of (SIGNAL (GOOD_PEER, "\"\\ud83d\\uDE00\"", "offer", GOOD_OFFER)),
      ==, P2P_TRACKER_OFFER);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_test_message ("%s", texts[i]);
    g_assert_cmpint (kind_of (texts[i]), ==, P2P_TRACKER_IGNORED);
  }
}

static void
test_unreadable (void)
{
  static const char *const texts[] = { "", "null", "[]", "\"text\"", "{", "}",
    "{\"a\":}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud800xx\"}",
    "{\"a\":\"\\udc00\"}", "{\"a\":\"\\ud800\\ud800\"}",
    "{\"a\":\"\\udc00\\ud800\"}", "{\"a\":\"\\ud83d\\n\"}",
    "{\"a\":\"\\ud83d\\ude0\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\x80\"}",
    "]{}", "[[[{", "{\"a\":\"" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_auto (P2pTrackerMessage) message = { 0 };

    g_test_message ("text %u", i);
    g_assert_false (parse (texts[i], &message));
  }
}

static void
test_bounds (void)
{
  g_autofree char *deep = g_strnfill (200000, '[');
  g_autofree char *filler = g_strnfill (P2P_TRACKER_MESSAGE_MAX_BYTES, 'a');
  g_autofree char *long_text = g_strconcat ("{\"a\":\"", filler, "\"}", NULL);
  g_autofree char *commas =
      g_strnfill (P2P_TRACKER_MESSAGE_MAX_COMMAS + 1, ',');
  g_autofree char *many = g_strdup_printf ("{\"a\":\"%s\"}", commas);
  g_autofree char *enough = g_strdup_printf ("{\"a\":\"%s\"}", commas + 1);
  g_autofree char *id = g_strnfill (P2P_OFFER_ID_MAX_BYTES + 1, 'a');
  g_autofree char *long_id =
      g_strdup_printf (SIGNAL (GOOD_PEER, "\"%s\"", "offer", GOOD_OFFER), id);
  g_autofree char *sdp = g_strnfill (P2P_SDP_MAX_BYTES + 1, 'a');
  g_autofree char *long_sdp =
      g_strdup_printf (SIGNAL (GOOD_PEER, GOOD_ID, "offer",
                           "{\"type\":\"offer\",\"sdp\":\"%s\"}"),
          sdp);
  g_auto (P2pTrackerMessage) message = { 0 };
  g_auto (P2pTrackerMessage) other = { 0 };

  g_assert_false (parse (deep, &message));
  g_assert_false (parse (long_text, &other));
  g_assert_false (parse (many, &other));
  g_assert_true (parse (enough, &other));
  g_assert_cmpint (kind_of (long_id), ==, P2P_TRACKER_IGNORED);
  g_assert_cmpint (kind_of (long_sdp), ==, P2P_TRACKER_IGNORED);
}

static void
test_raw_nul (void)
{
  static const char text[] = "{\"interval\":5,\"a\":\"b\0c\"}";
  g_autoptr (GBytes) frame = g_bytes_new_static (text, sizeof text - 1);
  g_auto (P2pTrackerMessage) message = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_false (p2p_tracker_message_parse (frame, &message, &error));
  g_assert_error (error, P2P_FORMAT_ERROR, P2P_FORMAT_ERROR_SYNTAX);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/formats/trackermsg/captured", test_captured);
  g_test_add_func ("/formats/trackermsg/offer-id", test_offer_id_vector);
  g_test_add_func ("/formats/trackermsg/offer-id-bytes", test_offer_id_bytes);
  g_test_add_func ("/formats/trackermsg/backslash", test_escaped_backslash);
  g_test_add_func ("/formats/trackermsg/announce", test_announce);
  g_test_add_func (
      "/formats/trackermsg/like-a-browser", test_announce_like_a_browser);
  g_test_add_func ("/formats/trackermsg/announce-empty", test_announce_empty);
  g_test_add_func ("/formats/trackermsg/replies", test_replies);
  g_test_add_func ("/formats/trackermsg/failure", test_failure);
  g_test_add_func ("/formats/trackermsg/ignored", test_ignored);
  g_test_add_func ("/formats/trackermsg/unreadable", test_unreadable);
  g_test_add_func ("/formats/trackermsg/bounds", test_bounds);
  g_test_add_func ("/formats/trackermsg/raw-nul", test_raw_nul);

  return g_test_run ();
}
