//! Files over plain HTTP: by a link, or with a token.

use super::stage::{Stage, picture};
use crate::world::{World, on_both};
use anyhow::{Context as _, Result, ensure};
use channel_proto::query::v1::CreateAttachmentLinkRequest;
use channel_proto::types::v1::{FetchState, Message};
use channel_runtime::fault::reason_of;
use channel_runtime::identity::Role;
use channel_tests::client::{query_as, query_at_its_end, token, token_of};
use channel_tests::program::Setup;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::{Value, json};
use tonic::Code;

on_both!(
    a_link_serves_a_file_that_no_browser_runs,
    a_link_serves_any_part,
    a_link_serves_only_what_is_not_at_hand,
    with_a_token_a_file_is_served_without_a_link,
    what_is_no_link_of_the_file_gets_nothing,
);

const ORIGIN: &str = "https://inbox.example.com";

/// A stage with one file.
struct Shown {
    stage: Stage,
    message: Message,
    bytes: Vec<u8>,
}

impl Shown {
    async fn new(world: &World, bytes: Vec<u8>, name: &str) -> Result<Self> {
        let stage = Stage::with(world, &[("GATEWAY__CORS__ALLOWED_ORIGINS", ORIGIN)]).await?;
        let name = json!({ "name": name });
        let id = stage.upstream.contact_sends(&stage.chat, "image/png", &bytes, name).await?;
        let message = stage.until_state(&id, FetchState::Stored).await?;
        Ok(Self { stage, message, bytes })
    }

    fn asked(&self) -> CreateAttachmentLinkRequest {
        link_to(&self.stage.account, &self.message)
    }

    async fn link(&self) -> Result<String> {
        let mut query = self.stage.program.query()?;
        Ok(query.create_attachment_link(self.asked()).await?.into_inner().url)
    }

    fn get(&self, url: &str) -> RequestBuilder {
        self.ask(Method::GET, url)
    }

    fn ask(&self, method: Method, url: &str) -> RequestBuilder {
        Client::new().request(method, format!("{}{url}", self.stage.program.url()))
    }

    /// Where the file is for those who have a token.
    fn named(&self, account: &str) -> Result<String> {
        let attachment = self.message.attachments.first().context("a file")?;
        let query = [
            ("account_id", account),
            ("message_id", &self.message.message_id),
            ("attachment_id", &attachment.attachment_id),
        ];
        let url = Url::parse_with_params("http://gateway/v1/attachments", query)?;
        Ok(format!("{}?{}", url.path(), url.query().context("a query")?))
    }
}

