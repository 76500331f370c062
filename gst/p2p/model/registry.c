/* p2phlssrc: what the manifests have said.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "registry.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "formats/m3u8.h"
#include "formats/urlkey.h"
#include "model/hls-master.h"
#include "model/identity.h"
#include "model/listing.h"
#include "model/urlindex.h"
#include "model/urlset.h"

/**
 * Presentation:
 *
 * A multivariant playlist and what it declares, or one media playlist that
 * none declares.
 */
typedef struct
{
  char *swarm_v2;
  char *swarm_v3;
  GPtrArray *listings; /* of P2pListing, not owned */
  gboolean is_loaded;  /* some listing holds segments */
  guint64 last_use;
} Presentation;

/**
 * Rendition:
 *
 * A listing and where it belongs.
 */
typedef struct
{
  P2pListing listing;
  Presentation *presentation;
  gboolean is_anonymous;
} Rendition;

struct _P2pRegistry
{
  char *swarm_id; /* (nullable) the user's */
  GPtrArray *presentations;
  GPtrArray *renditions;
  GPtrArray *streams;    /* of those, what can be shared */
  GHashTable *masters;   /* URL key → Presentation */
  GHashTable *playlists; /* URL key → Rendition */
  GHashTable *by_path; /* URL key without query → Rendition; NULL: several */
  GHashTable *by_name; /* stream swarm id → Rendition, the first of it */
  P2pUrlIndex *segments;
  P2pUrlSet *others; /* keys, init segments, parts, … */
  guint last_serial;
  guint64 uses;
};

/* --- life --------------------------------------------------------------- */

static void
presentation_free (Presentation *presentation)
{
  g_ptr_array_unref (presentation->listings);
  g_free (presentation->swarm_v2);
  g_free (presentation->swarm_v3);
  g_free (presentation);
}

static void
rendition_free (Rendition *rendition)
{
  P2pStream *stream = &rendition->listing.stream;

  p2p_listing_clear (&rendition->listing);
  g_free (stream->playlist_uri);
  g_free (stream->swarm_id_v2);
  g_free (stream->swarm_id_v3);
  g_free (rendition);
}

P2pRegistry *
p2p_registry_new (const char *swarm_id)
{
  P2pRegistry *registry = g_new0 (P2pRegistry, 1);

  registry->swarm_id = g_strdup (swarm_id);
  registry->presentations =
      g_ptr_array_new_with_free_func ((GDestroyNotify) presentation_free);
  registry->renditions =
      g_ptr_array_new_with_free_func ((GDestroyNotify) rendition_free);
  registry->streams = g_ptr_array_new ();
  registry->masters =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  registry->playlists =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  registry->by_path =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  registry->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  registry->segments = p2p_url_index_new ();
  registry->others = p2p_url_set_new (P2P_REGISTRY_MAX_OTHERS);

  return registry;
}

void
p2p_registry_free (P2pRegistry *registry)
{
  g_hash_table_unref (registry->by_name);
  g_hash_table_unref (registry->by_path);
  g_hash_table_unref (registry->playlists);
  g_hash_table_unref (registry->masters);
  g_ptr_array_unref (registry->streams);
  g_ptr_array_unref (registry->renditions);
  g_ptr_array_unref (registry->presentations);
  p2p_url_set_free (registry->others);
  g_hash_table_unref (registry->segments);
  g_free (registry->swarm_id);
  g_free (registry);
}

/* --- where a playlist was found ----------------------------------------- */

/**
 * Source:
 *
 * A playlist's URLs: asked for, and found. Both are kept as keys, because
 * players go on with either.
 */
typedef struct
{
  const char *request_uri;
  const char *response_uri;
  char *request_key;
  char *response_key;
  P2pUrlBase *bases[2]; /* response first; second NULL when the same */
} Source;

