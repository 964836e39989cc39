//! The bytes of files: a header, then pieces.

use super::fields;
use crate::error::QueryError;
use crate::read::{FileAsk, FileFound, Queries};
use bytes::{Bytes, BytesMut};
use channel_media::{MediaError, Objects, Reading};
use channel_proto::query::v1 as pb;
use channel_proto::query::v1::get_attachment_response::Part;
use channel_runtime::fault::{FieldErrors, to_status};
use channel_runtime::identity::Identity;
use channel_wire as wire;
use futures::stream::{self, BoxStream, StreamExt as _};
use tonic::Status;

/// Most bytes of a piece, as the contract has it.
const PIECE: usize = 64 * 1024;
/// Most bytes of an attachment's id; UniPile's are long.
const MOST_ID: usize = 2048;

/// This system makes no small pictures.
const OFF: &str = "THUMBNAIL_OFF";

/// What a call answers with.
pub(super) type Pieces = BoxStream<'static, Result<pb::GetAttachmentResponse, Status>>;

/// Opens a file: everything that can be refused is refused before the first piece.
pub(super) async fn open(
    queries: Queries,
    caller: Identity,
    objects: Option<Objects>,
    has_thumbnails: bool,
    it: pb::GetAttachmentRequest,
) -> Result<Pieces, QueryError> {
    let found = queries.file(&caller, &ask(it)?).await.map_err(|error| match error {
        QueryError::ThumbnailPending if !has_thumbnails => QueryError::NoThumbnail(OFF),
        error => error,
    })?;
    let objects = objects.ok_or(QueryError::NotBuilt)?;
    let bytes =
        if found.not_modified { stream::empty().boxed() } else { found.read(&objects).await? };
    let left = found.range.end - found.range.start;
    let header = Ok(pb::GetAttachmentResponse { part: Some(Part::Header(header(&found))) });
    Ok(stream::once(std::future::ready(header)).chain(pieces(bytes, left)).boxed())
}

pub(super) fn ask(it: pb::GetAttachmentRequest) -> Result<FileAsk, FieldErrors> {
    let mut bad = FieldErrors::default();
    let small = match it.variant() {
        pb::AttachmentVariant::Unspecified | pb::AttachmentVariant::Original => false,
        pb::AttachmentVariant::Thumbnail => true,
    };
    let known = pb::AttachmentVariant::try_from(it.variant).is_ok();
    bad.ensure("variant", known, "must be one of those that this version knows");
    let target = fields::target(&mut bad, it.account_id, 0);
    let message = fields::message_id(&mut bad, "message_id", &it.message_id);
    let named = (1..=MOST_ID).contains(&it.attachment_id.len());
    bad.ensure("attachment_id", named, "must be set, and is not that long");
    match message {
        Some(message) if bad.is_empty() => Ok(FileAsk {
            target,
            message,
            attachment: it.attachment_id,
            offset: it.offset,
            length: it.length,
            if_none_match: it.if_none_match,
            small,
        }),
        _ => Err(bad),
    }
}

fn header(found: &FileFound) -> pb::AttachmentHeader {
    pb::AttachmentHeader {
        attachment: Some(wire::attachment(&found.file)),
        safe_mime_type: found.safe_type.to_owned(),
        total_bytes: found.size(),
        offset: found.range.start,
        length: found.range.end - found.range.start,
        etag: found.etag().to_owned(),
        not_modified: found.not_modified,
        safe_file_name: found.safe_name.clone(),
        content_disposition: found.content_disposition(),
    }
}

/// Bytes that are read, on their way to be full pieces.
struct Flow {
    bytes: Reading,
    waiting: BytesMut,
    left: u64,
}

/// Pieces of the size that the contract allows, however the bytes are read: no more of a file is in memory than one
/// piece and what was read last. A file that ends too early ends the call with an error.
fn pieces(
    bytes: Reading,
    left: u64,
) -> impl futures::Stream<Item = Result<pb::GetAttachmentResponse, Status>> {
    let flow = Flow { bytes, waiting: BytesMut::new(), left };
    stream::unfold(Some(flow), |flow| async move {
        let mut flow = flow?;
        match flow.next().await {
            Ok(None) => None,
            Ok(Some(piece)) => {
                let part = Some(Part::Chunk(piece));
                Some((Ok(pb::GetAttachmentResponse { part }), Some(flow)))
            }
            Err(error) => Some((Err(to_status(&QueryError::from(error))), None)),
        }
    })
}

impl Flow {
    async fn next(&mut self) -> Result<Option<Bytes>, MediaError> {
        while self.waiting.len() < PIECE {
            match self.bytes.next().await.transpose()? {
                Some(bytes) => self.waiting.extend_from_slice(&bytes),
                None => break,
            }
        }
        let piece = self.waiting.split_to(self.waiting.len().min(PIECE)).freeze();
        let left = self.left.checked_sub(piece.len() as u64).ok_or(MediaError::Damaged)?;
        self.left = left;
        if piece.is_empty() {
            return if left > 0 { Err(MediaError::Damaged) } else { Ok(None) };
        }
        Ok(Some(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lengths(parts: Vec<Vec<u8>>, left: u64) -> Vec<Result<usize, tonic::Code>> {
        let bytes = stream::iter(parts.into_iter().map(|part| Ok(Bytes::from(part)))).boxed();
        let length = |piece: Result<pb::GetAttachmentResponse, Status>| match piece {
            Ok(pb::GetAttachmentResponse { part: Some(Part::Chunk(chunk)) }) => Ok(chunk.len()),
            Ok(other) => panic!("{other:?}"),
            Err(status) => Err(status.code()),
        };
        pieces(bytes, left).map(length).collect().await
    }

    #[tokio::test]
    async fn pieces_are_full_and_never_larger_than_the_contract_allows() {
        let small = vec![vec![1; 8 * 1024]; 9];
        assert_eq!(lengths(small, 9 * 8 * 1024).await, [Ok(PIECE), Ok(8 * 1024)]);
        let large = vec![vec![1; 150 * 1024]];
        let left = 150 * 1024;
        assert_eq!(lengths(large, left).await, [Ok(PIECE), Ok(PIECE), Ok(22 * 1024)]);
        assert_eq!(lengths(vec![], 0).await, []);
    }

    #[tokio::test]
    async fn a_file_that_is_cut_where_it_lies_is_no_success() {
        let told = lengths(vec![vec![1; 10]], 11).await;
        assert_eq!(told, [Ok(10), Err(tonic::Code::Internal)]);
        assert_eq!(lengths(vec![vec![1; 10]], 9).await, [Err(tonic::Code::Internal)]);
    }
}
