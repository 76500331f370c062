/* p2phlssrc: tests of the origin: live playlists, files, faults, report.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "origin/live.h"
#include "origin/origin.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>
#include <string.h>

#define SECOND G_USEC_PER_SEC

/* --- playlists ---------------------------------------------------------- */

static const char vod[] = "#EXTM3U\r\n"
                          "#EXT-X-VERSION:6\r\n"
                          "#EXT-X-TARGETDURATION:2\r\n"
                          "#EXT-X-MEDIA-SEQUENCE:10\r\n"
                          "#EXT-X-PLAYLIST-TYPE:VOD\r\n"
                          "#EXT-X-KEY:METHOD=AES-128,URI=\"k1\"\r\n"
                          "#EXT-X-MAP:URI=\"init.mp4\"\r\n"
                          "#EXTINF:2.0,\r\n"
                          "#EXT-X-BYTERANGE:100@50\r\n"
                          "all.mp4\r\n"
                          "#EXTINF:1.5,title\r\n"
                          "#EXT-X-BYTERANGE:30\r\n"
                          "all.mp4\r\n"
                          "#EXT-X-DISCONTINUITY\r\n"
                          "#EXT-X-KEY:METHOD=NONE\r\n"
                          "#EXTINF:2.0,\r\n"
                          "b.mp4\r\n"
                          "#EXT-X-ENDLIST\r\n";

