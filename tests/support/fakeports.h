/* p2phlssrc: ports that record what the engine asks, and hands that feed it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: one. For unit tests of the engine: nothing happens by itself, time
 * passes when the test says so. Each port call is checked against its
 * contract; fake_ports_free() checks that nothing is left behind.
 */
#pragma once

#include "base/limits.h"
#include "engine/engine.h"
#include "formats/peermsg.h"
#include "formats/trackermsg.h"

#include <json-glib/json-glib.h>

/* Where the fake origin and the fake tracker are. */
#define FAKE_ORIGIN "http://origin.test/"
#define FAKE_PLAYLIST FAKE_ORIGIN "stream/index.m3u8"
#define FAKE_MASTER FAKE_ORIGIN "stream/master.m3u8"
#define FAKE_HIGH_PLAYLIST FAKE_ORIGIN "stream/high.m3u8"
#define FAKE_TRACKER "ws://tracker.test/"

/* The usual fake segment: long enough for several messages. */
#define FAKE_SEGMENT_BYTES 200000
#define FAKE_SEGMENT_US (2 * G_USEC_PER_SEC)

/* One HTTP request of the engine. */
typedef struct
{
  guint64 number;
  char *uri;
  P2pRange range;
  gboolean paused;
  gboolean over; /* done, failed or cancelled */
  gboolean cancelled;
  gboolean broken; /* it was chosen to fail */
} FakeHttp;

/* One WebSocket of the engine. */
typedef struct
{
  guint64 number;
  char *url;
  gboolean open;
  gboolean over;
  gboolean broken;
  GPtrArray *texts; /* of char */
  guint read;
} FakeSocket;

/**
 * FakeConn:
 *
 * One connection of the engine, and the scripted peer at its other end.
 */
typedef struct
{
  guint64 number;
  gboolean offerer;
  char *label;
  char *remote_sdp; /* (nullable) */
  gboolean open;
  gboolean over;
  gboolean broken;
  gboolean deaf; /* the peer reads nothing: what is sent stays */
  gsize waiting;
  gboolean was_high;
  P2pCommandJoiner *joiner;
  GPtrArray *messages; /* of GBytes */
  guint read;
  GByteArray *data; /* segment bytes among the messages read */
} FakeConn;

/* What the player has got. */
typedef struct
{
  guint64 id;
  char *uri;
  P2pHttpResponse *headers; /* (nullable) */
  GByteArray *body;
  guint pieces;
  gsize waiting; /* not drained; only while @slow */
  gboolean slow; /* the player takes nothing until told */
  gboolean ended;
  P2pHttpFailure *failure; /* (nullable) */
  gboolean cancelled;
} FakeRequest;

typedef struct _FakePorts FakePorts;

struct _FakePorts
{
  P2pEnginePorts ports;
  P2pEngine *engine;
  P2pEngineConfig config;
  P2pHttpProfile *profile;
  gint64 now_us;
  gint64 next_us;          /* what step() asked for */
  guint64 last_id;         /* of player requests */
  guint64 last_number;     /* the engine's highest so far */
  gboolean inside;         /* the engine may call ports now */
  guint calls;             /* that could fail */
  guint fail_at;           /* the number of the call that fails, 0: none */
  guint64 consumer;        /* of the next request */
  guint64 resource;        /* total_size of answers, 0: as far as they go */
  gboolean without_ranges; /* the origin says so */
  GPtrArray *https;        /* of FakeHttp */
  GPtrArray *sockets;      /* of FakeSocket */
  GPtrArray *conns;        /* of FakeConn */
  GPtrArray *requests;     /* of FakeRequest */
  GHashTable *origin;      /* URI → GBytes */
};

/* --- life ------------------------------------------------------------------ */

/* One tracker, no ICE server, v3 only, P2P and upload on, 64 MiB of cache. */
P2pEngineConfig fake_config (void);

/* @config: (nullable): fake_config() */
FakePorts *fake_ports_new (const P2pEngineConfig *config);
/**
 * fake_ports_playing:
 * @config: (nullable): fake_config()
 *
 * A player of a VOD stream of forty segments that has played the first four
 * alone: it has 8 s ahead, so that nothing is urgent. The first tracker's
 * socket is open. Segment 4 is next.
 */
