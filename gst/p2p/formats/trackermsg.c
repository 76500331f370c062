/* p2phlssrc: WebTorrent tracker messages.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "trackermsg.h"

#include <json-glib/json-glib.h>

#include "base/error.h"
#include "base/limits.h"

/* A NUL inside a string we keep: modified UTF-8, which is no UTF-8 and so
 * can stand for nothing else. */
#define NUL_KEPT "\xc0\x80"
/* The same on its way through json-glib, whose strings end at a NUL: a
 * noncharacter that no text may hold in interchange (U+FDD0). As long as the
 * escape it replaces. */
#define NUL_ESCAPE "\\u0000"
#define NUL_STAND_IN_ESCAPE "\\ufdd0"
#define NUL_STAND_IN "\xef\xb7\x90"
#define ESCAPE_LENGTH 6
#define SHORT_ESCAPE_LENGTH 2
/* UTF-16's pairs: a high one first, then a low one. */
#define FIRST_SURROGATE 0xd800
#define FIRST_LOW_SURROGATE 0xdc00
#define LAST_SURROGATE 0xdfff

/* --- writing ------------------------------------------------------------ */

static void
put_control (GString *out, guchar c)
{
  static const char short_names[] = {
    ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
  };

  if (c < sizeof short_names && short_names[c] != '\0')
    g_string_append_printf (out, "\\%c", short_names[c]);
  else
    g_string_append_printf (out, "\\u%04x", c);
}

/* As JSON.stringify() writes it: only what must be escaped is. */
static void
put_string (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const guchar *at = (const guchar *) text; *at != '\0'; at++) {
    if (at[0] == 0xc0 && at[1] == 0x80) {
      g_string_append (out, NUL_ESCAPE);
      at++;
    } else if (*at == '"' || *at == '\\') {
      g_string_append_c (out, '\\');
      g_string_append_c (out, *at);
    } else if (*at < 0x20) {
      put_control (out, *at);
    } else {
      g_string_append_c (out, *at);
    }
  }
  g_string_append_c (out, '"');
}

static void
put_member (GString *out, const char *name, const char *text)
{
  g_string_append_printf (out, ",\"%s\":", name);
  put_string (out, text);
}

/* What every message to a tracker begins with. */
static GString *
begin (const P2pInfoHash *info_hash, const P2pPeerId *peer_id)
{
  GString *out = g_string_new ("{\"action\":\"announce\"");

  put_member (out, "info_hash", info_hash->text);
  put_member (out, "peer_id", peer_id->text);

  return out;
}

static char *
end (GString *out, const char *tracker_id)
{
  if (tracker_id != NULL)
    put_member (out, "trackerid", tracker_id);
  g_string_append_c (out, '}');

  return g_string_free (out, FALSE);
}

static void
put_session_description (GString *out, const char *type, const char *sdp)
{
  g_string_append_printf (out, "\"%s\":{\"type\":\"%s\"", type, type);
  put_member (out, "sdp", sdp);
  g_string_append_c (out, '}');
}

static const char *
event_name (P2pTrackerEvent event)
{
  switch (event) {
    case P2P_TRACKER_EVENT_NONE:
      break;
    case P2P_TRACKER_EVENT_STARTED:
      return "started";
    case P2P_TRACKER_EVENT_STOPPED:
      return "stopped";
  }

  return NULL;
}

char *
p2p_tracker_announce (const P2pInfoHash *info_hash, const P2pPeerId *peer_id,
    P2pTrackerEvent event, const P2pTrackerOffer *offers, guint n_offers,
    const char *tracker_id)
{
  GString *out = begin (info_hash, peer_id);

  g_string_append_printf (
      out, ",\"numwant\":%u,\"uploaded\":0,\"downloaded\":0", n_offers);
  if (event_name (event) != NULL)
    put_member (out, "event", event_name (event));

  g_string_append (out, ",\"offers\":[");
  for (guint i = 0; i < n_offers; i++) {
    g_string_append (out, i == 0 ? "{" : ",{");
    put_session_description (out, "offer", offers[i].sdp);
    put_member (out, "offer_id", offers[i].offer_id);
    g_string_append_c (out, '}');
  }
  g_string_append_c (out, ']');

  return end (out, tracker_id);
}

char *
p2p_tracker_answer (const P2pInfoHash *info_hash, const P2pPeerId *peer_id,
    const P2pPeerId *to_peer_id, const char *offer_id, const char *sdp,
    const char *tracker_id)
{
  GString *out = begin (info_hash, peer_id);

  put_member (out, "to_peer_id", to_peer_id->text);
  put_member (out, "offer_id", offer_id);
  g_string_append_c (out, ',');
  put_session_description (out, "answer", sdp);

  return end (out, tracker_id);
}

/* --- reading ------------------------------------------------------------ */

