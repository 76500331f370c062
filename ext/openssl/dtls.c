/* p2phlssrc: one DTLS connection.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "dtls.h"

#include "base/log.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <string.h>

/* A DTLS record's payload has at most 2^14 bytes (RFC 6347). */
#define RECORD_MAX_BYTES (16 * 1024)

/* Type, version, epoch, sequence number, length (RFC 6347, 4.1). */
#define RECORD_HEADER_BYTES 13

/* What an encrypted record has beside its payload: GCM sends half of its nonce
 * with each (RFC 5288), ChaCha20 none (RFC 7905). */
#define GCM_LEAST_BYTES (8 + 16)
#define CHACHA_LEAST_BYTES 16

struct _P2pDtls
{
  const P2pDtlsEvents *events;
  gpointer owner;
  SSL *ssl;
  GSource *timer;
  P2pFingerprint fingerprints[P2P_SDP_MAX_FINGERPRINTS];
  guint n_fingerprints;

  const guint8 *packet; /* being read; NULL: none */
  gsize packet_length;
  gboolean up;
  gboolean down;
};

/* --- the datagrams' way in and out, without copies ----------------------- */

static int
bio_write (BIO *bio, const char *data, int length)
{
  P2pDtls *dtls = BIO_get_data (bio);

  dtls->events->output (dtls->owner, (const guint8 *) data, length);

  return length;
}

static int
bio_read (BIO *bio, char *data, int size)
{
  P2pDtls *dtls = BIO_get_data (bio);
  gsize length = MIN (dtls->packet_length, (gsize) size);

  BIO_clear_retry_flags (bio);
  if (dtls->packet == NULL) {
    BIO_set_retry_read (bio);
    return -1;
  }
  memcpy (data, dtls->packet, length);
  dtls->packet = NULL;

  return length;
}

static long
bio_ctrl (BIO *bio, int command, long number, void *pointer)
{
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return P2P_DATAGRAM_BYTES;
    default:
      return 0;
  }
}

static gpointer
bio_method_new (gpointer data)
{
  BIO_METHOD *method =
      BIO_meth_new (BIO_get_new_index () | BIO_TYPE_SOURCE_SINK, "p2p");

  BIO_meth_set_write (method, bio_write);
  BIO_meth_set_read (method, bio_read);
  BIO_meth_set_ctrl (method, bio_ctrl);

  return method;
}

static BIO *
bio_new (P2pDtls *dtls)
{
  static GOnce once = G_ONCE_INIT;
  BIO *bio = BIO_new (g_once (&once, bio_method_new, NULL));

  BIO_set_data (bio, dtls);
  BIO_set_init (bio, 1);

  return bio;
}

/* --- state --------------------------------------------------------------- */

static void
go_down (P2pDtls *dtls, const char *reason)
{
  if (dtls->down)
    return;

  dtls->down = TRUE;
  g_source_set_ready_time (dtls->timer, -1);
  dtls->events->down (dtls->owner, reason);
}

static void
set_timer (P2pDtls *dtls)
{
  struct timeval left;
  gint64 when = -1;

  if (!dtls->down && DTLSv1_get_timeout (dtls->ssl, &left) == 1)
    when =
        g_get_monotonic_time () + left.tv_sec * G_USEC_PER_SEC + left.tv_usec;
  g_source_set_ready_time (dtls->timer, when);
}

/* What a call that did not succeed means for the connection. The thread's
 * error queue, which SSL_get_error () looks at, is left empty here instead of
 * emptied before each call: that shows in a profile. */
static void
take_result (P2pDtls *dtls, int result)
{
  const char *reason;

  switch (SSL_get_error (dtls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      break;
    case SSL_ERROR_ZERO_RETURN:
      go_down (dtls, "DTLS closed by the peer");
      break;
    default:
      reason = ERR_reason_error_string (ERR_peek_error ());
      P2P_LOG_DEBUG (P2P_AREA_DTLS, 0, "OpenSSL: %s",
          reason != NULL ? reason : "no reason");
      go_down (dtls,
          SSL_get_verify_result (dtls->ssl) != X509_V_OK
              ? "the peer's certificate is not the promised one"
              : "DTLS failed");
      break;
  }
  ERR_clear_error ();
}

static void
handshake (P2pDtls *dtls)
{
  int result;

  result = SSL_do_handshake (dtls->ssl);
  if (result == 1) {
    dtls->up = TRUE;
    P2P_LOG_DEBUG (P2P_AREA_DTLS, 0, "up, %s", SSL_get_cipher_name (dtls->ssl));
    set_timer (dtls);
    dtls->events->up (dtls->owner);
    return;
  }
  take_result (dtls, result);
  set_timer (dtls);
}

static void
read_records (P2pDtls *dtls)
{
  guint8 record[RECORD_MAX_BYTES];
  int length;

  while (dtls->up && !dtls->down) {
    length = SSL_read (dtls->ssl, record, sizeof record);
    if (length <= 0) {
      take_result (dtls, length);
      break;
    }
    dtls->events->data (dtls->owner, record, length);
  }
}

/* Called by OpenSSL in the middle of the handshake: trust comes from the
 * description alone, never from an issuer. */
static int
verify (X509_STORE_CTX *store, void *user_data)
{
  SSL *ssl =
      X509_STORE_CTX_get_ex_data (store, SSL_get_ex_data_X509_STORE_CTX_idx ());
  P2pDtls *dtls = SSL_get_app_data (ssl);
  X509 *x509 = X509_STORE_CTX_get0_cert (store);

  if (x509 != NULL
      && p2p_fingerprint_matches (
          dtls->fingerprints, dtls->n_fingerprints, x509)) {
    X509_STORE_CTX_set_error (store, X509_V_OK);
    return 1;
  }
  X509_STORE_CTX_set_error (store, X509_V_ERR_CERT_REJECTED);

  return 0;
}

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  P2pDtls *dtls = user_data;

  g_source_set_ready_time (source, -1);
  if (DTLSv1_handle_timeout (dtls->ssl) < 0)
    go_down (dtls, "DTLS timed out");
  else
    set_timer (dtls);
  ERR_clear_error ();

  return G_SOURCE_CONTINUE;
}

