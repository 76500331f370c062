/* p2phlssrc: the streams that a multivariant playlist declares.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "hls-master.h"

#include <math.h>

#include "model/identity.h"

/* --- codecs as P2P Media Loader 5 sorts them ---------------------------- */

/* What a lower-case codec begins with. Dolby Vision and VVC are missing
 * there, so they are missing here. */
static const char *const v3_video[] = { "av01", "av1", "avc1", "avc2", "avc3",
  "avc4", "avc01", "avc02", "avc03", "avc04", "vp8", "vp9", "vp08", "vp09",
  "hvc1", "hev1", "theora", "mp4v", NULL };
static const char *const v3_audio[] = { "mp4a", "flac", "vorbis", "opus",
  "ac-3", "ac-4", "ec-3", "alac", "mp3", "speex", "aac", NULL };

static gboolean
begins_with_any (const char *codec, const char *const *prefixes)
{
  for (; *prefixes != NULL; prefixes++) {
    if (g_ascii_strncasecmp (codec, *prefixes, strlen (*prefixes)) == 0)
      return TRUE;
  }

  return FALSE;
}

/* The items of @codecs of one kind, case and order kept; NULL: none. */
static char *
filter_v3 (const char *codecs, const char *const *prefixes)
{
  g_autoptr (GString) out = NULL;
  g_auto (GStrv) parts = g_strsplit (codecs != NULL ? codecs : "", ",", -1);

  for (guint i = 0; parts[i] != NULL; i++) {
    g_strstrip (parts[i]);
    if (!begins_with_any (parts[i], prefixes))
      continue;
    if (out == NULL)
      out = g_string_new (parts[i]);
    else
      g_string_append_printf (out, ",%s", parts[i]);
  }

  return out != NULL ? g_string_free (g_steal_pointer (&out), FALSE) : NULL;
}

/* --- codecs as hls.js sorts them ---------------------------------------- */

/* The first four characters, case and all. */
static const char *const v2_video[] = { "avc1", "avc2", "avc3", "avc4", "avcp",
  "av01", "dav1", "drac", "dva1", "dvav", "dvh1", "dvhe", "encv", "hev1",
  "hvc1", "mjp2", "mp4v", "mvc1", "mvc2", "mvc3", "mvc4", "resv", "rv60",
  "s263", "svc1", "svc2", "vc-1", "vp08", "vp09", NULL };
static const char *const v2_audio[] = { "a3ds", "ac-3", "ac-4", "alac", "alaw",
  "dra1", "dts+", "dts-", "dtsc", "dtse", "dtsh", "ec-3", "enca", "fLaC",
  "flac", "FLAC", "g719", "g726", "m4ae", "mha1", "mha2", "mhm1", "mhm2",
  "mlpa", "mp4a", "raw ", "Opus", "opus", "samr", "sawb", "sawp", "sevc",
  "sqcp", "ssmv", "twos", "ulaw", NULL };
static const char *const v2_other[] = { "stpp", "wvtt", "mjpg", NULL };

static gboolean
is_v2_kind (const char *codec, const char *const *kind)
{
  for (; *kind != NULL; kind++) {
    if (strncmp (codec, *kind, 4) == 0)
      return TRUE;
  }

  return FALSE;
}

/* The items of @codecs of one kind, up to a slash each; NULL: none. */
static char *
filter_v2 (const char *codecs, const char *const *kind)
{
  g_autoptr (GString) out = NULL;
  g_auto (GStrv) parts =
      g_strsplit_set (codecs != NULL ? codecs : "", " ,", -1);

  for (guint i = 0; parts[i] != NULL; i++) {
    if (!is_v2_kind (parts[i], kind))
      continue;
    parts[i][strcspn (parts[i], "/")] = '\0';
    if (out == NULL)
      out = g_string_new (parts[i]);
    else
      g_string_append_printf (out, ",%s", parts[i]);
  }

  return out != NULL ? g_string_free (g_steal_pointer (&out), FALSE) : NULL;
}

/* hls.js forgets a level with a codec it has never heard of, as long as
 * there are others. */
static gboolean
is_known_to_v2 (const P2pM3u8Variant *variant)
{
  g_auto (GStrv) parts =
      g_strsplit_set (variant->codecs != NULL ? variant->codecs : "", " ,", -1);

  for (guint i = 0; parts[i] != NULL; i++) {
    if (*parts[i] != '\0' && !is_v2_kind (parts[i], v2_video)
        && !is_v2_kind (parts[i], v2_audio) && !is_v2_kind (parts[i], v2_other))
      return FALSE;
  }

  return TRUE;
}