static void
source_clear (Source *source)
{
  g_free (source->request_key);
  g_free (source->response_key);
  g_clear_pointer (&source->bases[0], p2p_url_base_free);
  g_clear_pointer (&source->bases[1], p2p_url_base_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Source, source_clear)

static gboolean
source_init (Source *source, const char *request_uri, const char *response_uri)
{
  *source = (Source){
    .request_uri = request_uri,
    .response_uri = response_uri,
    .request_key = p2p_url_key_of (request_uri),
    .response_key = p2p_url_key_of (response_uri),
    .bases = { p2p_url_base_new (response_uri), NULL },
  };
  if (!g_str_equal (request_uri, response_uri))
    source->bases[1] = p2p_url_base_new (request_uri);

  return source->request_key != NULL && source->response_key != NULL;
}

/* The URL of @reference on base 0 or 1. Returns: (transfer full)
 * (nullable). */
static char *
source_resolve (const Source *source, guint base, const char *reference)
{
  g_autoptr (GString) out = g_string_new (NULL);

  if (source->bases[base] == NULL
      || !p2p_url_resolve (source->bases[base], reference, out))
    return NULL;

  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* --- names -------------------------------------------------------------- */

static void
use (P2pRegistry *registry, Presentation *presentation)
{
  presentation->last_use = ++registry->uses;
}

static Presentation *
presentation_new (P2pRegistry *registry, const Source *source)
{
  Presentation *presentation = g_new0 (Presentation, 1);

  presentation->listings = g_ptr_array_new ();
  if (registry->swarm_id != NULL) {
    presentation->swarm_v3 = g_strdup (registry->swarm_id);
    presentation->swarm_v2 = g_strdup (registry->swarm_id);
  } else {
    presentation->swarm_v3 =
        p2p_identity_swarm_id_from_url (source->request_uri);
    presentation->swarm_v2 =
        p2p_identity_swarm_id_from_url (source->response_uri);
  }
  g_ptr_array_add (registry->presentations, presentation);

  return presentation;
}

/* A swarm holds one stream's segments. Of two declared streams with one name
 * (redundant ones), the first is shared; of two that have no other name than
 * their URL, neither is, as browsers do. */
static void
claim_name (P2pRegistry *registry, Rendition *rendition, char *name)
{
  Rendition *other = g_hash_table_lookup (registry->by_name, name);

  if (other == NULL) {
    g_hash_table_insert (registry->by_name, name, rendition);
    return;
  }

  P2P_LOG_INFO (P2P_AREA_MANIFEST, rendition->listing.stream.serial,
      "not shared: its name is that of stream %u",
      other->listing.stream.serial);
  rendition->listing.stream.shareable = FALSE;
  if (rendition->is_anonymous && other->is_anonymous)
    other->listing.stream.shareable = FALSE;
}

static void
name_stream (P2pRegistry *registry, Rendition *rendition, const char *hash_v2,
    const char *hash_v3)
{
  const Presentation *presentation = rendition->presentation;
  P2pStream *stream = &rendition->listing.stream;

  stream->swarm_id_v2 = p2p_identity_stream_swarm_id (
      P2P_PROTOCOL_V2, presentation->swarm_v2, stream->type, hash_v2);
  stream->swarm_id_v3 = p2p_identity_stream_swarm_id (
      P2P_PROTOCOL_V3, presentation->swarm_v3, stream->type, hash_v3);
  p2p_identity_info_hash (stream->swarm_id_v2, &stream->info_hash_v2);
  p2p_identity_info_hash (stream->swarm_id_v3, &stream->info_hash_v3);
  stream->shareable = TRUE;
  claim_name (registry, rendition, stream->swarm_id_v3);
  claim_name (registry, rendition, stream->swarm_id_v2);
  P2P_LOG_INFO (P2P_AREA_MANIFEST, stream->serial, "stream %s, %s",
      stream->swarm_id_v3, stream->swarm_id_v2);
}

/* --- renditions --------------------------------------------------------- */

/* (nullable): there are as many as we keep. */
static Rendition *
rendition_new (P2pRegistry *registry, Presentation *presentation,
    P2pStreamType type, const char *uri)
{
  Rendition *rendition;

  if (registry->renditions->len >= P2P_REGISTRY_MAX_STREAMS)
    return NULL;

  rendition = g_new0 (Rendition, 1);
  p2p_listing_init (&rendition->listing, registry->segments);
  rendition->presentation = presentation;
  rendition->listing.stream.serial = ++registry->last_serial;
  rendition->listing.stream.type = type;
  rendition->listing.stream.playlist_uri = g_strdup (uri);
  g_ptr_array_add (registry->renditions, rendition);
  g_ptr_array_add (presentation->listings, &rendition->listing);

  return rendition;
}

/* @key: (transfer full) (nullable). */
static void
add_playlist_key (P2pRegistry *registry, char *key, Rendition *rendition)
{
  gsize bound = P2P_REGISTRY_MAX_STREAMS * 2;

  if (key == NULL)
    return;
  /* Redirects that change with each request must not pile up. */
  if (g_hash_table_size (registry->playlists) < bound
      || g_hash_table_contains (registry->playlists, key))
    g_hash_table_replace (registry->playlists, key, rendition);
  else
    g_free (key);
}

static char *
without_query (const char *key)
{
  return g_strndup (key, strcspn (key, "?"));
}

/* @key is one of a playlist that a multivariant playlist names. */
static void
add_path (P2pRegistry *registry, const char *key, Rendition *rendition)
{
  char *path = without_query (key);
  gpointer other;
  gboolean known =
      g_hash_table_lookup_extended (registry->by_path, path, NULL, &other);

  g_hash_table_replace (
      registry->by_path, path, known && other != rendition ? NULL : rendition);
}

/* The rendition that a multivariant playlist names by @reference: one that
 * is known keeps its names. (nullable) */
static Rendition *
declare (P2pRegistry *registry, Presentation *presentation,
    const Source *source, P2pStreamType type, const char *reference)
{
  g_autofree char *uri = source_resolve (source, 0, reference);
  g_autofree char *naive = source_resolve (source, 1, reference);
  g_autofree char *key = uri != NULL ? p2p_url_key_of (uri) : NULL;
  Rendition *rendition;

  if (key == NULL)
    return NULL;

  rendition = g_hash_table_lookup (registry->playlists, key);
  if (rendition == NULL || rendition->presentation != presentation) {
    rendition = rendition_new (registry, presentation, type, uri);
    if (rendition == NULL)
      return NULL;
    add_playlist_key (registry, g_strdup (key), rendition);
    add_path (registry, key, rendition);
  }
  if (naive != NULL)
    add_playlist_key (registry, p2p_url_key_of (naive), rendition);

  return rendition;
}

static gboolean
is_named (const Rendition *rendition)
{
  return rendition->listing.stream.swarm_id_v3 != NULL;
}

static void
declare_stream (P2pRegistry *registry, Presentation *presentation,
    const Source *source, const P2pHlsDeclared *declared)
{
  Rendition *rendition =
      declare (registry, presentation, source, declared->type, declared->uri);

  if (rendition == NULL || is_named (rendition))
    return;

  rendition->listing.shared = TRUE;
  rendition->listing.stream.type = declared->type;
  rendition->listing.stream.bitrate = declared->bitrate;
  name_stream (registry, rendition, declared->hash_v2, declared->hash_v3);
  g_ptr_array_add (registry->streams, &rendition->listing.stream);
}

/* --- what is no segment ------------------------------------------------- */

static void
add_others (
    P2pRegistry *registry, const Source *source, const GPtrArray *others)
{
  for (guint i = 0; i < others->len; i++) {
    const P2pM3u8Other *other = g_ptr_array_index (others, i);

    if (other->kind == P2P_M3U8_OTHER_I_FRAMES
        || other->kind == P2P_M3U8_OTHER_REPORT)
      continue; /* playlists */
    for (guint base = 0; base < 2; base++) {
      g_autofree char *uri = source_resolve (source, base, other->uri);

      if (uri != NULL)
        p2p_url_set_add (registry->others, uri, &other->range);
    }
  }
}

/* --- reading ------------------------------------------------------------ */

static void
forget_segments (Presentation *presentation)
{
  for (guint i = 0; i < presentation->listings->len; i++)
    p2p_listing_forget (presentation->listings->pdata[i]);
  presentation->is_loaded = FALSE;
}

/* Keeps the segments of as many presentations as one viewer could want. */
static void
load (P2pRegistry *registry, Presentation *presentation)
{
  Presentation *oldest = NULL;
  guint n_loaded = 0;

  if (presentation->is_loaded)
    return;

  presentation->is_loaded = TRUE;
  for (guint i = 0; i < registry->presentations->len; i++) {
    Presentation *other = registry->presentations->pdata[i];

    n_loaded += other->is_loaded;
    if (other->is_loaded && other != presentation
        && (oldest == NULL || other->last_use < oldest->last_use))
      oldest = other;
  }
  if (n_loaded > P2P_REGISTRY_MAX_PRESENTATIONS)
    forget_segments (oldest);
}

/* A multivariant playlist that redirects lead to is the one they led to
 * before: demuxers reload it by either URL. (nullable) */
static Presentation *
find_presentation (P2pRegistry *registry, const Source *source)
{
  Presentation *presentation =
      g_hash_table_lookup (registry->masters, source->request_key);

  if (presentation == NULL)
    presentation =
        g_hash_table_lookup (registry->masters, source->response_key);
  if (presentation == NULL) {
    if (registry->presentations->len >= P2P_REGISTRY_MAX_STREAMS)
      return NULL;
    presentation = presentation_new (registry, source);
    g_hash_table_replace (
        registry->masters, g_strdup (source->request_key), presentation);
    g_hash_table_replace (
        registry->masters, g_strdup (source->response_key), presentation);
  }

  return presentation;
}

/* Other bit rates, other tracks. */
static void
note_variants (Presentation *presentation)
{
  for (guint i = 0; i < presentation->listings->len; i++) {
    P2pListing *listing = presentation->listings->pdata[i];

    listing->stream.has_variants = presentation->listings->len > 1;
  }
}

static gboolean
read_master (
    P2pRegistry *registry, const Source *source, const P2pM3u8 *playlist)
{
  g_autoptr (GPtrArray) streams = p2p_hls_declared_streams (playlist);
  g_autoptr (GPtrArray) excluded = p2p_hls_excluded_uris (playlist);
  Presentation *presentation = find_presentation (registry, source);

  if (presentation == NULL)
    return FALSE;

  use (registry, presentation);
  for (guint i = 0; i < streams->len; i++)
    declare_stream (registry, presentation, source, streams->pdata[i]);
  for (guint i = 0; i < excluded->len; i++)
    declare (
        registry, presentation, source, P2P_STREAM_MAIN, excluded->pdata[i]);
  add_others (registry, source, playlist->others);
  note_variants (presentation);

  return TRUE;
}

static Rendition *
find_by_key (P2pRegistry *registry, const char *key)
{
  Rendition *rendition = g_hash_table_lookup (registry->playlists, key);
  g_autofree char *meant = NULL;

  if (rendition != NULL)
    return rendition;
  meant = p2p_url_network_path_key (key);

  return meant != NULL ? g_hash_table_lookup (registry->playlists, meant)
                       : NULL;
}

/* The rendition whose playlist this is: by URL, or by path where that can
 * only mean one that is shared. */
static Rendition *
find_rendition (P2pRegistry *registry, const Source *source)
{
  const char *keys[] = { source->response_key, source->request_key };
  Rendition *rendition;

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    rendition = find_by_key (registry, keys[i]);
    if (rendition != NULL)
      return rendition;
  }
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autofree char *path = without_query (keys[i]);

    rendition = g_hash_table_lookup (registry->by_path, path);
    if (rendition != NULL && rendition->listing.shared)
      return rendition;
  }

  return NULL;
}

