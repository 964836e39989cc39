//! UniPile is told where to push to, and told again when it has forgotten.

use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_proto::query::v1::ListMessagesRequest;
use channel_tests::program::{Program, Setup};
use channel_tests::until::until;
use channel_tests::upstream::{Place, Upstream};
use serde_json::Value;

on_both!(webhooks_are_made_and_repaired_without_anybody);

/// A contact writes, and it arrives.
async fn arrives(program: &Program, upstream: &Upstream, text: &str) -> Result<()> {
    let (account, chats) = (upstream.account().await?, upstream.chats().await?);
    upstream.contact_writes(&chats[0], text).await?;
    until(text, || async {
        let request = ListMessagesRequest {
            account_id: account.clone(),
            chat_id: chats[0].clone(),
            ..ListMessagesRequest::default()
        };
        let messages = program.query().ok()?.list_messages(request).await.ok()?.into_inner();
        messages.messages.iter().any(|it| it.text == text).then_some(())
    })
    .await
}

/// Both webhooks, once they are there with this secret.
async fn both(upstream: &Upstream, secret: &str) -> Result<Vec<Value>> {
    let has = |webhook: &Value| {
        let headers = webhook["headers"].as_array().cloned().unwrap_or_default();
        headers.iter().any(|header| header["value"] == secret)
    };
    until("both webhooks are there", || async {
        let there = upstream.webhooks().await.ok()?;
        (there.len() == 2 && there.iter().all(has)).then_some(there)
    })
    .await
}

async fn webhooks_are_made_and_repaired_without_anybody(world: World) -> Result<()> {
    let setup = Setup::whole(&world.backend)?;
    let place = Place::beside(&setup)?.told_by_api();
    let public = format!("http://{}/", setup.gateway);
    let setup = place
        .known_to(setup)
        .with("UNIPILE__PUBLIC_URL", &public)
        .with("INGEST__PATH_TOKEN", "unguessable")
        .with("UNIPILE__WEBHOOK_CHECK_SECONDS", "1")
        .with("INGEST__WEBHOOK_SECRET", "the first secret of this test");
    // UniPile is away when the program starts.
    let program = setup.start().await?;
    let upstream = place.start().await?;
    let first = both(&upstream, "the first secret of this test").await?;
    arrives(&program, &upstream, "The first message").await?;

    let lost = first[0]["id"].as_str().context("an id")?;
    upstream.drop_webhook(lost).await?;
    let again = both(&upstream, "the first secret of this test").await?;
    ensure!(again.iter().all(|it| it["id"] != first[0]["id"]), "the lost one was made anew");
    ensure!(again.iter().any(|it| it["id"] == first[1]["id"]), "the other one was left alone");
    arrives(&program, &upstream, "After it was lost").await?;

    let setup = program.stop().await?;
    let setup = setup.with("INGEST__WEBHOOK_SECRET", "the second secret of this test");
    let program = setup.start().await?;
    both(&upstream, "the second secret of this test").await?;
    arrives(&program, &upstream, "Under another secret").await?;
    let metrics = program.metrics().await?;
    ensure!(metrics.contains(r#"channel_messaging_webhooks_total{outcome="created"} 2"#), metrics);
    program.stop().await.map(drop)
}