/// Asks for a link to a message's first file.
pub(super) fn link_to(account: &str, message: &Message) -> CreateAttachmentLinkRequest {
    let attachment = message.attachments.first();
    CreateAttachmentLinkRequest {
        account_id: account.to_owned(),
        message_id: message.message_id.clone(),
        attachment_id: attachment.map(|it| it.attachment_id.clone()).unwrap_or_default(),
        ..CreateAttachmentLinkRequest::default()
    }
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The status, and the reason that the body tells.
async fn refusal(request: RequestBuilder) -> Result<(StatusCode, String)> {
    let answer = request.send().await?;
    let status = answer.status();
    ensure!(header(&answer, "cache-control") == "no-store", "a refusal is kept");
    let body: Value = serde_json::from_slice(&answer.bytes().await?)?;
    Ok((status, body["reason"].as_str().unwrap_or_default().to_owned()))
}

async fn a_link_serves_a_file_that_no_browser_runs(world: World) -> Result<()> {
    let shown = Shown::new(&world, picture(200_000, 21), "har\u{202e}bour ü.png").await?;
    let (link, bytes) = (shown.link().await?, &shown.bytes);
    // The second and the third of three, if the first was the last of its time.
    let (again, later) = (shown.link().await?, shown.link().await?);
    ensure!(again == link || again == later, "a browser does not find what it has at hand");

    let whole = shown.get(&link).header("origin", ORIGIN).send().await?;
    assert_eq!(whole.status(), StatusCode::OK);
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", "200000"),
        (
            "content-disposition",
            "inline; filename=\"harbour _.png\"; filename*=UTF-8''harbour%20%C3%BC.png",
        ),
        ("accept-ranges", "bytes"),
        ("cache-control", "private, max-age=3600, immutable"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("access-control-allow-origin", ORIGIN),
    ] {
        assert_eq!(header(&whole, name), value, "{name}");
    }
    ensure!(header(&whole, "access-control-expose-headers").contains("content-range"), "hidden");
    ensure!(whole.bytes().await? == *bytes, "other bytes came");
    let head = shown.ask(Method::HEAD, &link).header("range", "bytes=0-9").send().await?;
    assert_eq!((head.status(), header(&head, "content-length")), (StatusCode::OK, "200000"));
    assert_eq!(
        shown.ask(Method::POST, &link).send().await?.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    shown.stage.program.stop().await.map(drop)
}

async fn a_link_serves_any_part(world: World) -> Result<()> {
    let shown = Shown::new(&world, picture(200_000, 24), "a.png").await?;
    let (link, bytes) = (shown.link().await?, &shown.bytes);

    for (range, part) in [
        ("bytes=131000-131999", 131_000..132_000),
        ("bytes=199990-", 199_990..200_000),
        ("bytes=-10", 199_990..200_000),
        ("bytes=-900000", 0..200_000),
        ("bytes=0-900000", 0..200_000),
    ] {
        let answer = shown.get(&link).header("range", range).send().await?;
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        let told = format!("bytes {}-{}/200000", part.start, part.end - 1);
        assert_eq!(header(&answer, "content-range"), told, "{range}");
        assert_eq!(header(&answer, "content-length"), part.len().to_string(), "{range}");
        ensure!(answer.bytes().await? == bytes[part], "another part came for {range}");
    }
    for range in ["bytes=200000-", "bytes=900000-900001", "bytes=-0"] {
        let answer = shown.get(&link).header("range", range).send().await?;
        assert_eq!(answer.status(), StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
        assert_eq!(header(&answer, "content-range"), "bytes */200000", "{range}");
        let told: Value = serde_json::from_slice(&answer.bytes().await?)?;
        assert_eq!(told["reason"], "RANGE_INVALID");
    }
    shown.stage.program.stop().await.map(drop)
}

async fn a_link_serves_only_what_is_not_at_hand(world: World) -> Result<()> {
    let shown = Shown::new(&world, picture(200_000, 25), "a.png").await?;
    let link = shown.link().await?;
    let whole = shown.get(&link).send().await?;
    let etag = header(&whole, "etag").to_owned();
    for (range, only_of, status) in [
        ("bytes=0-9,20-29", etag.as_str(), StatusCode::OK),
        ("bytes=0-9", "\"another\"", StatusCode::OK),
        ("bytes=200000-", "\"another\"", StatusCode::OK),
        ("bytes=0-9", &etag, StatusCode::PARTIAL_CONTENT),
    ] {
        let part = shown.get(&link).header("range", range).header("if-range", only_of);
        let answer = part.send().await?;
        assert_eq!(answer.status(), status, "{range} of {only_of}");
        let count = if status == StatusCode::OK { 200_000 } else { 10 };
        assert_eq!(answer.bytes().await?.len(), count, "{range} of {only_of}");
    }
    for at_hand in [etag.clone(), format!("W/{etag}"), format!("\"another\", {etag}"), "*".into()] {
        let request = shown.get(&link).header("if-none-match", &at_hand);
        let answer = request.header("range", "bytes=0-9").send().await?;
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{at_hand}");
        assert_eq!(header(&answer, "etag"), etag);
        ensure!(answer.bytes().await?.is_empty(), "a body came for {at_hand}");
    }
    shown.stage.program.stop().await.map(drop)
}

async fn with_a_token_a_file_is_served_without_a_link(world: World) -> Result<()> {
    let page = b"<html><script>alert(1)</script></html>".to_vec();
    let shown = Shown::new(&world, page, "photo.svg").await?;
    let url = shown.named(&shown.stage.account)?;
    let answer = shown.get(&url).bearer_auth(token(Role::Viewer)?).send().await?;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "content-type"), "application/octet-stream");
    assert_eq!(header(&answer, "content-disposition"), "attachment; filename=\"photo.svg\"");
    let vary = answer.headers().get_all("vary").iter().any(|value| value == "authorization");
    ensure!(vary, "{:?}", answer.headers());
    ensure!(answer.bytes().await? == shown.bytes, "other bytes came");

    let refused = async |url: &str, token: &str| refusal(shown.get(url).bearer_auth(token)).await;
    let stranger = token_of("another", Role::Viewer)?;
    let missing = |reason: &str| (StatusCode::NOT_FOUND, reason.to_owned());
    assert_eq!(refused(&url, &stranger).await?, missing("ACCOUNT_NOT_FOUND"));
    let anywhere = shown.named("")?;
    assert_eq!(refused(&anywhere, &stranger).await?, missing("MESSAGE_NOT_FOUND"));
    let invalid = (StatusCode::UNAUTHORIZED, "TOKEN_INVALID".to_owned());
    assert_eq!(refused(&url, "wrong").await?, invalid);
    let operator = token(Role::Operator)?;
    assert_eq!(refused(&url, &operator).await?, (StatusCode::FORBIDDEN, "ROLE_MISSING".to_owned()));
    let nobody = (StatusCode::UNAUTHORIZED, "TOKEN_MISSING".to_owned());
    assert_eq!(refusal(shown.get(&url)).await?, nobody);
    let unnamed = refused("/v1/attachments", &token(Role::Viewer)?).await?;
    assert_eq!(unnamed, (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT".to_owned()));
    shown.stage.program.stop().await.map(drop)
}

async fn what_is_no_link_of_the_file_gets_nothing(world: World) -> Result<()> {
    let shown = Shown::new(&world, picture(1_000, 22), "a.png").await?;
    let link = shown.link().await?;
    let invalid = (StatusCode::UNAUTHORIZED, "LINK_INVALID".to_owned());
    let other = if link.ends_with('A') { "Q" } else { "A" };
    for forged in [
        format!("{}{other}", &link[..link.len() - 1]),
        link[..link.len() - 2].to_owned(),
        "/v1/attachments/none".to_owned(),
    ] {
        assert_eq!(refusal(shown.get(&forged)).await?, invalid, "{forged}");
    }
    // A token beside it makes it no better.
    let forged = shown.get("/v1/attachments/none").bearer_auth(token(Role::Admin)?);
    assert_eq!(refusal(forged).await?, invalid);

    // A link ends with the token of whoever made it, and this one is at its end already.
    let mut query = query_at_its_end(&shown.stage.program.url())?;
    let ended = query.create_attachment_link(shown.asked()).await?.into_inner();
    let expired = (StatusCode::UNAUTHORIZED, "LINK_EXPIRED".to_owned());
    assert_eq!(refusal(shown.get(&ended.url)).await?, expired);

    let mut stranger = query_as(&shown.stage.program.url(), "another")?;
    let refused = stranger.create_attachment_link(shown.asked()).await.err().context("made")?;
    let reason = reason_of(&refused).unwrap_or_default();
    assert_eq!((refused.code(), reason.as_str()), (Code::NotFound, "ACCOUNT_NOT_FOUND"));
    let ages = CreateAttachmentLinkRequest { lifetime_seconds: 86_401, ..shown.asked() };
    let refused = shown.stage.program.query()?.create_attachment_link(ages).await;
    assert_eq!(refused.err().context("made")?.code(), Code::InvalidArgument);
    let gone = CreateAttachmentLinkRequest { attachment_id: "another".into(), ..shown.asked() };
    let refused = shown.stage.program.query()?.create_attachment_link(gone).await;
    assert_eq!(reason_of(&refused.err().context("made")?).as_deref(), Some("ATTACHMENT_NOT_FOUND"));
    shown.stage.program.stop().await.map(drop)
}

/// The roles in processes of their own, over the database and the files of the whole program.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_good_at_any_query_process_and_is_in_no_log() {
    apart(crate::world::postgres().await).await.unwrap();
}

async fn apart(world: World) -> Result<()> {
    let shown = Shown::new(&world, picture(150_000, 23), "a.png").await?;
    let logs = tempfile::tempdir()?;
    let log = logs.path().join("log");
    let query = Setup::role("query", &world.backend)?.logging_to(log.clone()).start().await?;
    let at_query = format!("http://{}", query.setup.server);
    let elsewhere = format!("http://{}", shown.stage.program.setup.server);
    let gateway = Setup::role("gateway", &world.backend)?
        .with("GATEWAY__UPSTREAMS__QUERY", &at_query)
        .with("GATEWAY__UPSTREAMS__MESSAGING", &at_query)
        .with("GATEWAY__UPSTREAMS__INGEST", &at_query)
        .with("GATEWAY__UPSTREAMS__WEBHOOK", &elsewhere)
        .logging_to(log.clone())
        .start()
        .await?;
    let link = shown.link().await?;
    let get = async |url: &str| Client::new().get(format!("{}{url}", gateway.url())).send().await;
    let answer = get(&link).await?;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "cross-origin-resource-policy"), "same-origin");
    ensure!(answer.bytes().await? == shown.bytes, "other bytes came");
    let forged = format!("{}AA", &link[..link.len() - 2]);
    assert_eq!(get(&forged).await?.status(), StatusCode::UNAUTHORIZED);

    for program in [gateway, query] {
        program.stop().await?;
    }
    let said = std::fs::read_to_string(&log)?;
    ensure!(said.contains("GetLinkedAttachment"), "nothing was logged");
    let sealed = link.rsplit('/').next().context("a link")?;
    for secret in [sealed, &sealed[sealed.len() - 20..], &token(Role::Viewer)?] {
        ensure!(!said.contains(secret), "the log has a secret");
    }
    shown.stage.program.stop().await.map(drop)
}
