/* p2phlssrc: opening a data channel (RFC 8832).
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any. Pure.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * P2pPpid:
 *
 * What an SCTP message carries (RFC 8831, 8). The two partial ones are no
 * longer sent by anybody, but old Firefox did.
 */
typedef enum
{
  P2P_PPID_DCEP = 50,
  P2P_PPID_STRING = 51,
  P2P_PPID_BINARY_PARTIAL = 52,
  P2P_PPID_BINARY = 53,
  P2P_PPID_STRING_PARTIAL = 54,
  P2P_PPID_STRING_EMPTY = 56,
  P2P_PPID_BINARY_EMPTY = 57,
} P2pPpid;

/**
 * P2pDcepType:
 * @P2P_DCEP_INVALID: neither; to be ignored
 * @P2P_DCEP_OPEN: the sender opens the channel of the stream it came on
 * @P2P_DCEP_ACK: the receiver has taken it
 */
typedef enum
{
  P2P_DCEP_INVALID,
  P2P_DCEP_OPEN,
  P2P_DCEP_ACK,
} P2pDcepType;

/**
 * p2p_dcep_open:
 * @label: at most %P2P_DCEP_MAX_TEXT bytes
 *
 * Returns: (transfer full): OPEN of an ordered, reliable channel, protocol ""
 */
GBytes *p2p_dcep_open (const char *label);

/* Returns: (transfer full): ACK. */
GBytes *p2p_dcep_ack (void);

/**
 * p2p_dcep_parse:
 * @message: what came with %P2P_PPID_DCEP
 *
 * Returns: what it is. OPEN of any reliability and order is one: only the
 * sender is bound by them, and browsers' P2P pages use the defaults. Lengths
 * that disagree with the message, or exceed %P2P_DCEP_MAX_TEXT, are invalid.
 */
P2pDcepType p2p_dcep_parse (GBytes *message);

G_END_DECLS
