/* p2phlssrc: ICE by libnice.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: transport.
 */
#pragma once

#include "webrtc/stack.h"

G_BEGIN_DECLS

/**
 * P2pIceServerKind:
 *
 * How candidates beyond this machine's own are found.
 */
typedef enum
{
  P2P_ICE_SERVER_STUN,
  P2P_ICE_SERVER_TURN_UDP,
  P2P_ICE_SERVER_TURN_TCP,
  P2P_ICE_SERVER_TURN_TLS,
} P2pIceServerKind;

/**
 * P2pIceServer:
 * @address: numeric; "" while the name is not resolved
 * @user: (nullable): for TURN
 * @password: (nullable): for TURN
 */
typedef struct
{
  P2pIceServerKind kind;
  char address[64];
  guint16 port;
  char *user;
  char *password;
} P2pIceServer;

/**
 * p2p_nice_path_new:
 * @context: (transfer none): where everything happens
 * @controlling: whether we offered
 * @servers: (array length=n_servers): used at gathering only, borrowed
 *
 * One component on UDP: host candidates of every address of this machine (of
 * loopback when there is no other), server-reflexive and relayed ones.
 * Gathering ends by itself or after %P2P_GATHER_TIMEOUT_US. Once a pair is
 * found the path does not watch whether it still works.
 */
P2pPath *p2p_nice_path_new (GMainContext *context, gboolean controlling,
    const P2pIceServer *servers, guint n_servers, const P2pPathEvents *events,
    gpointer owner);

/* Agents that still give their relayed candidates back to TURN servers. */
guint p2p_nice_n_closing (void);

/* Ends them where they are; the servers find out by themselves. */
void p2p_nice_forget_closing (void);

G_END_DECLS
