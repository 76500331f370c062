/* p2phlssrc: opening a data channel (RFC 8832).
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "dcep.h"

#include "base/limits.h"

#include <string.h>

/* RFC 8832, 5.1: type, channel type, priority, reliability, lengths. */
#define OPEN_HEADER_BYTES 12
#define TYPE_ACK 0x02
#define TYPE_OPEN 0x03
#define CHANNEL_RELIABLE 0x00

GBytes *
p2p_dcep_open (const char *label)
{
  gsize length = strlen (label);
  guint8 *message = g_malloc0 (OPEN_HEADER_BYTES + length);

  g_assert (length <= P2P_DCEP_MAX_TEXT);

  message[0] = TYPE_OPEN;
  message[1] = CHANNEL_RELIABLE;
  message[8] = length >> 8;
  message[9] = length & 0xff;
  memcpy (message + OPEN_HEADER_BYTES, label, length);

  return g_bytes_new_take (message, OPEN_HEADER_BYTES + length);
}

GBytes *
p2p_dcep_ack (void)
{
  static const guint8 ack = TYPE_ACK;

  return g_bytes_new_static (&ack, sizeof ack);
}

P2pDcepType
p2p_dcep_parse (GBytes *message)
{
  gsize length, label, protocol;
  const guint8 *data = g_bytes_get_data (message, &length);

  if (length == 1 && data[0] == TYPE_ACK)
    return P2P_DCEP_ACK;
  if (length < OPEN_HEADER_BYTES || data[0] != TYPE_OPEN)
    return P2P_DCEP_INVALID;

  label = data[8] << 8 | data[9];
  protocol = data[10] << 8 | data[11];
  if (label > P2P_DCEP_MAX_TEXT || protocol > P2P_DCEP_MAX_TEXT
      || OPEN_HEADER_BYTES + label + protocol != length)
    return P2P_DCEP_INVALID;

  return P2P_DCEP_OPEN;
}
