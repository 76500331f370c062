/* p2phlssrc: bounds of the tracker, with their units.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Constants.
 */
#pragma once

/* levels of brackets in a message: an offer has four. */
#define P2P_TRACKER_SERVER_DEPTH_MAX 16
/* bytes of one offer or answer, forwarded as it is. */
#define P2P_TRACKER_SERVER_OFFER_MAX_BYTES (64 * 1024)
/* bytes of an offer id as written: 20 characters, six bytes when escaped. */
#define P2P_TRACKER_SERVER_OFFER_ID_MAX_BYTES 128
/* offers of one announce that are forwarded; the oldest clients send ten. */
#define P2P_TRACKER_SERVER_OFFERS_MAX 20
/* swarms that one scrape tells of. */
#define P2P_TRACKER_SERVER_SCRAPE_MAX 64
/* swarms at once; announces to others are refused. */
#define P2P_TRACKER_SERVER_SWARMS_MAX 65536
/* peers of one swarm at once; announces of others are refused. */
#define P2P_TRACKER_SERVER_PEERS_MAX 16384
/* peers that one socket may have announced: 64 streams, and two generations of
 * the protocol. */
#define P2P_TRACKER_SERVER_PEERS_PER_SOCKET 256
/* messages that one socket may send at once, and per second in the long run: a
 * page's start, and answers to a swarm that all at once announces. */
#define P2P_TRACKER_SERVER_BURST 1000
#define P2P_TRACKER_SERVER_MESSAGES_PER_S 50
/* messages of one socket that may be refused before it is closed. */
#define P2P_TRACKER_SERVER_REFUSALS_MAX 20
/* messages in a row that a socket's full buffer may cost before it is closed.
 * They are dropped, so nothing waits. */
#define P2P_TRACKER_SERVER_DROPS_MAX 100
/* seconds between pings, and without a sign of life after which a socket is
 * gone. */
#define P2P_TRACKER_SERVER_PING_S 25
#define P2P_TRACKER_SERVER_SILENCE_S 60
/* seconds after its last announce that a peer is forgotten, like
 * bittorrent-tracker's 20 minutes; and between looks for such. */
#define P2P_TRACKER_SERVER_PEER_TTL_S (20 * 60)
#define P2P_TRACKER_SERVER_SWEEP_S 60
