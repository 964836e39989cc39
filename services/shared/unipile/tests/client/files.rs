//! Files on their way in.

use crate::support::{ACCOUNT, Canned, Server, client, options, raw, serve};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use channel_domain::AccountId;
use channel_domain::fact::Attachment;
use channel_unipile::upstream::{Attendees, Class, Download, Failure, Kind, Messages};
use channel_unipile::v1::client::{Client, ClientOptions};
use futures::{StreamExt, TryStreamExt, stream};
use std::convert::Infallible;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn account() -> AccountId {
    ACCOUNT.into()
}

fn file() -> Attachment {
    Attachment { id: "f".into(), ..Attachment::default() }
}

async fn fetch(client: &Client) -> Result<Download, channel_unipile::upstream::UpstreamError> {
    client.attachment(&account(), &"m".into(), &file()).await
}

async fn bytes(download: Download) -> Result<Vec<u8>, Failure> {
    let chunks: Vec<Bytes> = download.body.try_collect().await.map_err(|error| error.failure)?;
    Ok(chunks.concat())
}

#[tokio::test]
async fn a_file_comes_with_its_type_and_length() {
    let answer = Canned::new(200, "JPEG").with("content-type", "image/jpeg");
    let server = Server::answering([answer]).await;
    let download = fetch(&server.client()).await.unwrap();
    assert_eq!((download.mime.as_deref(), download.length), (Some("image/jpeg"), Some(4)));
    assert_eq!(bytes(download).await.unwrap(), b"JPEG");
    let picture = server.client().picture(&account(), "p").await.unwrap();
    assert_eq!(bytes(picture).await.unwrap(), b"JPEG");
}

#[tokio::test]
async fn one_that_is_marked_as_unavailable_is_not_asked_for() {
    let server = Server::answering([Canned::new(200, "")]).await;
    let gone = Attachment { unavailable: true, ..file() };
    let asked = server.client().attachment(&account(), &"m".into(), &gone).await;
    let error = asked.unwrap_err();
    assert_eq!(error.failure, Failure::Unavailable);
    assert_eq!(error.class(), Class::Certain(Kind::Permanent));
    assert!(!error.is_not_found());
    assert_eq!(server.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn one_that_has_gone_is_told_from_a_route_that_is_missing() {
    let server = Server::answering([Canned::fixture(404, "error_404_resource_not_found")]).await;
    assert!(fetch(&server.client()).await.unwrap_err().is_not_found());
    let server = Server::answering([Canned::new(404, "nginx")]).await;
    assert!(!fetch(&server.client()).await.unwrap_err().is_not_found());
}

fn small(url: &str) -> Client {
    client(url, ClientOptions { download_limit: 10, ..options() })
}

#[tokio::test]
async fn one_that_says_it_is_too_large_is_not_begun() {
    let server = Server::answering([Canned::new(200, "12345678901")]).await;
    let error = fetch(&small(&format!("http://{}", server.address))).await.unwrap_err();
    assert_eq!(error.failure, Failure::TooLarge { limit: 10 });
    let server = Server::answering([Canned::new(200, "1234567890")]).await;
    let exact = fetch(&small(&format!("http://{}", server.address))).await.unwrap();
    assert_eq!(bytes(exact).await.unwrap().len(), 10);
}

#[tokio::test]
async fn one_that_does_not_say_so_is_stopped_on_its_way() {
    let endless = || async {
        let chunk = Ok::<_, Infallible>(Bytes::from_static(b"1234567"));
        Body::from_stream(stream::repeat(chunk))
    };
    let address = serve(Router::new().fallback(endless)).await;
    let mut download = fetch(&small(&format!("http://{address}"))).await.unwrap();
    assert_eq!(download.length, None);
    let mut taken = 0;
    let failure = loop {
        match download.body.next().await.unwrap() {
            Ok(chunk) => taken += chunk.len(),
            Err(error) => break error.failure,
        }
    };
    assert_eq!(failure, Failure::TooLarge { limit: 10 });
    assert!(taken <= 10, "{taken}");
    assert!(download.body.next().await.is_none());
}

#[tokio::test]
async fn one_that_breaks_off_is_not_taken_for_whole() {
    let (url, _) = raw(|mut stream| async move {
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        let half = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf";
        stream.write_all(half).await.unwrap();
    })
    .await;
    let download = fetch(&client(&url, options())).await.unwrap();
    assert!(matches!(bytes(download).await, Err(Failure::Broken { .. })));
}

/// A link in a payload never decides where the client goes.
#[tokio::test]
async fn a_redirect_to_elsewhere_is_not_followed() {
    let elsewhere = Server::answering([Canned::new(200, "stolen key")]).await;
    let to = format!("http://{}/", elsewhere.address);
    let server = Server::answering([Canned::new(302, "").with("location", to)]).await;
    let error = fetch(&server.client()).await.unwrap_err();
    assert_eq!(error.status(), Some(302));
    assert_eq!(elsewhere.lines(), Vec::<String>::new());
}