static Rendition *
add_anonymous (
    P2pRegistry *registry, const Source *source, const P2pM3u8 *playlist)
{
  g_autofree char *hash_v2 = p2p_hls_anonymous_hash (P2P_PROTOCOL_V2);
  g_autofree char *hash_v3 = p2p_hls_anonymous_hash (P2P_PROTOCOL_V3);
  Rendition *rendition;

  if (registry->renditions->len >= P2P_REGISTRY_MAX_STREAMS
      || registry->presentations->len >= P2P_REGISTRY_MAX_STREAMS)
    return NULL;

  rendition = rendition_new (registry, presentation_new (registry, source),
      P2P_STREAM_MAIN, source->response_uri);
  rendition->is_anonymous = TRUE;
  if (playlist->i_frames_only)
    return rendition;

  rendition->listing.shared = TRUE;
  name_stream (registry, rendition, hash_v2, hash_v3);
  g_ptr_array_add (registry->streams, &rendition->listing.stream);

  return rendition;
}

static gboolean
read_media (P2pRegistry *registry, const Source *source,
    const P2pM3u8 *playlist, P2pStream **stream)
{
  Rendition *rendition = find_rendition (registry, source);

  if (rendition == NULL)
    rendition = add_anonymous (registry, source, playlist);
  if (rendition == NULL)
    return FALSE;

  add_playlist_key (registry, g_strdup (source->request_key), rendition);
  add_playlist_key (registry, g_strdup (source->response_key), rendition);
  use (registry, rendition->presentation);
  load (registry, rendition->presentation);
  if (playlist->i_frames_only)
    rendition->listing.shared = FALSE;
  rendition->listing.last_read = rendition->presentation->last_use;
  p2p_listing_update (
      &rendition->listing, playlist, source->response_uri, source->request_uri);
  add_others (registry, source, playlist->others);
  if (rendition->listing.shared)
    *stream = &rendition->listing.stream;

  return TRUE;
}

