use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tower::{Service, ServiceExt};

use super::{GrpcServer, Health, OPEN_PATHS, TlsError, Transport, serve_http, tls_config};
use crate::clock::SystemClock;
use crate::config::{AuthConfig, Secret, ServerConfig, TlsConfig};
use crate::fault::reason_of;
use crate::identity::{Identity, IdentityLayer, Role, TokenIssuer, TokenVerifier};
use crate::silence::after_saying;

const MINUTE: Duration = Duration::from_mins(1);

/// Answers by the method's name.
#[derive(Clone, Default)]
struct Scripted {
    reached: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl NamedService for Scripted {
    const NAME: &'static str = "test.Scripted";
}

impl Service<Request<Body>> for Scripted {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let script = self.clone();
        Box::pin(async move {
            match request.uri().path() {
                "/test.Scripted/Panic" => panic!("as the test asks"),
                "/test.Scripted/Wait" => {
                    script.reached.notify_one();
                    script.go_on.notified().await;
                }
                _ => {}
            }
            Ok(Status::new(Code::Ok, "").into_http())
        })
    }
}

struct Running {
    address: SocketAddr,
    script: Scripted,
    health: Health,
    stop: CancellationToken,
    task: JoinHandle<usize>,
    issuer: TokenIssuer,
}

async fn start(config: ServerConfig, hard_limit: Duration) -> Running {
    crate::http::install_crypto();
    let auth = AuthConfig { secret: Secret::new("s".repeat(32)), ..AuthConfig::default() };
    let verifier = Arc::new(TokenVerifier::new(&auth, Arc::new(SystemClock)).unwrap());
    let issuer = TokenIssuer::new(&auth, Arc::new(SystemClock)).unwrap();
    let script = Scripted::default();
    let identity = IdentityLayer::new(verifier).leave_open(OPEN_PATHS);
    let server = GrpcServer::new(config, identity).service(script.clone());
    let (health, stop) = (server.health(), CancellationToken::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = server.serve(listener, stop.clone(), hard_limit);
    let task = tokio::spawn(async { serve.await.unwrap() });
    Running { address, script, health, stop, task, issuer }
}

impl Running {
    async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        endpoint.connect().await.unwrap()
    }

    fn request(&self, method: &str) -> Request<Body> {
        let identity = Identity {
            subject: "tester".into(),
            tenant: "acme".into(),
            role: Role::Agent,
            accounts: None,
            expires_at: 0,
        };
        let token = self.issuer.mint(&identity, MINUTE).unwrap();
        Request::post(format!("http://host/test.Scripted/{method}"))
            .header("content-type", "application/grpc")
            .header("authorization", format!("Bearer {}", token.expose()))
            .body(Body::empty())
            .unwrap()
    }
}

async fn status(channel: Channel, request: Request<Body>) -> Status {
    let response = channel.oneshot(request).await.unwrap();
    if let Some(status) = Status::from_header_map(response.headers()) {
        return status;
    }
    let body = response.into_body().collect().await.unwrap();
    Status::from_header_map(body.trailers().unwrap()).unwrap()
}

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::test]
async fn a_caller_with_a_token_gets_in_and_one_without_does_not() {
    let server = start(ServerConfig::default(), MINUTE).await;
    let channel = server.channel().await;
    assert_eq!(status(channel.clone(), server.request("Answer")).await.code(), Code::Ok);
    let mut anonymous = server.request("Answer");
    anonymous.headers_mut().remove("authorization");
    let refused = status(channel, anonymous).await;
    assert_eq!(reason_of(&refused).as_deref(), Some("TOKEN_MISSING"));
}

#[tokio::test]
async fn no_number_of_connections_is_too_large_to_be_allowed() {
    let config = ServerConfig { max_connections: usize::MAX, ..ServerConfig::default() };
    config.check().unwrap();
    let server = start(config, MINUTE).await;
    HealthClient::new(server.channel().await).check(of("")).await.unwrap();
}

#[tokio::test]
async fn a_panic_is_an_answer_to_its_call_only() {
    let server = start(ServerConfig::default(), MINUTE).await;
    let channel = server.channel().await;
    let failed = status(channel.clone(), server.request("Panic")).await;
    assert_eq!((failed.code(), failed.message()), (Code::Internal, "internal error"));
    assert_eq!(status(channel, server.request("Answer")).await.code(), Code::Ok);
}