static gboolean
fail (GError **error, P2pFormatError code, const char *what)
{
  g_set_error (error, P2P_FORMAT_ERROR, code, "tracker message: %s", what);
  return FALSE;
}

/* The number that an escape at @text spells (\uXXXX), or -1. */
static int
escaped_unit (const char *text, gsize length)
{
  int unit = 0;

  if (length < ESCAPE_LENGTH || text[0] != '\\' || text[1] != 'u')
    return -1;
  for (gsize i = 2; i < ESCAPE_LENGTH; i++) {
    if (!g_ascii_isxdigit (text[i]))
      return -1;
    unit = unit << 4 | g_ascii_xdigit_value (text[i]);
  }

  return unit;
}

/* How long the escape at @text is, a pair of surrogates counting as one; 0 for
 * half a pair. */
static gsize
escape_length (const char *text, gsize length)
{
  int first = escaped_unit (text, length);
  int second;

  if (first < 0)
    return SHORT_ESCAPE_LENGTH;
  if (first < FIRST_SURROGATE || first > LAST_SURROGATE)
    return ESCAPE_LENGTH;
  second = escaped_unit (text + ESCAPE_LENGTH, length - ESCAPE_LENGTH);
  if (first >= FIRST_LOW_SURROGATE || second < FIRST_LOW_SURROGATE
      || second > LAST_SURROGATE)
    return 0;

  return 2 * ESCAPE_LENGTH;
}

/* Whether json-glib may read @text: it descends by recursion, so the number
 * of brackets is ours to bound, and it takes its time for each thing in a list,
 * so that of commas is. Those in strings count too, because what its scanner
 * takes for a string (single quotes, comments) is not what JSON says. Half a
 * pair of surrogates is no text: some json-glib make bytes of it that are no
 * UTF-8, others read nothing of the message. Escaped NULs become stand-ins in
 * place. */
static gboolean
prepare (char *text, gsize length, GError **error)
{
  guint n_brackets = 0;
  guint n_commas = 0;
  gsize escape;

  if (!g_utf8_validate_len (text, length, NULL))
    return fail (error, P2P_FORMAT_ERROR_SYNTAX, "is not UTF-8");

  for (gsize i = 0; i < length; i++) {
    if (text[i] == '{' || text[i] == '[') {
      if (++n_brackets > P2P_TRACKER_MESSAGE_MAX_BRACKETS)
        return fail (error, P2P_FORMAT_ERROR_LIMIT, "too many brackets");
    } else if (text[i] == ',') {
      if (++n_commas > P2P_TRACKER_MESSAGE_MAX_COMMAS)
        return fail (error, P2P_FORMAT_ERROR_LIMIT, "too many commas");
    } else if (text[i] == '\\') {
      if (length - i >= ESCAPE_LENGTH
          && memcmp (text + i, NUL_ESCAPE, ESCAPE_LENGTH) == 0)
        memcpy (text + i, NUL_STAND_IN_ESCAPE, ESCAPE_LENGTH);
      escape = escape_length (text + i, length - i);
      if (escape == 0)
        return fail (error, P2P_FORMAT_ERROR_SYNTAX, "half a surrogate pair");
      i += escape - 1;
    }
  }

  return TRUE;
}

static JsonObject *
parse_object (GBytes *frame, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autofree char *text = NULL;
  g_autoptr (GError) json_error = NULL;
  JsonNode *root;
  gsize length;

  length = g_bytes_get_size (frame);
  if (length == 0 || length > P2P_TRACKER_MESSAGE_MAX_BYTES) {
    fail (error, P2P_FORMAT_ERROR_LIMIT, "empty or too long");
    return NULL;
  }

  text = g_strndup (g_bytes_get_data (frame, NULL), length);
  if (!prepare (text, length, error))
    return NULL;

  if (!json_parser_load_from_data (parser, text, length, &json_error)) {
    fail (error, P2P_FORMAT_ERROR_SYNTAX, "is no JSON");
    return NULL;
  }
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    fail (error, P2P_FORMAT_ERROR_SYNTAX, "is no object");
    return NULL;
  }

  return json_object_ref (json_node_get_object (root));
}

/* A string member as json-glib has it: NULs are stand-ins. (nullable) */
static const char *
get_string (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;

  return json_node_get_string (node);
}

/* The same to keep. Some json-glib take octal escapes, which can spell what is
 * no UTF-8: such a string says nothing. */
static char *
dup_string (JsonObject *object, const char *name)
{
  const char *text = get_string (object, name);
  g_autofree char **parts = NULL;
  char *joined;

  if (text == NULL || !g_utf8_validate (text, -1, NULL))
    return NULL;
  if (strstr (text, NUL_STAND_IN) == NULL)
    return g_strdup (text);

  parts = g_strsplit (text, NUL_STAND_IN, -1);
  joined = g_strjoinv (NUL_KEPT, parts);
  g_strfreev (g_steal_pointer (&parts));

  return joined;
}

