/* p2phlssrc: a small HTTP origin for demonstrations, benchmarks and tests.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "origin.h"
#include "live.h"

#include "soup/contenttype.h"
#include "soup/listener.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* playlists made live from one directory, and how deep they are looked for. */
#define PLAYLISTS_MAX 512
#define DEPTH_MAX 8
/* segments there at once when nobody says how many: a player starts three from
 * the end. */
#define READY_MIN 3
/* milliseconds between the pieces of a response whose rate is limited. */
#define PIECE_MS 20

typedef struct
{
  guint64 size;
  guint64 requests;
  guint64 bytes;
  guint64 complete;
  guint64 partial;
} FileStats;

struct _P2pOrigin
{
  char *directory;
  P2pOriginConfig config;
  SoupServer *server;
  P2pListener *listener;
  char *uri;
  GMainContext *context;
  gint64 start_us;
  gint64 ready_us;       /* media that is there at once */
  GHashTable *playlists; /* path → P2pLivePlaylist */
  GHashTable *published; /* path of a segment → its gint64 end_us */
  GHashTable *files;     /* path → FileStats: paths that exist */
  guint64 requests;
  guint64 bytes;
  guint64 errors;
  guint64 failable; /* requests that @fail_every counts */
};

/* One response under way; lives as long as its message. */
typedef struct
{
  P2pOrigin *origin;
  SoupServerMessage *message;
  FileStats *stats; /* (nullable) */
  GBytes *body;
  gsize sent;
  gboolean partial;
  GSource *source;
} Response;

static void
response_free (gpointer data)
{
  Response *response = data;

  if (response->source != NULL) {
    g_source_destroy (response->source);
    g_source_unref (response->source);
  }
  g_clear_pointer (&response->body, g_bytes_unref);
  g_free (response);
}

static void
wait_ms (Response *response, guint ms, GSourceFunc func)
{
  if (response->source != NULL)
    g_source_unref (response->source);
  response->source = g_timeout_source_new (ms);
  g_source_set_callback (response->source, func, response, NULL);
  g_source_attach (response->source, response->origin->context);
}

/* --- headers ------------------------------------------------------------ */

/* Any page may read everything; nothing is cached, so that what the report
 * counts is what was asked for. */
static void
add_common_headers (SoupMessageHeaders *headers)
{
  soup_message_headers_replace (headers, "Access-Control-Allow-Origin", "*");
  soup_message_headers_replace (headers, "Access-Control-Expose-Headers",
      "Content-Length, Content-Range, Accept-Ranges, Date");
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
}

static void
answer_error (P2pOrigin *origin, SoupServerMessage *message, guint status)
{
  if (status >= 400)
    origin->errors++;
  soup_server_message_set_status (message, status, NULL);
}

static void
answer_preflight (SoupServerMessage *message)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);

  soup_message_headers_replace (
      headers, "Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
  soup_message_headers_replace (headers, "Access-Control-Allow-Headers", "*");
  soup_message_headers_replace (headers, "Access-Control-Max-Age", "86400");
  soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
}

/* --- bodies ------------------------------------------------------------- */

static void
on_wrote (SoupServerMessage *message, guint length, Response *response)
{
  response->origin->bytes += length;
  if (response->stats != NULL)
    response->stats->bytes += length;
}

static void
on_wrote_body (SoupServerMessage *message, Response *response)
{
  if (response->stats == NULL)
    return;
  if (response->partial)
    response->stats->partial++;
  else
    response->stats->complete++;
}

static void
append_piece (Response *response)
{
  SoupMessageBody *body =
      soup_server_message_get_response_body (response->message);
  guint64 bitrate = response->origin->config.max_bitrate;
  gsize left = g_bytes_get_size (response->body) - response->sent;
  gsize length = left;
  g_autoptr (GBytes) piece = NULL;

  if (bitrate > 0)
    length = CLAMP (bitrate / 8 * PIECE_MS / 1000, 1, left);
  piece = g_bytes_new_from_bytes (response->body, response->sent, length);
  soup_message_body_append_bytes (body, piece);
  response->sent += length;
  if (response->sent == g_bytes_get_size (response->body))
    soup_message_body_complete (body);
}

static gboolean
on_piece_due (gpointer user_data)
{
  Response *response = user_data;

  append_piece (response);
  soup_server_message_unpause (response->message);

  return G_SOURCE_REMOVE;
}

static void
on_wrote_chunk (SoupServerMessage *message, Response *response)
{
  if (response->sent == g_bytes_get_size (response->body))
    return;
  soup_server_message_pause (message);
  wait_ms (response, PIECE_MS, on_piece_due);
}

