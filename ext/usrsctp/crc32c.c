/* p2phlssrc: SCTP's checksum.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "crc32c.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* Castagnoli, reflected */

guint32
p2p_crc32c_portable (const guint8 *data, gsize length)
{
  static guint32 table[256];
  static gsize filled;
  guint32 crc = 0xffffffffu;

  if (g_once_init_enter (&filled)) {
    for (guint i = 0; i < 256; i++) {
      guint32 entry = i;

      for (guint bit = 0; bit < 8; bit++)
        entry = (entry >> 1) ^ ((entry & 1) ? POLYNOMIAL : 0);
      table[i] = entry;
    }
    g_once_init_leave (&filled, 1);
  }
  for (gsize i = 0; i < length; i++)
    crc = (crc >> 8) ^ table[(crc ^ data[i]) & 0xff];

  return ~crc;
}

#ifdef __x86_64__
__attribute__ ((target ("sse4.2"))) static guint32
by_processor (const guint8 *data, gsize length)
{
  guint64 crc = 0xffffffffu;
  guint64 word;

  for (; length >= sizeof word; data += sizeof word, length -= sizeof word) {
    memcpy (&word, data, sizeof word);
    crc = __builtin_ia32_crc32di (crc, word);
  }
  for (; length > 0; data++, length--)
    crc = __builtin_ia32_crc32qi (crc, *data);

  return ~(guint32) crc;
}
#endif

guint32
p2p_crc32c (const guint8 *data, gsize length)
{
#ifdef __x86_64__
  if (__builtin_cpu_supports ("sse4.2"))
    return by_processor (data, length);
#endif

  return p2p_crc32c_portable (data, length);
}
