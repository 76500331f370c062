/* p2phlssrc: error domains, one per layer that can fail.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * P2pFormatError:
 * @P2P_FORMAT_ERROR_SYNTAX: the bytes are not of the format
 * @P2P_FORMAT_ERROR_UNSUPPORTED: of the format, but not something we read
 * @P2P_FORMAT_ERROR_LIMIT: a bound of base/limits.h would be exceeded
 */
typedef enum
{
  P2P_FORMAT_ERROR_SYNTAX,
  P2P_FORMAT_ERROR_UNSUPPORTED,
  P2P_FORMAT_ERROR_LIMIT,
} P2pFormatError;

#define P2P_FORMAT_ERROR (p2p_format_error_quark ())
GQuark p2p_format_error_quark (void);

/**
 * P2pTransportError:
 * @P2P_TRANSPORT_ERROR_SDP: a session description cannot be used
 * @P2P_TRANSPORT_ERROR_FAILED: a library refused
 */
typedef enum
{
  P2P_TRANSPORT_ERROR_SDP,
  P2P_TRANSPORT_ERROR_FAILED,
} P2pTransportError;

#define P2P_TRANSPORT_ERROR (p2p_transport_error_quark ())
GQuark p2p_transport_error_quark (void);

/**
 * P2pConfigError:
 * @P2P_CONFIG_ERROR_NAME: no setting has this name
 * @P2P_CONFIG_ERROR_VALUE: the value cannot be read
 */
typedef enum
{
  P2P_CONFIG_ERROR_NAME,
  P2P_CONFIG_ERROR_VALUE,
} P2pConfigError;

#define P2P_CONFIG_ERROR (p2p_config_error_quark ())
GQuark p2p_config_error_quark (void);

G_END_DECLS
