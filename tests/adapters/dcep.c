/* p2phlssrc: RFC 8832's two messages, and what is neither.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "webrtc/dcep.h"

#include "base/limits.h"

#include <string.h>

static P2pDcepType
parsed (const void *data, gsize length)
{
  g_autoptr (GBytes) message = g_bytes_new (data, length);

  return p2p_dcep_parse (message);
}

static void
test_open (void)
{
  static const guint8 expected[] = { 3, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 'a',
    'b', 'c' };
  g_autoptr (GBytes) message = p2p_dcep_open ("abc");

  g_assert_cmpmem (g_bytes_get_data (message, NULL), g_bytes_get_size (message),
      expected, sizeof expected);
  g_assert_cmpint (p2p_dcep_parse (message), ==, P2P_DCEP_OPEN);
}

static void
test_ack (void)
{
  g_autoptr (GBytes) message = p2p_dcep_ack ();

  g_assert_cmpuint (g_bytes_get_size (message), ==, 1);
  g_assert_cmpint (p2p_dcep_parse (message), ==, P2P_DCEP_ACK);
}

/* A channel of another kind, with a protocol, is a channel. */
static void
test_other_kinds (void)
{
  static const guint8 unordered[] = { 3, 0x81, 1, 0, 0, 0, 0, 9, 0, 1, 0, 2,
    'l', 'p', 'q' };

  g_assert_cmpint (parsed (unordered, sizeof unordered), ==, P2P_DCEP_OPEN);
}

static void
test_invalid (void)
{
  guint8 message[12 + 70] = { 3 };
  g_autofree guint8 *huge = g_malloc0 (12 + P2P_DCEP_MAX_TEXT + 1);

  g_assert_cmpint (parsed ("", 0), ==, P2P_DCEP_INVALID);
  g_assert_cmpint (parsed ("\x02\x00", 2), ==, P2P_DCEP_INVALID);
  g_assert_cmpint (parsed ("\x01", 1), ==, P2P_DCEP_INVALID);
  g_assert_cmpint (parsed (message, 11), ==, P2P_DCEP_INVALID);
  g_assert_cmpint (parsed (message, 13), ==, P2P_DCEP_INVALID);
  message[9] = 71;
  g_assert_cmpint (parsed (message, sizeof message), ==, P2P_DCEP_INVALID);
  message[9] = 70;
  g_assert_cmpint (parsed (message, sizeof message), ==, P2P_DCEP_OPEN);

  huge[0] = 3;
  huge[8] = (P2P_DCEP_MAX_TEXT + 1) >> 8;
  huge[9] = (P2P_DCEP_MAX_TEXT + 1) & 0xff;
  g_assert_cmpint (
      parsed (huge, 12 + P2P_DCEP_MAX_TEXT + 1), ==, P2P_DCEP_INVALID);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dcep/open", test_open);
  g_test_add_func ("/dcep/ack", test_ack);
  g_test_add_func ("/dcep/other-kinds", test_other_kinds);
  g_test_add_func ("/dcep/invalid", test_invalid);

  return g_test_run ();
}