/* A number from 0 to 2^31 - 1, or -1. */
static gint64
get_count (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);
  double value;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
    return -1;
  if (json_node_get_value_type (node) == G_TYPE_INT64)
    value = json_node_get_int (node);
  else if (json_node_get_value_type (node) == G_TYPE_DOUBLE)
    value = json_node_get_double (node);
  else
    return -1;

  return value >= 0 && value <= G_MAXINT32 ? (gint64) value : -1;
}

/* Info hashes of the generations we speak and peer ids of all that we know
 * are printable ASCII. */
static gboolean
read_id (const char *text, char out[P2P_ID_LENGTH + 1])
{
  gsize i;

  if (text == NULL)
    return FALSE;
  for (i = 0; i < P2P_ID_LENGTH; i++) {
    if (text[i] < 0x20 || text[i] > 0x7e)
      return FALSE;
  }
  if (text[i] != '\0')
    return FALSE;
  memcpy (out, text, P2P_ID_LENGTH + 1);

  return TRUE;
}

/* The SDP of the offer or answer @type, or NULL. */
static char *
dup_sdp (JsonObject *object, const char *type)
{
  JsonNode *node = json_object_get_member (object, type);
  JsonObject *description;
  char *sdp;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return NULL;
  description = json_node_get_object (node);
  if (g_strcmp0 (get_string (description, "type"), type) != 0)
    return NULL;

  sdp = dup_string (description, "sdp");
  if (sdp != NULL && strlen (sdp) > P2P_SDP_MAX_BYTES)
    g_clear_pointer (&sdp, g_free);

  return sdp;
}

/* An offer or an answer, if the message holds one. */
static P2pTrackerMessageKind
read_signal (JsonObject *object, P2pTrackerMessage *message)
{
  P2pTrackerMessageKind kind = P2P_TRACKER_OFFER;

  if (!read_id (get_string (object, "peer_id"), message->peer_id.text))
    return P2P_TRACKER_IGNORED;

  message->offer_id = dup_string (object, "offer_id");
  if (message->offer_id == NULL || *message->offer_id == '\0'
      || strlen (message->offer_id) > P2P_OFFER_ID_MAX_BYTES)
    return P2P_TRACKER_IGNORED;

  message->sdp = dup_sdp (object, "offer");
  if (message->sdp == NULL) {
    message->sdp = dup_sdp (object, "answer");
    kind = P2P_TRACKER_ANSWER;
  }

  return message->sdp != NULL ? kind : P2P_TRACKER_IGNORED;
}

static void
read_interval (JsonObject *object, P2pTrackerMessage *message)
{
  gint64 interval = get_count (object, "interval");

  if (interval <= 0)
    interval = get_count (object, "min interval");
  if (interval > 0)
    message->interval_s = interval;
}

static P2pTrackerMessageKind
read_message (JsonObject *object, P2pTrackerMessage *message)
{
  if (json_object_has_member (object, "info_hash")) {
    /* One that cannot be ours is another swarm's. */
    if (!read_id (get_string (object, "info_hash"), message->info_hash.text))
      return P2P_TRACKER_IGNORED;
    message->has_info_hash = TRUE;
  }

  message->warning = dup_string (object, "warning message");
  message->failure = dup_string (object, "failure reason");
  if (message->failure != NULL)
    return P2P_TRACKER_FAILURE;

  read_interval (object, message);
  message->tracker_id = dup_string (object, "tracker id");
  message->complete = get_count (object, "complete");
  message->incomplete = get_count (object, "incomplete");
  if (json_object_has_member (object, "peer_id"))
    return read_signal (object, message);

  return message->interval_s > 0 || message->complete >= 0
          || message->incomplete >= 0 || message->tracker_id != NULL
          || message->warning != NULL
      ? P2P_TRACKER_REPLY
      : P2P_TRACKER_IGNORED;
}

void
p2p_tracker_message_clear (P2pTrackerMessage *message)
{
  g_clear_pointer (&message->offer_id, g_free);
  g_clear_pointer (&message->sdp, g_free);
  g_clear_pointer (&message->failure, g_free);
  g_clear_pointer (&message->warning, g_free);
  g_clear_pointer (&message->tracker_id, g_free);
}

gboolean
p2p_tracker_message_parse (
    GBytes *frame, P2pTrackerMessage *message, GError **error)
{
  g_autoptr (JsonObject) object = parse_object (frame, error);

  *message = (P2pTrackerMessage){
    .kind = P2P_TRACKER_IGNORED,
    .interval_s = -1,
    .complete = -1,
    .incomplete = -1,
  };
  if (object == NULL)
    return FALSE;

  message->kind = read_message (object, message);

  return TRUE;
}
