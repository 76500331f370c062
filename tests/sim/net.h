/* p2phlssrc: data channels between viewers.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "ports/transport.h"
#include "sim/pipe.h"

G_BEGIN_DECLS

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

/* The viewer is dead: its peers find out after a while. */
void sim_net_vanish (SimNet *net);

G_END_DECLS
