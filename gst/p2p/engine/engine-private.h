/* p2phlssrc: the engine's own structs.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: the engine's owner. docs/design/engine.md draws who owns whom.
 */
#pragma once

#include "base/limits.h"
#include "base/log.h"
#include "base/prng.h"
#include "base/timerq.h"
#include "engine/engine.h"
#include "formats/m3u8.h"
#include "formats/peermsg.h"
#include "formats/trackermsg.h"
#include "model/bandwidth.h"
#include "model/idset.h"
#include "model/playback.h"
#include "model/registry.h"
#include "model/store.h"
#include "policy/fetch.h"
#include "policy/sights.h"

G_BEGIN_DECLS

typedef struct _P2pShare P2pShare;
typedef struct _P2pDownload P2pDownload;
typedef struct _P2pPlayerRequest P2pPlayerRequest;
typedef struct _P2pPeer P2pPeer;
typedef struct _P2pTracker P2pTracker;

/* Segments past the end of our copy of a live playlist that are taken from
 * peers who have seen a newer one, and spoken of. */
#define P2P_ANNOUNCED_AHEAD 3

#define P2P_ASSERT_OWNER(engine) \
  g_assert ((engine)->owner == NULL || (engine)->owner == g_thread_self ())

/* Peers that are found without a search: more than usual, a power of two. */
#define P2P_PEERS_AT_HAND 128

/* One that broke the protocol, and is not connected to until then. */
typedef struct
{
  P2pPeerId id;
  gint64 until_us;
} P2pShunned;

struct _P2pEngine
{
  GThread *owner; /* the thread of the first event */
  gboolean busy;  /* inside handle or step: ports must not call back */
  gboolean work;  /* a share wants something of the next step */
  gint64 now_us;
  P2pEnginePorts ports;
  P2pTimerQueue *timers;
  P2pPrng prng;
  P2pPeerId peer_id;
  gboolean transport_configured; /* it knows the ICE servers */
  guint64 last_number;           /* of http requests, sockets, connections */

  gboolean p2p;
  gboolean upload;
  char **trackers_wanted;
  char **ice_servers;
  guint protocols;
  guint max_peers;
  guint64 max_upload_bps;
  guint64 cache_bytes;
  gint64 urgent_buffer_us;
  gint64 http_window_us;
  gint64 p2p_window_us;
  gint64 max_playlist_delay_us;

  P2pRegistry *registry;
  P2pStore *store;
  GHashTable *requests;  /* player's number → P2pPlayerRequest, owned */
  GHashTable *consumers; /* consumer → P2pConsumer, owned */
  GHashTable *fetches;   /* http number → P2pFetchOwner, owned */
  GHashTable *peers;     /* connection number → P2pPeer, owned by its share */
  P2pPeer *at_hand[P2P_PEERS_AT_HAND]; /* (nullable) of these, by number */
  P2pShunned shunned[P2P_SHUNNED_MAX]; /* in turn */
  guint n_shunned;                     /* ever */
  GHashTable *sockets;                 /* socket number → P2pTracker */
  GPtrArray *trackers;                 /* of P2pTracker, owned */
  gint64 admitted_us; /* when a tracker first let us in; 0: none has */
  GHashTable *shares; /* serial of its stream → P2pShare, owned */

  P2pBandwidth http_bandwidth;
  P2pBandwidth all_bandwidth; /* HTTP and peers together */

  guint64 arrived_bytes; /* of segments, from anywhere, wanted or not */

  double up_bps; /* what the uplink carries, 0: not known */
  gint64 up_measured_us;
  guint up_thin;        /* how often it has shown to be too thin, in a row */
  double up_thin_for;   /* the bitrate that was too much */
  gint64 up_served_us;  /* when somebody last had got all of a segment */
  double up_load;       /* uploads at once, times microseconds */
  gint64 up_load_us;    /* up to then */
  double upload_tokens; /* bytes that may leave now */
  gint64 upload_filled_us;
  GPtrArray *uploads; /* of P2pPeer: who is served, or was a moment ago */
  P2pTimer upload_timer;
  P2pTimer sweep_timer; /* shares nobody plays any more */

  guint64 http_bytes;
  guint64 p2p_bytes;
  guint64 upload_bytes;
  guint64 http_segments;
  guint64 p2p_segments;
  guint64 upload_segments;
  guint64 overhead_bytes;
  guint64 registry_misses;
  guint64 playlists_delayed;
  gint64 playlist_delay_us;
};

/* Who an HTTP request is for: one of the three. */
typedef struct
{
  P2pPlayerRequest *request;
  P2pDownload *download;
  P2pShare *share; /* a look at its playlist */
} P2pFetchOwner;

/* One source element that plays a stream. */
typedef struct
{
  P2pPlayback playback;
  P2pShare *share; /* (nullable): of its last segment */
  gint64 last_us;  /* of its last request */
  gint64 ended_us; /* when it had all of the last segment, 0: none yet */
} P2pConsumer;

