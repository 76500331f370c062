/* p2phlssrc: tests of the registry.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "model/registry.h"

#include "base/error.h"
#include "base/limits.h"
#include "unit/vectors.h"

#define BASE "https://c/live/"

static P2pStream *
add_redirected (P2pRegistry *registry, const char *request,
    const char *response, const char *text)
{
  g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));
  g_autoptr (GError) error = NULL;
  P2pStream *stream = NULL;

  g_assert_true (p2p_registry_add_playlist (
      registry, request, response, body, &stream, &error));
  g_assert_no_error (error);

  return stream;
}

static P2pStream *
add (P2pRegistry *registry, const char *uri, const char *text)
{
  return add_redirected (registry, uri, uri, text);
}

/* A live playlist of segments "s<number>.ts", 2 s each. */
static char *
live_playlist (gint64 first, guint n)
{
  GString *text = g_string_new ("#EXTM3U\n#EXT-X-TARGETDURATION:2\n");

  g_string_append_printf (
      text, "#EXT-X-MEDIA-SEQUENCE:%" G_GINT64_FORMAT "\n", first);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (
        text, "#EXTINF:2,\ns%" G_GINT64_FORMAT ".ts\n", first + i);

  return g_string_free (text, FALSE);
}

static P2pStream *
add_live (P2pRegistry *registry, gint64 first, guint n)
{
  g_autofree char *text = live_playlist (first, n);

  return add (registry, BASE "i.m3u8", text);
}

static P2pResourceKind
kind_of (P2pRegistry *registry, const char *uri)
{
  return p2p_registry_lookup (registry, uri, &P2P_RANGE_ALL, NULL, NULL);
}

static void
assert_segment (P2pRegistry *registry, const char *uri, const P2pRange *range,
    const P2pStream *stream, gint64 id)
{
  P2pStream *found;
  gint64 found_id;

  g_assert_cmpint (
      p2p_registry_lookup (registry, uri, range, &found, &found_id), ==,
      P2P_RESOURCE_SEGMENT);
  g_assert_true (found == stream);
  g_assert_cmpint (found_id, ==, id);
}

static void
assert_listed (const P2pStream *stream, gint64 first, guint n)
{
  g_assert_cmpuint (stream->segments->len, ==, n);
  for (guint i = 0; i < n; i++) {
    const P2pSegment *segment = g_ptr_array_index (stream->segments, i);

    g_assert_cmpint (segment->id, ==, first + i);
    g_assert_true (p2p_stream_segment (stream, first + i) == segment);
    if (i > 0) {
      const P2pSegment *before = g_ptr_array_index (stream->segments, i - 1);

      g_assert_cmpint (
          segment->start_us, ==, before->start_us + before->duration_us);
    }
  }
  g_assert_null (p2p_stream_segment (stream, first - 1));
  g_assert_null (p2p_stream_segment (stream, first + n));
}

/* --- golden vectors ----------------------------------------------------- */

static P2pStream *
find_stream (P2pRegistry *registry, const char *uri)
{
  GPtrArray *streams = p2p_registry_streams (registry);

  for (guint i = 0; i < streams->len; i++) {
    P2pStream *stream = g_ptr_array_index (streams, i);

    if (g_str_equal (stream->playlist_uri, uri))
      return stream;
  }

  return NULL;
}

static void
check_identity (
    P2pProtocol protocol, const P2pStream *stream, JsonObject *expected)
{
  gboolean v2 = protocol == P2P_PROTOCOL_V2;

  g_assert_cmpint (stream->type, ==,
      g_str_equal (vectors_text (expected, "type"), "main")
          ? P2P_STREAM_MAIN
          : P2P_STREAM_SECONDARY);
  g_assert_cmpstr (v2 ? stream->swarm_id_v2 : stream->swarm_id_v3, ==,
      vectors_text (expected, "stream_swarm_id"));
  g_assert_cmpstr (v2 ? stream->info_hash_v2.text : stream->info_hash_v3.text,
      ==, vectors_text (expected, "info_hash"));
}

static P2pRange
range_from_json (JsonObject *segment)
{
  JsonObject *range;

  if (!json_object_has_member (segment, "byteRange"))
    return P2P_RANGE_ALL;
  range = json_object_get_object_member (segment, "byteRange");

  return (P2pRange){ vectors_int (range, "start", 0),
    vectors_int (range, "end", 0) };
}

static gint64
us_from_json (JsonObject *object, const char *name)
{
  return json_object_get_double_member (object, name) * 1e6 + 0.5;
}

/* The numbers in @segments are too low by @skipped where browsers do not
 * understand EXT-X-SKIP. */
