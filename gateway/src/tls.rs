//! Certificates: the gateway's own, and those it trusts in others.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_rustls::TlsAcceptor;
use tonic::transport::{Certificate, ClientTlsConfig};

use crate::{GatewayError, config::TlsConfig};

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What turns an accepted connection into a TLS one that offers HTTP/2 and HTTP/1.1.
pub(crate) fn acceptor(config: &TlsConfig) -> Result<TlsAcceptor, GatewayError> {
    let chain = certificates(&config.cert_file)?;
    let key_file = &config.key_file;
    // The cause is left out: nothing of a key file belongs in a message.
    let key = PrivateKeyDer::from_pem_file(key_file)
        .map_err(|_| GatewayError::file(key_file, &"no private key in PEM form could be read"))?;
    let mut server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| GatewayError::file(&config.cert_file, &e))?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, GatewayError> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|e| GatewayError::file(file, &e))?;
    if chain.is_empty() {
        return Err(GatewayError::file(file, &"no certificate in it"));
    }
    Ok(chain)
}

fn read(file: &Path) -> Result<Vec<u8>, GatewayError> {
    std::fs::read(file).map_err(|e| GatewayError::file(file, &e))
}

/// TLS towards a gRPC service, when its URL asks for it.
pub(crate) fn grpc_client(
    url: &str,
    ca_file: Option<&Path>,
) -> Result<Option<ClientTlsConfig>, GatewayError> {
    if !url.starts_with("https://") {
        return Ok(None);
    }
    let tls = ClientTlsConfig::new();
    Ok(Some(match ca_file {
        Some(file) => tls.ca_certificate(Certificate::from_pem(read(file)?)),
        None => tls.with_native_roots(),
    }))
}

/// TLS towards an HTTP service; trusts nobody unless the URL asks for TLS.
pub(crate) fn http_client(
    https: bool,
    ca_file: Option<&Path>,
) -> Result<ClientConfig, GatewayError> {
    let mut roots = RootCertStore::empty();
    if let (true, Some(file)) = (https, ca_file) {
        roots.add_parsable_certificates(certificates(file)?);
    } else if https {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
        .map_err(|e| GatewayError::config("upstreams.webhook", &e))
}
