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
/* EXT-X-DEFINE variables of one playlist. */
#define P2P_PLAYLIST_MAX_VARIABLES 256
/* presentations (a multivariant playlist, or a media playlist alone) whose
 * segments one session remembers; the longest unused loses them. */
#define P2P_REGISTRY_MAX_PRESENTATIONS 32
/* streams of all playlists ever read by one session; what comes after is not
 * shared. About 1 KiB each. */
#define P2P_REGISTRY_MAX_STREAMS 4096
/* segments that have left a live playlist and are still known, per stream. */
#define P2P_LISTING_MAX_DEPARTED 64
/* URLs of what is no segment (keys, init segments, parts) remembered. */
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
/* segment ids in those announcements: one that fills its store with an hour of
 * 1 s segments, a hundred of them each second, names two millions. */
#define P2P_ANNOUNCED_IDS_PER_10S (16 * 1024 * 1024)
/* commands accepted from one peer in ten seconds, announcements included. One
 * segment takes a few, and a fast line carries a hundred a second. */
#define P2P_COMMANDS_PER_10S 20000
/* peers that broke the protocol and are not connected to again for a while, the
 * latest. An id costs a stranger nothing; what this spares us is the browser
 * that does the same once more at each announce. */
#define P2P_SHUNNED_MAX 64
/* messages that a peer may cut a segment into: so many, and another for each
 * so many bytes. What a message costs beside its bytes is about 150; P2P Media
 * Loader sends 64 KiB at once, we what one read of a socket has given. */
#define P2P_SEGMENT_MESSAGES 1024
#define P2P_SEGMENT_MESSAGE_BYTES 64
/* bytes of segments that a peer may send unasked before it is closed: what was
 * on its way when we cancelled, far less than this in any browser. */
#define P2P_UNASKED_MAX_BYTES (16 * 1024 * 1024)
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

/* --- servers of ours ---------------------------------------------------- */

/* connections of one server at once; more are closed as they come. Stays
 * below the usual hard limit of open files, which the programs ask for. */
#define P2P_SERVER_CONNECTIONS_MAX 16384
/* connections waiting to be accepted: a tracker's restart brings everybody at
 * once. */
#define P2P_SERVER_BACKLOG 1024
/* milliseconds without accepting when the process has no file left. */
#define P2P_SERVER_ACCEPT_PAUSE_MS 100
/* requests that the gateway answers at once; one more is refused with 503. A
 * player has a handful under way. */
#define P2P_GATEWAY_REQUESTS_MAX 128

/* --- tracker ------------------------------------------------------------ */

/* bytes of one tracker message accepted. */
#define P2P_TRACKER_MESSAGE_MAX_BYTES (256 * 1024)
/* opening brackets in one tracker message, those in strings counted: an offer
 * has three, its binary id could be 20, SDP has none. Bounds the depth too. */
#define P2P_TRACKER_MESSAGE_MAX_BRACKETS 1024
/* commas in one, those in strings counted: an offer has six, its binary id
 * could be 20, and the SDP of a data channel has none. Bounds how many things
 * json-glib makes of it: each is dearer than hundreds of bytes of text. */
#define P2P_TRACKER_MESSAGE_MAX_COMMAS 256
/* messages accepted from one tracker in ten seconds. It forwards to each
 * viewer about as many offers as that viewer makes, a few a minute. */
#define P2P_TRACKER_MESSAGES_PER_10S 1000
/* bytes of those messages: an offer is about 3 KiB. */
#define P2P_TRACKER_BYTES_PER_10S (4 * 1024 * 1024)
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
/* seconds between looks at a tracker; one that sent nothing in between, no
 * pong either, is gone. */
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
/* the largest `max-peers`, which counts for a stream; half as many again may
 * come in. */
#define P2P_PEERS_MAX 1000
/* requests of the element in flight in one session. */
#define P2P_REQUESTS_MAX 1024
/* bytes of one media segment taken into the store; larger ones are plain
 * HTTP. */
#define P2P_SEGMENT_MAX_BYTES (128 * 1024 * 1024)
/* bytes of segments that are stored before any tracker has let us in, when
 * nobody can come and ask; what a player may go back to. */
