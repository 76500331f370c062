/* p2phlssrc: descriptions as browsers and others write them.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "webrtc/sdp.h"

#include "base/error.h"

#include <json-glib/json-glib.h>

#include <string.h>

#define PREFIX \
  "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" \
  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" \
  "c=IN IP4 0.0.0.0\r\n" \
  "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\n" \
  "a=setup:actpass\r\n"
#define FINGERPRINT \
  "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:" \
  "10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:1f\r\n"

/* --- vectors ------------------------------------------------------------- */

static void
check_description (const char *text, gboolean is_answer)
{
  g_autofree P2pSdp *sdp = g_new (P2pSdp, 1);
  g_autoptr (GError) error = NULL;

  g_assert_true (p2p_sdp_parse (text, sdp, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (sdp->n_fingerprints, ==, 1);
  g_assert_cmpstr (sdp->fingerprints[0].algorithm, ==, "sha-256");
  g_assert_cmpuint (sdp->fingerprints[0].length, ==, 32);
  g_assert_cmpuint (sdp->sctp_port, ==, 5000);
  g_assert_cmpuint (sdp->max_message_bytes, ==, 262144);
  g_assert_cmpstr (sdp->mid, ==, "0");
  g_assert_cmpint (
      sdp->setup, ==, is_answer ? P2P_SETUP_ACTIVE : P2P_SETUP_ACTPASS);
  if (strstr (text, "a=candidate:") != NULL) {
    g_assert_cmpuint (sdp->ice.n_candidates, ==, 2);
    g_assert_cmpuint (sdp->ice.candidates[0].port, >, 0);
    g_assert_cmpint (sdp->ice.candidates[0].type, ==, P2P_CANDIDATE_HOST);
  }
}

/* Every member of an object that is, or holds, an SDP. */
static guint
check_member (JsonObject *vector, const char *name)
{
  JsonNode *node = json_object_get_member (vector, name);
  const char *text = NULL;

  if (JSON_NODE_HOLDS_OBJECT (node))
    text = json_object_get_string_member_with_default (
        json_node_get_object (node), "sdp", NULL);
  else if (json_node_get_value_type (node) == G_TYPE_STRING)
    text = json_node_get_string (node);
  if (text == NULL || !g_str_has_prefix (text, "v=0"))
    return 0;

  check_description (text, strstr (text, "a=setup:active") != NULL);

  return 1;
}

static void
test_vectors (void)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *root;
  guint n = 0;

  g_assert_true (
      json_parser_load_from_file (parser, P2P_VECTORS_DIR "/sdp.json", NULL));
  root = json_node_get_object (json_parser_get_root (parser));
  {
    g_autoptr (GList) names = json_object_get_members (root);

    for (GList *l = names; l != NULL; l = l->next) {
      JsonNode *node = json_object_get_member (root, l->data);
      g_autoptr (GList) members = NULL;

      n += check_member (root, l->data);
      if (!JSON_NODE_HOLDS_OBJECT (node))
        continue;
      members = json_object_get_members (json_node_get_object (node));
      for (GList *m = members; m != NULL; m = m->next)
        n += check_member (json_node_get_object (node), m->data);
    }
  }
  g_assert_cmpuint (n, >=, 9);
}

/* --- what may vary ------------------------------------------------------- */

static void
test_firefox_style (void)
{
  /* Fingerprint and options at session level, words in other cases. */
  static const char text[] =
      "v=0\r\no=mozilla...THIS_IS_SDPARTA-99.0 5 0 IN IP4 0.0.0.0\r\n"
      "s=-\r\nt=0 0\r\na=sendrecv\r\n"
      "a=fingerprint:SHA-256 "
      "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"
      "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"
      "a=group:BUNDLE 0\r\na=ice-options:trickle\r\n"
      "a=msid-semantic:WMS *\r\n"
      "m=application 55555 UDP/DTLS/SCTP webrtc-datachannel\r\n"
      "c=IN IP4 192.0.2.7\r\n"
      "a=candidate:0 1 UDP 2122252543 192.0.2.7 55555 typ host\r\n"
      "a=candidate:1 1 TCP 2105524479 192.0.2.7 9 typ host "
      "tcptype active\r\n"
      "a=candidate:2 1 UDP 1686052863 198.51.100.7 55555 typ srflx "
      "raddr 192.0.2.7 rport 55555\r\n"
      "a=candidate:3 2 UDP 2122252542 192.0.2.7 55556 typ host\r\n"
      "a=sendrecv\r\na=end-of-candidates\r\n"
      "a=ice-pwd:00112233445566778899aabbccddeeff\r\n"
      "a=ice-ufrag:aabbccdd\r\na=mid:0\r\na=setup:actpass\r\n"
      "a=sctp-port:5000\r\na=max-message-size:1073741823\r\n";
  g_autofree P2pSdp *sdp = g_new (P2pSdp, 1);

  g_assert_true (p2p_sdp_parse (text, sdp, NULL));
  g_assert_cmpuint (sdp->ice.n_candidates, ==, 2);
  g_assert_cmpstr (sdp->ice.candidates[1].address, ==, "198.51.100.7");
  g_assert_cmpint (
      sdp->ice.candidates[1].type, ==, P2P_CANDIDATE_SERVER_REFLEXIVE);
  g_assert_cmpuint (sdp->max_message_bytes, ==, 1073741823);
  g_assert_cmpuint (sdp->fingerprints[0].digest[31], ==, 0x1f);
}

static void
test_defaults_and_bare_newlines (void)
{
  g_autofree P2pSdp *sdp = g_new (P2pSdp, 1);
  g_auto (GStrv) lines = g_strsplit (PREFIX FINGERPRINT, "\r\n", -1);
  g_autofree char *text = g_strjoinv ("\n", lines);

  g_assert_true (p2p_sdp_parse (text, sdp, NULL));
  g_assert_cmpuint (sdp->max_message_bytes, ==, 65536);
  g_assert_cmpuint (sdp->sctp_port, ==, 5000);
}

static void
test_unlimited_messages (void)
{
  g_autofree P2pSdp *sdp = g_new (P2pSdp, 1);

  g_assert_true (
      p2p_sdp_parse (PREFIX FINGERPRINT "a=max-message-size:0\r\n", sdp, NULL));
  g_assert_cmpuint (sdp->max_message_bytes, ==, G_MAXSIZE);
}

/* --- what is refused ----------------------------------------------------- */

static void
refused (const char *text)
{
  g_autofree P2pSdp *sdp = g_new (P2pSdp, 1);
  g_autoptr (GError) error = NULL;

  g_assert_false (p2p_sdp_parse (text, sdp, &error));
  g_assert_error (error, P2P_TRANSPORT_ERROR, P2P_TRANSPORT_ERROR_SDP);
}

static void
test_refused (void)
{
  g_autofree char *long_one = g_strnfill (P2P_SDP_MAX_BYTES + 1, 'a');

  refused ("");
  refused ("v=0\r\n");
  refused (PREFIX);
  refused (PREFIX "a=fingerprint:sha-256 \r\n");
  refused (PREFIX "a=fingerprint:sha-256 zz:zz\r\n");
  refused (PREFIX "a=fingerprint:a-name-that-is-far-too-long 00:01\r\n");
  refused ("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" FINGERPRINT
           "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\n"
           "a=setup:actpass\r\n");
  refused (long_one);
}

static void
test_bounds (void)
{
  g_autoptr (GString) text = g_string_new (PREFIX);
  g_autofree P2pSdp *sdp = g_new (P2pSdp, 1);

  for (guint i = 0; i < P2P_SDP_MAX_FINGERPRINTS + 4; i++)
    g_string_append (text, FINGERPRINT);
  for (guint i = 0; i < P2P_SDP_MAX_CANDIDATES + 10; i++)
    g_string_append_printf (
        text, "a=candidate:%u 1 udp 1 192.0.2.1 %u typ host\r\n", i, i + 1);
  g_assert_true (p2p_sdp_parse (text->str, sdp, NULL));
  g_assert_cmpuint (sdp->n_fingerprints, ==, P2P_SDP_MAX_FINGERPRINTS);
  g_assert_cmpuint (sdp->ice.n_candidates, ==, P2P_SDP_MAX_CANDIDATES);
}

static void
test_candidates_left_out (void)
{
  static const char *const lines[] = {
    "a=candidate:1 1 udp 1 host.example 5 typ host",
    "a=candidate:1 1 udp 1 evil.example.local 5 typ host",
    "a=candidate:1 1 udp 1 .local 5 typ host",
    "a=candidate:1 1 udp 1 192.0.2.1 0 typ host",
    "a=candidate:1 1 udp 1 192.0.2.1 65536 typ host",
    "a=candidate:1 1 udp 99999999999 192.0.2.1 5 typ host",
    "a=candidate:1 1 udp 1 192.0.2.1 5 typ odd",
    "a=candidate:1 1 udp 1 192.0.2.1 5 host",
    "a=candidate:1 2 udp 1 192.0.2.1 5 typ host",
    "a=candidate:1 1 tcp 1 192.0.2.1 5 typ host",
    ("a=candidate:012345678901234567890123456789012 1 udp 1 192.0.2.1 5 "
     "typ host"),
    "a=candidate:",
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autofree char *text =
        g_strconcat (PREFIX FINGERPRINT, lines[i], "\r\n", NULL);
    g_autofree P2pSdp *sdp = g_new (P2pSdp, 1);

    g_assert_true (p2p_sdp_parse (text, sdp, NULL));
    g_assert_cmpuint (sdp->ice.n_candidates, ==, 0);
  }
}

/* --- writing ------------------------------------------------------------- */

static void
test_round_trip (void)
{
  g_autofree P2pSdp *sdp = g_new0 (P2pSdp, 1);
  g_autofree P2pSdp *read = g_new0 (P2pSdp, 1);
  g_autofree char *text = NULL;

  strcpy (sdp->ice.ufrag, "abcd");
  strcpy (sdp->ice.pwd, "0123456789abcdefghijkl");
  strcpy (sdp->mid, "data");
  sdp->ice.n_candidates = 2;
  sdp->ice.candidates[0] = (P2pCandidate){ .foundation = "1",
    .priority = 2113937151,
    .type = P2P_CANDIDATE_HOST,
    .address = "2001:db8::1",
    .port = 1234 };
  sdp->ice.candidates[1] = (P2pCandidate){ .foundation = "2",
    .priority = 1686052863,
    .type = P2P_CANDIDATE_SERVER_REFLEXIVE,
    .address = "198.51.100.1",
    .port = 4321,
    .related_address = "192.0.2.1",
    .related_port = 999 };
  sdp->setup = P2P_SETUP_PASSIVE;
  sdp->sctp_port = 5000;
  sdp->max_message_bytes = 262144;
  text = p2p_sdp_write (sdp, "00:FF", 17);

  g_assert_nonnull (strstr (text,
      "\r\nm=application 4321 UDP/DTLS/SCTP "
      "webrtc-datachannel\r\n"
      "c=IN IP4 198.51.100.1\r\n"));
  g_assert_nonnull (strstr (text, "typ srflx raddr 192.0.2.1 rport 999\r\n"));
  g_assert_true (p2p_sdp_parse (text, read, NULL));
  g_assert_cmpstr (read->mid, ==, "data");
  g_assert_cmpint (read->setup, ==, P2P_SETUP_PASSIVE);
  g_assert_cmpuint (read->ice.n_candidates, ==, 2);
  g_assert_cmpstr (read->ice.candidates[0].address, ==, "2001:db8::1");
  g_assert_cmpuint (read->fingerprints[0].length, ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sdp/vectors", test_vectors);
  g_test_add_func ("/sdp/firefox-style", test_firefox_style);
  g_test_add_func ("/sdp/defaults", test_defaults_and_bare_newlines);
  g_test_add_func ("/sdp/unlimited-messages", test_unlimited_messages);
  g_test_add_func ("/sdp/refused", test_refused);
  g_test_add_func ("/sdp/bounds", test_bounds);
  g_test_add_func ("/sdp/candidates-left-out", test_candidates_left_out);
  g_test_add_func ("/sdp/round-trip", test_round_trip);

  return g_test_run ();
}
