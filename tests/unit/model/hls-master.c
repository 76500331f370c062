/* p2phlssrc: tests of the names that a multivariant playlist gives.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "model/hls-master.h"

static P2pM3u8 *
parse (const char *text)
{
  g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));
  g_autoptr (GError) error = NULL;
  P2pM3u8 *playlist = p2p_m3u8_parse (body, &error);

  g_assert_no_error (error);
  g_assert_true (playlist->is_master);

  return playlist;
}

static const P2pHlsDeclared *
find (GPtrArray *streams, const char *uri)
{
  const P2pHlsDeclared *found = NULL;

  for (guint i = 0; i < streams->len; i++) {
    const P2pHlsDeclared *declared = g_ptr_array_index (streams, i);

    if (!g_str_equal (declared->uri, uri))
      continue;
    g_assert_null (found);
    found = declared;
  }

  return found;
}

/* Odd codecs, bitrates beyond a float's 24 bits, fallbacks, characters. The
 * v2 names were made by hls.js 1.7.4 and p2p-media-loader-core 2.3.1, which
 * drop the levels that have none here; v3's by m3u8-parser 7.2.0 and the
 * rules of docs/design/registry.md. */
static const char odd_master[] =
    "#EXTM3U\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"lo\",NAME=\"English\","
    "LANGUAGE=\"en-US\",CHANNELS=\"2\",URI=\"lo.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"hi\",NAME=\" ΣΊΣΥΦΟΣ\","
    "LANGUAGE=\"und\",CHANNELS=\"16/JOC\",URI=\"hi.m3u8\"\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=25000001,CODECS=\"dvh1.05.06,foo1,ec-3\","
    "RESOLUTION=3840x2160,AUDIO=\"hi\"\ndv.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=16777217,AVERAGE-BANDWIDTH=5,"
    "CODECS=\"avc1.66.30, mp4a.40.2\",RESOLUTION=640x360,"
    "FRAME-RATE=29.970,VIDEO-RANGE=SDR,AUDIO=\"lo\"\navc.m3u8\n"
    "#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=700000,"
    "CODECS=\"mp4a.40.5,avc1.100.300\",RESOLUTION=640x360,FRAME-RATE=0,"
    "AUDIO=\"hi\"\naverage.m3u8\n"
    "#EXT-X-STREAM-INF:CODECS=\"HVC1.1.6.L93.B0,hvc1.1.6.L93.B0\","
    "RESOLUTION=640x360\nnone.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=300,CODECS=\"vp09.00.10.08,AVC1.4D401F\"\n"
    "none.m3u8\n";

static void
test_odd_names (void)
{
  static const struct
  {
    const char *uri;
    P2pStreamType type;
    const char *hash_v2; /* NULL: hls.js has no such level */
    const char *hash_v3;
  } expected[] = {
    { "dv.m3u8", P2P_STREAM_MAIN, NULL, "7kZOfmBicV3m7ASNv4fIPqNuG6s=" },
    { "avc.m3u8", P2P_STREAM_MAIN,
        "cDPsVq8W5Uh7FzHznvmDmFLxQrI=", "FMAMskRcD/hGqiCyl3Mngn0skIA=" },
    { "average.m3u8", P2P_STREAM_MAIN,
        "7wYKjbycKdHsuk87RNI/22+PMK0=", "aaO7AY0t//FjuI7msz9l7r0VICo=" },
    { "none.m3u8", P2P_STREAM_MAIN, NULL, "6xSa0Uxzjyz3r8/VSliy41iOFTo=" },
    { "lo.m3u8", P2P_STREAM_SECONDARY,
        "bdjQ1B4N2yrcTDHyU5j7iDGV9sY=", "y+mLJErQd+RWIq+MheH7bcUGAXs=" },
    { "hi.m3u8", P2P_STREAM_SECONDARY,
        "PskUzWr8UYobjfy4zF90JAUeDKw=", "+JlT/T6rWeqRX4sYjmRHKgvqxwA=" },
  };
  g_autoptr (P2pM3u8) master = parse (odd_master);
  g_autoptr (GPtrArray) streams = p2p_hls_declared_streams (master);

  g_assert_cmpuint (streams->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
    const P2pHlsDeclared *declared = find (streams, expected[i].uri);

    g_assert_nonnull (declared);
    g_assert_cmpint (declared->type, ==, expected[i].type);
    g_assert_cmpstr (declared->hash_v3, ==, expected[i].hash_v3);
    if (expected[i].hash_v2 != NULL)
      g_assert_cmpstr (declared->hash_v2, ==, expected[i].hash_v2);
  }
  g_assert_cmpuint (find (streams, "dv.m3u8")->bitrate, ==, 25000001);
}