FakePorts *fake_ports_playing (const P2pEngineConfig *config);
/**
 * fake_ports_playing_live:
 * @config: (nullable): fake_config()
 * @position: of the segment asked for last, 103 to 105
 *
 * A player of a live stream, window 100 to 105, that has played from 103 on alone.
 */
FakePorts *fake_ports_playing_live (
    const P2pEngineConfig *config, gint64 position);
/* The next segment of that, 106, is listed, and the player reads the playlist. */
void fake_list_next (FakePorts *fake);
/* Frees the engine too; asserts that it closed what it had opened. */
void fake_ports_free (FakePorts *fake);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FakePorts, fake_ports_free)

/* Gives the engine fake->config. */
void fake_configure (FakePorts *fake);

/* One event, then a step. */
void fake_handle (FakePorts *fake, const P2pEvent *event);

/* Lets time pass, stepping at every deadline on the way. */
void fake_advance (FakePorts *fake, gint64 us);

/* Delivers what the chosen call broke. Returns: whether anything. */
gboolean fake_break (FakePorts *fake);

P2pStats *fake_stats (FakePorts *fake);

/* --- the player ------------------------------------------------------------ */

FakeRequest *fake_request (FakePorts *fake, const char *uri);
FakeRequest *fake_request_full (FakePorts *fake, const P2pRequest *request);
FakeRequest *fake_request_segment (FakePorts *fake, gint64 id);
void fake_request_cancel (FakePorts *fake, FakeRequest *request);
/* The player takes what waits. */
void fake_request_drain (FakePorts *fake, FakeRequest *request);
/* Lets it end, with segment @id as it comes from the origin. */
void fake_request_finish (FakePorts *fake, FakeRequest *request, gint64 id);
/* It has ended with exactly segment @id of @size bytes. */
void fake_assert_segment (FakeRequest *request, gint64 id, gsize size);

/* --- the origin -------------------------------------------------------------- */

/* Content of segment @id. Returns: (transfer full). */
GBytes *fake_segment (gint64 id, gsize size);
/* Returns: (transfer full). */
char *fake_segment_uri (gint64 id);
/* A media playlist of segments [first, first + count). (transfer full). */
char *fake_playlist (gint64 first, guint count, gboolean live);
/* Puts the playlist and its segments on the origin. */
void fake_publish (FakePorts *fake, gint64 first, guint count, gboolean live);
/* Films of forty segments at 800 kbit/s (that of fake_publish()) and at
 * 1600 kbit/s, whose segments fake_high_uri() names. The player has loaded the
 * multivariant playlist. */
void fake_publish_variants (FakePorts *fake);
/* Returns: (transfer full). */
char *fake_high_uri (gint64 id);
/* Has the player load the playlist as published. */
void fake_load_playlist (FakePorts *fake);

/* The running request for @uri, or %NULL. */
FakeHttp *fake_http (FakePorts *fake, const char *uri);
FakeHttp *fake_http_segment (FakePorts *fake, gint64 id);
/* Requests for @uri so far, running or over. */
guint fake_http_count (FakePorts *fake, const char *uri);
guint fake_http_segment_count (FakePorts *fake, gint64 id);
/* @length: of the body, P2P_SIZE_UNKNOWN for none told. */
void fake_http_headers (FakePorts *fake, FakeHttp *http, guint status,
    guint64 range_start, guint64 length);
void fake_http_data (
    FakePorts *fake, FakeHttp *http, gconstpointer data, gsize length);
void fake_http_done (FakePorts *fake, FakeHttp *http);
void fake_http_fail (FakePorts *fake, FakeHttp *http, P2pHttpFailureKind kind,
    guint status, const char *reason);
/* Headers only, as a server that knows ranges sends them for what the origin
 * holds. Returns: the bytes that are due. (transfer full) */
GBytes *fake_http_begin (FakePorts *fake, FakeHttp *http);
/* The whole answer; 404 for what the origin does not hold. */
void fake_http_answer (FakePorts *fake, FakeHttp *http);
/* Answers everything that runs until nothing does. */
void fake_http_answer_all (FakePorts *fake);