/* avc1.66.30 (RFC 4281) becomes avc1.42001e, as hls.js rewrites it whatever
 * the number of digits. */
static char *
convert_avc (const char *codec)
{
  g_auto (GStrv) parts = g_strsplit (codec, ".", -1);
  char level[20];

  if (g_strv_length (parts) < 3 || !g_str_equal (parts[0], "avc1")
      || !g_ascii_isdigit (parts[1][0]) || !g_ascii_isdigit (parts[2][0]))
    return g_strdup (codec);

  g_snprintf (level, sizeof level, "000%" G_GINT64_MODIFIER "x",
      g_ascii_strtoull (parts[2], NULL, 10) & G_MAXUINT32);

  return g_strdup_printf ("avc1.%" G_GINT64_MODIFIER "x%s",
      g_ascii_strtoull (parts[1], NULL, 10), level + strlen (level) - 4);
}

static char *
video_codecs_v2 (const char *codecs)
{
  g_autofree char *video = filter_v2 (codecs, v2_video);
  g_auto (GStrv) parts = NULL;

  if (video == NULL)
    return NULL;
  parts = g_strsplit (video, ",", -1);
  for (guint i = 0; parts[i] != NULL; i++) {
    char *converted = convert_avc (parts[i]);

    g_free (parts[i]);
    parts[i] = converted;
  }

  return g_strjoinv (",", parts);
}

/* --- properties --------------------------------------------------------- */

/* JavaScript's parseFloat (), but for infinities. */
static gboolean
parse_float (const char *text, double *value)
{
  char number[32];
  char *end;

  if (text == NULL)
    return FALSE;
  text += strspn (text, " \t");
  g_strlcpy (number, text, sizeof number);
  number[strspn (number, "0123456789+-.eE")] = '\0';
  *value = g_ascii_strtod (number, &end);

  return end != number;
}

static P2pStreamProperties
variant_v3 (const P2pM3u8Variant *variant)
{
  P2pStreamProperties properties = {
    .bitrate = variant->bandwidth,
    .has_bitrate = TRUE,
    .codecs = filter_v3 (variant->codecs, v3_video),
    .width = variant->width,
    .has_width = variant->width != 0,
    .height = variant->height,
    .has_height = variant->height != 0,
    .video_range = g_strdup (variant->video_range),
  };

  properties.has_frame_rate =
      parse_float (variant->frame_rate, &properties.frame_rate);

  return properties;
}

/* A missing or zero BANDWIDTH falls back; NaN is what JavaScript's parseInt ()
 * makes of nothing. */
static double
bitrate_v2 (const P2pM3u8Variant *variant)
{
  if (variant->bandwidth != 0)
    return variant->bandwidth;
  if (variant->average_bandwidth != 0)
    return variant->average_bandwidth;

  return NAN;
}

static P2pStreamProperties
variant_v2 (const P2pM3u8Variant *variant)
{
  gboolean has_size = variant->width != 0 && variant->height != 0;

  return (P2pStreamProperties){
    .bitrate = bitrate_v2 (variant),
    .has_bitrate = TRUE,
    .codecs = video_codecs_v2 (variant->codecs),
    .width = variant->width,
    .has_width = has_size,
    .height = variant->height,
    .has_height = has_size,
    .frame_rate_text = g_strdup (variant->frame_rate),
    .video_range = g_strdup (variant->video_range),
  };
}

static void
add_rendition (
    P2pStreamProperties *properties, const P2pM3u8Rendition *rendition)
{
  properties->language = g_strdup (rendition->language);
  properties->name = g_strdup (rendition->name);
  if (rendition->type == P2P_M3U8_RENDITION_AUDIO)
    properties->channels = g_strdup (rendition->channels);
}

/* --- groups ------------------------------------------------------------- */

static const char *
variant_group (const P2pM3u8Variant *variant, P2pM3u8RenditionType type)
{
  switch (type) {
    case P2P_M3U8_RENDITION_AUDIO:
      return variant->audio;
    case P2P_M3U8_RENDITION_VIDEO:
      return variant->video;
    case P2P_M3U8_RENDITION_SUBTITLES:
    case P2P_M3U8_RENDITION_CLOSED_CAPTIONS:
      break;
  }

  return NULL;
}

/* The first variant that refers to the rendition's group, or NULL. */
static const P2pM3u8Variant *
first_reference (const P2pM3u8 *master, const P2pM3u8Rendition *rendition)
{
  for (guint i = 0; i < master->variants->len; i++) {
    const P2pM3u8Variant *variant = g_ptr_array_index (master->variants, i);

    if (g_strcmp0 (
            variant_group (variant, rendition->type), rendition->group_id)
        == 0)
      return variant;
  }

  return NULL;
}

