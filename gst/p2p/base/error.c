/* p2phlssrc: error domains.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "error.h"

G_DEFINE_QUARK (p2p-format-error-quark, p2p_format_error);
G_DEFINE_QUARK (p2p-transport-error-quark, p2p_transport_error);
G_DEFINE_QUARK (p2p-config-error-quark, p2p_config_error);