/* --- the tracker --------------------------------------------------------------- */

FakeSocket *fake_socket (FakePorts *fake, const char *url);
void fake_socket_open (FakePorts *fake, FakeSocket *socket);
void fake_socket_close (FakePorts *fake, FakeSocket *socket);
/* The next message the engine has sent, or %NULL. Returns: (transfer full). */
JsonNode *fake_socket_next (FakeSocket *socket);
guint fake_socket_unread (FakeSocket *socket);
void fake_socket_skip (FakeSocket *socket);
void fake_socket_text (FakePorts *fake, FakeSocket *socket, const char *text);
/* The info hash of the last announce on @socket. */
void fake_info_hash (FakeSocket *socket, P2pInfoHash *hash);
void fake_tracker_reply (FakePorts *fake, FakeSocket *socket,
    const P2pInfoHash *hash, int others, int interval_s);
void fake_tracker_offer (FakePorts *fake, FakeSocket *socket,
    const P2pInfoHash *hash, const char *peer_id, const char *offer_id);
void fake_tracker_answer (FakePorts *fake, FakeSocket *socket,
    const P2pInfoHash *hash, const char *peer_id, const char *offer_id);
/* The engine's peer id, as its announces say. Returns: (transfer full). */
char *fake_own_id (FakePorts *fake);
/* Opens the tracker's socket and tells it of nobody else; after the first
 * segment or playlist has been asked for. */
FakeSocket *fake_tracker_up (FakePorts *fake);

/* --- the other viewer ------------------------------------------------------------ */

FakeConn *fake_last_conn (FakePorts *fake);
void fake_conn_sdp (FakePorts *fake, FakeConn *conn, const char *sdp);
void fake_conn_open (FakePorts *fake, FakeConn *conn);
void fake_conn_close (FakePorts *fake, FakeConn *conn);
/* @peer_id offers to us by the first tracker and is connected. */
FakeConn *fake_connect (FakePorts *fake, const char *peer_id);
void fake_conn_command (
    FakePorts *fake, FakeConn *conn, const P2pCommand *command);
void fake_conn_message (
    FakePorts *fake, FakeConn *conn, gconstpointer data, gsize length);
/* @peer_id connects, says that it holds segment 4 and is asked for it. */
FakeConn *fake_connect_holder (
    FakePorts *fake, const char *peer_id, P2pCommand *asked);
/* It says that it holds the @n_loaded ids, and loads the @n_loading ids. */
void fake_conn_announce (FakePorts *fake, FakeConn *conn, const gint64 *loaded,
    guint n_loaded, const gint64 *loading, guint n_loading);
void fake_conn_has (FakePorts *fake, FakeConn *conn, gint64 id);
/* DATA for @request, then @bytes from its byte_from on, @length of them. */
void fake_conn_data (
    FakePorts *fake, FakeConn *conn, const P2pCommand *request, gint64 size);
void fake_conn_segment (FakePorts *fake, FakeConn *conn,
    const P2pCommand *request, gsize from, gsize length);
void fake_conn_completed (
    FakePorts *fake, FakeConn *conn, const P2pCommand *request);
/* All of the above for a usual segment. */
void fake_conn_serve (
    FakePorts *fake, FakeConn *conn, const P2pCommand *request);
/* It asks us. */
void fake_conn_request (FakePorts *fake, FakeConn *conn, gint64 segment,
    gint64 request, gint64 byte_from);
/* The channel has emptied itself. */
void fake_conn_low_water (FakePorts *fake, FakeConn *conn);
/* Of what a command lists; @ids: (nullable). */
gboolean fake_ids_have (GArray *ids, gint64 id);
/* The next command that the engine has sent; bytes on the way go to
 * conn->data. %FALSE: there is none. */
gboolean fake_conn_next (FakeConn *conn, P2pCommand *command);
/* The next one of @kind, others are passed over. */
gboolean fake_conn_find (
    FakeConn *conn, P2pCommandKind kind, P2pCommand *command);