/* The codecs of audio come from the first variant of the group that has any
 * (v3), or from the first of the group among those that hls.js keeps. */
static void
test_audio_codecs (void)
{
  g_autoptr (P2pM3u8) master = parse (
      "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\",URI=\"a\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.4d401f\",AUDIO=\"a\"\nv1\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=2,CODECS=\"mp4a.40.2\",AUDIO=\"a\"\nv2\n");
  g_autoptr (P2pM3u8) plain = parse (
      "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\",URI=\"a\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv1\n");
  g_autoptr (P2pM3u8) coded = parse (
      "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\",URI=\"a\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"mp4a.40.2\",AUDIO=\"a\"\nv1\n");
  g_autoptr (GPtrArray) streams = p2p_hls_declared_streams (master);
  g_autoptr (GPtrArray) plain_streams = p2p_hls_declared_streams (plain);
  g_autoptr (GPtrArray) coded_streams = p2p_hls_declared_streams (coded);

  g_assert_cmpstr (
      find (streams, "a")->hash_v2, ==, find (plain_streams, "a")->hash_v2);
  g_assert_cmpstr (
      find (streams, "a")->hash_v3, ==, find (coded_streams, "a")->hash_v3);
  g_assert_cmpstr (find (coded_streams, "a")->hash_v2, !=,
      find (plain_streams, "a")->hash_v2);
}

/* Of two renditions of one group and name, the last; no URI twice. */
static void
test_collisions (void)
{
  g_autoptr (P2pM3u8) master = parse (
      "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\",URI=\"1\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\",URI=\"2\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"b\",NAME=\"m\",URI=\"2\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"b\",NAME=\"o\",URI=\"v\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"b\",NAME=\"muxed\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO=\"b\"\nv\n");
  g_autoptr (GPtrArray) streams = p2p_hls_declared_streams (master);

  g_assert_cmpuint (streams->len, ==, 2);
  g_assert_cmpint (find (streams, "v")->type, ==, P2P_STREAM_MAIN);
  g_assert_cmpint (find (streams, "2")->type, ==, P2P_STREAM_SECONDARY);
}

static void
test_excluded (void)
{
  g_autoptr (P2pM3u8) master = parse (
      "#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"n\","
      "URI=\"subtitles\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"x\",NAME=\"n\",URI=\"orphan\"\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\",URI=\"audio\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\",SUBTITLES=\"s\"\nv\n"
      "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"frames\"\n");
  g_autoptr (GPtrArray) uris = p2p_hls_excluded_uris (master);

  g_assert_cmpuint (uris->len, ==, 3);
  g_assert_cmpstr (uris->pdata[0], ==, "subtitles");
  g_assert_cmpstr (uris->pdata[1], ==, "orphan");
  g_assert_cmpstr (uris->pdata[2], ==, "frames");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/hls-master/odd-names", test_odd_names);
  g_test_add_func ("/model/hls-master/audio-codecs", test_audio_codecs);
  g_test_add_func ("/model/hls-master/collisions", test_collisions);
  g_test_add_func ("/model/hls-master/excluded", test_excluded);

  return g_test_run ();
}