static void
check_segments (P2pRegistry *registry, P2pProtocol protocol,
    const P2pStream *stream, JsonArray *segments, gint64 skipped)
{
  g_assert_cmpuint (
      stream->segments->len, ==, json_array_get_length (segments));
  for (guint i = 0; i < stream->segments->len; i++) {
    JsonObject *expected = json_array_get_object_element (segments, i);
    const P2pSegment *segment = g_ptr_array_index (stream->segments, i);
    P2pRange range = range_from_json (expected);
    gint64 external = vectors_int (expected, "externalId", -1) + skipped;

    g_assert_cmpint (
        p2p_stream_external_id (stream, protocol, segment->id), ==, external);
    g_assert_cmpint (
        p2p_stream_segment_id (stream, protocol, external), ==, segment->id);
    g_assert_cmpstr (segment->uri, ==, vectors_text (expected, "url"));
    g_assert_true (p2p_range_equal (&segment->range, &range));
    g_assert_cmpint (
        segment->start_us, ==, us_from_json (expected, "startTime"));
    if (json_object_has_member (expected, "duration"))
      g_assert_cmpint (
          segment->duration_us, ==, us_from_json (expected, "duration"));
    if (!segment->gap)
      assert_segment (registry, segment->uri, &range, stream, segment->id);
  }
}

static void
check_v3_case (JsonObject *vector)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  JsonObject *expected = json_object_get_object_member (vector, "expected_v3");
  JsonArray *streams = vectors_array (expected, "streams");
  const char *manifest = vectors_text (vector, "manifest");
  P2pStream *media = add (registry, vectors_text (vector, "url"), manifest);

  g_test_message ("%s", vectors_text (vector, "name"));
  g_assert_cmpuint (p2p_registry_streams (registry)->len, ==,
      json_array_get_length (streams));
  for (guint i = 0; i < json_array_get_length (streams); i++) {
    JsonObject *object = json_array_get_object_element (streams, i);
    P2pStream *stream = find_stream (registry, vectors_text (object, "key"));

    g_assert_nonnull (stream);
    g_assert_true (stream->shareable);
    check_identity (P2P_PROTOCOL_V3, stream, object);
    if (!json_object_has_member (object, "segments"))
      continue;
    g_assert_true (stream == media);
    g_assert_cmpint (
        stream->live, ==, json_object_get_boolean_member (expected, "isLive"));
    check_segments (registry, P2P_PROTOCOL_V3, stream,
        json_object_get_array_member (object, "segments"),
        strstr (manifest, "EXT-X-SKIP") != NULL ? 3 : 0);
  }
}

static void
test_v3_vectors (void)
{
  g_autoptr (JsonNode) root = vectors_load ("manifests_v3.json");
  JsonArray *cases = vectors_array (json_node_get_object (root), "cases");
  guint n_hls = 0;

  for (guint i = 0; i < json_array_get_length (cases); i++) {
    JsonObject *vector = json_array_get_object_element (cases, i);

    if (!g_str_equal (vectors_text (vector, "protocol"), "hls"))
      continue;
    check_v3_case (vector);
    n_hls++;
  }
  g_assert_cmpuint (n_hls, ==, 9);
}

/* What the capture loaded as every media playlist of a master. */
static const char vod_from_5[] =
    "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:5\n"
    "#EXTINF:2,\nx5.ts\n#EXTINF:2,\nx6.ts\n#EXT-X-ENDLIST\n";

/* Streams that browsers of v2 have and we do not: audio inside the variant,
 * and renditions that no variant refers to. */
static gboolean
is_left_out (JsonObject *stream)
{
  const char *uri = vectors_text (stream, "runtime_id");

  return *uri == '\0' || g_str_has_suffix (uri, "/orphan.m3u8")
      || g_str_has_suffix (uri, "/if.m3u8");
}

static void
check_v2_case (JsonObject *vector)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  JsonArray *streams = vectors_array (vector, "streams");
  const char *manifest = vectors_text (vector, "manifest");
  P2pStream *media = add (registry, vectors_text (vector, "url"), manifest);

  g_test_message ("%s", vectors_text (vector, "name"));
  for (guint i = 0; i < json_array_get_length (streams); i++) {
    JsonObject *object = json_array_get_object_element (streams, i);
    const char *uri = vectors_text (object, "runtime_id");
    JsonArray *segments = json_object_get_array_member (object, "segments");
    P2pStream *stream = find_stream (registry, uri);

    if (is_left_out (object)) {
      g_assert_null (stream);
      continue;
    }
    g_assert_nonnull (stream);
    check_identity (P2P_PROTOCOL_V2, stream, object);
    /* hls.js passes over a first playlist that is a delta. */
    if (json_array_get_length (segments) == 0)
      continue;
    if (media == NULL)
      g_assert_true (add (registry, uri, vod_from_5) == stream);
    check_segments (registry, P2P_PROTOCOL_V2, stream, segments, 0);
  }
}

static void
test_v2_vectors (void)
{
  g_autoptr (JsonNode) root = vectors_load ("manifests_v2_hlsjs.json");
  JsonArray *cases = vectors_array (json_node_get_object (root), "cases");

  for (guint i = 0; i < json_array_get_length (cases); i++)
    check_v2_case (json_array_get_object_element (cases, i));
}

