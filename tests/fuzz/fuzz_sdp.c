/* p2phlssrc: fuzzes the reader of session descriptions; what it accepts is
 * written, and read again, as the same.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "webrtc/sdp.h"

#include "fuzz.h"

static void
check_again (const P2pSdp *sdp)
{
  g_autofree P2pSdp *back = g_new (P2pSdp, 1);
  g_autofree char *text = p2p_sdp_write (sdp, "AB:CD", 7);

  if (strlen (text) > P2P_SDP_MAX_BYTES)
    return; /* candidates grow a little */
  g_assert (p2p_sdp_parse (text, back, NULL));
  g_assert (g_str_equal (back->ice.ufrag, sdp->ice.ufrag));
  g_assert (g_str_equal (back->ice.pwd, sdp->ice.pwd));
  g_assert (g_str_equal (back->mid, sdp->mid));
  g_assert (back->setup == sdp->setup);
  g_assert (back->sctp_port == sdp->sctp_port);
  g_assert (back->ice.n_candidates == sdp->ice.n_candidates);
  for (guint i = 0; i < sdp->ice.n_candidates; i++)
    g_assert (g_str_equal (
        back->ice.candidates[i].address, sdp->ice.candidates[i].address));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup (size > 0 ? (const char *) data : "", size);
  g_autofree P2pSdp *sdp = g_new (P2pSdp, 1);
  g_autoptr (GError) error = NULL;
  gboolean ok = p2p_sdp_parse (text, sdp, &error);

  g_assert (ok == (error == NULL));
  if (!ok)
    return 0;

  g_assert (sdp->ice.n_candidates <= P2P_SDP_MAX_CANDIDATES);
  g_assert (sdp->n_fingerprints >= 1);
  g_assert (sdp->n_fingerprints <= P2P_SDP_MAX_FINGERPRINTS);
  check_again (sdp);

  return 0;
}
