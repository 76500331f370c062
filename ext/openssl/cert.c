/* p2phlssrc: the certificate a session shows its peers.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "cert.h"

#include "base/error.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <string.h>

/* Browsers refuse certificates older or longer-lived than a year
 * (W3C webrtc, RTCCertificate); a day of grace for clocks that are off. */
#define VALID_FROM_S (-24 * 3600)
#define VALID_TO_S (30 * 24 * 3600)

/* AES-GCM first, it is the cheapest by far where the processor helps; RFC
 * 8827 requires ECDHE_ECDSA_WITH_AES_128_GCM. The RSA ones are for peers with
 * RSA certificates. Only AEAD: with a MAC of its own, OpenSSL 3.0 ends the
 * connection over a record that does not authenticate, whoever sent it. */
#define CIPHERS \
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

struct _P2pCertificate
{
  SSL_CTX *context;
  char *fingerprint;
};

static gboolean
sign (X509 *x509, EVP_PKEY *key)
{
  guint64 serial = 0;
  X509_NAME *name = X509_get_subject_name (x509);

  return RAND_bytes ((guint8 *) &serial, sizeof serial) == 1
      && X509_set_version (x509, X509_VERSION_3)
      && ASN1_INTEGER_set_uint64 (X509_get_serialNumber (x509), serial)
      && X509_gmtime_adj (X509_getm_notBefore (x509), VALID_FROM_S) != NULL
      && X509_gmtime_adj (X509_getm_notAfter (x509), VALID_TO_S) != NULL
      && X509_set_pubkey (x509, key)
      && X509_NAME_add_entry_by_txt (
          name, "CN", MBSTRING_ASC, (const guint8 *) "WebRTC", -1, -1, 0)
      && X509_set_issuer_name (x509, name)
      && X509_sign (x509, key, EVP_sha256 ()) > 0;
}

static char *
fingerprint_text (X509 *x509)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  guint length = 0;
  GString *text;

  if (!X509_digest (x509, EVP_sha256 (), digest, &length))
    return NULL;

  text = g_string_sized_new (length * 3);
  for (guint i = 0; i < length; i++)
    g_string_append_printf (text, "%s%02X", i > 0 ? ":" : "", digest[i]);

  return g_string_free (text, FALSE);
}

static SSL_CTX *
context_new (X509 *x509, EVP_PKEY *key)
{
  SSL_CTX *context = SSL_CTX_new (DTLS_method ());

  if (context == NULL)
    return NULL;

  SSL_CTX_set_min_proto_version (context, DTLS1_2_VERSION);
  SSL_CTX_set_options (context,
      SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION
          | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode (context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead (context, 1);
  if (!SSL_CTX_set_cipher_list (context, CIPHERS)
      || !SSL_CTX_set1_groups_list (context, "X25519:P-256:P-384")
      || !SSL_CTX_use_certificate (context, x509)
      || !SSL_CTX_use_PrivateKey (context, key))
    g_clear_pointer (&context, SSL_CTX_free);

  return context;
}

P2pCertificate *
p2p_certificate_new (GError **error)
{
  P2pCertificate *certificate = g_new0 (P2pCertificate, 1);
  EVP_PKEY *key = EVP_EC_gen ("P-256");
  X509 *x509 = X509_new ();

  if (key != NULL && x509 != NULL && sign (x509, key)) {
    certificate->fingerprint = fingerprint_text (x509);
    certificate->context = context_new (x509, key);
  }
  X509_free (x509);
  EVP_PKEY_free (key);

  if (certificate->fingerprint == NULL || certificate->context == NULL) {
    g_set_error (error, P2P_TRANSPORT_ERROR, P2P_TRANSPORT_ERROR_FAILED,
        "OpenSSL makes no certificate: %s",
        ERR_reason_error_string (ERR_get_error ()));
    g_clear_pointer (&certificate, p2p_certificate_free);
  }

  return certificate;
}

void
p2p_certificate_free (P2pCertificate *certificate)
{
  g_clear_pointer (&certificate->context, SSL_CTX_free);
  g_free (certificate->fingerprint);
  g_free (certificate);
}

const char *
p2p_certificate_fingerprint (const P2pCertificate *certificate)
{
  return certificate->fingerprint;
}

SSL_CTX *
p2p_certificate_context (const P2pCertificate *certificate)
{
  return certificate->context;
}

/* SHA-1 and older can be forged; RFC 8122 wants them gone. */
static const EVP_MD *
trusted_hash (const char *algorithm)
{
  if (g_ascii_strcasecmp (algorithm, "sha-256") == 0)
    return EVP_sha256 ();
  if (g_ascii_strcasecmp (algorithm, "sha-384") == 0)
    return EVP_sha384 ();
  if (g_ascii_strcasecmp (algorithm, "sha-512") == 0)
    return EVP_sha512 ();

  return NULL;
}

gboolean
p2p_fingerprint_matches (
    const P2pFingerprint *fingerprints, guint n, X509 *x509)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  guint length = 0;

  for (guint i = 0; i < n; i++) {
    const EVP_MD *md = trusted_hash (fingerprints[i].algorithm);

    if (md != NULL && X509_digest (x509, md, digest, &length)
        && length == fingerprints[i].length
        && memcmp (digest, fingerprints[i].digest, length) == 0)
      return TRUE;
  }

  return FALSE;
}
