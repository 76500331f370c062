/* p2phlssrc: what goes wrong in a world, and when.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: main. Source: docs/design/simulator.md.
 */
#pragma once

#include "sim/world.h"

G_BEGIN_DECLS

/* All kinds, as a mask. */
#define SIM_FAULTS_ALL (~(guint32) 0)

/* Reads names with commas between them, "all" or "none" into @kinds. */
gboolean sim_faults_parse (const char *names, guint32 *kinds, GError **error);

/* One line for each kind. */
void sim_faults_list (void);

/**
 * sim_faults_draw:
 *
 * Draws from the seed which of the kinds that the world may have it has. Those
 * that are a matter of who comes and goes are made part of its configuration.
 */
void sim_faults_draw (SimWorld *world);

/**
 * sim_faults_plan:
 *
 * Draws when they strike, and whom, once all viewers are there. All is over by
 * @healed_us of the world. The same with and without P2P, so that both can be
 * compared.
 */
void sim_faults_plan (SimWorld *world);
void sim_faults_free (SimWorld *world);

/* Whether anything goes wrong at all. */
gboolean sim_faults_any (SimWorld *world);

/* How often the origin fails. */
guint sim_faults_of_origin (SimWorld *world);

/* How many viewers have not gone on playing since all was well again. */
guint sim_faults_stuck (SimWorld *world);

/* Whether anybody lies to others. */
gboolean sim_faults_of_liars (SimWorld *world);

/* One word for each kind. Returns: (transfer full). */
char *sim_faults_describe (SimWorld *world);

G_END_DECLS