/* v3: those of the first variant of the group that has any. */
static char *
audio_codecs_v3 (const P2pM3u8 *master, const char *group)
{
  for (guint i = 0; i < master->variants->len; i++) {
    const P2pM3u8Variant *variant = g_ptr_array_index (master->variants, i);
    char *codecs;

    if (g_strcmp0 (variant->audio, group) != 0)
      continue;
    codecs = filter_v3 (variant->codecs, v3_audio);
    if (codecs != NULL)
      return codecs;
  }

  return NULL;
}

/* v2: those of the first level of the group, or of the first level. */
static char *
audio_codecs_v2 (const P2pM3u8 *master, const char *group)
{
  gboolean any_known = FALSE;
  const P2pM3u8Variant *found = NULL;

  for (guint i = 0; i < master->variants->len; i++)
    any_known =
        any_known || is_known_to_v2 (g_ptr_array_index (master->variants, i));
  for (guint i = 0; i < master->variants->len; i++) {
    const P2pM3u8Variant *variant = g_ptr_array_index (master->variants, i);

    if (any_known && !is_known_to_v2 (variant))
      continue;
    if (found == NULL)
      found = variant;
    if (g_strcmp0 (variant->audio, group) == 0) {
      found = variant;
      break;
    }
  }

  return found != NULL ? filter_v2 (found->codecs, v2_audio) : NULL;
}

/* m3u8-parser knows a rendition by group and name: of several, the last one
 * counts. */
static gboolean
is_replaced (const P2pM3u8 *master, guint index)
{
  const P2pM3u8Rendition *a = g_ptr_array_index (master->renditions, index);

  for (guint i = index + 1; i < master->renditions->len; i++) {
    const P2pM3u8Rendition *b = g_ptr_array_index (master->renditions, i);

    if (a->type == b->type && g_str_equal (a->group_id, b->group_id)
        && g_str_equal (a->name, b->name))
      return TRUE;
  }

  return FALSE;
}

/* --- streams ------------------------------------------------------------ */

/* A stream on its way: its v3 name depends on all others. */
typedef struct
{
  P2pHlsDeclared *declared;
  P2pStreamProperties v3;
} Draft;

static void
draft_free (Draft *draft)
{
  p2p_stream_properties_clear (&draft->v3);
  g_free (draft);
}

static void
declared_free (P2pHlsDeclared *declared)
{
  g_free (declared->hash_v2);
  g_free (declared->hash_v3);
  g_free (declared);
}

typedef struct
{
  GPtrArray *drafts;
  GPtrArray *streams;
  GHashTable *uris; /* those that are streams already */
} Builder;

static gboolean
is_new (Builder *builder, const char *uri)
{
  return uri != NULL && !g_hash_table_contains (builder->uris, uri);
}

/* Takes what the properties own. */
static void
add_stream (Builder *builder, P2pStreamType type, const char *uri,
    guint64 bitrate, P2pStreamProperties v2, P2pStreamProperties v3)
{
  P2pHlsDeclared *declared = g_new0 (P2pHlsDeclared, 1);
  Draft *draft = g_new0 (Draft, 1);

  declared->type = type;
  declared->uri = uri;
  declared->bitrate = bitrate;
  declared->hash_v2 = p2p_identity_hash (P2P_PROTOCOL_V2, &v2);
  p2p_stream_properties_clear (&v2);
  draft->declared = declared;
  draft->v3 = v3;
  g_ptr_array_add (builder->streams, declared);
  g_ptr_array_add (builder->drafts, draft);
  g_hash_table_add (builder->uris, (char *) uri);
}

/* The variant that hls.js takes for the playlist of @first: the first one it
 * keeps. */
static const P2pM3u8Variant *
same_playlist_v2 (const P2pM3u8 *master, guint first)
{
  const P2pM3u8Variant *found = g_ptr_array_index (master->variants, first);

  for (guint i = first; i < master->variants->len; i++) {
    const P2pM3u8Variant *variant = g_ptr_array_index (master->variants, i);

    if (g_str_equal (variant->uri, found->uri) && is_known_to_v2 (variant))
      return variant;
  }

  return found;
}

static void
add_variants (Builder *builder, const P2pM3u8 *master)
{
  for (guint i = 0; i < master->variants->len; i++) {
    const P2pM3u8Variant *variant = g_ptr_array_index (master->variants, i);

    if (is_new (builder, variant->uri))
      add_stream (builder, P2P_STREAM_MAIN, variant->uri, variant->bandwidth,
          variant_v2 (same_playlist_v2 (master, i)), variant_v3 (variant));
  }
}

