/* p2phlssrc: HTTP's answers as what GStreamer knows.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:p2phlssrc-messages
 * @title: Messages, events and errors
 *
 * Element messages on the bus:
 *
 * - `p2phls-stats`: each #GstP2pHlsSrc:stats-interval, from one element of the
 *   session; its fields are the [statistics](#statistics)
 * - `http-headers`: from each element, for each answer and each refusal, as
 *   souphttpsrc posts it; for a segment that a playlist has named, which may
 *   come from anywhere, the status is 200 and both lists are empty
 *   - `uri` (string): what was asked for, with the prefix if it has one
 *   - `http-status-code` (#guint): 0 when there was no answer
 *   - `redirection-uri` (string): where redirects led; left out without one
 *   - `request-headers`, `response-headers` (structures): a string for each
 *     header, or an array of them for one that comes several times
 *
 * Other messages: `duration-changed` when the size becomes known or grows;
 * `need-context` and `have-context`, see [contexts](#contexts).
 *
 * Errors are those of souphttpsrc. What goes wrong with peers, trackers or
 * STUN servers is never one: it is logged and shows in the statistics.
 *
 * - `RESOURCE NOT_FOUND`: status 404
 * - `RESOURCE NOT_AUTHORIZED`: status 401, 402, 403 or 407
 * - `RESOURCE OPEN_READ`: any other refusal; also no URL, or one that is
 *   neither `http:` nor `https:`
 * - `RESOURCE SEEK`: the server gave another part than was asked for
 * - `RESOURCE SETTINGS`: a setting that cannot be understood; names it
 * - `STREAM FAILED`: no answer at all; the debug log says why
 *
 * If a server has answered, the error's details are `http-status-code`
 * (#guint) and `http-redirect-uri` (string); with `SEEK` the latter is named
 * `http-redirection-uri`.
 *
 * A setting that a running session cannot take is a warning,
 * `RESOURCE SETTINGS`, and the session keeps what it had.
 *
 * The sticky event `http-headers` goes downstream before the first byte, with
 * the fields of the message. Caps are set for what HTTP names better than
 * its bytes: `audio/x-unaligned-raw` for audio/L16, `application/x-icy` for
 * radio, and `application/x-hls` for playlists ahead of a typefinder. Radio
 * gives the tags `organization`, `genre` and `location`.
 */
#include "httpmsg.h"

#include <gst/tag/tag.h>

#include <string.h>

/* RFC 2586 names no defaults for what audio/L16 leaves out; souphttpsrc takes
 * these, and no more channels than GStreamer has positions for. */
#define L16_CHANNELS 2
#define L16_RATE 44100
#define L16_CHANNELS_MAX 63

/* --- headers -------------------------------------------------------------*/

/* A name that comes again turns its field into an array. */
static void
add_again (GstStructure *headers, const char *name, const GValue *known,
    const char *text)
{
  GValue array = G_VALUE_INIT;
  GValue value = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  if (GST_VALUE_HOLDS_ARRAY (known))
    g_value_copy (known, &array);
  else
    gst_value_array_append_value (&array, known);
  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, text);
  gst_value_array_append_and_take_value (&array, &value);
  gst_structure_take_value (headers, name, &array);
}

static GstStructure *
header_fields (const char *structure_name, char **headers)
{
  GstStructure *fields = gst_structure_new_empty (structure_name);

  for (char **item = headers; item != NULL && *item != NULL; item += 2) {
    const char *name = item[0], *text = item[1];
    const GValue *known;

    if (!g_utf8_validate (name, -1, NULL) || !g_utf8_validate (text, -1, NULL))
      continue;
    known = gst_structure_get_value (fields, name);
    if (known == NULL)
      gst_structure_set (fields, name, G_TYPE_STRING, text, NULL);
    else
      add_again (fields, name, known, text);
  }

  return fields;
}

GstStructure *
p2p_http_headers_structure (const char *location, guint status,
    const char *redirection_uri, char **request_headers,
    char **response_headers)
{
  g_autoptr (GstStructure) request =
      header_fields ("request-headers", request_headers);
  g_autoptr (GstStructure) response =
      header_fields ("response-headers", response_headers);
  GstStructure *structure = gst_structure_new ("http-headers", "uri",
      G_TYPE_STRING, location, "http-status-code", G_TYPE_UINT, status, NULL);

  if (redirection_uri != NULL)
    gst_structure_set (
        structure, "redirection-uri", G_TYPE_STRING, redirection_uri, NULL);
  gst_structure_set (structure, "request-headers", GST_TYPE_STRUCTURE, request,
      "response-headers", GST_TYPE_STRUCTURE, response, NULL);

  return structure;
}

/* The last one of its name, as libsoup and so souphttpsrc find it. */
static const char *
find_header (char **headers, const char *name)
{
  const char *text = NULL;

  for (char **item = headers; item != NULL && *item != NULL; item += 2) {
    if (g_ascii_strcasecmp (item[0], name) == 0)
      text = item[1];
  }

  return text != NULL && g_utf8_validate (text, -1, NULL) ? text : NULL;
}