guint64 p2p_engine_number (P2pEngine *engine);
/* What our line has given lately, at least, 0: not known. */
guint64 p2p_engine_line_bps (P2pEngine *engine);
void p2p_engine_configure_transport (P2pEngine *engine);

/* Whether a request that failed is made again, as souphttpsrc decides: for a
 * body that broke off or fell silent, from the byte reached; not before its
 * headers had come. @attempts since the last byte; @retries: -1 for ever. */
gboolean p2p_engine_retries_http (
    gboolean answered, guint attempts, int retries);
/* Whether to ask again although the server has refused, as it may soon not:
 * `retries` answers in a row are final. @profile is nullable. */
gboolean p2p_engine_retries_refusal (const P2pHttpProfile *profile,
    const P2pHttpFailure *failure, guint attempts);
/* How long from now, after @attempts since the last byte. */
gint64 p2p_engine_retry_us (const P2pHttpProfile *profile, guint attempts);

/* --- request.c: what the player asks for ---------------------------------- */

struct _P2pPlayerRequest
{
  P2pEngine *engine;
  guint64 id;
  char *uri;
  P2pRange range;
  guint64 consumer;
  P2pHttpProfile *profile;
  gboolean p2p;
  P2pPlaylistStyle style;
  char *gateway_key; /* (nullable) */
  gint64 asked_us;
  gboolean headers_sent;

  /* straight from HTTP */
  guint64 http;
  guint64 received;  /* bytes of the body so far */
  guint64 skip;      /* bytes to throw away: the server ignored the range */
  gboolean answered; /* this attempt has had headers */
  guint attempts;    /* since the last byte */
  gboolean counts_as_miss; /* no manifest named it */
  gboolean paused;
  gboolean sniffed;
  GByteArray *playlist; /* (nullable): a playlist is being collected */
  GBytes *unstyled;     /* (nullable): a playlist that waits for its style */
  P2pHttpResponse *response;
  GBytes *body;         /* (nullable): a playlist that waits */
  P2pShare *lists;      /* (nullable): whose segments it lists */
  gint64 last_listed;   /* of them */
  P2pDownload *held_by; /* (nullable): for this segment */
  gint64 held_us;       /* since then */

  gboolean was_shared;    /* the rest of a segment */
  gboolean cannot_resume; /* and the origin refused to send one */

  /* a segment that is shared */
  P2pShare *share;
  gint64 segment_id;
  P2pEntry *entry; /* one user of it */
  P2pCursor cursor;
  guint64 delivered;
  guint64 from_http; /* bytes that came from there since it was asked for */
  guint64 pace_bps;  /* of what peers and the store give, 0: as it comes */
  P2pTimer pace_timer;
};

void p2p_request_start (
    P2pEngine *engine, guint64 id, const P2pRequest *request);
void p2p_request_cancel (P2pEngine *engine, guint64 id);
void p2p_request_drained (P2pEngine *engine, guint64 id);
void p2p_request_style (
    P2pEngine *engine, guint64 id, const P2pRequest *request);
void p2p_request_free (P2pPlayerRequest *request);

void p2p_request_http_headers (
    P2pPlayerRequest *request, P2pHttpResponse *response);
void p2p_request_http_data (P2pPlayerRequest *request, GBytes *bytes);
void p2p_request_http_done (P2pPlayerRequest *request);
void p2p_request_http_failed (
    P2pPlayerRequest *request, P2pHttpFailure *failure);

/* The entry has grown, or is complete: hands on what is new. Frees the
 * request when it was the last. */
void p2p_request_advance (P2pPlayerRequest *request);

/* What was held: goes on its way, and frees the request or lets it wait for the
 * player's word. */
void p2p_request_pass_playlist (P2pPlayerRequest *request);

/* Ends the request with @failure and frees it. */
void p2p_request_fail (P2pPlayerRequest *request, P2pHttpFailure *failure);

/* The share goes: the rest comes straight from HTTP. */
void p2p_request_detach (P2pPlayerRequest *request);

/* What players have in hand, the one with the least. */
gint64 p2p_request_least_ahead_us (P2pEngine *engine);
/* A player has just been given all that it asked for: until then it asks for the
 * next, or has enough. 0: none has. */
gint64 p2p_request_due_until_us (P2pEngine *engine);
/* Fills in what policies want to know of the player and of HTTP. */
void p2p_request_need (P2pPlayerRequest *request, P2pFetchView *view);

/* --- download.c: one segment on its way ----------------------------------- */

/* What a source has given. */
typedef struct
{
  gint64 begun_us;
  gint64 first_byte_us; /* 0: none yet */
  gint64 last_byte_us;  /* begun_us at first */
  guint64 bytes;
  guint64 arrived;  /* from anywhere, until it began */
  guint64 line_bps; /* p2p_engine_line_bps() when it began */
} P2pSource;

/* The end of a segment, which a second peer sends while the first sends what is
 * before it. An origin may come into it: then the two race. */
