/* p2phlssrc: tests of what media playlists list. Refreshes are tested through
 * the registry; here is what needs several listings or odd states.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "model/listing.h"

#include "base/limits.h"

#define URL "https://c/i.m3u8"

typedef struct
{
  P2pUrlIndex *index;
  P2pListing listings[2];
  guint64 reads;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->index = p2p_url_index_new ();
  p2p_listing_init (&fixture->listings[0], fixture->index);
  p2p_listing_init (&fixture->listings[1], fixture->index);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  p2p_listing_clear (&fixture->listings[0]);
  p2p_listing_clear (&fixture->listings[1]);
  g_assert_cmpuint (g_hash_table_size (fixture->index), ==, 0);
  g_hash_table_unref (fixture->index);
}

static void
update (Fixture *fixture, guint which, const char *text)
{
  g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));
  g_autoptr (P2pM3u8) playlist = p2p_m3u8_parse (body, NULL);

  g_assert_nonnull (playlist);
  fixture->listings[which].last_read = ++fixture->reads;
  p2p_listing_update (&fixture->listings[which], playlist, URL, URL);
}

/* Which listing and id a URL stands for; -1: none. */
static void
assert_found (Fixture *fixture, const char *uri, guint which, gint64 id)
{
  P2pListing *listing;
  const P2pSegment *segment;
  const P2pUrlEntry *entry;
  P2pUrlEntry probe;

  p2p_url_entry_init (&probe, uri, &P2P_RANGE_ALL, NULL);
  entry = p2p_url_index_find (fixture->index, &probe);
  g_assert_nonnull (entry);
  segment = p2p_listing_segment_of (entry, &listing);
  g_assert_cmpint (segment != NULL ? segment->id : -1, ==, id);
  if (segment != NULL)
    g_assert_true (listing == &fixture->listings[which]);
}

/* Two playlists with the same segments: the one read last is played. */
static void
test_shared_urls (Fixture *fixture, gconstpointer data)
{
  static const char a[] = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:5\n#EXTINF:1,\ns\n";
  static const char b[] = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:9\n#EXTINF:1,\ns\n";

  update (fixture, 0, a);
  assert_found (fixture, "https://c/s", 0, 5);
  update (fixture, 1, b);
  assert_found (fixture, "https://c/s", 1, 9);
  update (fixture, 0, a);
  assert_found (fixture, "https://c/s", 0, 5);
  p2p_listing_forget (&fixture->listings[0]);
  assert_found (fixture, "https://c/s", 1, 9);
}

/* An advertisement that comes again and again, while the window moves. */
static void
test_repeated (Fixture *fixture, gconstpointer data)
{
  for (gint64 first = 0; first < 200; first++) {
    g_autoptr (GString) text = g_string_new ("#EXTM3U\n");
    gint64 expected = first + (3 - first % 3) % 3;

    g_string_append_printf (
        text, "#EXT-X-MEDIA-SEQUENCE:%" G_GINT64_FORMAT "\n", first);
    for (gint64 id = first; id < first + 30; id++) {
      if (id % 3 == 0)
        g_string_append (text, "#EXTINF:1,\nad\n");
      else
        g_string_append_printf (
            text, "#EXTINF:1,\ns%" G_GINT64_FORMAT "\n", id);
    }
    update (fixture, 0, text->str);
    assert_found (fixture, "https://c/ad", 0, expected);
  }
}

/* A day of one URL: nothing may take a walk through it. */
static void
test_one_url (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new ("#EXTM3U\n");

  for (guint i = 0; i < P2P_PLAYLIST_MAX_SEGMENTS; i++)
    g_string_append (text, "s\n");
  update (fixture, 0, text->str);
  assert_found (fixture, "https://c/s", 0, 0);
  g_string_insert (text, 8, "#EXT-X-MEDIA-SEQUENCE:7\n");
  update (fixture, 0, text->str);
  assert_found (fixture, "https://c/s", 0, 7);
}

static void
test_gaps (Fixture *fixture, gconstpointer data)
{
  update (fixture, 0, "#EXTM3U\n#EXT-X-GAP\n#EXTINF:1,\na\n#EXTINF:1,\nb\n");
  assert_found (fixture, "https://c/a", 0, -1);
  assert_found (fixture, "https://c/b", 0, 1);
  /* It has come after all. */
  update (fixture, 0, "#EXTM3U\n#EXTINF:1,\na\n#EXTINF:1,\nb\n");
  assert_found (fixture, "https://c/a", 0, 0);
}

/* A refresh that was read as a delta after everything was forgotten. */
static void
test_delta_alone (Fixture *fixture, gconstpointer data)
{
  update (fixture, 0,
      "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:50\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n"
      "#EXTINF:1,\nx\n");
  assert_found (fixture, "https://c/x", 0, 53);
  p2p_listing_forget (&fixture->listings[0]);
  g_assert_cmpuint (fixture->listings[0].stream.segments->len, ==, 0);
}

#define ADD(name, func) \
  g_test_add ("/model/listing/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("shared-urls", test_shared_urls);
  ADD ("repeated", test_repeated);
  ADD ("one-url", test_one_url);
  ADD ("gaps", test_gaps);
  ADD ("delta-alone", test_delta_alone);

  return g_test_run ();
}