static gboolean
never_called (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

P2pDtls *
p2p_dtls_new (const P2pCertificate *certificate, GMainContext *context,
    gboolean client, const P2pFingerprint *fingerprints, guint n_fingerprints,
    const P2pDtlsEvents *events, gpointer owner)
{
  P2pDtls *dtls = g_new0 (P2pDtls, 1);
  BIO *bio = bio_new (dtls);

  g_assert (n_fingerprints <= P2P_SDP_MAX_FINGERPRINTS);

  dtls->events = events;
  dtls->owner = owner;
  dtls->n_fingerprints = n_fingerprints;
  memcpy (
      dtls->fingerprints, fingerprints, n_fingerprints * sizeof *fingerprints);

  dtls->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_callback (dtls->timer, never_called, dtls, NULL);
  g_source_attach (dtls->timer, context);

  SSL_CTX_set_cert_verify_callback (
      p2p_certificate_context (certificate), verify, NULL);
  dtls->ssl = SSL_new (p2p_certificate_context (certificate));
  SSL_set_app_data (dtls->ssl, dtls);
  SSL_set_verify (
      dtls->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_set_bio (dtls->ssl, bio, bio);
  SSL_set_mtu (dtls->ssl, P2P_DATAGRAM_BYTES);
  if (client)
    SSL_set_connect_state (dtls->ssl);
  else
    SSL_set_accept_state (dtls->ssl);

  return dtls;
}

void
p2p_dtls_free (P2pDtls *dtls)
{
  g_source_destroy (dtls->timer);
  g_source_unref (dtls->timer);
  SSL_free (dtls->ssl);
  g_free (dtls);
}

void
p2p_dtls_start (P2pDtls *dtls)
{
  handshake (dtls);
}

/* A record that is too short to have been encrypted did not come from the
 * peer. OpenSSL 3.0 drops what fails to authenticate, as it should, but ends
 * the connection over such a record: one forged datagram would be enough. */
static gboolean
is_forged (P2pDtls *dtls, const guint8 *data, gsize length)
{
  const SSL_CIPHER *cipher = SSL_get_current_cipher (dtls->ssl);
  gsize least = cipher != NULL
          && SSL_CIPHER_get_cipher_nid (cipher) == NID_chacha20_poly1305
      ? CHACHA_LEAST_BYTES
      : GCM_LEAST_BYTES;

  while (length >= RECORD_HEADER_BYTES) {
    guint epoch = data[3] << 8 | data[4];
    gsize payload = data[11] << 8 | data[12];

    if (epoch != 0 && payload < least)
      return TRUE;
    payload = MIN (payload, length - RECORD_HEADER_BYTES);
    data += RECORD_HEADER_BYTES + payload;
    length -= RECORD_HEADER_BYTES + payload;
  }

  return FALSE;
}

void
p2p_dtls_input (P2pDtls *dtls, const guint8 *data, gsize length)
{
  if (dtls->down || length == 0 || is_forged (dtls, data, length))
    return;

  dtls->packet = data;
  dtls->packet_length = length;
  if (!dtls->up)
    handshake (dtls);
  read_records (dtls);
  dtls->packet = NULL;
}

void
p2p_dtls_send (P2pDtls *dtls, const guint8 *data, gsize length)
{
  int result;

  if (!dtls->up || dtls->down)
    return;

  result = SSL_write (dtls->ssl, data, length);
  if (result <= 0)
    take_result (dtls, result);
}

void
p2p_dtls_close (P2pDtls *dtls)
{
  if (!dtls->up || dtls->down)
    return;

  dtls->down = TRUE;
  g_source_set_ready_time (dtls->timer, -1);
  SSL_shutdown (dtls->ssl);
  ERR_clear_error ();
}

gsize
p2p_dtls_payload_max (P2pDtls *dtls)
{
  return DTLS_get_data_mtu (dtls->ssl);
}
