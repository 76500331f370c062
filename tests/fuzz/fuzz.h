/* p2phlssrc: what every fuzz target has.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: one. Linked with libFuzzer (-Dfuzzing=enabled) or with smoke.c,
 * which feeds it the seeds and simple mutations of them.
 */
#pragma once

#include <glib.h>
#include <string.h>

/* libFuzzer's entry point. Returns 0. */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);
