/* p2phlssrc: every bound, with its unit and where it comes from.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Constants. Exceeding one is an error path with a test.
 */
#pragma once

/* --- manifests ---------------------------------------------------------- */

/* bytes; a day of 1 s segments with long signed URLs is about 25 MiB; larger
 * bodies pass through unread. */
#define P2P_PLAYLIST_MAX_BYTES (32 * 1024 * 1024)
/* segments read from one playlist; the rest is not shared. */
#define P2P_PLAYLIST_MAX_SEGMENTS 100000
/* variants plus renditions read from one multivariant playlist. */
#define P2P_MASTER_MAX_STREAMS 512
/* characters in one line of a playlist. */
#define P2P_PLAYLIST_MAX_LINE (64 * 1024)
/* multivariant playlists remembered by one session, oldest forgotten. */
#define P2P_REGISTRY_MAX_PRESENTATIONS 32
/* non-segment URLs (keys, init segments, subtitles) remembered. */
#define P2P_REGISTRY_MAX_OTHERS 4096

/* --- peer protocol (P2P Media Loader) ----------------------------------- */

/* bytes of one data channel message we send: webRtcMaxMessageSize. */
#define P2P_MESSAGE_MAX_BYTES 65535
/* bytes of one data channel message we accept: Chromium's a=max-message-size
 * is 262144; nobody sends more than 64 KiB of media. */
#define P2P_MESSAGE_ACCEPT_BYTES (256 * 1024)
/* bytes of one joined command; an announcement of a day of live at 1 s ids
 * is under 200 KiB. */
#define P2P_COMMAND_MAX_BYTES (1024 * 1024)
/* segment ids accepted in one announcement. */
#define P2P_ANNOUNCEMENT_MAX_IDS 65536
/* announcements accepted from one peer in ten seconds. A P2P Media Loader
 * peer that prefetches announces on every store and every HTTP start. */
#define P2P_ANNOUNCEMENTS_PER_10S 2000
/* ids in one similar-int group a sender may write (2.3.1 misreads 256). */
#define P2P_INT_GROUP_MAX 255
/* groups in one similar-int array (count byte). */
#define P2P_INT_GROUPS_MAX 255
/* fields in one command. */
#define P2P_COMMAND_MAX_FIELDS 32

/* --- HTTP --------------------------------------------------------------- */

/* SoupSessions kept, one for each distinct set of session-wide settings; an
 * application rarely has more than two. */
#define P2P_HTTP_SESSIONS_MAX 16
/* connections of one SoupSession, and to one host: never what a request waits
 * for, as souphttpsrc's shared session has no limit; P2P_REQUESTS_MAX is what
 * bounds them. */
#define P2P_HTTP_CONNECTIONS_MAX 1024

/* --- tracker ------------------------------------------------------------ */

/* bytes of one tracker message accepted. */
#define P2P_TRACKER_MESSAGE_MAX_BYTES (256 * 1024)
/* opening brackets in one tracker message, those in strings counted: an offer
 * has three, its binary id could be 20, SDP has none. Bounds the depth too. */
#define P2P_TRACKER_MESSAGE_MAX_BRACKETS 1024
/* bytes of an offer id accepted: 20 characters of at most two bytes, and some
 * patience with other clients. */
#define P2P_OFFER_ID_MAX_BYTES 128
/* bytes of text that wait for a tracker that does not read; then its socket
 * is closed. An announce with five offers is about 5 KiB. */
#define P2P_TRACKER_QUEUE_MAX_BYTES (1024 * 1024)
/* seconds to connect to a tracker, TLS and handshake included. */
#define P2P_TRACKER_CONNECT_TIMEOUT_S 15
/* seconds between pings to a tracker: below the usual 60 s of idle timeouts
 * of reverse proxies. */
#define P2P_TRACKER_PING_INTERVAL_S 25
/* seconds after which a tracker that sent nothing, no pong either, is gone. */
#define P2P_TRACKER_SILENCE_S 60
/* milliseconds that the end of a session waits for its last words to trackers
 * to leave. */
#define P2P_TRACKER_LINGER_MS 250
/* bytes of an SDP accepted. */
#define P2P_SDP_MAX_BYTES (32 * 1024)
/* candidates read from one SDP. */
#define P2P_SDP_MAX_CANDIDATES 64
/* trackers in the property. */
#define P2P_TRACKERS_MAX 16
/* ICE servers in the property. */
#define P2P_ICE_SERVERS_MAX 16
/* offers in one announce: as P2P Media Loader 0.6; later ones make 5, which
 * leaves a swarm of ten viewers half connected. */
#define P2P_OFFERS_PER_ANNOUNCE 10

/* --- swarm and session -------------------------------------------------- */

/* streams that one session keeps swarms for at once. */
#define P2P_SWARMS_MAX 64
/* peers of one swarm, hard: 50 x churn multiplier 1.5. */
#define P2P_PEERS_MAX 1000
/* requests of the element in flight in one session. */
#define P2P_REQUESTS_MAX 1024
/* bytes of one media segment taken into the store; larger ones are plain
 * HTTP. */
#define P2P_SEGMENT_MAX_BYTES (128 * 1024 * 1024)
/* bytes of a pass-through body that may wait for the streaming thread. */
#define P2P_OUTQUEUE_HIGH_BYTES (512 * 1024)
#define P2P_OUTQUEUE_LOW_BYTES (128 * 1024)

/* --- transport ---------------------------------------------------------- */

/* bytes waiting in one data channel above which we stop writing, and below
 * which we go on (JS uses 64 KiB for both; two messages keep the pipe full). */
#define P2P_SEND_HIGH_BYTES (256 * 1024)
#define P2P_SEND_LOW_BYTES (64 * 1024)
/* bytes waiting for a peer that makes us answer and reads nothing, above which
 * it is closed. */
#define P2P_SEND_MAX_BYTES (4 * 1024 * 1024)