/* --- lookups ------------------------------------------------------------ */

static const char master[] =
    "#EXTM3U\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",URI=\"a/en.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"en\","
    "URI=\"s/en.m3u8\"\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=1000,RESOLUTION=640x360,AUDIO=\"a\","
    "SUBTITLES=\"s\"\nv/low.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=2000,RESOLUTION=1280x720,AUDIO=\"a\","
    "SUBTITLES=\"s\"\nv/high.m3u8\n"
    "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"v/frames.m3u8\"\n"
    "#EXT-X-SESSION-DATA:DATA-ID=\"t\",URI=\"t.json\"\n";

static void
test_spellings (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add (registry, "HTTPS://C:443/live/sub/i.m3u8?t=1#x",
      "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2,\n../seg/%7ea b.ts?x=1\n"
      "#EXTINF:2,\n//d/e.ts\n#EXTINF:2,\nhttp://d:80/f/./g.ts\n"
      "#EXTINF:2,\n/h\n");
  static const char *const first[] = { "https://c/live/seg/~a%20b.ts?x=1",
    "HTTPS://C:443/live/sub/../seg/%7ea b.ts?x=1",
    "https://c/live/sub/../seg/%7Ea%20b.ts?CMCD=br%3D1&x=1#t",
    "https://c//live/../live/./seg/~a b.ts?x=1" };

  for (guint i = 0; i < 3; i++)
    assert_segment (registry, first[i], &P2P_RANGE_ALL, stream, 7);
  g_assert_cmpint (kind_of (registry, first[3]), ==, P2P_RESOURCE_UNKNOWN);
  assert_segment (registry, "https://d/e.ts", &P2P_RANGE_ALL, stream, 8);
  assert_segment (registry, "http://d/f/g.ts", &P2P_RANGE_ALL, stream, 9);
  assert_segment (registry, "https://c/h", &P2P_RANGE_ALL, stream, 10);
  g_assert_cmpint (kind_of (registry, "https://c/live/seg/~a%20b.ts"), ==,
      P2P_RESOURCE_UNKNOWN);
  g_assert_cmpint (kind_of (registry, "file:///h"), ==, P2P_RESOURCE_UNKNOWN);
  g_assert_cmpstr (stream->swarm_id_v3, ==,
      "v3-HTTPS://C:443/live/sub/i.m3u8-main-UYnLxGhQilEV4D0HbCx+kRv0ZF0=");
}

