/* p2phlssrc: inside of a page with P2P Media Loader.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main. Source: docs/design/simulator.md, which says what was read.
 */
#pragma once

#include "formats/peermsg.h"
#include "model/bandwidth.h"
#include "model/registry.h"
#include "sim/hlsjs.h"
#include "sim/node.h"

G_BEGIN_DECLS

/* What both generations are set to: httpDownloadTimeWindow,
 * p2pDownloadTimeWindow, simultaneousHttpDownloads, simultaneousP2PDownloads,
 * httpErrorRetries, p2pErrorRetries, webRtcMaxMessageSize. The last is
 * P2P_MESSAGE_MAX_BYTES. */
#define HTTP_WINDOW_US ((gint64) 3000 * G_USEC_PER_SEC)
#define P2P_WINDOW_US ((gint64) 6000 * G_USEC_PER_SEC)
#define HTTP_DOWNLOADS 2
#define P2P_DOWNLOADS 3
#define HTTP_ATTEMPTS 3
#define P2P_STRIKES 3

/* 5's urgentBufferThreshold where no live window says less. */
#define DEMAND_US (15 * G_USEC_PER_SEC)

/* Segments that were had are kept this long behind the position, at least. */
#define KEPT_BEHIND_US (15 * G_USEC_PER_SEC)

/* Bytes in a data channel above which simple-peer, and 5's own sender, wait. */
#define BUFFERED_MOST (64 * 1024)

/* Passes and announcements in one turn of the event loop, after which a page
 * would hang. */
#define MICROTASKS_MAX 1000

typedef struct _SimBrowserPeer SimBrowserPeer;

typedef enum
{
  SIM_REQUEST_LOADING,
  SIM_REQUEST_SUCCEEDED,
  SIM_REQUEST_FAILED,
  SIM_REQUEST_ABORTED,
} SimRequestStatus;

/**
 * SimBrowserRequest:
 * @from_peer: the last attempt asked a peer, not the origin
 * @handled: a pass has seen @status
 * @pieces: (element-type GBytes): what has come, from whomever
 * @loaded: bytes in them
 * @total: of the segment, P2P_SIZE_UNKNOWN: not known yet
 * @failures: of HTTP, lately
 * @http: number of the HTTP request that is running, 0: none
 * @peer: (nullable): who sends it
 * @timer: nothing has come for too long
 *
 * A segment on its way, whatever becomes of the attempts.
 */
typedef struct
{
  SimBrowser *browser;
  gint64 id;
  char *uri;
  SimRequestStatus status;
  gboolean from_peer;
  gboolean handled;
  GPtrArray *pieces;
  guint64 loaded;
  guint64 total;
  guint failures;
  gint64 failed_us;
  guint64 http;
  SimBrowserPeer *peer;
  P2pTimer timer;
} SimBrowserRequest;

/* A segment that is kept. */
typedef struct
{
  gint64 id;
  GBytes *bytes;
} SimStored;

typedef enum
{
  SIM_PEER_GATHERING, /* our offer is made */
  SIM_PEER_OFFERED,
  SIM_PEER_ANSWERING, /* our answer is made, or out */
  SIM_PEER_ANSWERED,  /* their answer is in */
  SIM_PEER_OPEN,
} SimPeerState;

/**
 * SimBrowserPeer:
 * @conn: number of its connection
 * @id: whose it is, "" until somebody has answered
 * @opened_us: when
 * @timer: for the next state; then unused
 * @loaded: (nullable): (element-type gint64): ids that it has
 * @loading: (nullable): (element-type gint64): ids that it fetches over HTTP
 * @download: (nullable): what it is asked for
 * @request: by which number
 * @begun: it has said how much comes
 * @strikes: times that it kept us waiting
 * @rate: of what it sent
 * @upload: (nullable): what it is sent
 * @upload_at: bytes of it that are sent
 * @waiting: bytes in the channel
 */
struct _SimBrowserPeer
{
  SimBrowser *browser;
  guint64 conn;
  SimPeerState state;
  P2pPeerId id;
  char *offer_id;
  char *sdp;
  gint64 opened_us;
  P2pTimer timer;
  P2pCommandJoiner *joiner;
  GArray *loaded;
  GArray *loading;
  SimBrowserRequest *download;
  gint64 request;
  gboolean begun;
  guint strikes;
  P2pBandwidth rate;
  GBytes *upload;
  gsize upload_at;
  gint64 upload_id;
  gint64 upload_request;
  gsize waiting;
};