/* Cuts @body to the one range that was asked for. Lists of ranges, and what
 * is not understood, get everything, as RFC 9110 allows. */
static guint
apply_range (SoupServerMessage *message, GBytes **body)
{
  const char *range = soup_message_headers_get_one (
      soup_server_message_get_request_headers (message), "Range");
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);
  guint64 size = g_bytes_get_size (*body);
  guint64 start, end = size - 1;
  char *rest;
  GBytes *part;

  if (range == NULL || !g_str_has_prefix (range, "bytes=")
      || strchr (range, ',') != NULL)
    return SOUP_STATUS_OK;

  range += strlen ("bytes=");
  if (*range == '-') {
    guint64 last = g_ascii_strtoull (range + 1, NULL, 10);

    start = size - MIN (last, size);
  } else {
    start = g_ascii_strtoull (range, &rest, 10);
    if (rest == range || *rest != '-')
      return SOUP_STATUS_OK;
    if (g_ascii_isdigit (rest[1]))
      end = MIN (end, g_ascii_strtoull (rest + 1, NULL, 10));
  }
  if (start >= size || end < start) {
    g_autofree char *text =
        g_strdup_printf ("bytes */%" G_GUINT64_FORMAT, size);

    soup_message_headers_replace (headers, "Content-Range", text);
    return SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE;
  }

  soup_message_headers_set_content_range (headers, start, end, size);
  part = g_bytes_new_from_bytes (*body, start, end - start + 1);
  g_bytes_unref (*body);
  *body = part;

  return SOUP_STATUS_PARTIAL_CONTENT;
}

/* Takes @body. libsoup must not see the Range header: it would cut again. */
static void
answer_body (Response *response, const char *path, GBytes *body)
{
  SoupServerMessage *message = response->message;
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);
  guint status = apply_range (message, &body);

  response->body = body;
  response->partial = status == SOUP_STATUS_PARTIAL_CONTENT;
  soup_message_headers_replace (headers, "Accept-Ranges", "bytes");
  soup_message_headers_remove (
      soup_server_message_get_request_headers (message), "Range");
  if (status >= 400) {
    answer_error (response->origin, message, status);
    return;
  }

  soup_server_message_set_status (message, status, NULL);
  soup_message_headers_set_content_type (
      headers, p2p_content_type (path), NULL);
  soup_message_headers_set_content_length (headers, g_bytes_get_size (body));
  if (soup_server_message_get_method (message) == SOUP_METHOD_HEAD)
    return;

  g_signal_connect (
      message, "wrote-body-data", G_CALLBACK (on_wrote), response);
  g_signal_connect (
      message, "wrote-body", G_CALLBACK (on_wrote_body), response);
  if (g_bytes_get_size (body) == 0)
    return;
  if (response->origin->config.max_bitrate > 0)
    g_signal_connect (
        message, "wrote-chunk", G_CALLBACK (on_wrote_chunk), response);
  soup_message_body_set_accumulate (
      soup_server_message_get_response_body (message), FALSE);
  append_piece (response);
}

static void
answer_text (Response *response, const char *path, char *text)
{
  answer_body (response, path, g_bytes_new_take (text, strlen (text)));
}

/* --- what is there ------------------------------------------------------ */

static gint64
horizon_us (P2pOrigin *origin)
{
  return g_get_monotonic_time () - origin->start_us + origin->ready_us;
}

static FileStats *
stats_for (P2pOrigin *origin, SoupServerMessage *message, const char *path,
    guint64 size)
{
  FileStats *stats = g_hash_table_lookup (origin->files, path);

  if (stats == NULL) {
    stats = g_new0 (FileStats, 1);
    g_hash_table_insert (origin->files, g_strdup (path), stats);
  }
  stats->size = size;
  if (soup_server_message_get_method (message) == SOUP_METHOD_GET)
    stats->requests++;

  return stats;
}

/* A file below the directory. libsoup has decoded the path. */
static char *
file_for (P2pOrigin *origin, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  guint i;

  for (i = 0; parts[i] != NULL; i++) {
    if (strcmp (parts[i], "..") == 0)
      return NULL;
  }

  return g_build_filename (origin->directory, path, NULL);
}

static gboolean
is_before_its_time (P2pOrigin *origin, const char *path)
{
  gint64 *end_us = g_hash_table_lookup (origin->published, path);

  return end_us != NULL && *end_us > horizon_us (origin);
}

static gboolean
shall_fail (P2pOrigin *origin, const char *path)
{
  if (origin->config.fail_every == 0 || g_str_has_suffix (path, ".m3u8"))
    return FALSE;

  return ++origin->failable % origin->config.fail_every == 0;
}