#define P2P_STORE_ALONE_BYTES (32 * 1024 * 1024)
/* bytes by which that bound grows in each millisecond from then on: 64 Mbit/s,
 * more than any stream that is watched. */
#define P2P_STORE_GROWTH_BYTES_PER_MS (8 * 1000)
/* bytes of a pass-through body that may wait for the streaming thread: two
 * of the worker's turns of reading. */
#define P2P_OUTQUEUE_HIGH_BYTES (2 * 1024 * 1024)
#define P2P_OUTQUEUE_LOW_BYTES (512 * 1024)

/* --- transport ---------------------------------------------------------- */

/* bytes waiting in one data channel above which we stop writing at the latest
 * (p2p_serve_waiting_bytes()), and down to which they fall before we go on (JS
 * uses 64 KiB for both). */
#define P2P_SEND_HIGH_BYTES (256 * 1024)
#define P2P_SEND_LOW_BYTES (64 * 1024)
/* bytes waiting for a peer that makes us answer and reads nothing, above which
 * it is closed. */
#define P2P_SEND_MAX_BYTES (4 * 1024 * 1024)
/* bytes received on one connection that may wait for the worker: above the
 * first the channel is not read (the peer's window closes), at the second it
 * is read again. One window of SCTP. */
#define P2P_RECEIVE_HIGH_BYTES (1024 * 1024)
#define P2P_RECEIVE_LOW_BYTES (256 * 1024)
/* us candidates are gathered before those at hand are used. P2P Media Loader
 * waits 5 s for its own; a STUN server that answers does so in 0.5 s. */
#define P2P_GATHER_TIMEOUT_US (2 * G_USEC_PER_SEC)
/* us from the remote description to the open channel; the longest that a
 * P2P Media Loader peer waits is 20 s. */
#define P2P_CONNECT_TIMEOUT_US (30 * G_USEC_PER_SEC)
/* us without an authentic packet of the peer after which it is gone. SCTP asks
 * for a sign of life when P2P_HEARTBEAT_MS have passed, so three are lost. */
#define P2P_SILENCE_TIMEOUT_US (20 * G_USEC_PER_SEC)
#define P2P_HEARTBEAT_MS 5000
/* us for a name (ICE server, `.local`) to become an address. */
#define P2P_RESOLVE_TIMEOUT_US (2 * G_USEC_PER_SEC)
/* us an ICE server's address is used before it is looked up again. */
#define P2P_RESOLVE_LIFETIME_US (300 * G_USEC_PER_SEC)
/* `.local` names of one description that are looked up; browsers send one
 * for each address family. */
#define P2P_MDNS_LOOKUPS_MAX 4
/* lookups of `.local` names under way in the process, beyond which a name is
 * left out: the system's resolver has few threads, and HTTP needs them. */
#define P2P_MDNS_PENDING_MAX 8
/* addresses of this machine that candidates are made of. */
#define P2P_ICE_MAX_LOCAL_ADDRESSES 16
/* fingerprints read from one SDP (RFC 8122 allows one for each hash). */
#define P2P_SDP_MAX_FINGERPRINTS 8
/* characters of an ICE user fragment and password (RFC 8839, 5.4). */
#define P2P_ICE_CREDENTIAL_MAX 256
/* datagrams kept while ICE has no pair to answer on: one flight of DTLS. */
#define P2P_EARLY_PACKETS_MAX 8
/* bytes of one datagram: what IPv6 carries everywhere (1280) less the IPv6
 * and UDP headers (RFC 8200, 5; RFC 8831, 5). */
#define P2P_DATAGRAM_BYTES (1280 - 40 - 8)
/* streams of one SCTP association each way. One is used; a peer may number
 * its channel freely, browsers take 0 or 1. */
#define P2P_SCTP_STREAMS 64
/* bytes SCTP holds each way for one association, at most: 100 Mbit/s at
 * 80 ms. */
#define P2P_SCTP_BUFFER_BYTES (1024 * 1024)
/* bytes of label and of protocol in a channel's DCEP OPEN; browsers use 40
 * and 0, RFC 8832 allows 65535. */
#define P2P_DCEP_MAX_TEXT 1024
