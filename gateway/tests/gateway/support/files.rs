//! Files in the place of the real ones. What becomes of one is its message's id.

use std::{future::Ready, pin::Pin};

use bytes::Bytes;
use channel_proto::query::v1::{
    AttachmentHeader, GetAttachmentRequest, GetAttachmentResponse, get_attachment_response::Part,
};
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, server::ServerStreamingService};

/// How many bytes a whole file has.
const SIZE: u64 = 60_000;

type Parts = Pin<Box<dyn Stream<Item = Result<GetAttachmentResponse, Status>> + Send>>;

pub(crate) struct File;

impl ServerStreamingService<GetAttachmentRequest> for File {
    type Response = GetAttachmentResponse;
    type ResponseStream = Parts;
    type Future = Ready<Result<Response<Parts>, Status>>;

    fn call(&mut self, request: Request<GetAttachmentRequest>) -> Self::Future {
        let message = request.into_inner().message_id;
        let size = if message == "whole" { SIZE } else { 2 * SIZE };
        let header = Part::Header(AttachmentHeader {
            safe_mime_type: "image/png".into(),
            content_disposition: "inline; filename=\"a.png\"".into(),
            total_bytes: size,
            length: size,
            etag: "tag".into(),
            ..AttachmentHeader::default()
        });
        let half = Part::Chunk(Bytes::from(vec![7; 60_000]));
        let mut all = vec![Ok(header.clone()), Ok(half.clone())];
        match message.as_str() {
            "breaks" => all.push(Err(Status::internal("the disk is gone"))),
            "whole" | "ends" => {}
            "answers nonsense" => all.push(Ok(header)),
            "has no header" => all = vec![Ok(half)],
            other => return std::future::ready(Err(Status::not_found(other.to_owned()))),
        }
        std::future::ready(Ok(Response::new(parts(all))))
    }
}

fn parts(parts: Vec<Result<Part, Status>>) -> Parts {
    let part =
        |part: Result<Part, Status>| part.map(|part| GetAttachmentResponse { part: Some(part) });
    Box::pin(tokio_stream::iter(parts).map(part))
}