static void
answer_file (Response *response, const char *path)
{
  P2pOrigin *origin = response->origin;
  g_autofree char *file = file_for (origin, path);
  g_autoptr (GMappedFile) mapped = NULL;

  if (file != NULL && g_file_test (file, G_FILE_TEST_IS_REGULAR)
      && !is_before_its_time (origin, path))
    mapped = g_mapped_file_new (file, FALSE, NULL);
  if (mapped == NULL) {
    answer_error (origin, response->message, SOUP_STATUS_NOT_FOUND);
    return;
  }

  response->stats = stats_for (
      origin, response->message, path, g_mapped_file_get_length (mapped));
  if (shall_fail (origin, path))
    answer_error (origin, response->message, origin->config.fail_status);
  else
    answer_body (response, path, g_mapped_file_get_bytes (mapped));
}

static void
answer (Response *response)
{
  P2pOrigin *origin = response->origin;
  const char *path =
      g_uri_get_path (soup_server_message_get_uri (response->message));
  g_autofree char *decoded = g_uri_unescape_string (path, NULL);
  P2pLivePlaylist *playlist =
      decoded != NULL ? g_hash_table_lookup (origin->playlists, decoded) : NULL;

  if (decoded == NULL) {
    answer_error (origin, response->message, SOUP_STATUS_BAD_REQUEST);
  } else if (strcmp (decoded, "/_stats") == 0) {
    answer_text (response, "stats.json", p2p_origin_dup_stats (origin));
  } else if (playlist != NULL) {
    response->stats = stats_for (origin, response->message, decoded, 0);
    answer_text (response, decoded,
        p2p_live_playlist_render (playlist, horizon_us (origin),
            origin->config.window, origin->config.end));
  } else {
    answer_file (response, decoded);
  }
}

static gboolean
on_delay_over (gpointer user_data)
{
  Response *response = user_data;

  answer (response);
  soup_server_message_unpause (response->message);

  return G_SOURCE_REMOVE;
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  P2pOrigin *origin = user_data;
  const char *method = soup_server_message_get_method (message);
  Response *response;

  add_common_headers (soup_server_message_get_response_headers (message));
  if (method == SOUP_METHOD_OPTIONS) {
    answer_preflight (message);
    return;
  }
  if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD) {
    answer_error (origin, message, SOUP_STATUS_METHOD_NOT_ALLOWED);
    return;
  }

  origin->requests++;
  response = g_new0 (Response, 1);
  response->origin = origin;
  response->message = message;
  g_object_set_data_full (
      G_OBJECT (message), "p2p-origin-response", response, response_free);
  if (origin->config.delay_ms == 0) {
    answer (response);
    return;
  }
  soup_server_message_pause (message);
  wait_ms (response, origin->config.delay_ms, on_delay_over);
}

/* --- live playlists ----------------------------------------------------- */

/* Which file a segment's URI means, as a path of ours; %NULL: elsewhere. */
static char *
segment_path (const char *playlist_path, const char *uri)
{
  g_autofree char *base = g_strconcat ("http://origin", playlist_path, NULL);
  g_autoptr (GUri) resolved = NULL;
  g_autoptr (GUri) base_uri = g_uri_parse (base, G_URI_FLAGS_NONE, NULL);

  if (base_uri == NULL)
    return NULL;
  resolved = g_uri_parse_relative (base_uri, uri, G_URI_FLAGS_NONE, NULL);
  if (resolved == NULL || g_strcmp0 (g_uri_get_host (resolved), "origin") != 0)
    return NULL;

  return g_strdup (g_uri_get_path (resolved));
}

static void
add_playlist (P2pOrigin *origin, const char *path, P2pLivePlaylist *playlist)
{
  guint n = p2p_live_playlist_length (playlist), i;

  for (i = 0; i < n; i++) {
    char *segment = segment_path (path, p2p_live_playlist_uri (playlist, i));
    gint64 end_us = p2p_live_playlist_end_us (playlist, i);

    if (segment != NULL && !p2p_live_playlist_is_ranged (playlist, i))
      g_hash_table_replace (
          origin->published, segment, g_memdup2 (&end_us, sizeof end_us));
    else
      g_free (segment);
  }
  i = MIN (origin->config.ready, n);
  origin->ready_us =
      MAX (origin->ready_us, p2p_live_playlist_end_us (playlist, i - 1));
  g_hash_table_replace (origin->playlists, g_strdup (path), playlist);
}