typedef struct
{
  P2pPeer *peer;     /* (nullable): it has sent all */
  guint64 from;      /* its first byte in the segment */
  guint64 total;     /* what it says that the segment measures, or unknown */
  GPtrArray *chunks; /* of GBytes; (nullable): there is none */
  P2pSource source;
} P2pTail;

/* An origin that has refused a segment which a peer is sending is left alone for
 * this long. */
#define P2P_REFUSED_US (500 * 1000)

/**
 * P2pDownload:
 *
 * A segment that is being fetched, for the player (@requests) or ahead of it.
 * At most one source at a time: @http, @peer or none while it waits, and a
 * peer for the end (@tail). What one source leaves, the next goes on from.
 */
struct _P2pDownload
{
  P2pShare *share;
  gint64 id;
  P2pEntry *entry;        /* one user of it */
  GPtrArray *requests;    /* of P2pPlayerRequest, not owned */
  P2pPlayerRequest *hold; /* (nullable): a playlist that waits for it */
  gint64 hold_until_us;
  char *uri; /* (nullable): not listed yet */
  P2pRange range;
  P2pHttpProfile *profile; /* (nullable) */

  guint64 http;
  guint64 http_from;  /* bytes of the segment that were not asked for */
  guint64 http_skip;  /* bytes to throw away: the server ignored the range */
  guint64 http_left;  /* bytes to take, P2P_SIZE_UNKNOWN */
  guint64 http_until; /* where the second peer's part began, P2P_SIZE_UNKNOWN */
  gboolean http_answered;   /* this attempt has had headers */
  gboolean http_only_whole; /* it says that it serves no ranges */
  gint64 http_again_us;     /* not before then */
  guint http_attempts;      /* since the last byte from the origin */
  P2pHttpFailure *refusal;  /* (nullable): of a rest, which it does not send */
  P2pHttpFailure *failure;  /* (nullable): the origin's last word */
  P2pPeer *peer;
  P2pSource source; /* the one there is, or was last */
  P2pTail tail;
  guint races;       /* peers that have overtaken the origin */
  guint64 raced_bps; /* what it gave then, while one of them sends, or 0 */
  guint silent;      /* asked since then, and left as nothing came from them */
  gint64 moved_us;   /* when some came, or somebody went to the origin for it */
  guint64 from_http;
  guint64 from_peers;
  P2pTimer timer; /* when to look again */
};

P2pDownload *p2p_download_find (P2pShare *share, gint64 id);
P2pDownload *p2p_download_new (P2pShare *share, gint64 id);
/* Stops the source, keeps the bytes. */
void p2p_download_free (P2pDownload *download);
/* The manifest names it. */
void p2p_download_listed (P2pDownload *download, const P2pSegment *segment);
void p2p_download_join (P2pDownload *download, P2pPlayerRequest *request);
void p2p_download_leave (P2pDownload *download, P2pPlayerRequest *request);

void p2p_download_start_http (P2pDownload *download, const char *reason);
void p2p_download_start_peer (
    P2pDownload *download, P2pPeer *peer, const char *reason);
/* Both sources. */
void p2p_download_stop (P2pDownload *download);
/* The first; what a second peer sends goes on. */
void p2p_download_leave_source (P2pDownload *download);
/* Whichever of the two @peer is. */
void p2p_download_leave_peer (P2pDownload *download, P2pPeer *peer);
gboolean p2p_download_is_idle (const P2pDownload *download);
/* Whether all of @id is here. */
gboolean p2p_download_is_here (P2pShare *share, gint64 id);
/* Whether that is so, or it comes from somewhere. */
gboolean p2p_download_has_source (P2pShare *share, gint64 id);
/* The player waits for it, or a playlist does. */
gboolean p2p_download_is_required (const P2pDownload *download);
/* Bytes to come, 0: not known. */
guint64 p2p_download_expects (P2pDownload *download, gint64 duration_us);
/* What policies want to know of who waits for it. */
void p2p_download_need (P2pDownload *download, P2pFetchView *view);
/* How long it takes at least until the player asks for it. */
gint64 p2p_download_needed_us (P2pDownload *download);

/* A peer says how many bytes follow. FALSE: that cannot be. */
gboolean p2p_download_peer_begins (
    P2pDownload *download, P2pPeer *peer, guint64 follows);
/* May free @download, when @peer is no longer one of its. */
void p2p_download_peer_data (
    P2pDownload *download, P2pPeer *peer, GBytes *bytes);
/* May free @download. */
void p2p_download_peer_completed (P2pDownload *download, P2pPeer *peer);
/* The peer will not send (more). */
void p2p_download_peer_gone (P2pDownload *download, P2pPeer *peer);
/* What @peer has sent of it. */
const P2pSource *p2p_download_source_of (
    const P2pDownload *download, const P2pPeer *peer);
void p2p_source_begin (P2pSource *source, P2pEngine *engine);
void p2p_source_add (P2pSource *source, gsize size, gint64 now_us);