/* --- caps ----------------------------------------------------------------*/

/* The number behind `; name=`, @missing without one. */
static guint64
parameter (char **parts, const char *name, guint64 missing)
{
  for (char **part = parts; *part != NULL; part++) {
    g_auto (GStrv) pair = g_strsplit (*part, "=", 2);
    const char *text;

    if (pair[0] == NULL || pair[1] == NULL
        || g_ascii_strcasecmp (g_strstrip (pair[0]), name) != 0)
      continue;
    text = g_strstrip (pair[1]);
    return g_ascii_strtoull (text + (*text == '"'), NULL, 10);
  }
  return missing;
}

static GstCaps *
l16_caps (char **parts)
{
  guint64 channels = parameter (parts + 1, "channels", L16_CHANNELS);
  guint64 rate = parameter (parts + 1, "rate", L16_RATE);

  if (channels == 0 || channels > L16_CHANNELS_MAX || rate == 0
      || rate >= G_MAXINT)
    return NULL;

  return gst_caps_new_simple ("audio/x-unaligned-raw", "format", G_TYPE_STRING,
      "S16BE", "layout", G_TYPE_STRING, "interleaved", "channels", G_TYPE_INT,
      (int) channels, "rate", G_TYPE_INT, (int) rate, NULL);
}

static GstCaps *
icy_caps (char **headers)
{
  const char *text = find_header (headers, "icy-metaint");
  gint64 interval = text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0;

  if (interval <= 0 || interval > G_MAXINT)
    return NULL;

  return gst_caps_new_simple ("application/x-icy", "metadata-interval",
      G_TYPE_INT, (int) interval, NULL);
}

/* The type and its parameters; %NULL when it is no media type. */
static char **
split_content_type (char **headers)
{
  const char *text = find_header (headers, "Content-Type");
  g_auto (GStrv) parts = NULL;

  if (text == NULL)
    return NULL;
  parts = g_strsplit (text, ";", -1);
  if (parts[0] == NULL || strchr (parts[0], '/') == NULL)
    return NULL;
  g_strstrip (parts[0]);

  return g_steal_pointer (&parts);
}

GstCaps *
p2p_http_caps (char **headers)
{
  g_autoptr (GstCaps) caps = icy_caps (headers);
  g_auto (GStrv) parts = split_content_type (headers);
  GstCaps *raw;

  if (parts == NULL)
    return g_steal_pointer (&caps);
  if (g_ascii_strcasecmp (parts[0], "audio/L16") == 0) {
    raw = l16_caps (parts);
    return raw != NULL ? raw : g_steal_pointer (&caps);
  }
  if (caps != NULL)
    gst_caps_set_simple (caps, "content-type", G_TYPE_STRING, parts[0], NULL);

  return g_steal_pointer (&caps);
}

/* --- tags ----------------------------------------------------------------*/

static void
add_tag (GstTagList *tags, char **headers, const char *header, const char *tag)
{
  const char *variables[] = { "GST_ICY_TAG_ENCODING", "GST_TAG_ENCODING",
    NULL };
  const char *raw = find_header (headers, header);
  g_autofree char *text = NULL;

  if (raw == NULL)
    return;
  text = gst_tag_freeform_string_to_utf8 (raw, -1, variables);
  if (text != NULL)
    gst_tag_list_add (tags, GST_TAG_MERGE_REPLACE, tag, text, NULL);
}

GstTagList *
p2p_http_tags (char **headers)
{
  g_autoptr (GstTagList) tags = gst_tag_list_new_empty ();

  add_tag (tags, headers, "icy-name", GST_TAG_ORGANIZATION);
  add_tag (tags, headers, "icy-genre", GST_TAG_GENRE);
  add_tag (tags, headers, "icy-url", GST_TAG_LOCATION);

  return gst_tag_list_is_empty (tags) ? NULL : g_steal_pointer (&tags);
}

/* --- errors --------------------------------------------------------------*/

static GstResourceError
status_error (guint status)
{
  switch (status) {
    case 404:
      return GST_RESOURCE_ERROR_NOT_FOUND;
    case 401:
    case 402:
    case 403:
    case 407:
      return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    default:
      return GST_RESOURCE_ERROR_OPEN_READ;
  }
}

void
p2p_http_post_status_error (GstElement *element, const char *location,
    const char *redirection_uri, guint status, const char *reason)
{
  const char *redirect = GST_STR_NULL (redirection_uri);
  char *text = g_strdup (reason != NULL ? reason : "HTTP error");
  char *debug = g_strdup_printf (
      "%s (%u), URL: %s, Redirect to: %s", text, status, location, redirect);
  GstStructure *details = gst_structure_new ("details", "http-status-code",
      G_TYPE_UINT, status, "http-redirect-uri", G_TYPE_STRING, redirect, NULL);

  gst_element_message_full_with_details (element, GST_MESSAGE_ERROR,
      GST_RESOURCE_ERROR, status_error (status), text, debug, __FILE__,
      G_STRFUNC, __LINE__, details);
}