gboolean
p2p_registry_add_playlist (P2pRegistry *registry, const char *request_uri,
    const char *response_uri, GBytes *body, P2pStream **stream, GError **error)
{
  g_autoptr (P2pM3u8) playlist = NULL;
  g_auto (Source) source = { 0 };
  P2pStream *found = NULL;
  gboolean ok;

  if (stream != NULL)
    *stream = NULL;
  if (!source_init (&source, request_uri, response_uri)) {
    g_set_error (error, P2P_FORMAT_ERROR, P2P_FORMAT_ERROR_UNSUPPORTED,
        "playlist: its URL is not of http or https");
    return FALSE;
  }
  playlist = p2p_m3u8_parse (body, error);
  if (playlist == NULL)
    return FALSE;

  ok = playlist->is_master ? read_master (registry, &source, playlist)
                           : read_media (registry, &source, playlist, &found);
  if (!ok) {
    g_set_error (error, P2P_FORMAT_ERROR, P2P_FORMAT_ERROR_LIMIT,
        "playlist: %d streams are known already", P2P_REGISTRY_MAX_STREAMS);
    return FALSE;
  }
  if (stream != NULL)
    *stream = found;

  return TRUE;
}

/* --- looking up --------------------------------------------------------- */

static P2pResourceKind
found_segment (P2pRegistry *registry, const P2pUrlEntry *entry,
    P2pStream **stream, gint64 *segment_id)
{
  P2pListing *listing;
  const P2pSegment *segment = p2p_listing_segment_of (entry, &listing);

  if (segment == NULL || !listing->shared || !listing->stream.shareable)
    return P2P_RESOURCE_SEGMENT_UNSHARED;

  use (registry, ((Rendition *) listing)->presentation);
  if (stream != NULL)
    *stream = &listing->stream;
  if (segment_id != NULL)
    *segment_id = segment->id;

  return P2P_RESOURCE_SEGMENT;
}