/* A segment that is to be had, and from where. */
typedef struct
{
  gint64 id;
  gboolean is_demanded; /* 2.3: the playhead is near */
  gboolean http;
  gboolean p2p;
} SimQueued;

/* How many peers have, and load, a segment. */
typedef struct
{
  guint loaded;
  guint loading;
} SimHeard;

/**
 * SimBrowserRules:
 * @prefix: of peer ids
 * @pass: looks at what is to be had, and begins or ends what is on its way
 * @tick: now and then; returns when next
 * @on_playback: the player says where it is
 * @may_go: of a live stream: a segment that need not be kept any more
 *
 * Where generations differ most.
 */
typedef struct
{
  const char *prefix;
  P2pProtocol protocol;
  void (*pass) (SimBrowser *browser);
  gint64 (*tick) (SimBrowser *browser);
  void (*on_playback) (SimBrowser *browser);
  gboolean (*may_go) (SimBrowser *browser, gint64 id);
} SimBrowserRules;

extern const SimBrowserRules sim_browser_rules_v2;
extern const SimBrowserRules sim_browser_rules_v5;

/**
 * SimBrowser:
 * @stream: (nullable): what is shared, once its playlist is there
 * @wanted: the segment its player waits for, -1: none
 * @anchor: the segment that its player asked for last, -1: none
 * @queue: (element-type SimQueued): what the last pass found to be had
 * @requests: (element-type SimBrowserRequest): in the order they began
 * @stored: (element-type SimStored): in the order they came
 * @heard: (element-type SimHeard): by segment
 * @http_rate: of HTTP
 * @mean_bytes: of a segment, 0: none has come
 * @calm: 5: the segment that its player could wait for, -1: none
 * @pass_wanted: there is something to look at
 * @announce_wanted: there is something to say
 * @passed_us: the last look
 * @tracker: number of the socket, 0: none
 * @tracker_open: it is
 * @lost: times that it was, in a row
 * @started: the tracker has been told of us
 * @announcing: offers are being made for an announce
 * @interval_us: between announces
 */
struct _SimBrowser
{
  SimNode *node;
  const SimBrowserRules *rules;
  SimHlsJs *player;
  P2pPrng prng;
  P2pPeerId id;
  P2pHttpPort *http;
  P2pWebSocketPort *sockets;
  P2pTransportPort *transport;
  P2pHttpProfile *profile;
  P2pRegistry *registry;
  guint64 last_number;
  gboolean running;

  char *playlist_uri; /* (nullable) asked for */
  guint64 playlist_http;
  GString *playlist;

  const P2pStream *stream;
  gint64 wanted;
  gint64 anchor;
  GArray *queue;
  GPtrArray *requests;
  GPtrArray *stored;
  GArray *heard;
  P2pBandwidth http_rate;
  double mean_bytes;
  gint64 calm;
  gboolean pass_wanted;
  gboolean announce_wanted;
  gint64 passed_us;
  P2pTimer tick_timer;

  GPtrArray *peers; /* of SimBrowserPeer, owned */
  guint64 tracker;
  gboolean tracker_open;
  guint lost;
  gboolean started;
  gboolean announcing;
  gint64 interval_us;
  P2pTimer announce_timer;
  P2pTimer churn_timer;

  guint64 http_bytes;
  guint64 p2p_bytes;
  guint64 upload_bytes;
  guint64 overhead_bytes;
  guint64 http_segments;
  guint64 p2p_segments;
  guint64 upload_segments;
};

/* --- the page ----------------------------------------------------------------- */

/* Around everything that happens to a page: ports may be called in between,
 * and what was put off is done at the end. */
void sim_browser_enter (SimBrowser *browser);
void sim_browser_leave (SimBrowser *browser);

static inline gint64
sim_browser_now_us (SimBrowser *browser)
{
  return browser->node->world->now_us;
}

static inline gboolean
sim_browser_is_v5 (const SimBrowser *browser)
{
  return browser->rules == &sim_browser_rules_v5;
}

static inline gboolean
sim_browser_is_live (SimBrowser *browser)
{
  return !browser->node->world->config.vod;
}

/* Where segment @id begins. */
static inline gint64
sim_browser_start_us (SimBrowser *browser, gint64 id)
{
  return id * browser->node->world->config.segment_us;
}

