//! Files by plain HTTP, as browsers send them.

use super::stage::Stage;
use crate::world::{World, on_both};
use anyhow::{Context, Result};
use channel_proto::messaging::v1::{OutgoingAttachment, OutgoingContent, SendMessageRequest};
use channel_proto::types::v1::{AttachmentKind, SendPhase};
use channel_runtime::identity::Role;
use channel_tests::client::token;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

on_both!(
    a_browser_uploads_over_http_and_sends_what_it_uploaded,
    a_file_that_does_not_come_whole_is_told_and_is_none,
);

/// The beginning of a picture.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

fn upload(
    stage: &Stage,
    account: &str,
    name: &str,
    mime: &str,
    body: &[u8],
) -> Result<RequestBuilder> {
    let query = [("account_id", account), ("file_name", name)];
    let url = Url::parse_with_params(&format!("{}/v1/uploads", stage.program.url()), query)?;
    Ok(Client::new().post(url).header("content-type", mime).body(body.to_vec()))
}

async fn answer(request: RequestBuilder) -> Result<(StatusCode, Value)> {
    let answer = request.bearer_auth(token(Role::Agent)?).send().await?;
    let status = answer.status();
    Ok((status, serde_json::from_str(&answer.text().await?)?))
}

async fn a_browser_uploads_over_http_and_sends_what_it_uploaded(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let account = stage.account.clone();
    // Larger than a piece of the contract.
    let mut picture = PNG.to_vec();
    picture.resize(2_500_000, 7);
    let request = upload(&stage, &account, "harbour ü.png", "image/png", &picture)?;
    let (status, stored) = answer(request).await?;
    assert_eq!((status, &stored["kind"]), (StatusCode::OK, &"ATTACHMENT_KIND_IMAGE".into()));
    assert_eq!(stored["sizeBytes"], "2500000");
    let id = Uuid::now_v7();
    let upload_id = stored["uploadId"].as_str().context("an id")?.to_owned();
    let attachments = vec![OutgoingAttachment { upload_id, voice: false }];
    let request = SendMessageRequest {
        account_id: account.clone(),
        chat_id: stage.chats[0].clone(),
        client_message_id: id.to_string(),
        content: Some(OutgoingContent { text: "Look".into(), attachments }),
        ..SendMessageRequest::default()
    };
    stage.program.messaging()?.send_message(request).await?;
    let sent = stage.until_in(id, &[SendPhase::Sent]).await?;
    let file = sent.attachments.first().context("a file")?;
    assert_eq!((file.kind(), file.file_name.as_str()), (AttachmentKind::Image, "harbour ü.png"));

    let stranger = upload(&stage, &account, "a.png", "image/png", PNG)?.send().await?;
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    let reason: Value = serde_json::from_str(&stranger.text().await?)?;
    assert_eq!(reason["reason"], "TOKEN_MISSING");
    for (account, mime, body, status, reason) in [
        ("nowhere", "image/png", PNG, StatusCode::NOT_FOUND, "ACCOUNT_NOT_FOUND"),
        ("", "image/png", PNG, StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
        (&account, "image/png", b"%PDF-1.7", StatusCode::BAD_REQUEST, "UPLOAD_TYPE_WRONG"),
        (&account, "image/png", b"", StatusCode::BAD_REQUEST, "UPLOAD_SIZE_WRONG"),
    ] {
        let (was, told) = answer(upload(&stage, account, "a.png", mime, body)?).await?;
        assert_eq!((was, &told["reason"]), (status, &reason.into()), "{told}");
    }
    let url = format!("{}/v1/uploads?account_id={account}&voice=maybe", stage.program.url());
    let (status, told) = answer(Client::new().post(url).body(PNG)).await?;
    assert_eq!((status, &told["fields"][0]["field"]), (StatusCode::BAD_REQUEST, &"query".into()));
    let huge = vec![0; 16 * 1024 * 1024];
    let (status, told) = answer(upload(&stage, &account, "a.bin", "video/mp4", &huge)?).await?;
    assert_eq!((status, &told["reason"]), (StatusCode::BAD_REQUEST, &"UPLOAD_TOO_LARGE".into()));
    assert_eq!(told["fields"][0]["field"], "header.size_bytes");
    stage.program.stop().await.map(drop)
}

async fn a_file_that_does_not_come_whole_is_told_and_is_none(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let url = Url::parse(&stage.program.url())?;
    let (host, port) = (url.host_str().context("a host")?, url.port().context("a port")?);
    let mut wire = TcpStream::connect((host, port)).await?;
    let (path, token) = (format!("/v1/uploads?account_id={}", stage.account), token(Role::Agent)?);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}:{port}\r\nauthorization: Bearer {token}\r\n\
         content-type: image/png\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    wire.write_all(head.as_bytes()).await?;
    wire.write_all(b"8\r\n\x89PNG\r\n\x1a\n\r\n").await?;
    // What comes now is the size of no piece.
    wire.write_all(b"lost\r\n").await?;
    let mut told = String::new();
    wire.read_to_string(&mut told).await?;
    assert!(told.starts_with("HTTP/1.1 400 "), "{told}");
    assert!(told.contains(r#""reason":"UPLOAD_BROKEN""#), "{told}");
    stage.program.stop().await.map(drop)
}