#[tokio::test]
async fn a_late_unary_call_ends_with_deadline_exceeded_over_the_wire() {
    let server = start(ServerConfig::default(), MINUTE).await;
    let mut request = server.request("Wait");
    request.headers_mut().insert("grpc-timeout", "50m".parse().unwrap());
    // tonic's own client would answer first, with CANCELLED, so a bare one asks.
    let refused = bare(server.address, request).await;
    assert_eq!(refused.code(), Code::DeadlineExceeded);
}

async fn bare(address: SocketAddr, request: Request<Body>) -> Status {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let response = client.send_request(request).await.unwrap();
    Status::from_header_map(response.headers()).unwrap()
}

#[tokio::test]
async fn health_knows_its_services_and_check_of_an_unknown_one_is_not_found() {
    let server = start(ServerConfig::default(), MINUTE).await;
    let mut client = HealthClient::new(server.channel().await);
    for service in ["", Scripted::NAME] {
        let answer = client.check(of(service)).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving);
    }
    assert_eq!(client.check(of("nobody")).await.unwrap_err().code(), Code::NotFound);
    server.health.set(Scripted::NAME, false);
    let overall = client.check(of("")).await.unwrap().into_inner();
    assert_eq!(overall.status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn watching_an_unknown_service_says_so_and_goes_on_until_it_comes_and_goes() {
    let server = start(ServerConfig::default(), MINUTE).await;
    let mut client = HealthClient::new(server.channel().await);
    let mut watch = client.watch(of("later")).await.unwrap().into_inner();
    let mut told = async || watch.next().await.map(|answer| answer.unwrap().status());
    assert_eq!(told().await, Some(ServingStatus::ServiceUnknown));
    server.health.set("other", true);
    server.health.set("later", true);
    assert_eq!(told().await, Some(ServingStatus::Serving));
    server.health.set("later", false);
    assert_eq!(told().await, Some(ServingStatus::NotServing));
}

#[tokio::test]
async fn what_serves_can_be_suspended_and_goes_on_as_it_was() {
    let server = start(ServerConfig::default(), MINUTE).await;
    server.health.set("test.Down", false);
    let mut client = HealthClient::new(server.channel().await);
    let mut watch = client.watch(of("test.Scripted")).await.unwrap().into_inner();
    assert_eq!(watch.next().await.unwrap().unwrap().status(), ServingStatus::Serving);
    server.health.suspend(true);
    assert_eq!(watch.next().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    server.health.suspend(false);
    assert_eq!(watch.next().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let down = client.check(of("test.Down")).await.unwrap().into_inner();
    assert_eq!(down.status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn an_open_health_watch_is_told_and_does_not_hold_up_the_end() {
    let server = start(ServerConfig::default(), MINUTE).await;
    let mut client = HealthClient::new(server.channel().await);
    let mut watch = client.watch(of("")).await.unwrap().into_inner();
    assert_eq!(watch.next().await.unwrap().unwrap().status(), ServingStatus::Serving);
    server.stop.cancel();
    assert_eq!(watch.next().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(watch.next().await.is_none());
    assert_eq!(server.task.await.unwrap(), 0);
}

#[tokio::test]
async fn a_call_in_flight_survives_the_end() {
    let server = start(ServerConfig::default(), MINUTE).await;
    let call = tokio::spawn(status(server.channel().await, server.request("Wait")));
    server.script.reached.notified().await;
    server.stop.cancel();
    // The end has begun once nobody can connect any more.
    while tokio::net::TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    server.script.go_on.notify_one();
    assert_eq!(call.await.unwrap().code(), Code::Ok);
    assert_eq!(server.task.await.unwrap(), 0);
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_off_at_the_hard_limit() {
    let server = start(ServerConfig::default(), Duration::from_millis(50)).await;
    let channel = server.channel().await;
    let call = tokio::spawn(channel.oneshot(server.request("Wait")));
    server.script.reached.notified().await;
    server.stop.cancel();
    assert_eq!(server.task.await.unwrap(), 1);
    assert!(call.await.unwrap().is_err());
}

#[tokio::test]
async fn a_connection_that_says_nothing_does_not_hold_up_the_end() {
    let server = start(ServerConfig::default(), MINUTE).await;
    let silent = tokio::net::TcpStream::connect(server.address).await.unwrap();
    // Connections are accepted in order, so this one's answer means that the silent one is in.
    HealthClient::new(server.channel().await).check(of("")).await.unwrap();
    server.stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(5), server.task).await;
    assert_eq!(ended.expect("ends before the silent connection's time is over").unwrap(), 0);
    drop(silent);
}

#[tokio::test(start_paused = true)]
async fn half_a_greeting_holds_no_place_for_long() {
    let server = start(ServerConfig::default(), MINUTE).await;
    for words in ["P", "PRI * HTTP/2.0", "GET / HTTP/1.1"] {
        after_saying(server.address, words).await.ok();
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_request_holds_no_place_for_long() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hello = axum::Router::new().fallback(async || "hello");
    let service = hello.map_request(|request: Request<_>| request.map(axum::body::Body::new));
    let transport = Transport::new(&ServerConfig::default(), true).unwrap();
    tokio::spawn(serve_http(listener, service, transport, CancellationToken::new(), MINUTE));
    for words in ["P", "G", "GET / HTTP/1.1\r\nhost: example.com\r\nx-long"] {
        after_saying(address, words).await.ok();
    }
    let whole = "GET / HTTP/1.1\r\nhost: example.com\r\n\r\n";
    let answer = after_saying(address, whole).await.unwrap();
    assert!(answer.ends_with(b"hello"), "a quiet connection was given up before its answer");
}

#[tokio::test]
async fn reflection_describes_services_and_error_details_in_both_versions() {
    let server = start(ServerConfig::default(), MINUTE).await;
    let channel = server.channel().await;
    insta::assert_debug_snapshot!((v1(channel.clone()).await, v1alpha(channel).await));
}

macro_rules! reflect {
    ($name:ident, $client:ident) => {
        async fn $name(channel: Channel) -> Vec<String> {
            use tonic_reflection::pb::$name::ServerReflectionRequest;
            use tonic_reflection::pb::$name::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$name::server_reflection_response::MessageResponse;
            use tonic_reflection::pb::$name::$client::ServerReflectionClient;
            let ask = |request| ServerReflectionRequest {
                host: String::new(),
                message_request: Some(request),
            };
            let asked = [
                ask(MessageRequest::ListServices(String::new())),
                ask(MessageRequest::FileContainingSymbol("google.rpc.ErrorInfo".to_owned())),
            ];
            let mut client = ServerReflectionClient::new(channel);
            let answers = client.server_reflection_info(tokio_stream::iter(asked)).await.unwrap();
            let answers = answers.into_inner().map(|it| match it.unwrap().message_response {
                Some(MessageResponse::ListServicesResponse(list)) => {
                    let mut names: Vec<_> = list.service.into_iter().map(|it| it.name).collect();
                    names.sort();
                    names
                }
                Some(MessageResponse::FileDescriptorResponse(files)) => {
                    vec![format!("files: {}", files.file_descriptor_proto.len())]
                }
                other => vec![format!("{other:?}")],
            });
            answers.collect::<Vec<_>>().await.concat()
        }
    };
}
reflect!(v1, server_reflection_client);
reflect!(v1alpha, server_reflection_client);

#[tokio::test]
async fn tls_serves_whoever_trusts_the_certificate_and_nobody_in_plain_text() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tls = TlsConfig {
        cert_file: folder.path().join("cert.pem"),
        key_file: folder.path().join("key.pem"),
    };
    std::fs::write(&tls.cert_file, made.cert.pem()).unwrap();
    std::fs::write(&tls.key_file, made.signing_key.serialize_pem()).unwrap();
    let server = start(ServerConfig { tls, ..ServerConfig::default() }, MINUTE).await;

    let trusted = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(made.cert.pem()))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://{}", server.address)).unwrap();
    let channel = endpoint.tls_config(trusted).unwrap().connect().await.unwrap();
    HealthClient::new(channel).check(of("")).await.unwrap();
    assert!(HealthClient::new(server.channel().await).check(of("")).await.is_err());
}

#[test]
fn tls_files_that_are_missing_or_alone_are_refused_by_name() {
    let alone = TlsConfig { cert_file: "/nowhere/cert.pem".into(), ..TlsConfig::default() };
    assert!(matches!(tls_config(&alone, false), Err(TlsError::Incomplete)));
    let missing = TlsConfig { key_file: "/nowhere/key.pem".into(), ..alone };
    let error = tls_config(&missing, false).unwrap_err().to_string();
    assert!(error.contains("/nowhere/cert.pem"), "{error}");
    assert!(tls_config(&TlsConfig::default(), false).unwrap().is_none());
}