void p2p_download_http_headers (
    P2pDownload *download, P2pHttpResponse *response);
void p2p_download_http_data (P2pDownload *download, GBytes *bytes);
void p2p_download_http_done (P2pDownload *download);
void p2p_download_http_failed (P2pDownload *download, P2pHttpFailure *failure);
/* What is looked at of the source that there is. */
void p2p_download_transfer (P2pDownload *download, P2pTransferView *view);
/* What a second peer gave, and what it still sends, follows what is here. May free
 * @download. */
void p2p_download_join_tail (P2pDownload *download);
/* The origin has failed and no peer has it: its failure is the player's. */
void p2p_download_give_up (P2pDownload *download);

/* --- tail.c: the end of a segment, from a second peer ----------------------- */

gboolean p2p_tail_is_there (const P2pDownload *download);
/* @from: a byte after those that are here, or the next. */
void p2p_tail_start (
    P2pDownload *download, P2pPeer *peer, guint64 from, const char *reason);
/* Cancels it and throws away what it gave. */
void p2p_tail_stop (P2pDownload *download);
gboolean p2p_tail_begins (P2pDownload *download, guint64 follows);
/* Whether it may be the end of a segment of @total bytes. */
gboolean p2p_tail_fits (P2pDownload *download, guint64 total);
void p2p_tail_data (P2pDownload *download, GBytes *bytes);
void p2p_tail_completed (P2pDownload *download);
void p2p_tail_gone (P2pDownload *download);
/* Bytes that the first source has to give until the second's are next,
 * P2P_SIZE_UNKNOWN: there are none. */
guint64 p2p_tail_room (P2pDownload *download);
/* Whether it goes on, or will, where the first source has come to. */
gboolean p2p_tail_is_next (P2pDownload *download);
/* By how many bytes it is in front of the first source, which has come to it. */
guint64 p2p_tail_lead (P2pDownload *download);
/* Fills in what it has to give yet, and how long that takes. */
void p2p_tail_fill (P2pDownload *download, P2pTransferView *view);
/* They are next: the caller has them now. */
P2pTail p2p_tail_take (P2pDownload *download);

/* --- race.c: a peer that races a slow origin -------------------------------- */

/* Whether there is one. */
gboolean p2p_race_is_on (const P2pDownload *download);
/* The origin has begun to answer. */
void p2p_race_answered (P2pDownload *download);
/* Something has come from either. Returns: whether the peer has won; @download may
 * be gone then. */
gboolean p2p_race_check (P2pDownload *download);
/* The origin sends what the player waits for: sees whether a peer should race it,
 * or one that does go on. */
void p2p_race_watch (P2pDownload *download);

/* --- share.c: one stream, its swarms, peers and downloads ------------------ */

/**
 * P2pWords:
 *
 * What is said of a row of segments; bit i: of the i-th.
 * @gives: whole, or what of it arrives
 * @loading: comes from the origin
 * @heard: somebody else does one or the other
 * @rumoured: and somebody has heard so
 * @heard_claim: of the newest of @heard, the best of those claims (policy/election);
 *   0: it is on its way to somebody, %P2P_NEVER: that is not known
 * @rumoured_claim: the same of @rumoured
 */
typedef struct
{
  guint64 gives;
  guint64 loading;
  guint64 heard;
  guint64 rumoured;
  gint64 heard_claim;
  gint64 rumoured_claim;
} P2pWords;

/* Of the newest segments, by their numbers. */
#define P2P_SPREADS_KEPT 8

/* How word of one of them has come to us. */
typedef struct
{
  gint64 id;
  gint64 said_us;  /* when a peer first said that it gives it, 0: none has */
  gint64 grown_us; /* when one more last did */
  gboolean is_vouched; /* somebody had claimed it before */
  gboolean is_doubted; /* they are not believed */
  gint64 doubted_us;   /* since when */
} P2pSpread;

/* One generation's swarm of a stream. */
typedef struct
{
  P2pShare *share;
  P2pProtocol protocol;
  P2pInfoHash info_hash;
} P2pSwarm;

