/* p2phlssrc: who reads what the element gives.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: streaming, or whoever sends a query. Source:
 * docs/design/gateway.md.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * P2pReader:
 * @P2P_READER_ORDINARY: takes what comes, and asks a source element for more
 * @P2P_READER_UNDECIDED: somebody who waits for caps to choose the next
 *   element by
 * @P2P_READER_FETCHES: one of GStreamer's newer adaptive demuxers, which asks
 *   for a URI once and fetches all else by itself
 */
typedef enum
{
  P2P_READER_ORDINARY,
  P2P_READER_UNDECIDED,
  P2P_READER_FETCHES,
} P2pReader;

/* Looks along the pipeline from @pad on. */
P2pReader p2p_find_reader (GstPad *pad);

/**
 * p2p_prepare_reader:
 * @pad: where an answer will come out that is on its way
 *
 * Loads what a typefinder downstream will need, while there is time. Whoever
 * gets caps before bytes would load it after its demuxer, and decodebin look
 * through all factories once more (docs/design/gateway.md).
 */
void p2p_prepare_reader (GstPad *pad);

G_END_DECLS
