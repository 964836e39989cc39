//! Links to files: made for who may read them, and followed by whoever has one.

use super::files;
use crate::error::QueryError;
use crate::links::{Linked, Links, end};
use crate::read::Queries;
use channel_media::Objects;
use channel_proto::query::v1 as pb;
use channel_runtime::fault::FieldErrors;
use channel_runtime::identity::{Identity, Role};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use prost_types::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tonic::Status;

/// Needs no token: a link stands in for it.
pub const LINKED_PATH: &str = "/channel.query.v1.QueryService/GetLinkedAttachment";

/// Where the gateway serves what links lead to.
const HTTP_PATH: &str = "/v1/attachments/";
/// How long a link is good unless it is asked otherwise.
const USUAL_SECONDS: u32 = 900;

/// What a call answers with.
pub(super) type Parts = BoxStream<'static, Result<pb::GetLinkedAttachmentResponse, Status>>;

/// Makes a link to a file that is here.
pub(super) async fn create(
    queries: Queries,
    caller: Identity,
    links: Links,
    it: pb::CreateAttachmentLinkRequest,
) -> Result<pb::CreateAttachmentLinkResponse, QueryError> {
    let lifetime = lifetime(it.lifetime_seconds)?;
    let asked = pb::GetAttachmentRequest {
        account_id: it.account_id,
        message_id: it.message_id,
        attachment_id: it.attachment_id,
        variant: it.variant,
        ..pb::GetAttachmentRequest::default()
    };
    let found = queries.file(&caller, &files::ask(asked.clone())?).await?;
    let ends_at = end(queries.now(), lifetime, caller.expires_at);
    let attachment = pb::GetAttachmentRequest { account_id: found.account, ..asked };
    let tenant = caller.tenant.to_string();
    let link = links.seal(&Linked { tenant, ends_at, attachment: Some(attachment) })?;
    Ok(pb::CreateAttachmentLinkResponse {
        url: format!("{HTTP_PATH}{link}"),
        expires_at: Some(Timestamp { seconds: ends_at, nanos: 0 }),
    })
}

fn lifetime(seconds: u32) -> Result<Duration, FieldErrors> {
    let mut bad = FieldErrors::default();
    let seconds = if seconds == 0 { USUAL_SECONDS } else { seconds };
    bad.ensure("lifetime_seconds", (60..=86_400).contains(&seconds), "must be 0 or 60 to 86400");
    bad.finish()?;
    Ok(Duration::from_secs(seconds.into()))
}

/// Opens the file that a link leads to.
pub(super) async fn open(
    queries: Queries,
    links: Links,
    objects: Option<Objects>,
    has_thumbnails: bool,
    it: pb::GetLinkedAttachmentRequest,
) -> Result<Parts, QueryError> {
    let linked = links.open(&it.link, queries.now())?;
    let attachment = linked.attachment.ok_or(QueryError::LinkInvalid)?;
    let reader = reader(&linked.tenant, &attachment.account_id, linked.ends_at);
    let asked = pb::GetAttachmentRequest {
        offset: it.offset,
        length: it.length,
        if_none_match: it.if_none_match,
        ..attachment
    };
    let pieces = files::open(queries, reader, objects, has_thumbnails, asked).await?;
    let part = |piece| pb::GetLinkedAttachmentResponse { part: Some(piece) };
    Ok(pieces.map(move |piece| piece.map(part)).boxed())
}

/// Whoever has the link: they may see one account.
fn reader(tenant: &str, account: &str, ends_at: i64) -> Identity {
    Identity {
        subject: "link".into(),
        tenant: tenant.into(),
        role: Role::Viewer,
        accounts: Some(Arc::new([account.to_owned()].into())),
        expires_at: ends_at.saturating_mul(1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_has_bounds() {
        let seconds = |asked| lifetime(asked).map(|it| it.as_secs()).ok();
        assert_eq!([0, 60, 86_400].map(seconds), [Some(900), Some(60), Some(86_400)]);
        assert_eq!([1, 59, 86_401].map(seconds), [None; 3]);
    }
}
