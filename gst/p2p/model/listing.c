/* p2phlssrc: what a media playlist lists, refresh after refresh.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "listing.h"

#include "base/limits.h"
#include "base/log.h"

/* Beyond these a stream of restarts is no stream: far below overflow. */
#define ID_MAX (G_MAXINT64 / 4)
#define TIMELINE_MAX_US (G_MAXINT64 / 4)

/* How many segments with one URL are looked at for the right one. */
#define SAME_URL_MAX 16

/* A segment and where it stands in the index: under the URL that browsers
 * make of it, and under the one that a player makes who takes the playlist's
 * URL before redirects for its base. One allocation: the strings follow. */
typedef struct
{
  P2pSegment segment;
  P2pListing *listing;
  gboolean is_listed;
  const char *written; /* in the playlist */
  P2pUrlEntry entries[2];
  guint n_entries;
} Listed;

/* --- one segment -------------------------------------------------------- */

static void
listed_free (Listed *listed)
{
  for (guint i = 0; i < listed->n_entries; i++)
    p2p_url_index_remove (listed->listing->index, &listed->entries[i]);
  g_free (listed);
}

/* Scratch space for resolving, so that a segment costs one allocation. */
typedef struct
{
  P2pUrlBase *bases[2];
  GString *uri;
  GString *keys[2];
} Resolver;

static void
resolver_init (Resolver *resolver, const char *response, const char *request)
{
  *resolver = (Resolver){
    .bases = { p2p_url_base_new (response), NULL },
    .uri = g_string_new (NULL),
    .keys = { g_string_new (NULL), g_string_new (NULL) },
  };
  if (!g_str_equal (response, request))
    resolver->bases[1] = p2p_url_base_new (request);
}

