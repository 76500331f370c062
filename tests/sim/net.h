/* p2phlssrc: data channels between viewers.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "ports/transport.h"
#include "sim/pipe.h"

G_BEGIN_DECLS

/* UDP, DTLS and SCTP headers: 90 of 1200 bytes. */
#define SIM_WIRE_FACTOR 1.08

/**
 * SimNet:
 *
 * The transport port of one viewer. Descriptions carry the viewer's number
 * and that of the connection, so nothing else is needed to meet.
 */
typedef struct _SimNet SimNet;

SimNet *sim_net_new (SimNode *node);
void sim_net_free (SimNet *net);
P2pTransportPort *sim_net_port (SimNet *net);

/* Bytes that wait in all its channels. */
gsize sim_net_queued (SimNet *net);

/* LOW_WATER comes at @low_bytes, P2P_SEND_LOW_BYTES if nothing is said. */
void sim_net_set_low (SimNet *net, gsize low_bytes);

/* The viewer is dead: its peers find out after a while. */
void sim_net_vanish (SimNet *net);

G_END_DECLS