struct _P2pShare
{
  P2pEngine *engine;
  P2pStream *stream;
  P2pSwarm swarms[2]; /* v3 first */
  guint n_swarms;
  GPtrArray *peers;        /* of P2pPeer, owned, every state */
  guint n_open;            /* of these, how many are open */
  guint n_silent;          /* and have not announced yet */
  GPtrArray *downloads;    /* of P2pDownload, owned */
  P2pHttpProfile *profile; /* (nullable): of the last request */
  gint64 position;         /* id asked for last */
  gint64 slow_until_us;    /* the origin is taken for slow */
  gint64 race_again_us;    /* nobody races it before */
  gint64 first_new;        /* id that the last listing brought */
  gint64 newest;           /* id listed last */
  gint64 listed_us;        /* when the last listing brought something */
  gint64 shown;            /* newest id that the player has heard of */
  P2pSights sights;        /* of the newest segments */
  char *refresh_uri;       /* (nullable): as the player asks for the playlist */
  char *refresh_found;     /* (nullable): where a look has found it */
  P2pTimer refresh_timer;  /* our own next look at it */
  guint looks;             /* for the segment after the newest */
  guint64 refresh_http;    /* 0: none is on its way */
  GByteArray *refresh_body;
  gboolean has_position;
  gboolean is_hurried; /* asked for as soon as the one before had come */
  gint64 last_request_us;
  gint64 joined_us;
  gint64 expect_until_us; /* peers are being connected; 0: none known yet */
  double mean_bytes;      /* of a segment, 0: not known */
  P2pTimer look_timer;    /* when something is to be decided anew */
  gboolean schedule_wanted;
  gboolean announce_wanted;
  GBytes *last_told[4]; /* (nullable): announcements sent last, by kind */
  gint64 offered;       /* the newest id that a peer has offered us */
  gint64 offered_us;    /* when it first did */
  P2pWords said; /* what we had to say last, from segment said_first on */
  gint64 said_first;
  P2pTimer word_timer;   /* when there is something to pass on again */
  gint64 word_us;        /* when there last was */
  gint64 claim;          /* what we claim, and are not fetching yet */
  gint64 claim_until_us; /* but then will; 0: nothing */
  gint64 claim_again_us; /* nothing is claimed before */
  P2pSpread spread[P2P_SPREADS_KEPT];
  gboolean listed_anew; /* since the last eviction */
  GHashTable *bad; /* ids whose HTTP prefetch failed lately → when (us) */
};

/* The share of @stream, joined to its swarms. NULL when it cannot be. */
P2pShare *p2p_share_ensure (P2pEngine *engine, P2pStream *stream);
void p2p_share_free (P2pShare *share);
void p2p_share_wants_schedule (P2pShare *share);
void p2p_share_wants_announce (P2pShare *share);
/* Wants a schedule at @at_us, or before: who still waits then says so again. */
void p2p_share_look_again (P2pShare *share, gint64 at_us);
guint p2p_share_open_peers (P2pShare *share);
guint p2p_share_connecting_peers (P2pShare *share);
P2pPeer *p2p_share_find_peer (P2pShare *share, const P2pPeerId *id);
gint64 p2p_share_urgent_us (P2pShare *share, gint64 duration_us);
/* As its manifest says, or, of a stream by itself, as its segments are; 0: not known */
double p2p_share_bitrate (P2pShare *share);
/* By what it has given lately: what peers send takes nothing from the player. */
gboolean p2p_share_is_line_wide (P2pShare *share);
/* How many times, at most @most, the line carries the stream. */
guint p2p_share_line_carries (P2pShare *share, guint most);
/* Whether the player may leave it because it comes slowly. Of a film, peers have
 * everything already: there is nothing to wait longer for. */
gboolean p2p_share_has_variants (P2pShare *share);

/* A prefetch of @id over HTTP came to nothing: the next would as well. */
void p2p_share_mark_bad (P2pShare *share, gint64 id);
gboolean p2p_share_is_bad (P2pShare *share, gint64 id);

/* Until when it is worth waiting for what others have to say. */
gint64 p2p_share_expect_until_us (P2pShare *share);
/* Somebody else is there: the first time, segments may wait a moment. */
void p2p_share_expect_peers (P2pShare *share);

/* Whether @entry cannot be the segment that the playlist lists under its id:
 * a peer gave it before that was listed. */
gboolean p2p_share_is_false (P2pShare *share, const P2pEntry *entry);
/* The last segment of its playlist as it was read last. */
gint64 p2p_share_last_listed (P2pShare *share);
/* The playlist was read anew. */
void p2p_share_listed (P2pShare *share);
/* Forgets what the bound or the window asks for. */
void p2p_share_evict (P2pEngine *engine);
/* Bytes that the store may hold now. */
guint64 p2p_share_store_bound (P2pEngine *engine);
/* Bytes that make way last, or cannot: ahead of a playhead, and in use. */
guint64 p2p_share_kept_bytes (P2pEngine *engine);
/* Whether a player goes on with it, and is likely to ask for what comes. */
gboolean p2p_share_is_followed (P2pShare *share);
void p2p_share_sweep (gpointer engine, gint64 now_us);

/* --- announce.c: what we say of segments, and to whom ----------------------- */

/* Tells peers what they have not heard and is worth it. */
void p2p_announce (P2pShare *share);
/* Notes that @peer hears now what we have to say. Returns: (transfer full):
 * that, encoded. */
GPtrArray *p2p_announce_tell (P2pShare *share, P2pPeer *peer);
/* @peer has announced, @before it had said something else: some of it may have to go
 * further, or be taken back. */
