/* p2phlssrc: session descriptions of data channels.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sdp.h"

#include "base/error.h"

#include <gio/gio.h>

#include <stdlib.h>
#include <string.h>

/* What a description that does not say so promises (RFC 8841, 6.1). */
#define DEFAULT_MAX_MESSAGE_BYTES (64 * 1024)
#define DEFAULT_SCTP_PORT 5000

/* A candidate line's words: RFC 8839, 5.1. */
#define CANDIDATE_WORDS 8

static const char *const candidate_types[] = {
  [P2P_CANDIDATE_HOST] = "host",
  [P2P_CANDIDATE_SERVER_REFLEXIVE] = "srflx",
  [P2P_CANDIDATE_PEER_REFLEXIVE] = "prflx",
  [P2P_CANDIDATE_RELAYED] = "relay",
};

static const char *const setups[] = {
  [P2P_SETUP_ACTPASS] = "actpass",
  [P2P_SETUP_ACTIVE] = "active",
  [P2P_SETUP_PASSIVE] = "passive",
};

/* --- reading ------------------------------------------------------------- */

typedef struct
{
  P2pSdp *sdp;
  gboolean has_section;
  gboolean has_setup;
  gboolean other_section; /* lines of a section that is not ours */
} Reader;

static int
index_of (const char *word, const char *const *words, guint n)
{
  for (guint i = 0; i < n; i++)
    if (strcmp (word, words[i]) == 0)
      return i;

  return -1;
}

static gboolean
copy_word (char *to, gsize size, const char *from)
{
  gsize length = strlen (from);

  if (length == 0 || length >= size)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isgraph (from[i]))
      return FALSE;

  g_strlcpy (to, from, size);

  return TRUE;
}

static gboolean
read_number (const char *word, guint64 max, guint64 *number)
{
  return g_ascii_string_to_unsigned (word, 10, 0, max, number, NULL);
}

static gboolean
is_numeric (const char *address)
{
  return g_hostname_is_ip_address (address);
}

/* Browsers' names are a UUID and `.local`; other names would let a stranger
 * have us look up what he likes. */
static gboolean
is_local_name (const char *address)
{
  gsize length = strlen (address);

  return g_str_has_suffix (address, ".local") && length > strlen (".local")
      && strspn (address, "0123456789abcdefABCDEF-")
      == length - strlen (".local");
}

static gboolean
parse_candidate (const char *text, P2pCandidate *candidate)
{
  g_auto (GStrv) words = g_strsplit (text, " ", CANDIDATE_WORDS + 24);
  guint64 component, priority, port;
  int type;

  if (g_strv_length (words) < CANDIDATE_WORDS)
    return FALSE;
  type = index_of (words[7], candidate_types, G_N_ELEMENTS (candidate_types));
  if (!read_number (words[1], G_MAXUINT16, &component) || component != 1
      || g_ascii_strcasecmp (words[2], "udp") != 0
      || !read_number (words[3], G_MAXUINT32, &priority)
      || !read_number (words[5], G_MAXUINT16, &port) || port == 0
      || strcmp (words[6], "typ") != 0 || type < 0
      || !(is_numeric (words[4]) || is_local_name (words[4])))
    return FALSE;

  memset (candidate, 0, sizeof *candidate);
  candidate->priority = priority;
  candidate->port = port;
  candidate->type = type;

  return copy_word (
             candidate->foundation, sizeof candidate->foundation, words[0])
      && copy_word (candidate->address, sizeof candidate->address, words[4]);
}

static void
read_candidate (Reader *reader, const char *value)
{
  P2pIceParams *ice = &reader->sdp->ice;

  if (ice->n_candidates < P2P_SDP_MAX_CANDIDATES
      && parse_candidate (value, &ice->candidates[ice->n_candidates]))
    ice->n_candidates++;
}

static void
read_fingerprint (Reader *reader, const char *value)
{
  P2pSdp *sdp = reader->sdp;
  g_auto (GStrv) words = g_strsplit (value, " ", 2);
  P2pFingerprint fingerprint = { 0 };
  const char *hex;

  if (g_strv_length (words) != 2
      || sdp->n_fingerprints >= P2P_SDP_MAX_FINGERPRINTS
      || !copy_word (
          fingerprint.algorithm, sizeof fingerprint.algorithm, words[0]))
    return;

  for (hex = words[1]; g_ascii_isxdigit (hex[0]) && g_ascii_isxdigit (hex[1])
       && fingerprint.length < sizeof fingerprint.digest;
       hex += hex[2] == ':' ? 3 : 2)
    fingerprint.digest[fingerprint.length++] =
        g_ascii_xdigit_value (hex[0]) << 4 | g_ascii_xdigit_value (hex[1]);

  if (g_strchomp (words[1]) != NULL && *hex == '\0')
    sdp->fingerprints[sdp->n_fingerprints++] = fingerprint;
}

static void
read_attribute (Reader *reader, const char *name, const char *value)
{
  P2pSdp *sdp = reader->sdp;
  guint64 number;
  int setup;

  if (strcmp (name, "candidate") == 0)
    read_candidate (reader, value);
  else if (strcmp (name, "ice-ufrag") == 0)
    copy_word (sdp->ice.ufrag, sizeof sdp->ice.ufrag, value);
  else if (strcmp (name, "ice-pwd") == 0)
    copy_word (sdp->ice.pwd, sizeof sdp->ice.pwd, value);
  else if (strcmp (name, "fingerprint") == 0)
    read_fingerprint (reader, value);
  else if (strcmp (name, "mid") == 0)
    copy_word (sdp->mid, sizeof sdp->mid, value);
  else if (strcmp (name, "sctp-port") == 0
      && read_number (value, G_MAXUINT16, &number) && number > 0)
    sdp->sctp_port = number;
  else if (strcmp (name, "max-message-size") == 0
      && read_number (value, G_MAXUINT64, &number))
    sdp->max_message_bytes = number == 0 ? G_MAXSIZE : number;
  else if (strcmp (name, "setup") == 0
      && (setup = index_of (value, setups, G_N_ELEMENTS (setups))) >= 0) {
    sdp->setup = setup;
    reader->has_setup = TRUE;
  }
}

