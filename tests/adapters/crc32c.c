/* p2phlssrc: SCTP's checksum against published values.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "usrsctp/crc32c.h"

#include <string.h>

/* RFC 3720, B.4. */
static void
test_published (void)
{
  guint8 data[32];

  memset (data, 0, sizeof data);
  g_assert_cmphex (p2p_crc32c (data, sizeof data), ==, 0x8a9136aa);
  memset (data, 0xff, sizeof data);
  g_assert_cmphex (p2p_crc32c (data, sizeof data), ==, 0x62a8ab43);
  for (guint i = 0; i < sizeof data; i++)
    data[i] = i;
  g_assert_cmphex (p2p_crc32c (data, sizeof data), ==, 0x46dd794e);
  for (guint i = 0; i < sizeof data; i++)
    data[i] = 31 - i;
  g_assert_cmphex (p2p_crc32c (data, sizeof data), ==, 0x113fdb5c);
  g_assert_cmphex (
      p2p_crc32c ((const guint8 *) "123456789", 9), ==, 0xe3069283);
}

static void
test_portable (void)
{
  guint8 data[1300];

  for (guint i = 0; i < sizeof data; i++)
    data[i] = i * 7 + (i >> 8);
  for (gsize length = 0; length < 64; length++)
    g_assert_cmphex (
        p2p_crc32c (data, length), ==, p2p_crc32c_portable (data, length));
  g_assert_cmphex (p2p_crc32c (data, sizeof data), ==,
      p2p_crc32c_portable (data, sizeof data));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/crc32c/published", test_published);
  g_test_add_func ("/crc32c/portable", test_portable);

  return g_test_run ();
}
