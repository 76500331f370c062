/* p2phlssrc: one case, played with souphttpsrc and with p2phlssrc.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "parity.h"

#include <gst/check/gstcheck.h>

#include <string.h>

/* What both say in words of their own. */
static const struct
{
  const char *soup;
  const char *ours;
} sentences[] = {
  { "Server does not support seeking.",
      "The server does not support seeking." },
  { "Error parsing URL.", "Cannot read this URL." },
};

G_GNUC_PRINTF (3, 4)
static void
add_line (GString *report, const char *name, const char *format, ...)
{
  va_list arguments;

  g_string_append_printf (report, "%s: ", name);
  va_start (arguments, format);
  g_string_append_vprintf (report, format, arguments);
  va_end (arguments);
  g_string_append_c (report, '\n');
}

/* --- headers -------------------------------------------------------------*/

/* What is random in Digest is not compared. */
static gboolean
hide_digest (GQuark field, GValue *value, gpointer user_data)
{
  if (G_VALUE_HOLDS_STRING (value)
      && g_str_has_prefix (g_value_get_string (value), "Digest "))
    g_value_set_static_string (value, "Digest");

  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* In the order of their names: a message that souphttpsrc sends again has its
 * Range at another place. */
static GstStructure *
sorted (const GstStructure *fields)
{
  GstStructure *copy =
      gst_structure_new_empty (gst_structure_get_name (fields));
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (int i = 0; i < gst_structure_n_fields (fields); i++)
    g_ptr_array_add (
        names, (gpointer) gst_structure_nth_field_name (fields, i));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    gst_structure_set_value (copy, names->pdata[i],
        gst_structure_get_value (fields, names->pdata[i]));

  return copy;
}

static void
tidy_fields (GstStructure *headers, const char *name)
{
  g_autoptr (GstStructure) fields = NULL;
  g_autoptr (GstStructure) tidy = NULL;

  if (!gst_structure_get (headers, name, GST_TYPE_STRUCTURE, &fields, NULL))
    return;
  gst_structure_remove_field (fields, "Date");
  gst_structure_map_in_place (fields, hide_digest, NULL);
  tidy = sorted (fields);
  gst_structure_set (headers, name, GST_TYPE_STRUCTURE, tidy, NULL);
}

static void
add_headers (GString *report, const char *name, const GstStructure *headers)
{
  g_autoptr (GstStructure) copy = NULL;
  g_autofree char *text = NULL;

  if (headers != NULL) {
    copy = gst_structure_copy (headers);
    tidy_fields (copy, "request-headers");
    tidy_fields (copy, "response-headers");
    text = gst_structure_to_string (copy);
  }
  add_line (report, name, "%s", text != NULL ? text : "none");
}

/* --- one after the other -------------------------------------------------*/

static const char *
common_text (const char *text)
{
  for (guint i = 0; i < G_N_ELEMENTS (sentences); i++) {
    if (g_str_equal (text, sentences[i].ours))
      return sentences[i].soup;
  }

  return text;
}

static void
add_outcome (GString *report, Player *player)
{
  g_autofree char *sum = g_compute_checksum_for_data (
      G_CHECKSUM_MD5, player->bytes->data, player->bytes->len);

  add_line (report, "notes", "%s", player->notes->str);
  add_line (report, "eos", "%d", player->eos);
  add_line (report, "bytes", "%u, %s", player->bytes->len, sum);
  if (player->n_buffers > 0)
    add_line (report, "offset", "%" G_GUINT64_FORMAT, player->first_offset);
  add_line (report, "stamped", "%s",
      player->n_stamped == 0                       ? "none"
          : player->n_stamped == player->n_buffers ? "all"
                                                   : "some");
  for (guint i = 0; i < player->errors->len; i++)
    add_line (report, "error", "%s; %s", (char *) player->errors->pdata[i],
        common_text (player->texts->pdata[i]));
}

static void
add_announcements (GString *report, Player *player)
{
  g_autoptr (GstStructure) event = player_sticky_headers (player);
  g_autoptr (GstCaps) caps = player_caps (player);
  g_autoptr (GstTagList) tags = player_tags (player);
  g_autofree char *caps_text = caps != NULL ? gst_caps_to_string (caps) : NULL;
  g_autofree char *tags_text =
      tags != NULL ? gst_tag_list_to_string (tags) : NULL;

  add_line (report, "header messages", "%u", player->n_headers);
  add_headers (report, "last header message", player->headers);
  add_headers (report, "header event", event);
  add_line (report, "duration messages", "%u", player->n_durations);
  add_line (report, "caps", "%s", caps_text != NULL ? caps_text : "none");
  add_line (report, "tags", "%s", tags_text != NULL ? tags_text : "none");
}

/* Not of a source that has asked for nothing, which may ask now; and
 * souphttpsrc's query waits for ever after a 401. */
static gboolean
may_ask_for_seeking (Player *player)
{
  guint status = 0;

  return player->headers != NULL
      && gst_structure_get_uint (player->headers, "http-status-code", &status)
      && status != 401;
}

/* Ours keep the scheme of the location; the prefix is not compared. */
static const char *
without_prefix (const char *uri)
{
  if (uri != NULL && g_str_has_prefix (uri, "p2phls+"))
    return uri + strlen ("p2phls+");

  return uri != NULL ? uri : "none";
}

static void
add_uri_query (GString *report, Player *player)
{
  g_autoptr (GstQuery) query = gst_query_new_uri ();
  g_autofree char *uri = NULL;
  g_autofree char *redirection = NULL;
  gboolean is_permanent = FALSE;

  fail_unless (gst_element_query (player->src, query));
  gst_query_parse_uri (query, &uri);
  gst_query_parse_uri_redirection (query, &redirection);
  gst_query_parse_uri_redirection_permanent (query, &is_permanent);
  add_line (report, "uri", "%s", without_prefix (uri));
  add_line (report, "redirection", "%s", without_prefix (redirection));
  add_line (report, "permanent", "%d", is_permanent);
}

static void
add_extent_queries (GString *report, Player *player)
{
  g_autoptr (GstQuery) query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean is_seekable = FALSE;
  gint64 duration = -1, start = -1, stop = -1;
  gboolean has_duration =
      gst_element_query_duration (player->src, GST_FORMAT_BYTES, &duration);

  add_line (
      report, "duration", "%d, %" G_GINT64_FORMAT, has_duration, duration);
  if (!may_ask_for_seeking (player))
    return;
  if (gst_element_query (player->src, query))
    gst_query_parse_seeking (query, NULL, &is_seekable, &start, &stop);
  add_line (report, "seekable",
      "%d, from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, is_seekable, start,
      stop);
}

static void
add_other_queries (GString *report, Player *player)
{
  g_autoptr (GstQuery) scheduling = gst_query_new_scheduling ();
  g_autoptr (GstQuery) latency = gst_query_new_latency ();
  GstSchedulingFlags flags = 0;
  gboolean is_live = FALSE;
  GstClockTime min = 0, max = 0;
  int min_size, max_size, align;

  fail_unless (gst_element_query (player->src, scheduling));
  gst_query_parse_scheduling (scheduling, &flags, &min_size, &max_size, &align);
  add_line (report, "scheduling",
      "flags %x, %d to %d, align %d, push %d pull %d", flags, min_size,
      max_size, align,
      gst_query_has_scheduling_mode (scheduling, GST_PAD_MODE_PUSH),
      gst_query_has_scheduling_mode (scheduling, GST_PAD_MODE_PULL));
  if (gst_element_query (player->src, latency))
    gst_query_parse_latency (latency, &is_live, &min, &max);
  add_line (report, "live", "%d, %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
      is_live, min, max);
}

/* --- a case --------------------------------------------------------------*/

static Player *
set_the_scene (
    TestHttpServer *server, const char *factory, const ParityCase *parity)
{
  g_autofree char *uri = parity->uri != NULL
      ? g_strdup (parity->uri)
      : test_http_server_uri (server, parity->path);
  Player *player = player_new (factory, uri);

  for (const char *const *item = parity->properties;
       item != NULL && *item != NULL; item += 2)
    gst_util_set_object_arg (G_OBJECT (player->src), item[0], item[1]);
  if (parity->prepare != NULL)
    parity->prepare (player, parity);

  return player;
}

static void
check_outcome (Player *player, const char *factory, const ParityCase *parity)
{
  g_autofree char *expected = NULL;

  if (parity->body != NULL)
    fail_unless (player_has_exactly (player, parity->body),
        "%s gives %u bytes, not the %u of the body", factory,
        player->bytes->len, (guint) g_bytes_get_size (parity->body));
  if (parity->error == PARITY_ANY_END)
    return;
  if (parity->error == 0) {
    fail_unless (player->errors->len == 0, "%s fails with %s", factory,
        player->errors->len > 0 ? (char *) player->errors->pdata[0] : "");
    return;
  }
  if (parity->error == PARITY_BASE_ERROR)
    expected = g_strdup_printf (
        "%s %d", g_quark_to_string (GST_STREAM_ERROR), GST_STREAM_ERROR_FAILED);
  else
    expected = g_strdup_printf (
        "%s %d", g_quark_to_string (GST_RESOURCE_ERROR), parity->error);
  fail_unless (player->errors->len > 0, "%s does not fail", factory);
  fail_unless (g_str_has_prefix (player->errors->pdata[0], expected),
      "%s fails with %s, not %s", factory, (char *) player->errors->pdata[0],
      expected);
}

static char *
report (Player *player)
{
  GString *text = g_string_new (NULL);

  add_outcome (text, player);
  add_announcements (text, player);
  add_uri_query (text, player);
  add_extent_queries (text, player);
  add_other_queries (text, player);

  return g_string_free (text, FALSE);
}

static gboolean
is_excepted (const ParityCase *parity, const char *line)
{
  for (const ParityException *exception = parity->exceptions;
       exception != NULL && exception->name != NULL; exception++) {
    if (g_str_has_prefix (line, exception->name)
        && g_str_has_prefix (line + strlen (exception->name), ": "))
      return TRUE;
  }

  return FALSE;
}

static char *
take_logs (TestHttpServer *server, const ParityCase *parity)
{
  g_autofree char *log = test_http_server_take_log (server);
  g_autofree char *other =
      parity->other != NULL ? test_http_server_take_log (parity->other) : NULL;

  return g_strconcat (log, other, NULL);
}

static void
hide_connections (char *log)
{
  static const char words[] = ", connection ";
  char *at = log;

  while ((at = strstr (at, words)) != NULL) {
    at += strlen (words);
    while (g_ascii_isdigit (*at))
      *at++ = '?';
  }
}

char *
parity_report (
    TestHttpServer *server, const char *factory, const ParityCase *parity)
{
  g_autofree char *asked = take_logs (server, parity);
  g_autoptr (Player) player = set_the_scene (server, factory, parity);
  g_autofree char *seen = NULL;

  /* What was asked before is not its doing. */
  g_clear_pointer (&asked, g_free);
  if (parity->play != NULL)
    parity->play (player, parity);
  else
    player_run (player);
  check_outcome (player, factory, parity);
  seen = report (player);
  asked = take_logs (server, parity);

  if (parity->any_connection)
    hide_connections (asked);

  return g_strconcat (seen, asked, NULL);
}

static void
check_exceptions (const ParityCase *parity, const char *soup, const char *ours)
{
  for (const ParityException *exception = parity->exceptions;
       exception != NULL && exception->name != NULL; exception++) {
    g_autofree char *soup_line = NULL;
    g_autofree char *our_line = NULL;

    if (exception->soup == NULL)
      continue;
    soup_line = g_strdup_printf ("%s: %s\n", exception->name, exception->soup);
    our_line = g_strdup_printf ("%s: %s\n", exception->name, exception->ours);

    fail_unless (strstr (soup, soup_line) != NULL, "souphttpsrc: no %s in\n%s",
        soup_line, soup);
    fail_unless (strstr (ours, our_line) != NULL, "p2phlssrc: no %s in\n%s",
        our_line, ours);
  }
}

static void
remove_excepted (const ParityCase *parity, char **lines)
{
  char **to = lines;

  for (char **from = lines; *from != NULL; from++) {
    if (is_excepted (parity, *from))
      g_free (*from);
    else
      *to++ = *from;
  }
  *to = NULL;
}

void
parity_check (TestHttpServer *server, const ParityCase *parity)
{
  g_autofree char *soup = parity_report (server, PARITY_SOUP, parity);
  g_autofree char *ours = parity_report (server, PARITY_OURS, parity);
  g_auto (GStrv) soup_lines = g_strsplit (soup, "\n", -1);
  g_auto (GStrv) our_lines = g_strsplit (ours, "\n", -1);

  if (g_getenv ("P2PHLS_VERBOSE") != NULL)
    g_printerr ("souphttpsrc\n%s\np2phlssrc\n%s\n", soup, ours);
  check_exceptions (parity, soup, ours);
  remove_excepted (parity, soup_lines);
  remove_excepted (parity, our_lines);
  for (guint i = 0; soup_lines[i] != NULL || our_lines[i] != NULL; i++) {
    fail_unless (g_strcmp0 (soup_lines[i], our_lines[i]) == 0,
        "%s: \"%s\", not \"%s\"",
        parity->path != NULL ? parity->path : parity->uri, our_lines[i],
        soup_lines[i]);
  }
}

gboolean
parity_since (guint minor)
{
  guint major, running, micro, nano;

  gst_version (&major, &running, &micro, &nano);

  return running >= minor;
}

const ParityException *
parity_exceptions_to_status (guint status)
{
  static const ParityException asked_again[] = {
    { "header messages", "3", "1" },
    { "header event", NULL, "none" },
    { NULL },
  };

  if ((status != 500 && status != 503) || !parity_since (26))
    return NULL;

  return asked_again;
}

/* --- what cases do -------------------------------------------------------*/

typedef struct
{
  GByteArray *bytes;
  gint ended;
} Another;

static void
take_buffer (
    GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer user_data)
{
  Another *another = user_data;
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  g_byte_array_append (another->bytes, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
}

static GstPadProbeReturn
take_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Another *another = user_data;

  if (GST_EVENT_TYPE (info->data) == GST_EVENT_EOS)
    g_atomic_int_set (&another->ended, TRUE);

  return GST_PAD_PROBE_OK;
}

/* The pipeline may still be on its way to PLAYING with it. */
static void
take_out (Player *player, GstElement *element)
{
  gst_element_set_locked_state (element, TRUE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (player->pipeline), element);
}

GBytes *
parity_play_another (Player *player, const char *uri)
{
  GstElementFactory *factory = gst_element_get_factory (player->src);
  GstElement *src = gst_element_factory_create (factory, "another");
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  Another another = { .bytes = g_byte_array_new () };

  g_object_set (src, "location", uri, NULL);
  g_object_set (sink, "signal-handoffs", TRUE, "sync", FALSE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (take_buffer), &another);
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, take_event, &another, NULL);
  gst_bin_add_many (GST_BIN (player->pipeline), src, sink, NULL);
  fail_unless (gst_element_link (src, sink));
  gst_element_sync_state_with_parent (sink);
  gst_element_sync_state_with_parent (src);
  wait_until (g_atomic_int_get (&another.ended));
  take_out (player, src);
  take_out (player, sink);

  return g_byte_array_free_to_bytes (another.bytes);
}

void
parity_seek (Player *player, gint64 start, gint64 stop)
{
  fail_unless (gst_element_send_event (player->src,
      gst_event_new_seek (1.0, GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH,
          GST_SEEK_TYPE_SET, start, GST_SEEK_TYPE_SET, stop)));
}
