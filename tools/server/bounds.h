/* p2phlssrc: bounds of the servers in tools, with their units.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Constants.
 */
#pragma once

/* connections of one server at once; more are closed as they come. Stays
 * below the usual hard limit of open files, which the programs ask for. */
#define P2P_SERVER_CONNECTIONS_MAX 16384
/* connections waiting to be accepted: a tracker's restart brings everybody at
 * once. */
#define P2P_SERVER_BACKLOG 1024
/* milliseconds without accepting when the process has no file left. */
#define P2P_SERVER_ACCEPT_PAUSE_MS 100
