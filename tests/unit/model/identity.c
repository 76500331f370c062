/* p2phlssrc: tests of swarm ids and info hashes.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "model/identity.h"

#include <locale.h>
#include <math.h>

#include "unit/vectors.h"

static gboolean
read_number (JsonObject *object, const char *name, double *value)
{
  if (!json_object_has_member (object, name)
      || json_object_get_null_member (object, name)
      || vectors_text (object, name) != NULL)
    return FALSE;
  *value = json_object_get_double_member (object, name);

  return TRUE;
}

static void
properties_from_json (JsonObject *object, P2pStreamProperties *out)
{
  double channels;

  *out = (P2pStreamProperties){ 0 };
  out->has_bitrate = read_number (object, "bitrate", &out->bitrate);
  out->has_width = read_number (object, "width", &out->width);
  out->has_height = read_number (object, "height", &out->height);
  out->has_frame_rate = read_number (object, "frameRate", &out->frame_rate);
  out->frame_rate_text = g_strdup (vectors_text (object, "frameRate"));
  out->codecs = g_strdup (vectors_text (object, "codecs"));
  out->language = g_strdup (vectors_text (object, "language"));
  out->name = g_strdup (vectors_text (object, "name"));
  out->video_range = g_strdup (vectors_text (object, "videoRange"));
  out->channels = read_number (object, "channels", &channels)
      ? p2p_identity_number (channels)
      : g_strdup (vectors_text (object, "channels"));
}

static void
check_vector (P2pProtocol protocol, const char *swarm_id, JsonObject *vector)
{
  P2pStreamProperties properties;
  P2pStreamType type = g_str_equal (vectors_text (vector, "type"), "main")
      ? P2P_STREAM_MAIN
      : P2P_STREAM_SECONDARY;
  g_autofree char *input = NULL;
  g_autofree char *hash = NULL;
  g_autofree char *stream = NULL;
  P2pInfoHash info_hash;

  g_test_message ("%s", vectors_text (vector, "name"));
  properties_from_json (
      json_object_get_object_member (vector, "properties"), &properties);
  input = p2p_identity_input (protocol, &properties);
  if (json_object_has_member (vector, "hash_input"))
    g_assert_cmpstr (input, ==, vectors_text (vector, "hash_input"));

  hash = p2p_identity_hash (protocol, &properties);
  g_assert_cmpstr (hash, ==, vectors_text (vector, "identity_hash"));
  stream = p2p_identity_stream_swarm_id (protocol, swarm_id, type, hash);
  g_assert_cmpstr (stream, ==, vectors_text (vector, "stream_swarm_id"));
  p2p_identity_info_hash (stream, &info_hash);
  g_assert_cmpstr (info_hash.text, ==, vectors_text (vector, "info_hash"));
  p2p_stream_properties_clear (&properties);
}

static void
check_all (P2pProtocol protocol, const char *section)
{
  g_autoptr (JsonNode) root = vectors_load ("identity.json");
  JsonObject *all = json_node_get_object (root);
  JsonArray *vectors = vectors_array (all, section);

  for (guint i = 0; i < json_array_get_length (vectors); i++)
    check_vector (protocol, vectors_text (all, "swarm_id"),
        json_array_get_object_element (vectors, i));
}

static void
test_v2_vectors (void)
{
  check_all (P2P_PROTOCOL_V2, "v2");
}

static void
test_v3_vectors (void)
{
  check_all (P2P_PROTOCOL_V3, "v3");
}

static void
test_url_vectors (void)
{
  g_autoptr (JsonNode) root = vectors_load ("url_keys.json");
  JsonArray *vectors =
      vectors_array (json_node_get_object (root), "swarm_from_url");

  for (guint i = 0; i < json_array_get_length (vectors); i++) {
    JsonObject *vector = json_array_get_object_element (vectors, i);
    g_autofree char *id =
        p2p_identity_swarm_id_from_url (vectors_text (vector, "url"));

    g_assert_cmpstr (id, ==, vectors_text (vector, "swarm_id_v5_v2"));
  }
}

/* Values as a JavaScript engine prints them. */
static void
test_numbers (void)
{
  static const struct
  {
    double value;
    const char *text;
  } cases[] = {
    { 0, "0" },
    { -0.0, "0" },
    { NAN, "NaN" },
    { INFINITY, "Infinity" },
    { -INFINITY, "-Infinity" },
    { 25, "25" },
    { -7, "-7" },
    { 29.97, "29.97" },
    { 30000.0 / 1001.0, "29.97002997002997" },
    { 24000.0 / 1001.0, "23.976023976023978" },
    { 4521000, "4521000" },
    { 9007199254740991.0, "9007199254740991" },
    { 1e20, "100000000000000000000" },
    { 1e21, "1e+21" },
    { 1.5e300, "1.5e+300" },
    { 0.001, "0.001" },
    { 0.000001, "0.000001" },
    { 0.0000001, "1e-7" },
    { 1.25e-9, "1.25e-9" },
    { 0.1 + 0.2, "0.30000000000000004" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = p2p_identity_number (cases[i].value);

    g_assert_cmpstr (text, ==, cases[i].text);
  }
}

static void
assert_v2 (P2pStreamProperties properties, const char *expected)
{
  g_autofree char *input = p2p_identity_input (P2P_PROTOCOL_V2, &properties);

  g_assert_cmpstr (input, ==, expected);
}

/* What the published vectors leave out; expectations from running 2.3.1. */
static void
test_v2_corners (void)
{
  assert_v2 ((P2pStreamProperties){ .codecs = (char *) " b , A,, c" },
      "0-,a,b,c-------");
  assert_v2 (
      (P2pStreamProperties){ .codecs = (char *) "avc1.66.30,avc1.7.8.9" },
      "0-avc1.42001e,avc1.7.8.9-------");
  assert_v2 ((P2pStreamProperties){ .language = (char *) "und" }, "0--------");
  assert_v2 (
      (P2pStreamProperties){ .language = (char *) "UND" }, "0----un----");
  assert_v2 ((P2pStreamProperties){ .language = (char *) "é" }, "0----é----");
  assert_v2 ((P2pStreamProperties){ .channels = (char *) "/x" }, "0--------");
  assert_v2 (
      (P2pStreamProperties){
          .name = (char *) "\xc2\xa0 \xc4\xb0STANBUL \xce\xa3\xce\xa3\t" },
      "0------i\xcc\x87stanbul \xcf\x83\xcf\x82--");
  assert_v2 ((P2pStreamProperties){ .frame_rate_text = (char *) "30000/1001" },
      "0--------");
  assert_v2 ((P2pStreamProperties){ .frame_rate_text = (char *) " 50.0 " },
      "0-------50-");
  assert_v2 (
      (P2pStreamProperties){ .frame_rate_text = (char *) "0" }, "0-------0-");
  assert_v2 (
      (P2pStreamProperties){ .frame_rate_text = (char *) "" }, "0--------");
  assert_v2 (
      (P2pStreamProperties){ .frame_rate_text = (char *) "inf" }, "0--------");
  assert_v2 ((P2pStreamProperties){ .has_bitrate = TRUE, .bitrate = NAN },
      "NaN--------");
}

/* A decimal comma or a Turkish i must not reach the wire. */
static void
test_locale (void)
{
  static const char *const locales[] = { "tr_TR.UTF-8", "de_DE.UTF-8", "" };

  for (guint i = 0; i < G_N_ELEMENTS (locales); i++) {
    setlocale (LC_ALL, locales[i]);
    test_numbers ();
    assert_v2 ((P2pStreamProperties){ .name = (char *) "TITLE",
                   .frame_rate_text = (char *) "29.970" },
        "0------title-29.97-");
  }
  setlocale (LC_ALL, "C");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/identity/v2-vectors", test_v2_vectors);
  g_test_add_func ("/model/identity/v3-vectors", test_v3_vectors);
  g_test_add_func ("/model/identity/url-vectors", test_url_vectors);
  g_test_add_func ("/model/identity/numbers", test_numbers);
  g_test_add_func ("/model/identity/v2-corners", test_v2_corners);
  g_test_add_func ("/model/identity/locale", test_locale);

  return g_test_run ();
}