static P2pResourceKind
find_resource (P2pRegistry *registry, const char *key, const P2pRange *range,
    P2pStream **stream, gint64 *segment_id)
{
  const P2pUrlEntry *entry;
  P2pUrlEntry probe;

  p2p_url_entry_init (&probe, key, range, NULL);
  entry = p2p_url_index_find (registry->segments, &probe);
  if (entry != NULL)
    return found_segment (registry, entry, stream, segment_id);
  if (p2p_url_set_contains (registry->others, &probe))
    return P2P_RESOURCE_OTHER;
  if (g_hash_table_contains (registry->playlists, key)
      || g_hash_table_contains (registry->masters, key))
    return P2P_RESOURCE_PLAYLIST;

  return P2P_RESOURCE_UNKNOWN;
}

P2pResourceKind
p2p_registry_lookup (P2pRegistry *registry, const char *uri,
    const P2pRange *range, P2pStream **stream, gint64 *segment_id)
{
  g_autofree char *key = p2p_url_key_of (uri);
  g_autofree char *meant = NULL;
  P2pResourceKind kind;

  if (stream != NULL)
    *stream = NULL;
  if (segment_id != NULL)
    *segment_id = 0;
  if (key == NULL)
    return P2P_RESOURCE_UNKNOWN;

  kind = find_resource (registry, key, range, stream, segment_id);
  if (kind != P2P_RESOURCE_UNKNOWN)
    return kind;
  meant = p2p_url_network_path_key (key);

  return meant != NULL
      ? find_resource (registry, meant, range, stream, segment_id)
      : P2P_RESOURCE_UNKNOWN;
}

gboolean
p2p_registry_is_empty (P2pRegistry *registry)
{
  return registry->presentations->len == 0;
}

static const Presentation *
presentation_of (P2pRegistry *registry, const P2pStream *stream)
{
  for (guint i = 0; i < registry->renditions->len; i++) {
    const Rendition *rendition = registry->renditions->pdata[i];

    if (&rendition->listing.stream == stream)
      return rendition->presentation;
  }

  return NULL;
}

guint64
p2p_registry_next_bitrate (
    P2pRegistry *registry, const P2pStream *stream, guint64 bitrate)
{
  const Presentation *presentation = presentation_of (registry, stream);
  guint64 next = 0;

  if (presentation == NULL || stream->type != P2P_STREAM_MAIN)
    return 0;
  for (guint i = 0; i < presentation->listings->len; i++) {
    const P2pListing *listing = presentation->listings->pdata[i];

    if (listing->stream.type == P2P_STREAM_MAIN
        && listing->stream.bitrate > bitrate
        && (next == 0 || listing->stream.bitrate < next))
      next = listing->stream.bitrate;
  }

  return next;
}

GPtrArray *
p2p_registry_streams (P2pRegistry *registry)
{
  return registry->streams;
}