static void
assert_render (const P2pLivePlaylist *playlist, gint64 horizon_us, guint window,
    gboolean end, const char *expected)
{
  g_autofree char *text =
      p2p_live_playlist_render (playlist, horizon_us, window, end);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_render (void)
{
  g_autoptr (P2pLivePlaylist) playlist = p2p_live_playlist_parse (vod);
  g_autofree char *open_ended = NULL;

  g_assert_cmpuint (p2p_live_playlist_length (playlist), ==, 3);
  g_assert_cmpint (p2p_live_playlist_end_us (playlist, 1), ==, 3.5 * SECOND);
  g_assert_true (p2p_live_playlist_is_ranged (playlist, 1));
  g_assert_false (p2p_live_playlist_is_ranged (playlist, 2));

  assert_render (playlist, 3.4 * SECOND, 2, TRUE,
      "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n"
      "#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
      "#EXT-X-KEY:METHOD=AES-128,URI=\"k1\"\n#EXT-X-MAP:URI=\"init.mp4\"\n"
      "#EXTINF:2.0,\n#EXT-X-BYTERANGE:100@50\nall.mp4\n");
  /* Key and map are told again, the range is spelled out. */
  assert_render (playlist, 3.5 * SECOND, 1, TRUE,
      "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n"
      "#EXT-X-MEDIA-SEQUENCE:11\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
      "#EXT-X-KEY:METHOD=AES-128,URI=\"k1\"\n#EXT-X-MAP:URI=\"init.mp4\"\n"
      "#EXTINF:1.5,title\n#EXT-X-BYTERANGE:30@150\nall.mp4\n");
  assert_render (playlist, 6 * SECOND, 1, TRUE,
      "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n"
      "#EXT-X-MEDIA-SEQUENCE:12\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
      "#EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP:URI=\"init.mp4\"\n"
      "#EXT-X-DISCONTINUITY\n#EXTINF:2.0,\nb.mp4\n#EXT-X-ENDLIST\n");
  open_ended = p2p_live_playlist_render (playlist, 6 * SECOND, 0, FALSE);
  g_assert_null (strstr (open_ended, "ENDLIST"));
}

static void
test_not_media (void)
{
  g_assert_null (p2p_live_playlist_parse (""));
  g_assert_null (p2p_live_playlist_parse (
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n"));
  g_assert_null (p2p_live_playlist_parse ("#EXTM3U\n#EXTINF:2,\n"));
}

/* --- over HTTP ---------------------------------------------------------- */

typedef struct
{
  GMainContext *context;
  char *directory;
  P2pOriginConfig config;
  P2pOrigin *origin;
  SoupSession *session;
} Fixture;

typedef struct
{
  guint status;
  GBytes *body;
  SoupMessage *message;
  GError *error;
  gboolean done;
} Answer;

static void
write_file (Fixture *fixture, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (fixture->directory, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);

  g_mkdir_with_parents (parent, 0700);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->context = g_main_context_new ();
  g_main_context_push_thread_default (fixture->context);
  fixture->directory = g_dir_make_tmp ("p2phls-origin-XXXXXX", NULL);
  fixture->config.directory = fixture->directory;
  fixture->session = soup_session_new ();
  write_file (fixture, "a.ts", "0123456789");
  write_file (fixture, "main.m3u8",
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/v.m3u8\n");
  write_file (fixture, "v/v.m3u8",
      "#EXTM3U\n#EXT-X-TARGETDURATION:1000\n#EXTINF:1000,\n0.ts\n"
      "#EXTINF:1000,\n../v/1.ts\n#EXTINF:1000,\n/v/2%20x.ts\n#EXT-X-ENDLIST\n");
  write_file (fixture, "v/0.ts", "zero");
  write_file (fixture, "v/1.ts", "one");
  write_file (fixture, "v/2 x.ts", "two");
}

static void
start_origin (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->origin = p2p_origin_new (&fixture->config, &error);
  g_assert_no_error (error);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);

    remove_tree (child);
  }
  g_remove (path);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  soup_session_abort (fixture->session);
  g_object_unref (fixture->session);
  g_clear_pointer (&fixture->origin, p2p_origin_free);
  while (g_main_context_iteration (fixture->context, FALSE))
    ;
  g_main_context_pop_thread_default (fixture->context);
  g_main_context_unref (fixture->context);
  remove_tree (fixture->directory);
  g_free (fixture->directory);
}

static void
on_read (GObject *session, GAsyncResult *result, gpointer user_data)
{
  Answer *answer = user_data;

  answer->body = soup_session_send_and_read_finish (
      SOUP_SESSION (session), result, &answer->error);
  answer->done = TRUE;
}

static void
answer_clear (Answer *answer)
{
  g_clear_pointer (&answer->body, g_bytes_unref);
  g_clear_object (&answer->message);
  g_clear_error (&answer->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

static void
ask (Fixture *fixture, const char *method, const char *path, const char *range,
    Answer *answer)
{
  g_autofree char *uri =
      g_strconcat (p2p_origin_get_uri (fixture->origin), path, NULL);

  answer_clear (answer);
  memset (answer, 0, sizeof *answer);
  answer->message = soup_message_new (method, uri);
  if (range != NULL)
    soup_message_headers_append (
        soup_message_get_request_headers (answer->message), "Range", range);
  soup_session_send_and_read_async (fixture->session, answer->message,
      G_PRIORITY_DEFAULT, NULL, on_read, answer);
  while (!answer->done)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_no_error (answer->error);
  answer->status = soup_message_get_status (answer->message);
}

static void
assert_answer (Fixture *fixture, const char *path, const char *range,
    guint status, const char *body)
{
  g_auto (Answer) answer = { 0 };

  ask (fixture, "GET", path, range, &answer);
  g_assert_cmpuint (answer.status, ==, status);
  g_assert_cmpmem (g_bytes_get_data (answer.body, NULL),
      g_bytes_get_size (answer.body), body, strlen (body));
}

static void
assert_header (Answer *answer, const char *name, const char *value)
{
  g_assert_cmpstr (
      soup_message_headers_get_one (
          soup_message_get_response_headers (answer->message), name),
      ==, value);
}

static void
test_files (Fixture *fixture, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  start_origin (fixture);
  assert_answer (fixture, "/a.ts", NULL, 200, "0123456789");
  assert_answer (fixture, "/a.ts", "bytes=2-4", 206, "234");
  assert_answer (fixture, "/a.ts", "bytes=8-99", 206, "89");
  assert_answer (fixture, "/a.ts", "bytes=7-", 206, "789");
  assert_answer (fixture, "/a.ts", "bytes=-3", 206, "789");
  assert_answer (fixture, "/a.ts", "bytes=10-", 416, "");
  assert_answer (fixture, "/a.ts", "bytes=4-2", 416, "");
  assert_answer (fixture, "/a.ts", "bytes=0-1,3-4", 200, "0123456789");
  assert_answer (fixture, "/a.ts", "lines=1-2", 200, "0123456789");
  assert_answer (fixture, "/v/2%20x.ts", NULL, 200, "two");
  assert_answer (fixture, "/none.ts", NULL, 404, "");
  assert_answer (fixture, "/v", NULL, 404, "");
  assert_answer (fixture, "/%2e%2e/etc/passwd", NULL, 404, "");

  ask (fixture, "GET", "/a.ts", "bytes=2-4", &answer);
  assert_header (&answer, "Content-Range", "bytes 2-4/10");
  assert_header (&answer, "Content-Type", "video/mp2t");
  assert_header (&answer, "Access-Control-Allow-Origin", "*");
  ask (fixture, "HEAD", "/a.ts", NULL, &answer);
  g_assert_cmpuint (answer.status, ==, 200);
  assert_header (&answer, "Content-Length", "10");
  ask (fixture, "OPTIONS", "/a.ts", NULL, &answer);
  g_assert_cmpuint (answer.status, ==, 204);
  assert_header (&answer, "Access-Control-Allow-Headers", "*");
  ask (fixture, "DELETE", "/a.ts", NULL, &answer);
  g_assert_cmpuint (answer.status, ==, 405);
}

static void
test_live (Fixture *fixture, gconstpointer data)
{
  fixture->config.live = TRUE;
  fixture->config.ready = 2;
  fixture->config.window = 1;
  start_origin (fixture);
  assert_answer (fixture, "/main.m3u8", NULL, 200,
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/v.m3u8\n");
  assert_answer (fixture, "/v/v.m3u8", NULL, 200,
      "#EXTM3U\n#EXT-X-TARGETDURATION:1000\n#EXT-X-MEDIA-SEQUENCE:1\n"
      "#EXTINF:1000,\n../v/1.ts\n");
  assert_answer (fixture, "/v/0.ts", NULL, 200, "zero");
  assert_answer (fixture, "/v/1.ts", NULL, 200, "one");
  assert_answer (fixture, "/v/2%20x.ts", NULL, 404, "");
}

static void
test_report (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *file;

  start_origin (fixture);
  assert_answer (fixture, "/a.ts", NULL, 200, "0123456789");
  assert_answer (fixture, "/a.ts", NULL, 200, "0123456789");
  assert_answer (fixture, "/a.ts", "bytes=0-2", 206, "012");
  assert_answer (fixture, "/none", NULL, 404, "");
  text = p2p_origin_dup_stats (fixture->origin);
  root = json_from_string (text, NULL);
  g_assert_cmpint (
      json_object_get_int_member (json_node_get_object (root), "errors"), ==,
      1);
  file = json_object_get_object_member (
      json_object_get_object_member (json_node_get_object (root), "files"),
      "/a.ts");
  g_assert_cmpint (json_object_get_int_member (file, "size"), ==, 10);
  g_assert_cmpint (json_object_get_int_member (file, "requests"), ==, 3);
  g_assert_cmpint (json_object_get_int_member (file, "bytes"), ==, 23);
  g_assert_cmpint (json_object_get_int_member (file, "complete"), ==, 2);
  g_assert_cmpint (json_object_get_int_member (file, "partial"), ==, 1);
}

static void
test_faults (Fixture *fixture, gconstpointer data)
{
  fixture->config.fail_status = 503;
  fixture->config.fail_every = 2;
  fixture->config.delay_ms = 1;
  fixture->config.max_bitrate = 8 * 200; /* 4 bytes in a piece */
  start_origin (fixture);
  assert_answer (fixture, "/a.ts", NULL, 200, "0123456789");
  assert_answer (fixture, "/a.ts", NULL, 503, "");
  assert_answer (fixture, "/v/v.m3u8", "bytes=0-6", 206, "#EXTM3U");
  assert_answer (fixture, "/a.ts", "bytes=1-9", 206, "123456789");
  assert_answer (fixture, "/a.ts", NULL, 503, "");
}

static void
test_no_directory (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->config.directory = "/nowhere";
  g_assert_null (p2p_origin_new (&fixture->config, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR);
  g_clear_error (&error);
  fixture->config.directory = fixture->directory;
  fixture->config.address = "localhost";
  g_assert_null (p2p_origin_new (&fixture->config, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/origin/render", test_render);
  g_test_add_func ("/tools/origin/not-media", test_not_media);
  g_test_add (
      "/tools/origin/files", Fixture, NULL, set_up, test_files, tear_down);
  g_test_add (
      "/tools/origin/live", Fixture, NULL, set_up, test_live, tear_down);
  g_test_add (
      "/tools/origin/report", Fixture, NULL, set_up, test_report, tear_down);
  g_test_add (
      "/tools/origin/faults", Fixture, NULL, set_up, test_faults, tear_down);
  g_test_add ("/tools/origin/no-directory", Fixture, NULL, set_up,
      test_no_directory, tear_down);

  return g_test_run ();
}
