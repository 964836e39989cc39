use std::time::Duration;

use channel_gateway::{Gateway, GatewayConfig, GatewayError, LocalServices};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Door, local_services, soon, token, web_config};

const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: gateway\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let mut config = web_config();
    config.max_connections = 1;
    let door = Door::open(config, local_services()).await;
    let mut answer = [0; 12];
    let mut first = TcpStream::connect(door.address).await.unwrap();
    first.write_all(ASK).await.unwrap();
    soon("an answer", first.read_exact(&mut answer)).await.unwrap();

    let mut second = TcpStream::connect(door.address).await.unwrap();
    second.write_all(ASK).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(200), second.read_exact(&mut answer));
    assert!(early.await.is_err(), "a second connection was served");
    drop(first);
    soon("the place", second.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 404");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_finishes_its_head_is_let_go() {
    let mut config = web_config();
    config.header_read_timeout_seconds = 1;
    let door = Door::open(config, local_services()).await;
    for start in ["", "PRI * HTTP/2.0", "GET / HTTP/1.1\r\nhost: gateway.example.com\r\n"] {
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        soon("the end", stream.read_to_end(&mut rest)).await.ok();
    }
}

#[test]
fn a_gateway_is_refused_outside_a_runtime_instead_of_panicking() {
    let built = Gateway::new(GatewayConfig::default(), LocalServices::default(), token::required());
    assert!(matches!(built, Err(GatewayError::NoRuntime)));
}

#[test]
fn an_empty_configuration_is_the_default_and_an_unknown_key_is_refused() {
    let empty: GatewayConfig = toml::from_str("").unwrap();
    assert_eq!(empty, GatewayConfig::default());
    assert!(toml::from_str::<GatewayConfig>("listne = '127.0.0.1:1'").is_err());
    assert!(toml::from_str::<GatewayConfig>("[upstreams.pool]\nx = 1").is_err());
    let printed = toml::to_string(&empty).unwrap();
    assert_eq!(toml::from_str::<GatewayConfig>(&printed).unwrap(), empty);
}

#[tokio::test]
async fn every_unusable_value_is_refused_by_name() {
    type Spoil = fn(&mut GatewayConfig);
    let cases: [(&str, Spoil); 7] = [
        ("max_connections", |c| c.max_connections = 0),
        ("response_timeout_seconds", |c| c.response_timeout_seconds = 0),
        ("upstreams.pool", |c| {
            c.upstreams.pool.streams_per_connection = 40_000;
        }),
        ("upstreams.pool.stream_window_bytes", |c| {
            c.upstreams.pool.stream_window_bytes = 1;
        }),
        ("upstreams", |c| c.upstreams.query = "not a url".to_owned()),
        ("upstreams.webhook", |c| {
            c.upstreams.webhook = "http://ingest:1/path".to_owned();
        }),
        ("cors.allowed_origins", |c| {
            c.cors.allowed_origins = vec!["x".to_owned()];
        }),
    ];
    for (wanted, spoil) in cases {
        let mut config = GatewayConfig::default();
        spoil(&mut config);
        match Gateway::new(config, LocalServices::default(), token::required()) {
            Err(GatewayError::Config { field, .. }) => assert_eq!(field, wanted),
            Err(other) => panic!("{wanted}: {other}"),
            Ok(_) => panic!("{wanted}: accepted"),
        }
    }
}