/* Listed segments: [@first, @end). */
void sim_browser_listed (SimBrowser *browser, gint64 *first, gint64 *end);
gboolean sim_browser_lists (SimBrowser *browser, gint64 id);

/* How far behind the end of a live playlist generation 5 places its player. */
gint64 sim_browser_live_delay_us (SimBrowser *browser);
/* And how much it lets it buffer. */
gint64 sim_browser_live_buffer_us (SimBrowser *browser);

/* For its player. */
void sim_browser_ask_playlist (SimBrowser *browser, const char *uri);
void sim_browser_ask_segment (SimBrowser *browser, gint64 id);
void sim_browser_cancel_segment (SimBrowser *browser);
void sim_browser_report_playback (SimBrowser *browser);

/* Whether a segment is within @window_us ahead of @position_us. */
gboolean sim_browser_is_within (
    SimBrowser *browser, gint64 id, gint64 position_us, gint64 window_us);
/* Had, or just come. */
gboolean sim_browser_has (SimBrowser *browser, gint64 id);

/* (nullable) */
SimStored *sim_browser_find_stored (SimBrowser *browser, gint64 id);
/* Also tells its player, should it wait for it. */
void sim_browser_store (SimBrowser *browser, gint64 id, GBytes *bytes);
/* Drops those that @may_go. TRUE: some. */
gboolean sim_browser_drop_stored (
    SimBrowser *browser, gboolean (*may_go) (SimBrowser *browser, gint64 id));
void sim_browser_reject_wanted (SimBrowser *browser);

/* --- requests ------------------------------------------------------------------ */

/* (nullable) */
SimBrowserRequest *sim_request_find (SimBrowser *browser, gint64 id);
void sim_request_remove (SimBrowserRequest *request);
void sim_request_free (gpointer request);
/* Running ones. */
guint sim_request_count (SimBrowser *browser, gboolean from_peer);
gboolean sim_request_is_loading (SimBrowserRequest *request);

/* Begins, or goes on with, segment @id. */
void sim_request_over_http (SimBrowser *browser, gint64 id);
/* From a peer that has it and is free; nothing when there is none. */
void sim_request_from_peer (SimBrowser *browser, gint64 id);
/* What has come stays, until the next pass. */
void sim_request_abort (SimBrowserRequest *request);

/* Events of an attempt. */
void sim_request_progress (SimBrowserRequest *request, GBytes *bytes);
/* Something of it has been heard: silence counts from now. */
void sim_request_touch (SimBrowserRequest *request);
void sim_request_succeed (SimBrowserRequest *request);
void sim_request_fail (SimBrowserRequest *request);
void sim_request_clear (SimBrowserRequest *request);
gboolean sim_request_http_event (SimBrowser *browser, const P2pEvent *event);

/* What passes of both generations do with requests that have changed. */
void sim_request_settle (SimBrowser *browser);

/* --- peers ---------------------------------------------------------------------- */

/* Whether some peer has it; or loads it. */
gboolean sim_peer_somebody_has (SimBrowser *browser, gint64 id);
gboolean sim_peer_somebody_loads (SimBrowser *browser, gint64 id);
guint sim_peer_count (SimBrowser *browser);

/* (nullable): who is to send @id: the quicker, the likelier. */
SimBrowserPeer *sim_peer_choose (SimBrowser *browser, gint64 id);
void sim_peer_ask (SimBrowserPeer *peer, SimBrowserRequest *request);
/* It need not send any more. @kept_waiting: because it did not. */
void sim_peer_cancel (SimBrowserPeer *peer, gboolean kept_waiting);

void sim_peer_announce (SimBrowser *browser);
void sim_peer_opened (SimBrowserPeer *peer);
void sim_peer_message (SimBrowserPeer *peer, GBytes *message);
void sim_peer_low_water (SimBrowserPeer *peer);

/* Closes and forgets it. */
void sim_peer_close (SimBrowserPeer *peer);
void sim_peer_free (gpointer peer);

/* --- tracker and connections ---------------------------------------------------- */

void sim_browser_init_swarm (SimBrowser *browser);
void sim_browser_join_swarm (SimBrowser *browser);
void sim_browser_leave_swarm (SimBrowser *browser);
/* TRUE: it was for us. */
gboolean sim_browser_tracker_event (SimBrowser *browser, const P2pEvent *event);
gboolean sim_browser_conn_event (SimBrowser *browser, const P2pEvent *event);

G_END_DECLS
