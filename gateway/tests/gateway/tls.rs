use std::sync::Arc;

use channel_gateway::config::TlsConfig;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Certificate, Channel, ClientTlsConfig};

use crate::support::{Door, LIST, WATCH, h2c, local_services, service::Caller, soon, web_config};

struct Secured {
    door: Door,
    certificate: rcgen::Certificate,
    _files: tempfile::TempDir,
}

async fn secured() -> Secured {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = tempfile::tempdir().unwrap();
    let tls = TlsConfig {
        cert_file: files.path().join("certificate.pem"),
        key_file: files.path().join("key.pem"),
    };
    std::fs::write(&tls.cert_file, cert.pem()).unwrap();
    std::fs::write(&tls.key_file, signing_key.serialize_pem()).unwrap();
    let mut config = web_config();
    config.tls = Some(tls);
    Secured { door: Door::open(config, local_services()).await, certificate: cert, _files: files }
}

impl Secured {
    async fn connect(&self, protocols: &[&str]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let mut client =
            ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
        client.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        let tcp = TcpStream::connect(self.door.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connect = TlsConnector::from(Arc::new(client)).connect(name, tcp);
        soon("the handshake", connect).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_offered_http2_and_gets_grpc_web_over_it() {
    let secured = secured().await;
    let stream = secured.connect(&["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let client = h2c::Client::over(stream).await;
    let kind = ("content-type", "application/grpc-web+proto");
    let answer = soon("an answer", client.call(WATCH, &[kind], "2")).await;
    assert_eq!(crate::support::http1::frames(&answer.body).0.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_http2_is_offered_http1() {
    let stream = secured().await.connect(&["http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_client_calls_over_tls() {
    let secured = secured().await;
    let tls = ClientTlsConfig::new()
        .domain_name("localhost")
        .ca_certificate(Certificate::from_pem(secured.certificate.pem()));
    let endpoint = Channel::from_shared(format!("https://{}", secured.door.address)).unwrap();
    let channel = endpoint.tls_config(tls).unwrap().connect().await.unwrap();
    let said = soon("an answer", Caller::over(channel).one(LIST, "hello")).await;
    assert_eq!(said.unwrap(), "you said hello");
}