/* hlsdemux takes "//host/path" for a path on the playlist's host. */
static void
test_network_paths (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream;

  add (registry, "https://c/m.m3u8",
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n//d/v/low.m3u8\n");
  stream = find_stream (registry, "https://d/v/low.m3u8");
  g_assert_nonnull (stream);
  g_assert_true (add (registry, "https://c//d/v/low.m3u8",
                     "#EXTM3U\n#EXT-X-MAP:URI=\"//e/i.mp4\"\n#EXTINF:2,\n"
                     "//e/s.m4s\n#EXTINF:2,\n#EXT-X-BYTERANGE:5@6\n"
                     "//e/t.m4s\n#EXTINF:2,\nu.m4s\n")
      == stream);
  g_assert_cmpint (
      kind_of (registry, "https://c//d/v/low.m3u8"), ==, P2P_RESOURCE_PLAYLIST);
  assert_segment (registry, "https://e/s.m4s", &P2P_RANGE_ALL, stream, 0);
  assert_segment (registry, "https://c//e/s.m4s", &P2P_RANGE_ALL, stream, 0);
  assert_segment (
      registry, "https://c//e/t.m4s", &(P2pRange){ 6, 10 }, stream, 1);
  assert_segment (registry, "https://c//d/v/u.m4s", &P2P_RANGE_ALL, stream, 2);
  g_assert_cmpint (
      kind_of (registry, "https://c//e/i.mp4"), ==, P2P_RESOURCE_OTHER);
  g_assert_cmpint (
      kind_of (registry, "https://c//e/x.m4s"), ==, P2P_RESOURCE_UNKNOWN);
}

static void
test_ranges (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add (registry, BASE "i.m3u8",
      "#EXTM3U\n#EXT-X-MAP:URI=\"m.mp4\",BYTERANGE=\"600@0\"\n#EXTINF:6,\n"
      "#EXT-X-BYTERANGE:1000@600\nm.mp4\n#EXTINF:6,\n#EXT-X-BYTERANGE:5\n"
      "m.mp4\n#EXT-X-ENDLIST\n");
  const char *uri = BASE "m.mp4";

  assert_segment (registry, uri, &(P2pRange){ 600, 1599 }, stream, 0);
  assert_segment (registry, uri, &(P2pRange){ 1600, 1604 }, stream, 1);
  g_assert_cmpint (
      p2p_registry_lookup (registry, uri, &(P2pRange){ 0, 599 }, NULL, NULL),
      ==, P2P_RESOURCE_OTHER);
  g_assert_cmpint (
      p2p_registry_lookup (registry, uri, &(P2pRange){ 0, 600 }, NULL, NULL),
      ==, P2P_RESOURCE_UNKNOWN);
  g_assert_cmpint (kind_of (registry, uri), ==, P2P_RESOURCE_UNKNOWN);
}

static void
test_kinds (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *audio;

  g_assert_true (p2p_registry_is_empty (registry));
  g_assert_null (add (registry, "https://c/m.m3u8", master));
  g_assert_false (p2p_registry_is_empty (registry));
  g_assert_cmpuint (p2p_registry_streams (registry)->len, ==, 3);
  g_assert_cmpint (
      kind_of (registry, "https://c/m.m3u8"), ==, P2P_RESOURCE_PLAYLIST);
  g_assert_cmpint (
      kind_of (registry, "https://c/s/en.m3u8"), ==, P2P_RESOURCE_PLAYLIST);
  g_assert_cmpint (
      kind_of (registry, "https://c/t.json"), ==, P2P_RESOURCE_OTHER);

  audio = add (registry, "https://c/a/en.m3u8",
      "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"../k\"\n"
      "#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:2,\na0.mp4\n#EXT-X-GAP\n#EXTINF:2,\n"
      "a1.mp4\n#EXT-X-PART:DURATION=1,URI=\"a2.0.mp4\"\n");
  g_assert_cmpint (audio->type, ==, P2P_STREAM_SECONDARY);
  assert_segment (registry, "https://c/a/a0.mp4", &P2P_RANGE_ALL, audio, 0);
  g_assert_cmpint (kind_of (registry, "https://c/a/a1.mp4"), ==,
      P2P_RESOURCE_SEGMENT_UNSHARED);
  g_assert_cmpint (
      kind_of (registry, "https://c/a/../k"), ==, P2P_RESOURCE_OTHER);
  g_assert_cmpint (
      kind_of (registry, "https://c/a/i.mp4"), ==, P2P_RESOURCE_OTHER);
  g_assert_cmpint (
      kind_of (registry, "https://c/a/a2.0.mp4"), ==, P2P_RESOURCE_OTHER);

  g_assert_null (
      add (registry, "https://c/s/en.m3u8", "#EXTM3U\n#EXTINF:2,\ns0.vtt\n"));
  g_assert_cmpint (kind_of (registry, "https://c/s/s0.vtt"), ==,
      P2P_RESOURCE_SEGMENT_UNSHARED);
  g_assert_null (add (registry, "https://c/v/frames.m3u8",
      "#EXTM3U\n#EXT-X-I-FRAMES-ONLY\n#EXTINF:2,\nf0.ts\n"));
  g_assert_cmpint (kind_of (registry, "https://c/v/f0.ts"), ==,
      P2P_RESOURCE_SEGMENT_UNSHARED);
  g_assert_cmpuint (p2p_registry_streams (registry)->len, ==, 3);
}

static void
test_repeated_uri (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add (registry, BASE "i.m3u8",
      "#EXTM3U\n#EXTINF:2,\nad.ts\n#EXTINF:2,\nb.ts\n#EXTINF:2,\nad.ts\n");

  assert_segment (registry, BASE "ad.ts", &P2P_RANGE_ALL, stream, 0);
  add (registry, BASE "i.m3u8",
      "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:2,\nb.ts\n"
      "#EXTINF:2,\nad.ts\n#EXTINF:2,\nc.ts\n");
  assert_segment (registry, BASE "ad.ts", &P2P_RANGE_ALL, stream, 2);
}

/* --- redirects ---------------------------------------------------------- */

static void
test_redirect (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream;
  P2pStream *again;

  add_redirected (
      registry, "https://c/m.m3u8?u=1", "https://e/x/m.m3u8?s=2", master);
  stream = find_stream (registry, "https://e/x/v/low.m3u8");
  g_assert_nonnull (stream);
  g_assert_true (
      g_str_has_prefix (stream->swarm_id_v3, "v3-https://c/m.m3u8-main-"));
  g_assert_true (
      g_str_has_prefix (stream->swarm_id_v2, "v2-https://e/x/m.m3u8-main-"));

  /* By the URL that a naive player makes, and redirected once more. */
  again = add_redirected (registry, "https://c/v/low.m3u8",
      "https://f/y/low.m3u8", "#EXTM3U\n#EXTINF:2,\ns.ts\n");
  g_assert_true (again == stream);
  assert_segment (registry, "https://f/y/s.ts", &P2P_RANGE_ALL, stream, 0);
  assert_segment (registry, "https://c/v/s.ts", &P2P_RANGE_ALL, stream, 0);
  g_assert_true (
      add (registry, "https://f/y/low.m3u8", "#EXTM3U\n#EXTINF:2,\ns.ts\n")
      == stream);

  /* Demuxers reload a multivariant playlist from where they found it. */
  g_assert_null (add (registry, "https://e/x/m.m3u8?s=2", master));
  g_assert_cmpuint (p2p_registry_streams (registry)->len, ==, 3);
}

static void
test_playlist_by_path (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream;

  add (registry, "https://c/m.m3u8", master);
  stream = find_stream (registry, "https://c/v/low.m3u8");
  g_assert_true (add (registry, "https://c/v/low.m3u8?token=5",
                     "#EXTM3U\n#EXTINF:2,\ns.ts\n")
      == stream);
  /* Subtitles stay unshared under a token, too. */
  g_assert_nonnull (
      add (registry, "https://c/other.m3u8", "#EXTM3U\n#EXTINF:2,\no.ts\n"));
  g_assert_cmpuint (p2p_registry_streams (registry)->len, ==, 4);
}

static void
test_reloaded_master (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  g_autofree char *more = g_strconcat (master,
      "#EXT-X-STREAM-INF:BANDWIDTH=3000,RESOLUTION=1280x720\nv/top.m3u8\n",
      NULL);
  g_autofree char *name = NULL;
  P2pStream *high;

  add (registry, "https://c/m.m3u8", master);
  high = find_stream (registry, "https://c/v/high.m3u8");
  name = g_strdup (high->swarm_id_v3);
  add (registry, "https://c/m.m3u8", more);
  g_assert_cmpuint (p2p_registry_streams (registry)->len, ==, 4);
  g_assert_true (find_stream (registry, "https://c/v/high.m3u8") == high);
  /* Names are for ever, though both would now need their bitrate. */
  g_assert_cmpstr (high->swarm_id_v3, ==, name);
}

/* A demuxer that has a choice may leave a stream that comes slowly, and one that
 * changes tracks has nothing of the new one. */
static void
test_variants (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);

  add (registry, "https://c/m.m3u8",
      "#EXTM3U\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",URI=\"a.m3u8\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=3000,AUDIO=\"a\"\nhigh.m3u8\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1000,AUDIO=\"a\"\nlow.m3u8\n");
  add (registry, "https://c/other.m3u8",
      "#EXTM3U\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",URI=\"oa.m3u8\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1500,AUDIO=\"a\"\no.m3u8\n");
  add (registry, "https://c/single.m3u8",
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1500\none.m3u8\n");
  g_assert_true (find_stream (registry, "https://c/low.m3u8")->has_variants);
  g_assert_true (find_stream (registry, "https://c/high.m3u8")->has_variants);
  g_assert_true (find_stream (registry, "https://c/oa.m3u8")->has_variants);
  g_assert_false (find_stream (registry, "https://c/one.m3u8")->has_variants);
}

static void
test_next_bitrate (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *low, *high;

  add (registry, "https://c/m.m3u8",
      "#EXTM3U\n"
      "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",URI=\"a.m3u8\"\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=3000,AUDIO=\"a\"\nhigh.m3u8\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1000,AUDIO=\"a\"\nlow.m3u8\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=2000,AUDIO=\"a\"\nmiddle.m3u8\n");
  add (registry, "https://c/other.m3u8",
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1500\no.m3u8\n");
  low = find_stream (registry, "https://c/low.m3u8");
  high = find_stream (registry, "https://c/high.m3u8");
  g_assert_cmpuint (p2p_registry_next_bitrate (registry, low, 1000), ==, 2000);
  g_assert_cmpuint (p2p_registry_next_bitrate (registry, low, 2500), ==, 3000);
  g_assert_cmpuint (p2p_registry_next_bitrate (registry, high, 3000), ==, 0);
  g_assert_cmpuint (p2p_registry_next_bitrate (registry,
                        find_stream (registry, "https://c/a.m3u8"), 0),
      ==, 0);
}

static void
test_user_swarm_id (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new ("my stream");
  P2pStream *first;
  P2pStream *second;

  add (registry, "https://c/m.m3u8", master);
  g_assert_true (g_str_has_prefix (
      find_stream (registry, "https://c/v/low.m3u8")->swarm_id_v2,
      "v2-my stream-main-"));

  /* Two playlists without a name of their own. */
  first = add (registry, "https://c/1.m3u8", "#EXTM3U\n#EXTINF:2,\n1.ts\n");
  g_assert_true (first->shareable);
  second = add (registry, "https://c/2.m3u8", "#EXTM3U\n#EXTINF:2,\n2.ts\n");
  g_assert_false (first->shareable);
  g_assert_false (second->shareable);
  g_assert_cmpint (
      kind_of (registry, "https://c/1.ts"), ==, P2P_RESOURCE_SEGMENT_UNSHARED);
}

/* Redundant streams have one name: one of them is shared. */
static void
test_redundant (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);

  add (registry, "https://c/m.m3u8",
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\na.m3u8\n"
      "#EXT-X-STREAM-INF:BANDWIDTH=1000\nhttps://d/a.m3u8\n");
  g_assert_true (find_stream (registry, "https://c/a.m3u8")->shareable);
  g_assert_false (find_stream (registry, "https://d/a.m3u8")->shareable);
}

/* --- refreshes ---------------------------------------------------------- */

static void
test_sliding (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add_live (registry, 100, 6);
  const P2pSegment *kept = p2p_stream_segment (stream, 103);

  g_assert_true (stream->live);
  g_assert_cmpint (stream->target_duration_us, ==, 2000000);
  assert_listed (stream, 100, 6);
  g_assert_true (add_live (registry, 102, 6) == stream);
  assert_listed (stream, 102, 6);
  g_assert_true (p2p_stream_segment (stream, 103) == kept);
  g_assert_cmpint (kept->start_us, ==, 6000000);
  assert_segment (registry, BASE "s107.ts", &P2P_RANGE_ALL, stream, 107);
  g_assert_cmpint (
      kind_of (registry, BASE "s100.ts"), ==, P2P_RESOURCE_SEGMENT_UNSHARED);
  g_assert_cmpint (
      p2p_stream_external_id (stream, P2P_PROTOCOL_V2, 107), ==, 107);
}

static void
test_departed_bound (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  g_autofree char *old = NULL;
  g_autofree char *older = NULL;

  for (gint64 first = 0; first < 300; first++)
    add_live (registry, first, 6);
  old = g_strdup_printf (BASE "s%d.ts", 299 - P2P_LISTING_MAX_DEPARTED);
  older = g_strdup_printf (BASE "s%d.ts", 298 - P2P_LISTING_MAX_DEPARTED);
  g_assert_cmpint (kind_of (registry, old), ==, P2P_RESOURCE_SEGMENT_UNSHARED);
  g_assert_cmpint (kind_of (registry, older), ==, P2P_RESOURCE_UNKNOWN);
}

static void
test_jump (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add_live (registry, 100, 6);

  add_live (registry, 110, 6);
  assert_listed (stream, 110, 6);
  g_assert_cmpint (p2p_stream_segment (stream, 110)->start_us, ==, 20000000);
}

static void
test_stale (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add_live (registry, 100, 6);

  add_live (registry, 103, 6);
  add_live (registry, 102, 6);
  assert_listed (stream, 103, 6);
  add (registry, BASE "i.m3u8", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:109\n");
  assert_listed (stream, 103, 6);
  g_assert_cmpint (p2p_stream_segment (stream, 103)->start_us, ==, 6000000);
}

/* More of the past than before, as when a window grows. */
static void
test_growing_backwards (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add_live (registry, 100, 3);

  add_live (registry, 98, 6);
  assert_listed (stream, 98, 6);
  g_assert_cmpint (p2p_stream_segment (stream, 100)->start_us, ==, 0);
  g_assert_cmpint (p2p_stream_segment (stream, 98)->start_us, ==, -4000000);
}

static void
test_restart (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add_live (registry, 100, 6);
  const P2pSegment *first;

  g_assert_true (add_live (registry, 0, 6) == stream);
  first = g_ptr_array_index (stream->segments, 0);
  /* An id that no stored segment has, and numbers as others see them. */
  g_assert_cmpint (first->id, >, 105);
  assert_listed (stream, first->id, 6);
  g_assert_cmpint (
      p2p_stream_external_id (stream, P2P_PROTOCOL_V3, first->id), ==, 0);
  g_assert_cmpint (
      p2p_stream_segment_id (stream, P2P_PROTOCOL_V2, 5), ==, first->id + 5);
  g_assert_cmpint (p2p_stream_external_id (stream, P2P_PROTOCOL_V3, 105), <, 0);
  assert_segment (
      registry, BASE "s3.ts", &P2P_RANGE_ALL, stream, first->id + 3);
  g_assert_cmpint (
      kind_of (registry, BASE "s100.ts"), ==, P2P_RESOURCE_UNKNOWN);

  add_live (registry, 2, 6);
  g_assert_cmpint (p2p_stream_external_id (stream, P2P_PROTOCOL_V3,
                       ((P2pSegment *) stream->segments->pdata[0])->id),
      ==, 2);
}

/* The same numbers for other files. */
static void
test_renamed (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add_live (registry, 0, 2);

  add (registry, BASE "i.m3u8",
      "#EXTM3U\n#EXTINF:2,\nnew-0.ts\n#EXTINF:2,\nnew-1.ts\n");
  g_assert_cmpint (((P2pSegment *) stream->segments->pdata[0])->id, >, 1);
  g_assert_cmpint (kind_of (registry, BASE "s1.ts"), ==, P2P_RESOURCE_UNKNOWN);
}

/* A token that changes with every refresh; the old URL still means the
 * segment. */
static void
test_tokens (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add (registry, BASE "i.m3u8",
      "#EXTM3U\n#EXTINF:2,\nt1/a.ts?t=1\n#EXTINF:2,\nt1/b.ts?t=1\n");

  add (registry, BASE "i.m3u8",
      "#EXTM3U\n#EXTINF:2,\nt2/a.ts?t=2\n#EXTINF:2,\nt2/b.ts?t=2\n");
  assert_listed (stream, 0, 2);
  assert_segment (registry, BASE "t2/b.ts?t=2", &P2P_RANGE_ALL, stream, 1);
  assert_segment (registry, BASE "t1/b.ts?t=1", &P2P_RANGE_ALL, stream, 1);
}

static void
test_skip (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add_live (registry, 100, 6);

  add (registry, BASE "i.m3u8",
      "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:102\n"
      "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXTINF:2,\ns105.ts\n"
      "#EXTINF:2,\ns106.ts\n");
  assert_listed (stream, 102, 5);
  assert_segment (registry, BASE "s103.ts", &P2P_RANGE_ALL, stream, 103);
  assert_segment (registry, BASE "s106.ts", &P2P_RANGE_ALL, stream, 106);

  /* More is skipped than is known. */
  add (registry, BASE "i.m3u8",
      "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:103\n"
      "#EXT-X-SKIP:SKIPPED-SEGMENTS=10\n#EXTINF:2,\ns113.ts\n");
  assert_listed (stream, 113, 1);
}

static void
test_ends (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add_live (registry, 100, 6);
  g_autofree char *text = live_playlist (100, 6);
  g_autofree char *ended = g_strconcat (text, "#EXT-X-ENDLIST\n", NULL);
  g_autoptr (P2pRegistry) late = p2p_registry_new (NULL);

  add (registry, BASE "i.m3u8", ended);
  g_assert_false (stream->live);
  g_assert_cmpint (
      p2p_stream_external_id (stream, P2P_PROTOCOL_V2, 103), ==, 103);

  stream = add (late, BASE "i.m3u8", ended);
  g_assert_cmpint (
      p2p_stream_external_id (stream, P2P_PROTOCOL_V2, 103), ==, 3);
  g_assert_cmpint (p2p_stream_segment_id (stream, P2P_PROTOCOL_V2, 3), ==, 103);
  g_assert_cmpint (
      p2p_stream_external_id (stream, P2P_PROTOCOL_V3, 103), ==, 103);
}

/* --- bounds and strangers ----------------------------------------------- */

static void
test_hostile_numbers (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = NULL;

  for (guint i = 0; i < 5000; i++) {
    gint64 first = i % 2 == 0 ? G_GINT64_CONSTANT (1) << 52 : 0;

    stream = add_live (registry, first, 2);
    g_assert_cmpuint (stream->segments->len, ==, 2);
  }
  g_assert_false (stream->shareable);
  g_assert_cmpint (
      p2p_stream_segment_id (stream, P2P_PROTOCOL_V3, G_MAXINT64), <, 0);
  g_assert_null (p2p_stream_segment (stream, G_MININT64));
  g_assert_null (p2p_stream_segment (stream, G_MAXINT64));
}

static void
test_presentations_bound (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *first = add_live (registry, 100, 6);

  for (guint i = 0; i < P2P_REGISTRY_MAX_PRESENTATIONS; i++) {
    g_autofree char *uri = g_strdup_printf ("https://c/%u/i.m3u8", i);

    add (registry, uri, "#EXTM3U\n#EXTINF:2,\ns.ts\n");
  }
  g_assert_cmpuint (first->segments->len, ==, 0);
  g_assert_cmpint (
      kind_of (registry, BASE "s100.ts"), ==, P2P_RESOURCE_UNKNOWN);
  g_assert_cmpint (
      kind_of (registry, "https://c/31/s.ts"), ==, P2P_RESOURCE_SEGMENT);
  g_assert_true (add_live (registry, 101, 6) == first);
  assert_listed (first, 101, 6);
}

static void
test_streams_bound (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  g_autoptr (GBytes) body = g_bytes_new_static ("#EXTM3U\na\n", 10);
  g_autoptr (GError) error = NULL;
  P2pStream *stream;

  for (guint i = 0; i < P2P_REGISTRY_MAX_STREAMS; i++) {
    g_autofree char *uri = g_strdup_printf ("https://c/%u/i.m3u8", i);

    g_assert_true (
        p2p_registry_add_playlist (registry, uri, uri, body, NULL, NULL));
  }
  g_assert_false (p2p_registry_add_playlist (
      registry, "https://c/i.m3u8", "https://c/i.m3u8", body, &stream, &error));
  g_assert_error (error, P2P_FORMAT_ERROR, P2P_FORMAT_ERROR_LIMIT);
  g_assert_null (stream);
}

static void
test_others_bound (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  guint n = P2P_REGISTRY_MAX_OTHERS;

  for (guint i = 0; i <= n; i++) {
    g_autofree char *text = g_strdup_printf (
        "#EXTM3U\n#EXT-X-MAP:URI=\"init\"\n#EXT-X-KEY:METHOD=AES-128,"
        "URI=\"k%u\"\n#EXTINF:2,\ns\n",
        i);

    add (registry, BASE "i.m3u8", text);
  }
  g_assert_cmpint (kind_of (registry, BASE "init"), ==, P2P_RESOURCE_OTHER);
  g_assert_cmpint (kind_of (registry, BASE "k0"), ==, P2P_RESOURCE_UNKNOWN);
  g_assert_cmpint (kind_of (registry, BASE "k4096"), ==, P2P_RESOURCE_OTHER);
}

static void
test_unreadable (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  g_autoptr (GBytes) html = g_bytes_new_static ("<html>", 6);
  g_autoptr (GBytes) good = g_bytes_new_static ("#EXTM3U\na\n", 10);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) uri_error = NULL;

  g_assert_false (p2p_registry_add_playlist (
      registry, BASE "i.m3u8", BASE "i.m3u8", html, NULL, &error));
  g_assert_error (error, P2P_FORMAT_ERROR, P2P_FORMAT_ERROR_SYNTAX);
  g_assert_false (p2p_registry_add_playlist (
      registry, "file:///i.m3u8", "file:///i.m3u8", good, NULL, &uri_error));
  g_assert_error (uri_error, P2P_FORMAT_ERROR, P2P_FORMAT_ERROR_UNSUPPORTED);
  g_assert_true (p2p_registry_is_empty (registry));
}

/* Encrypted media with keys elsewhere, segments that are no http. */
static void
test_foreign_uris (void)
{
  g_autoptr (P2pRegistry) registry = p2p_registry_new (NULL);
  P2pStream *stream = add (registry, BASE "i.m3u8",
      "#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://k\"\n#EXTINF:2,\n"
      "data:video/mp2t;base64,AAAA\n#EXTINF:2,\nb.ts\n");
  const P2pSegment *segment = p2p_stream_segment (stream, 0);

  g_assert_true (segment->gap);
  g_assert_cmpstr (segment->uri, ==, "");
  assert_segment (registry, BASE "b.ts", &P2P_RANGE_ALL, stream, 1);
  g_assert_true (add (registry, BASE "i.m3u8",
                     "#EXTM3U\n#EXTINF:2,\ndata:video/mp2t;base64,AAAA\n"
                     "#EXTINF:2,\nb.ts\n#EXTINF:2,\nc.ts\n")
      == stream);
  g_assert_true (p2p_stream_segment (stream, 0) == segment);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/registry/v3-vectors", test_v3_vectors);
  g_test_add_func ("/model/registry/v2-vectors", test_v2_vectors);
  g_test_add_func ("/model/registry/spellings", test_spellings);
  g_test_add_func ("/model/registry/network-paths", test_network_paths);
  g_test_add_func ("/model/registry/ranges", test_ranges);
  g_test_add_func ("/model/registry/kinds", test_kinds);
  g_test_add_func ("/model/registry/repeated-uri", test_repeated_uri);
  g_test_add_func ("/model/registry/redirect", test_redirect);
  g_test_add_func ("/model/registry/playlist-by-path", test_playlist_by_path);
  g_test_add_func ("/model/registry/reloaded-master", test_reloaded_master);
  g_test_add_func ("/model/registry/variants", test_variants);
  g_test_add_func ("/model/registry/next-bitrate", test_next_bitrate);
  g_test_add_func ("/model/registry/user-swarm-id", test_user_swarm_id);
  g_test_add_func ("/model/registry/redundant", test_redundant);
  g_test_add_func ("/model/registry/sliding", test_sliding);
  g_test_add_func ("/model/registry/departed-bound", test_departed_bound);
  g_test_add_func ("/model/registry/jump", test_jump);
  g_test_add_func ("/model/registry/stale", test_stale);
  g_test_add_func ("/model/registry/growing-backwards", test_growing_backwards);
  g_test_add_func ("/model/registry/restart", test_restart);
  g_test_add_func ("/model/registry/renamed", test_renamed);
  g_test_add_func ("/model/registry/tokens", test_tokens);
  g_test_add_func ("/model/registry/skip", test_skip);
  g_test_add_func ("/model/registry/ends", test_ends);
  g_test_add_func ("/model/registry/hostile-numbers", test_hostile_numbers);
  g_test_add_func (
      "/model/registry/presentations-bound", test_presentations_bound);
  g_test_add_func ("/model/registry/streams-bound", test_streams_bound);
  g_test_add_func ("/model/registry/others-bound", test_others_bound);
  g_test_add_func ("/model/registry/unreadable", test_unreadable);
  g_test_add_func ("/model/registry/foreign-uris", test_foreign_uris);

  return g_test_run ();
}
