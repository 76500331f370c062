/* p2phlssrc: fuzzes the reader of channel openings.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "webrtc/dcep.h"

#include "base/limits.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) message = g_bytes_new (data, size);

  switch (p2p_dcep_parse (message)) {
    case P2P_DCEP_OPEN:
      g_assert (size >= 12 && size <= 12 + 2 * P2P_DCEP_MAX_TEXT);
      break;
    case P2P_DCEP_ACK:
      g_assert (size == 1);
      break;
    case P2P_DCEP_INVALID:
      break;
  }

  return 0;
}