static void
add_audio (
    Builder *builder, const P2pM3u8 *master, const P2pM3u8Rendition *rendition)
{
  P2pStreamProperties v2 = { .has_bitrate = TRUE };
  P2pStreamProperties v3 = { .has_bitrate = TRUE };

  v2.codecs = audio_codecs_v2 (master, rendition->group_id);
  v3.codecs = audio_codecs_v3 (master, rendition->group_id);
  add_rendition (&v2, rendition);
  add_rendition (&v3, rendition);
  add_stream (builder, P2P_STREAM_SECONDARY, rendition->uri, 0, v2, v3);
}

/* hls.js does not play these: v2's name is ours to make up. */
static void
add_video (Builder *builder, const P2pM3u8Variant *variant,
    const P2pM3u8Rendition *rendition)
{
  P2pStreamProperties v2 = variant_v2 (variant);
  P2pStreamProperties v3 = variant_v3 (variant);

  add_rendition (&v2, rendition);
  add_rendition (&v3, rendition);
  add_stream (
      builder, P2P_STREAM_MAIN, rendition->uri, variant->bandwidth, v2, v3);
}

static void
add_renditions (Builder *builder, const P2pM3u8 *master)
{
  for (guint i = 0; i < master->renditions->len; i++) {
    const P2pM3u8Rendition *rendition =
        g_ptr_array_index (master->renditions, i);
    const P2pM3u8Variant *variant = first_reference (master, rendition);

    if (variant == NULL || !is_new (builder, rendition->uri)
        || is_replaced (master, i))
      continue;
    if (rendition->type == P2P_M3U8_RENDITION_AUDIO)
      add_audio (builder, master, rendition);
    else
      add_video (builder, variant, rendition);
  }
}

/* The bitrate is part of a v3 name only where two streams of one type would
 * otherwise have the same. */
static void
name_v3 (Builder *builder)
{
  g_autoptr (GHashTable) counts = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < builder->drafts->len; i++) {
    Draft *draft = g_ptr_array_index (builder->drafts, i);
    g_autofree char *input = NULL;
    char *key;
    guint count;

    draft->v3.has_bitrate = FALSE;
    input = p2p_identity_input (P2P_PROTOCOL_V3, &draft->v3);
    key = g_strdup_printf ("%d %s", draft->declared->type, input);
    g_ptr_array_add (keys, key);
    count = GPOINTER_TO_UINT (g_hash_table_lookup (counts, key));
    g_hash_table_insert (counts, key, GUINT_TO_POINTER (count + 1));
  }
  for (guint i = 0; i < builder->drafts->len; i++) {
    Draft *draft = g_ptr_array_index (builder->drafts, i);

    draft->v3.has_bitrate =
        GPOINTER_TO_UINT (g_hash_table_lookup (counts, keys->pdata[i])) > 1;
    draft->declared->hash_v3 = p2p_identity_hash (P2P_PROTOCOL_V3, &draft->v3);
  }
}

GPtrArray *
p2p_hls_declared_streams (const P2pM3u8 *master)
{
  g_autoptr (GPtrArray) drafts =
      g_ptr_array_new_with_free_func ((GDestroyNotify) draft_free);
  g_autoptr (GHashTable) uris = g_hash_table_new (g_str_hash, g_str_equal);
  Builder builder = {
    .drafts = drafts,
    .streams = g_ptr_array_new_with_free_func ((GDestroyNotify) declared_free),
    .uris = uris,
  };

  add_variants (&builder, master);
  add_renditions (&builder, master);
  name_v3 (&builder);

  return builder.streams;
}

GPtrArray *
p2p_hls_excluded_uris (const P2pM3u8 *master)
{
  GPtrArray *uris = g_ptr_array_new ();

  for (guint i = 0; i < master->renditions->len; i++) {
    const P2pM3u8Rendition *rendition =
        g_ptr_array_index (master->renditions, i);

    if (rendition->uri != NULL && first_reference (master, rendition) == NULL)
      g_ptr_array_add (uris, rendition->uri);
  }
  for (guint i = 0; i < master->others->len; i++) {
    const P2pM3u8Other *other = g_ptr_array_index (master->others, i);

    if (other->kind == P2P_M3U8_OTHER_I_FRAMES)
      g_ptr_array_add (uris, other->uri);
  }

  return uris;
}

char *
p2p_hls_anonymous_hash (P2pProtocol protocol)
{
  P2pStreamProperties nothing = { 0 };

  return p2p_identity_hash (protocol, &nothing);
}
