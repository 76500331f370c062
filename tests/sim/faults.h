/* p2phlssrc: what goes wrong in a world, and when.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main.
 */
#pragma once

#include "sim/world.h"

G_BEGIN_DECLS

/* Draws the faults of a world from its seed: each kind may be there or not,
 * all begin after the first join and are over, or done, by two thirds of the
 * run. The same with and without P2P, so that both can be compared. */
void sim_faults_plan (SimWorld *world);
void sim_faults_free (SimWorld *world);

/* Whether the origin is among what fails. */
gboolean sim_faults_of_origin (SimWorld *world);

/* One word for each kind. Returns: (transfer full). */
char *sim_faults_describe (SimWorld *world);

G_END_DECLS