void p2p_announce_heard (P2pPeer *peer, const P2pWords *before);
/* What others say is passed on, or not any more. */
void p2p_announce_words (P2pShare *share);
/* Of the newest segments, what @peer says. */
const P2pWords *p2p_announce_words_of (P2pPeer *peer);
void p2p_announce_due (gpointer share, gint64 now_us);

/* --- claim.c: who goes to the origin ---------------------------------------- */

/* Whether @id is claimed by us, and not being fetched yet. */
gboolean p2p_claim_is_open (P2pShare *share, gint64 id);
/* It is our turn to fetch @id ahead of the player. Returns: whether to go; if not,
 * it is claimed now, and may be lost to somebody. */
gboolean p2p_claim_make (P2pShare *share, gint64 id);
/* Whether the time of our open claim is over and nobody has made a better one. When
 * one is there, ours ends. */
gboolean p2p_claim_has_won (P2pShare *share);
/* Whether nobody whom we have heard of has a better one than our open claim. */
gboolean p2p_claim_is_best (P2pShare *share);
/* The segment is no longer ours to fetch, or is being fetched. */
void p2p_claim_end (P2pShare *share);

/* --- doubt.c: word of what nobody gives ------------------------------------- */

/* @peer says @words of the segments from @first on, and said @before. */
void p2p_doubt_heard (
    P2pPeer *peer, gint64 first, const P2pWords *before, const P2pWords *words);
/* The newest segment is another. */
void p2p_doubt_listed (P2pShare *share);
/* Doubts what has to be. */
void p2p_doubt_check (P2pShare *share);
/* Whether it is not believed of all that they give @id. */
gboolean p2p_doubt_is_on (P2pShare *share, gint64 id);
/* Since when that is so, or was, 0: never. */
gint64 p2p_doubt_since_us (P2pShare *share, gint64 id);
/* Whether it is not believed of @peer. */
gboolean p2p_doubt_of (P2pPeer *peer, gint64 id);
/* The same of the @n segments from @first on, in bits. */
guint64 p2p_doubt_window (P2pPeer *peer, gint64 first, guint n);

/* --- schedule.c ------------------------------------------------------------ */

/* Decides for every segment of @share what happens next. */
void p2p_schedule (P2pShare *share);
/* Fills in who comes before us, of those who may know of @id as early as we. */
void p2p_schedule_fill_turn (P2pShare *share, gint64 id, P2pFetchView *view);
/* Whether the election names us for @id. */
gboolean p2p_schedule_is_owner (P2pShare *share, gint64 id);
/* Whether a peer has @id, or is getting it. */
gboolean p2p_schedule_is_known (P2pShare *share, gint64 id);
/* Who has the whole of @id, and sends us nothing: (nullable). */
P2pPeer *p2p_schedule_pick_second (P2pShare *share, gint64 id);

/* --- peer.c: one remote viewer --------------------------------------------- */

typedef enum
{
  P2P_PEER_GATHERING, /* our offer is being made */
  P2P_PEER_OFFERED,   /* our offer is out; who answers is not known */
  P2P_PEER_ANSWERING, /* our answer is being made or out */
  P2P_PEER_ANSWERED,  /* their answer is in */
  P2P_PEER_OPEN,
} P2pPeerState;

/* What the election says of a peer for a segment, as v3 numbers it. */
typedef struct
{
  gboolean is_set;
  guint32 score;
  gint64 id;
} P2pPeerScore;

/* Of the newest segments, by their numbers. */
#define P2P_SCORES_KEPT 4

/* When a peer said something of one of the newest segments, 0: never. */
typedef struct
{
  gint64 id;
  gint64 claims_us;
  gint64 gives_us;
} P2pSaid;

struct _P2pPeer
{
  P2pShare *share;
  P2pSwarm *swarm;

  /* What is asked of all peers, again and again: side by side. */
  P2pPeerState state;
  gboolean has_id; /* not while its offer is unanswered */
  gboolean native; /* by its id */
  gboolean heard;  /* it has announced */
  gboolean has_words;
  P2pWords words;     /* of the newest segments, from words_first on */
  gint64 words_first; /* as it numbers them: a stream may begin anew */
  P2pIdSet loaded;    /* external ids, like the other four */
  P2pIdSet arriving;
  P2pIdSet loading;
  P2pIdSet hearsay;
  P2pIdSet rumours;
  gboolean has_open; /* of @loading, @open is only claimed */
  gint64 open;
  gint64 hearsay_claim; /* of the newest of hearsay, like P2pWords */
  gint64 rumours_claim;
  gboolean announced;   /* it has heard of us */
  gboolean awaits_word; /* that what it gave has come */
  P2pWords told;        /* what it has heard, from segment told_first on */
  gint64 told_first;
  P2pDownload *download; /* (nullable): what we ask of it */
  gint64 busy_until_us;  /* it refuses for now */