static void
resolver_clear (Resolver *resolver)
{
  for (guint i = 0; i < 2; i++) {
    g_clear_pointer (&resolver->bases[i], p2p_url_base_free);
    g_string_free (resolver->keys[i], TRUE);
  }
  g_string_free (resolver->uri, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Resolver, resolver_clear)

static gboolean
is_copy (const GString *a, const GString *b)
{
  return a->len == b->len && memcmp (a->str, b->str, a->len) == 0;
}

static const char *
put_string (char **at, const char *text, gsize length)
{
  char *copy = *at;

  memcpy (copy, text, length);
  copy[length] = '\0';
  *at += length + 1;

  return copy;
}

/* How many keys there are for what is in @resolver. */
static guint
make_keys (Resolver *resolver, const char *written)
{
  GString **keys = resolver->keys;

  if (!p2p_url_resolve (resolver->bases[0], written, resolver->uri))
    return 0;
  g_string_truncate (keys[0], 0);
  g_string_append_len (keys[0], resolver->uri->str, resolver->uri->len);
  p2p_url_key (keys[0]);
  if (resolver->bases[1] == NULL
      || !p2p_url_resolve (resolver->bases[1], written, keys[1]))
    return 1;
  p2p_url_key (keys[1]);

  return is_copy (keys[0], keys[1]) ? 1 : 2;
}

static Listed *
listed_new (P2pListing *listing, const P2pM3u8Segment *from, Resolver *resolver)
{
  guint n_keys = make_keys (resolver, from->uri);
  gboolean key_is_uri = is_copy (resolver->uri, resolver->keys[0]);
  gsize written_length = strlen (from->uri);
  gsize size = sizeof (Listed) + written_length + 1 + resolver->uri->len + 1;
  Listed *listed;
  char *at;

  for (guint i = key_is_uri ? 1 : 0; i < n_keys; i++)
    size += resolver->keys[i]->len + 1;
  listed = g_malloc0 (size);
  at = (char *) (listed + 1);
  listed->listing = listing;
  listed->n_entries = n_keys;
  listed->written = put_string (&at, from->uri, written_length);
  listed->segment.uri =
      (char *) put_string (&at, resolver->uri->str, resolver->uri->len);
  listed->segment.range = from->range;
  listed->segment.gap = from->gap || n_keys == 0;
  for (guint i = 0; i < n_keys; i++) {
    const char *key = i == 0 && key_is_uri
        ? listed->segment.uri
        : put_string (&at, resolver->keys[i]->str, resolver->keys[i]->len);

    p2p_url_entry_init (&listed->entries[i], key, &from->range, listed);
  }

  return listed;
}

static Listed *
listed_at (const P2pListing *listing, guint index)
{
  return g_ptr_array_index (listing->stream.segments, index);
}

/* --- old and new -------------------------------------------------------- */

/* Media sequence numbers, first and last inclusive; none when last < first. */
typedef struct
{
  gint64 first;
  gint64 last;
} Numbers;

static Numbers
old_numbers (const P2pListing *listing)
{
  guint n = listing->stream.segments->len;
  gint64 first;

  if (n == 0)
    return (Numbers){ 0, -1 };
  first = listed_at (listing, 0)->segment.id - listing->stream.id_offset;

  return (Numbers){ first, first + n - 1 };
}

static Numbers
new_numbers (const P2pM3u8 *playlist)
{
  gint64 first = playlist->media_sequence + playlist->skipped_segments;

  return (Numbers){ first, first + (gint64) playlist->segments->len - 1 };
}

static Numbers
common_numbers (Numbers a, Numbers b)
{
  return (Numbers){ MAX (a.first, b.first), MIN (a.last, b.last) };
}

/* The file name at the end of a URI: tokens in path and query may change
 * from refresh to refresh while the segment is the same. */
static const char *
file_name (const char *uri, gsize *length)
{
  gsize path = strcspn (uri, "?#");
  const char *slash = memrchr (uri, '/', path);
  const char *name = slash != NULL ? slash + 1 : uri;

  *length = uri + path - name;

  return name;
}

static gboolean
is_same_file (const char *a, const char *b)
{
  gsize a_length;
  gsize b_length;

  a = file_name (a, &a_length);
  b = file_name (b, &b_length);

  return a_length == b_length && memcmp (a, b, a_length) == 0;
}

static gboolean
is_same_segment (const Listed *listed, const P2pM3u8Segment *segment)
{
  return is_same_file (listed->written, segment->uri)
      && p2p_range_equal (&listed->segment.range, &segment->range);
}

typedef enum
{
  FIRST,   /* nothing was listed */
  REFRESH, /* goes on */
  STALE,   /* an older or broken state, as some caches give out */
  RESTART, /* other segments under numbers that were used */
} Change;

static Change
compare (const P2pListing *listing, const P2pM3u8 *playlist)
{
  Numbers old = old_numbers (listing);
  Numbers new = new_numbers (playlist);
  Numbers common = common_numbers (old, new);

  if (old.last < old.first)
    return FIRST;
  if (new.last < new.first)
    return STALE;
  if (common.last < common.first)
    return new.last < old.first ? RESTART : REFRESH;
  if (!is_same_segment (listed_at (listing, common.first - old.first),
          g_ptr_array_index (playlist->segments, common.first - new.first))
      || !is_same_segment (listed_at (listing, common.last - old.first),
          g_ptr_array_index (playlist->segments, common.last - new.first)))
    return RESTART;

  return new.last < old.last && !playlist->end_list ? STALE : REFRESH;
}

/* Where the last segment ends. */
static gint64
end_us (const P2pListing *listing)
{
  const GPtrArray *segments = listing->stream.segments;
  const P2pSegment *last;

  if (segments->len == 0)
    return 0;
  last = segments->pdata[segments->len - 1];

  return last->start_us + last->duration_us;
}

/* --- departing ---------------------------------------------------------- */

static void
depart (P2pListing *listing, Listed *listed)
{
  /* A URL that others are listed under means those. */
  for (guint k = 0; k < listed->n_entries; k++) {
    if (listed->entries[k].next != &listed->entries[k])
      p2p_url_index_remove (listing->index, &listed->entries[k]);
  }
  g_queue_push_tail (&listing->departed, listed);
  if (g_queue_get_length (&listing->departed) > P2P_LISTING_MAX_DEPARTED)
    listed_free (g_queue_pop_head (&listing->departed));
}

static void
free_all (P2pListing *listing)
{
  for (guint i = 0; i < listing->stream.segments->len; i++)
    listed_free (listed_at (listing, i));
  g_ptr_array_set_size (listing->stream.segments, 0);
  g_queue_clear_full (&listing->departed, (GDestroyNotify) listed_free);
}

/* Ids that nobody has ever seen: what is stored under the old ones, here and
 * by peers, must not be taken for the new. The distance keeps the numbers
 * that peers would read for old segments out of any window. */
static void
restart (P2pListing *listing, const P2pM3u8 *playlist)
{
  P2pStream *stream = &listing->stream;
  Numbers old = old_numbers (listing);
  gint64 last_id = old.last + stream->id_offset;

  P2P_LOG_INFO (P2P_AREA_MANIFEST, stream->serial,
      "segments begin anew at %" G_GINT64_FORMAT " after %" G_GINT64_FORMAT,
      new_numbers (playlist).first, old.last);
  free_all (listing);
  if (last_id > ID_MAX) {
    stream->shareable = FALSE;
    last_id = 0;
  }
  stream->id_offset =
      last_id + P2P_PLAYLIST_MAX_SEGMENTS - (gint64) playlist->media_sequence;
}

/* --- updating ----------------------------------------------------------- */

static gboolean
is_unchanged (const Listed *listed, const P2pM3u8Segment *segment)
{
  return g_str_equal (listed->written, segment->uri)
      && p2p_range_equal (&listed->segment.range, &segment->range)
      && (listed->segment.gap == segment->gap || listed->n_entries == 0);
}

/* What a delta update (EXT-X-SKIP) leaves out: the listed segments right
 * before its first, as far back as the playlist reaches. */
static void
keep_skipped (P2pListing *listing, const P2pM3u8 *playlist, Numbers old,
    GPtrArray *segments)
{
  gint64 before = new_numbers (playlist).first - 1;
  gint64 first = MAX ((gint64) playlist->media_sequence, old.first);

  if (before > old.last)
    return; /* a hole lies between */
  for (gint64 number = first; number <= before; number++) {
    Listed *listed = listed_at (listing, number - old.first);

    listed->is_listed = TRUE;
    g_ptr_array_add (segments, listed);
  }
}

static void
take_segments (P2pListing *listing, const P2pM3u8 *playlist, Numbers old,
    gboolean same_bases, GPtrArray *segments)
{
  g_auto (Resolver) resolver = { 0 };
  Numbers new = new_numbers (playlist);

  resolver_init (&resolver, listing->bases[0], listing->bases[1]);

  for (guint i = 0; i < playlist->segments->len; i++) {
    const P2pM3u8Segment *segment = g_ptr_array_index (playlist->segments, i);
    gint64 number = new.first + i;
    Listed *listed = NULL;

    if (number >= old.first && number <= old.last && same_bases)
      listed = listed_at (listing, number - old.first);
    if (listed == NULL || !is_unchanged (listed, segment)) {
      listed = listed_new (listing, segment, &resolver);
      listed->segment.id = number + listing->stream.id_offset;
    }
    listed->segment.duration_us = segment->duration_us;
    listed->is_listed = TRUE;
    g_ptr_array_add (segments, listed);
  }
}

/* Where the first of @segments starts, so that what was known keeps its
 * place. */
static gint64
first_start_us (const P2pListing *listing, Numbers old, GPtrArray *segments)
{
  const P2pStream *stream = &listing->stream;
  const P2pSegment *first = segments->pdata[0];
  gint64 number = first->id - stream->id_offset;
  gint64 start_us;

  if (old.last < old.first)
    return 0;
  if (number > old.last)
    /* What was missed lasted as long as such segments do. */
    return end_us (listing)
        + MIN (number - old.last - 1, P2P_PLAYLIST_MAX_SEGMENTS)
        * stream->target_duration_us;
  if (number >= old.first)
    return listed_at (listing, number - old.first)->segment.start_us;

  /* Earlier ones have come: count back from the first that was known. */
  start_us = listed_at (listing, 0)->segment.start_us;
  for (guint i = 0; number + i < old.first && i < segments->len; i++)
    start_us -= ((const P2pSegment *) segments->pdata[i])->duration_us;

  return start_us;
}

static void
place_on_timeline (GPtrArray *segments, gint64 start_us)
{
  if (start_us > TIMELINE_MAX_US || start_us < -TIMELINE_MAX_US)
    start_us = 0;
  for (guint i = 0; i < segments->len; i++) {
    P2pSegment *segment = segments->pdata[i];

    segment->start_us = start_us;
    start_us += segment->duration_us;
  }
}

/* Entries that equal @entry: listed ones only, or one that has departed,
 * which gives way. Within a listing they are in order. */
static void
index_entry (P2pListing *listing, P2pUrlEntry *entry)
{
  P2pUrlEntry *first = p2p_url_index_find (listing->index, entry);
  const Listed *owner = first != NULL ? first->owner : NULL;

  if (owner != NULL && !owner->is_listed)
    p2p_url_index_remove (listing->index, first);
  p2p_url_index_add (listing->index, entry);
}

static void
index_segments (P2pListing *listing)
{
  for (guint i = 0; i < listing->stream.segments->len; i++) {
    Listed *listed = listed_at (listing, i);

    for (guint k = 0; k < listed->n_entries; k++) {
      if (!p2p_url_entry_is_in (&listed->entries[k]))
        index_entry (listing, &listed->entries[k]);
    }
  }
}

static void
replace_segments (P2pListing *listing, GPtrArray *segments)
{
  g_autoptr (GPtrArray) old = listing->stream.segments;

  listing->stream.segments = segments;
  for (guint i = 0; i < old->len; i++) {
    Listed *listed = old->pdata[i];

    if (!listed->is_listed)
      depart (listing, listed);
  }
}

static gboolean
take_bases (P2pListing *listing, const char *response, const char *request)
{
  gboolean same = g_strcmp0 (listing->bases[0], response) == 0
      && g_strcmp0 (listing->bases[1], request) == 0;

  if (!same) {
    g_free (listing->bases[0]);
    listing->bases[0] = g_strdup (response);
    g_free (listing->bases[1]);
    listing->bases[1] = g_strdup (request);
  }

  return same;
}

/* Takes all but the segments. hls.js numbers what it finds complete from 0,
 * and what it finds live by media sequence, even after it has ended. */
static void
take_header (P2pListing *listing, const P2pM3u8 *playlist, Change change)
{
  P2pStream *stream = &listing->stream;

  stream->live = !playlist->end_list && !playlist->type_vod;
  stream->target_duration_us = playlist->target_duration_us;
  if (change == FIRST || change == RESTART)
    stream->v2_offset = playlist->end_list ? playlist->media_sequence : 0;
}

void
p2p_listing_update (P2pListing *listing, const P2pM3u8 *playlist,
    const char *response_uri, const char *request_uri)
{
  Change change = compare (listing, playlist);
  GPtrArray *segments;
  Numbers old;
  gint64 start_us = end_us (listing);
  gboolean same_bases;

  if (change == RESTART)
    restart (listing, playlist);
  listing->stream.last_read =
      new_numbers (playlist).last + listing->stream.id_offset;
  if (change == STALE) {
    P2P_LOG_DEBUG (P2P_AREA_MANIFEST, listing->stream.serial,
        "older playlist passed over");
    return;
  }
  take_header (listing, playlist, change);
  old = old_numbers (listing);
  same_bases = take_bases (listing, response_uri, request_uri);
  segments = g_ptr_array_sized_new (playlist->segments->len);
  for (guint i = 0; i < listing->stream.segments->len; i++)
    listed_at (listing, i)->is_listed = FALSE;
  keep_skipped (listing, playlist, old, segments);
  take_segments (listing, playlist, old, same_bases, segments);
  if (segments->len > 0) {
    if (change != RESTART)
      start_us = first_start_us (listing, old, segments);
    place_on_timeline (segments, start_us);
  }
  replace_segments (listing, segments);
  index_segments (listing);
}

/* --- public ------------------------------------------------------------- */

void
p2p_listing_init (P2pListing *listing, P2pUrlIndex *index)
{
  listing->index = index;
  listing->stream.segments = g_ptr_array_new ();
  g_queue_init (&listing->departed);
}

void
p2p_listing_forget (P2pListing *listing)
{
  free_all (listing);
}

void
p2p_listing_clear (P2pListing *listing)
{
  free_all (listing);
  g_ptr_array_unref (listing->stream.segments);
  g_free (listing->bases[0]);
  g_free (listing->bases[1]);
}

/* A departed segment may be listed under a new token. */
static const P2pSegment *
find_successor (const Listed *listed)
{
  const P2pSegment *segment =
      p2p_stream_segment (&listed->listing->stream, listed->segment.id);

  return segment != NULL
          && p2p_range_equal (&segment->range, &listed->segment.range)
          && is_same_file (listed->written, ((const Listed *) segment)->written)
      ? segment
      : NULL;
}

const P2pSegment *
p2p_listing_segment_of (const P2pUrlEntry *first, P2pListing **listing)
{
  const P2pUrlEntry *entry = first;
  const Listed *best = NULL;
  const P2pSegment *segment;
  guint n = 0;

  /* Playlists may name one URL: the one that was read last is being played. */
  do {
    const Listed *listed = entry->owner;

    if (listed->is_listed
        && (best == NULL
            || listed->listing->last_read > best->listing->last_read))
      best = listed;
    entry = entry->next;
  } while (entry != first && ++n < SAME_URL_MAX);

  segment = best != NULL ? &best->segment : find_successor (first->owner);
  *listing = ((const Listed *) first->owner)->listing;
  if (best != NULL)
    *listing = best->listing;

  return segment == NULL || segment->gap ? NULL : segment;
}