static gboolean
is_data_section (const char *media)
{
  return g_str_has_prefix (media, "application ")
      && strstr (media, "DTLS/SCTP webrtc-datachannel") != NULL;
}

static void
read_line (Reader *reader, char *line)
{
  char *colon;

  if (line[0] == 'm' && line[1] == '=') {
    reader->other_section = reader->has_section || !is_data_section (line + 2);
    reader->has_section |= !reader->other_section;
  } else if (line[0] == 'a' && line[1] == '=' && !reader->other_section
      && (colon = strchr (line, ':')) != NULL) {
    *colon = '\0';
    read_attribute (reader, line + 2, colon + 1);
  }
}

static const char *
what_is_missing (const Reader *reader)
{
  const P2pSdp *sdp = reader->sdp;

  if (!reader->has_section)
    return "a data channel section";
  if (strlen (sdp->ice.ufrag) < 4 || strlen (sdp->ice.pwd) < 22)
    return "usable ICE credentials (RFC 8839, 5.4)";
  if (sdp->n_fingerprints == 0)
    return "a fingerprint (RFC 8122)";
  if (!reader->has_setup)
    return "a DTLS role (RFC 8842)";

  return NULL;
}

gboolean
p2p_sdp_parse (const char *text, P2pSdp *sdp, GError **error)
{
  Reader reader = { .sdp = sdp };
  g_auto (GStrv) lines = NULL;
  const char *missing;

  memset (sdp, 0, sizeof *sdp);
  sdp->sctp_port = DEFAULT_SCTP_PORT;
  sdp->max_message_bytes = DEFAULT_MAX_MESSAGE_BYTES;
  g_strlcpy (sdp->mid, "0", sizeof sdp->mid);

  if (strlen (text) > P2P_SDP_MAX_BYTES) {
    g_set_error (error, P2P_TRANSPORT_ERROR, P2P_TRANSPORT_ERROR_SDP,
        "session description of more than %d bytes", P2P_SDP_MAX_BYTES);
    return FALSE;
  }

  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    read_line (&reader, g_strchomp (lines[i]));

  missing = what_is_missing (&reader);
  if (missing != NULL)
    g_set_error (error, P2P_TRANSPORT_ERROR, P2P_TRANSPORT_ERROR_SDP,
        "session description without %s", missing);

  return missing == NULL;
}

/* --- writing ------------------------------------------------------------- */

/* The address of the m= and c= lines: the candidate most likely to work for
 * somebody who knows no ICE (RFC 8839, 4.2.1.2); browsers ignore it. */
static const P2pCandidate *
default_candidate (const P2pIceParams *ice)
{
  const P2pCandidate *best = NULL;

  for (guint i = 0; i < ice->n_candidates; i++) {
    const P2pCandidate *candidate = &ice->candidates[i];
    gboolean ipv4 = strchr (candidate->address, ':') == NULL;

    if (ipv4 && (best == NULL || candidate->type > best->type))
      best = candidate;
  }

  return best;
}

static void
write_candidate (GString *text, const P2pCandidate *candidate)
{
  g_string_append_printf (text, "a=candidate:%s 1 udp %u %s %u typ %s",
      candidate->foundation, candidate->priority, candidate->address,
      candidate->port, candidate_types[candidate->type]);
  if (candidate->related_address[0] != '\0')
    g_string_append_printf (text, " raddr %s rport %u",
        candidate->related_address, candidate->related_port);
  g_string_append (text, "\r\n");
}

char *
p2p_sdp_write (const P2pSdp *sdp, const char *fingerprint, guint64 session_id)
{
  const P2pCandidate *candidate = default_candidate (&sdp->ice);
  GString *text = g_string_sized_new (2048);

  g_string_append_printf (text,
      "v=0\r\n"
      "o=- %" G_GUINT64_FORMAT " 2 IN IP4 127.0.0.1\r\n"
      "s=-\r\n"
      "t=0 0\r\n"
      "a=group:BUNDLE %s\r\n"
      "a=msid-semantic: WMS\r\n"
      "m=application %u UDP/DTLS/SCTP webrtc-datachannel\r\n"
      "c=IN IP4 %s\r\n",
      session_id, sdp->mid, candidate != NULL ? candidate->port : 9,
      candidate != NULL ? candidate->address : "0.0.0.0");
  for (guint i = 0; i < sdp->ice.n_candidates; i++)
    write_candidate (text, &sdp->ice.candidates[i]);
  g_string_append_printf (text,
      "a=end-of-candidates\r\n"
      "a=ice-ufrag:%s\r\n"
      "a=ice-pwd:%s\r\n"
      "a=fingerprint:sha-256 %s\r\n"
      "a=setup:%s\r\n"
      "a=mid:%s\r\n"
      "a=sctp-port:%u\r\n"
      "a=max-message-size:%" G_GSIZE_FORMAT "\r\n",
      sdp->ice.ufrag, sdp->ice.pwd, fingerprint, setups[sdp->setup], sdp->mid,
      sdp->sctp_port, sdp->max_message_bytes);

  return g_string_free (text, FALSE);
}