  P2pTracker *tracker; /* where it was signalled; (nullable) when gone */
  guint64 conn;
  P2pPeerId id;
  char *offer_id;
  char *sdp; /* (nullable): our offer, until it is announced */
  P2pPeerScore scores[P2P_SCORES_KEPT];
  P2pSaid said[P2P_SPREADS_KEPT];
  gint64 since_us; /* of this state */
  P2pTimer timer;  /* exchange, then no-bytes and no-reading timeouts */

  P2pCommandJoiner *joiner;
  gint64 commands_since_us; /* when these were last 0 */
  guint commands;
  guint announcements;
  guint announced_ids; /* in those */

  /* what we ask of it */
  gint64 down_request;
  gint64 requested_us;
  gint64 answer_us;    /* the least from REQUEST to DATA, 0: not known */
  gboolean down_begun; /* its DATA came */
  guint64 down_came;   /* bytes after DATA */
  guint64 down_rest;   /* bytes to come after DATA */
  gint64 down_spare;   /* bytes that pay for messages, below 0: crumbs */
  guint64 unasked;     /* bytes that came for nothing since the last DATA */
  gint64 last_request;
  guint strikes;  /* in parts, docs/design/serve.md */
  guint refusals; /* in a row */
  P2pBandwidth bandwidth;

  /* what it asks of us */
  P2pEntry *upload; /* (nullable) one user of it */
  P2pCursor upload_cursor;
  guint64 upload_rest;
  gint64 upload_id;
  gint64 upload_request;
  gint64 up_begun_us;
  gint64 up_needed_us;   /* it plays it then, or later */
  guint64 up_size;       /* what was asked for */
  guint64 up_before;     /* bytes that had been sent to all when it began */
  double up_load_before; /* P2pEngine.up_load at that time */
  gboolean up_whole;     /* all of it was asked for, and nothing was missing */
  gint64 sent_us;        /* the last byte left our hands, 0: it has arrived */
  gsize buffered;
  gint64 blocked_since_us; /* full since, 0: not full */
  gboolean overflowed;     /* it will be closed at once */
  gboolean announce_late;  /* it is full: announce once it reads */
  gboolean in_uploads;     /* of the engine */

  guint64 down_bytes;
  guint64 up_bytes;
};

P2pPeer *p2p_peer_new (
    P2pSwarm *swarm, P2pTracker *tracker, P2pPeerState state);
/* Closes the connection and lets go of everything. */
void p2p_peer_free (P2pPeer *peer);
/* Takes @peer out of its share and frees it. */
void p2p_peer_drop (P2pPeer *peer, const char *reason);

/* We know who it is. */
void p2p_peer_identify (P2pPeer *peer, const P2pPeerId *id);
void p2p_peer_sdp (P2pPeer *peer, const char *sdp);
void p2p_peer_open (P2pPeer *peer);
void p2p_peer_message (P2pPeer *peer, GBytes *message);
void p2p_peer_low_water (P2pPeer *peer);
/* @messages: (nullable) (element-type GBytes): the announcement, if the
 * caller has it ready */
void p2p_peer_send_announcement (P2pPeer *peer, GPtrArray *messages);
/* It may have been given less time for what we ask of it. */
void p2p_peer_watch (P2pPeer *peer);
/* It is not asked for the segment again before it says anew that it has it. */
void p2p_peer_forget (P2pPeer *peer, gint64 id);
/* It kept us waiting: counts towards closing it, and it is not asked for
 * this segment again until it announces anew. */
void p2p_peer_strike (P2pPeer *peer, gint64 id);

gboolean p2p_peer_has (P2pPeer *peer, gint64 id);
/* Whether it can be asked for it: it has it, or passes on what arrives. Not where
 * that is in doubt. */
gboolean p2p_peer_gives (P2pPeer *peer, gint64 id);
gboolean p2p_peer_is_loading (P2pPeer *peer, gint64 id);
/* For segment @id, by the election. */
guint32 p2p_peer_score (P2pPeer *peer, gint64 id);
/* Its claim, by the election; 0: it has some of it, P2P_NEVER: it has none. */
gint64 p2p_peer_own_claim (P2pPeer *peer, gint64 id);
/* The best that it has heard of, the same way, if it is the newest of that. */
gint64 p2p_peer_heard_claim (P2pPeer *peer, gint64 id);
/* Of these and of rumours. */
gint64 p2p_peer_best_claim (P2pPeer *peer, gint64 id);
/* Whether it says that somebody else is. */
gboolean p2p_peer_has_heard (P2pPeer *peer, gint64 id);
/* What it says of the @n segments from @first on; less than 64. */
P2pWords p2p_peer_words (P2pPeer *peer, gint64 first, guint n);
void p2p_peer_request (P2pPeer *peer, P2pDownload *download, guint64 from);
/* We no longer want what it sends. */
void p2p_peer_cancel (P2pPeer *peer);
/* Whether it takes part in P2P Media Loader 5's election. */
gboolean p2p_peer_elects (const P2pPeer *peer);
/* What a claim of it takes to be heard here, with some room. */
gint64 p2p_peer_claim_us (const P2pPeer *peer);
/* One of our own kind: it elects in every generation's swarm, passes on what is
 * still arriving, and says that it is busy. */