static gboolean
find_playlists (
    P2pOrigin *origin, const char *prefix, guint depth, GError **error)
{
  g_autofree char *path = g_build_filename (origin->directory, prefix, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, error);
  const char *name;

  if (dir == NULL)
    return FALSE;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_strconcat (prefix, "/", name, NULL);
    g_autofree char *file = g_build_filename (path, name, NULL);
    g_autofree char *text = NULL;
    P2pLivePlaylist *playlist;

    if (g_file_test (file, G_FILE_TEST_IS_DIR)) {
      if (depth < DEPTH_MAX
          && !find_playlists (origin, child, depth + 1, error))
        return FALSE;
      continue;
    }
    if (!g_str_has_suffix (name, ".m3u8"))
      continue;
    if (!g_file_get_contents (file, &text, NULL, error))
      return FALSE;
    playlist = p2p_live_playlist_parse (text);
    if (playlist == NULL)
      continue;
    if (g_hash_table_size (origin->playlists) >= PLAYLISTS_MAX) {
      p2p_live_playlist_free (playlist);
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
          "More than %d playlists below %s", PLAYLISTS_MAX, origin->directory);
      return FALSE;
    }
    add_playlist (origin, child, playlist);
  }

  return TRUE;
}

/* --- the origin --------------------------------------------------------- */

static gboolean
set_up (P2pOrigin *origin, GError **error)
{
  const char *address = origin->config.address;

  if (!g_file_test (origin->directory, G_FILE_TEST_IS_DIR)) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR,
        "%s is not a directory", origin->directory);
    return FALSE;
  }
  if (origin->config.ready == 0)
    origin->config.ready = MAX (origin->config.window, READY_MIN);
  if (origin->config.live && !find_playlists (origin, "", 0, error))
    return FALSE;

  origin->server =
      soup_server_new ("server-header", "p2phls-origin/" PACKAGE_VERSION, NULL);
  soup_server_add_handler (origin->server, NULL, on_request, origin, NULL);
  origin->listener = p2p_listener_new (origin->server,
      address != NULL ? address : "127.0.0.1", origin->config.port, error);
  if (origin->listener == NULL)
    return FALSE;

  origin->uri = p2p_listener_get_uri (origin->listener, "http");
  origin->start_us = g_get_monotonic_time ();

  return TRUE;
}

P2pOrigin *
p2p_origin_new (const P2pOriginConfig *config, GError **error)
{
  g_autoptr (P2pOrigin) origin = g_new0 (P2pOrigin, 1);

  origin->config = *config;
  origin->directory = g_strdup (config->directory);
  origin->context = g_main_context_ref_thread_default ();
  origin->playlists = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify) p2p_live_playlist_free);
  origin->published =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  origin->files =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!set_up (origin, error))
    return NULL;
  origin->config.directory = origin->config.address = NULL;

  return g_steal_pointer (&origin);
}

void
p2p_origin_free (P2pOrigin *origin)
{
  g_clear_pointer (&origin->listener, p2p_listener_free);
  if (origin->server != NULL) {
    soup_server_disconnect (origin->server);
    g_object_unref (origin->server);
  }
  g_hash_table_unref (origin->playlists);
  g_hash_table_unref (origin->published);
  g_hash_table_unref (origin->files);
  g_main_context_unref (origin->context);
  g_free (origin->directory);
  g_free (origin->uri);
  g_free (origin);
}

const char *
p2p_origin_get_uri (P2pOrigin *origin)
{
  return origin->uri;
}

static void
add_number (JsonBuilder *builder, const char *name, guint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64) value);
}

static void
add_file (JsonBuilder *builder, const char *path, const FileStats *stats)
{
  json_builder_set_member_name (builder, path);
  json_builder_begin_object (builder);
  add_number (builder, "size", stats->size);
  add_number (builder, "requests", stats->requests);
  add_number (builder, "bytes", stats->bytes);
  add_number (builder, "complete", stats->complete);
  add_number (builder, "partial", stats->partial);
  json_builder_end_object (builder);
}

char *
p2p_origin_dup_stats (P2pOrigin *origin)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GList) paths = g_list_sort (
      g_hash_table_get_keys (origin->files), (GCompareFunc) strcmp);
  GList *link;

  json_builder_begin_object (builder);
  add_number (builder, "uptime_ms",
      (g_get_monotonic_time () - origin->start_us) / 1000);
  add_number (builder, "requests", origin->requests);
  add_number (builder, "bytes", origin->bytes);
  add_number (builder, "errors", origin->errors);
  json_builder_set_member_name (builder, "files");
  json_builder_begin_object (builder);
  for (link = paths; link != NULL; link = link->next)
    add_file (
        builder, link->data, g_hash_table_lookup (origin->files, link->data));
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);

  return json_to_string (root, FALSE);
}
