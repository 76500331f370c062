/* p2phlssrc: viewers that lie to others, and who may be wrong for it.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "ports/transport.h"
#include "sim/world.h"

G_BEGIN_DECLS

typedef enum
{
  SIM_LIE_ABSENT = 1 << 0, /* it announces what it does not have */
  SIM_LIE_BYTES = 1 << 1,  /* it sends wrong bytes */
  SIM_LIE_MUTE = 1 << 2,   /* it never answers */
  SIM_LIE_HOLLOW =
      1 << 3, /* it announces what it does not have, and begins it */
} SimLie;

/**
 * SimLiar:
 *
 * Stands between an engine and its data channels and changes what it says: the
 * engine, which is honest, plays on. A viewer that does not lie at the moment
 * says what its engine says.
 */
typedef struct _SimLiar SimLiar;

/* @inner: where the messages go. */
SimLiar *sim_liar_new (SimNode *node, P2pTransportPort *inner);
void sim_liar_free (SimLiar *liar);
P2pTransportPort *sim_liar_port (SimLiar *liar);

/* Begins, or ends, one lie. */
void sim_liar_set (SimLiar *liar, SimLie lie, gboolean on);

/* Whether what it offers now has wrong bytes. */
gboolean sim_liar_spoils (SimLiar *liar);

/**
 * SimTaint:
 *
 * Which viewer may have wrong bytes of which segment: whoever was offered it
 * by a liar, and whoever was offered it by those. No generation of the protocol
 * carries a hash, so nobody can know; but no other segment may be harmed.
 */
typedef struct _SimTaint SimTaint;

SimTaint *sim_taint_new (void);
void sim_taint_free (SimTaint *taint);

/* Viewer @from has offered @segment to @to, wrong from the start if
 * @spoiled. */
void sim_taint_offer (
    SimTaint *taint, guint from, guint to, gint64 segment, gboolean spoiled);

/* Whether @viewer may have wrong bytes of @segment. */
gboolean sim_taint_is_on (SimTaint *taint, guint viewer, gint64 segment);

G_END_DECLS