gboolean p2p_peer_is_native (const P2pPeer *peer);
/* It has broken the protocol: closes and frees it. */
void p2p_peer_violates (P2pPeer *peer, const char *what);
/* It broke the protocol a short while ago. */
gboolean p2p_peer_is_shunned (P2pEngine *engine, const P2pPeerId *id);
void p2p_peer_send_command (P2pPeer *peer, const P2pCommand *command);
void p2p_peer_send_message (P2pPeer *peer, GBytes *message);
gboolean p2p_peer_is_full (const P2pPeer *peer);

/* --- refresh.c: looks at the playlist of our own ----------------------------- */

/* The playlist has been read, by the player's word @uri. */
void p2p_refresh_listed (P2pShare *share, const char *uri);
/* The newest segment may be another, or its owner. */
void p2p_refresh_arm (P2pShare *share);
void p2p_refresh_due (gpointer share, gint64 now_us);
void p2p_refresh_stop (P2pShare *share);
void p2p_refresh_http_headers (P2pShare *share, P2pHttpResponse *response);
void p2p_refresh_http_data (P2pShare *share, GBytes *bytes);
void p2p_refresh_http_done (P2pShare *share);
void p2p_refresh_http_failed (P2pShare *share);

/* --- hold.c: playlists that wait for their segment -------------------------- */

/* @share has been listed by @request: whether the player may hear of it later.
 */
gboolean p2p_hold_begin (P2pShare *share, P2pPlayerRequest *request);
/* How many of the last segments of a playlist that ends with @last the player
 * may hear of with its next refresh; of all others it hears now. */
guint p2p_hold_trim (P2pShare *share, gint64 last);
void p2p_hold_need (P2pDownload *download, P2pFetchView *view);
gboolean p2p_hold_is_over (const P2pDownload *download);
/* The playlist that waits for @download, if any, goes on its way. */
void p2p_hold_end (P2pDownload *download);
void p2p_hold_forget (P2pPlayerRequest *request);

/* --- upload.c: what a remote viewer takes of us ----------------------------- */

void p2p_upload_request (P2pPeer *peer, const P2pCommand *command);
/* @peer goes. */
void p2p_upload_forget (P2pPeer *peer);
/* Sends what the channel takes. */
void p2p_upload_pump (P2pPeer *peer);
void p2p_upload_end (P2pPeer *peer);
/* How many peers keep us from passing on the newest segment of @share: those that
 * are being sent something, or P2P_PEERS_MAX where we pass nothing on at all. */
guint p2p_upload_load (P2pShare *share);
/* Bytes in one channel, above which it is full. */
gsize p2p_upload_waiting_most (P2pEngine *engine);
/* How much later an answer of the origin may come for what is being sent. */
gint64 p2p_upload_delay_us (P2pEngine *engine);
void p2p_upload_cancel (P2pPeer *peer, const P2pCommand *command);
/* @peer has said what it holds. */
void p2p_upload_heard (P2pPeer *peer);
/* @entry has more than before. */
void p2p_upload_grown (P2pShare *share, P2pEntry *entry);
/* @entry will not grow any more, or is not what it was taken for. */
void p2p_upload_abandon (P2pShare *share, P2pEntry *entry);
/* Whether what has come of @download is passed on. */
gboolean p2p_upload_relays (P2pDownload *download);
void p2p_upload_tick (gpointer engine, gint64 now_us);
/* The user takes the uplink back. */
void p2p_upload_end_all (P2pEngine *engine);

/* --- tracker.c: one tracker ------------------------------------------------- */

void p2p_tracker_configure_all (P2pEngine *engine);
void p2p_tracker_free (P2pTracker *tracker);
void p2p_tracker_open (P2pTracker *tracker);
void p2p_tracker_message (P2pTracker *tracker, GBytes *frame);
void p2p_tracker_closed (P2pTracker *tracker, const char *reason);
/* A share has been joined; is being left. */
void p2p_tracker_join_all (P2pShare *share);
void p2p_tracker_leave_all (P2pShare *share);
/* An offer for @swarm on @tracker (nullable) is ready, or will never be. */
void p2p_tracker_offer_settled (P2pTracker *tracker, P2pSwarm *swarm);
/* Our answer for @peer is ready. */
void p2p_tracker_answer_ready (P2pPeer *peer, const char *sdp);
/* A manifest has been read: the sockets are wanted soon. */
void p2p_tracker_connect_all (P2pEngine *engine);
/* Nothing is shared: the sockets go. */
void p2p_tracker_disconnect_idle (P2pEngine *engine);
/* An open connection of @share was lost. */
void p2p_tracker_peer_lost (P2pShare *share);
guint p2p_tracker_known_peers (P2pEngine *engine, P2pShare *share);
void p2p_tracker_stats (P2pEngine *engine, P2pStats *stats);

G_END_DECLS
