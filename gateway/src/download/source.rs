//! Opens a file at the query service.

use std::ops::Range;

use bytes::Bytes;
use channel_proto::query::v1::{
    AttachmentHeader, AttachmentVariant, GetAttachmentRequest, GetAttachmentResponse,
    GetLinkedAttachmentRequest, GetLinkedAttachmentResponse, get_attachment_response::Part,
    query_service_client::QueryServiceClient,
};
use futures::{StreamExt as _, TryStreamExt as _, future::BoxFuture, stream::BoxStream};
use serde::Deserialize;
use tonic::{Request, Status, metadata::MetadataMap};

use crate::calls::Calls;

type Parts = BoxStream<'static, Result<GetAttachmentResponse, Status>>;

/// Which file, as the query says it for whoever has a token.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Named {
    #[serde(rename = "account_id", default)]
    account: String,
    #[serde(rename = "message_id", default)]
    message: String,
    #[serde(rename = "attachment_id", default)]
    attachment: String,
    #[serde(default)]
    variant: Variant,
}

/// Which of an attachment's bytes.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Variant {
    #[default]
    Original,
    Thumbnail,
}

impl From<Variant> for AttachmentVariant {
    fn from(variant: Variant) -> Self {
        match variant {
            Variant::Original => Self::Original,
            Variant::Thumbnail => Self::Thumbnail,
        }
    }
}

enum Which {
    Named(Named),
    Linked(String),
}

/// A file, and who asks for it.
pub(super) struct Source {
    calls: Calls,
    which: Which,
    carried: MetadataMap,
}

/// A file that is open: what it is, and the bytes that were asked for.
pub(super) struct Opened {
    pub(super) header: AttachmentHeader,
    pub(super) bytes: BoxStream<'static, Result<Bytes, Status>>,
    /// Whether a link led to it.
    pub(super) is_linked: bool,
}

impl Opened {
    /// Which bytes follow.
    pub(super) const fn range(&self) -> Range<u64> {
        let AttachmentHeader { offset, length, .. } = self.header;
        offset..offset.saturating_add(length)
    }
}

impl Source {
    pub(super) fn named(calls: Calls, named: Named, carried: MetadataMap) -> Self {
        Self { calls, which: Which::Named(named), carried }
    }

    pub(super) fn linked(calls: Calls, link: String, carried: MetadataMap) -> Self {
        Self { calls, which: Which::Linked(link), carried }
    }

    /// Opens a part, as far as there is one. No bytes follow if the copy with this tag is right.
    pub(super) async fn open(&self, range: Range<u64>, tag: &str) -> Result<Opened, Status> {
        let mut parts = self.parts(range, tag.to_owned()).await?;
        let first = parts.try_next().await?.and_then(|first| first.part);
        let Some(Part::Header(header)) = first else {
            return Err(unexpected());
        };
        let is_linked = matches!(self.which, Which::Linked(_));
        Ok(Opened { header, bytes: parts.map(chunk).boxed(), is_linked })
    }

    /// Boxed, for a compiler that cannot see through the layers whether the future may change its thread.
    fn parts(
        &self,
        range: Range<u64>,
        if_none_match: String,
    ) -> BoxFuture<'static, Result<Parts, Status>> {
        let mut client = QueryServiceClient::new(self.calls.clone());
        let (offset, length) = (range.start, length(&range));
        match &self.which {
            Which::Named(named) => {
                let request = self.request(GetAttachmentRequest {
                    account_id: named.account.clone(),
                    message_id: named.message.clone(),
                    attachment_id: named.attachment.clone(),
                    offset,
                    length,
                    if_none_match,
                    variant: AttachmentVariant::from(named.variant).into(),
                });
                Box::pin(
                    async move { Ok(client.get_attachment(request).await?.into_inner().boxed()) },
                )
            }
            Which::Linked(link) => {
                let link = link.clone();
                let request = GetLinkedAttachmentRequest { link, offset, length, if_none_match };
                let request = self.request(request);
                Box::pin(async move {
                    let parts = client.get_linked_attachment(request).await?.into_inner();
                    Ok(parts.map(of_link).boxed())
                })
            }
        }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.carried.clone();
        request
    }
}

/// As the contract has it: zero is all up to the end.
const fn length(range: &Range<u64>) -> u64 {
    if range.end == u64::MAX { 0 } else { range.end - range.start }
}

fn of_link(
    part: Result<GetLinkedAttachmentResponse, Status>,
) -> Result<GetAttachmentResponse, Status> {
    part?.part.ok_or_else(unexpected)
}

fn chunk(part: Result<GetAttachmentResponse, Status>) -> Result<Bytes, Status> {
    match part?.part {
        Some(Part::Chunk(bytes)) => Ok(bytes),
        _ => Err(unexpected()),
    }
}

/// The contract knows of no such answer.
fn unexpected() -> Status {
    Status::internal("internal error")
}
