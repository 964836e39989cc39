//! Small pictures of images.

pub(super) mod images;

use super::links::link_to;
use super::stage::{self, Stage, picture};
use crate::world::{World, on_both};
use anyhow::{Context as _, Result, ensure};
use channel_proto::messaging::v1::{EraseContactRequest, GetErasureRequest};
use channel_proto::query::v1::{
    AttachmentVariant, CreateAttachmentLinkRequest, GetAttachmentRequest, ListAttendeesRequest,
};
use channel_proto::types::v1::{FetchState, Message};
use channel_runtime::identity::Role;
use channel_tests::client::{self, token};
use channel_tests::until::until;
use channel_tests::watcher::Watcher;
use images::{bomb, photo, sticker};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use tonic::Code;

on_both!(
    an_image_gets_a_small_picture_that_is_told_of_and_served_in_any_part,
    what_cannot_be_made_small_is_served_and_told_why,
    the_same_image_is_made_small_once,
    what_was_being_made_in_a_crash_is_made_by_the_next_program,
    images_from_before_get_theirs_once_it_is_wanted,
    a_small_picture_is_erased_with_its_image,
);

/// Asks for the small picture of a message's first file.
fn request(account: &str, message: &Message) -> GetAttachmentRequest {
    let variant = AttachmentVariant::Thumbnail.into();
    GetAttachmentRequest { variant, ..stage::request(account, message) }
}

impl Stage {
    pub(super) async fn image(&self, mime: &str, bytes: &[u8]) -> Result<String> {
        self.upstream.contact_sends(&self.chat, mime, bytes, json!({ "name": "a.jpg" })).await
    }

    pub(super) async fn until_small(&self, id: &str) -> Result<Message> {
        self.until_file(id, "there is a small picture", |file| file.thumbnail.is_some()).await
    }

    /// A decoder reads it, and it is as large as is told.
    pub(super) async fn is_shown(&self, message: &Message) -> Result<image::RgbaImage> {
        let told = message.attachments.first().and_then(|it| it.thumbnail.clone());
        let told = told.context("a small picture")?;
        let (header, bytes) = self.read(request(&self.account, message)).await?;
        assert_eq!((header.total_bytes, told.size_bytes), (bytes.len() as u64, header.length));
        assert_eq!(header.safe_mime_type, told.mime_type);
        let format = image::ImageFormat::from_mime_type(&told.mime_type).context("a format")?;
        let shown = image::load_from_memory_with_format(&bytes, format)?.into_rgba8();
        assert_eq!((shown.width(), shown.height()), (told.width, told.height));
        Ok(shown)
    }
}

/// By a link, and with a token.
async fn is_served_over_http(stage: &Stage, message: &Message, bytes: &[u8]) -> Result<()> {
    let variant = AttachmentVariant::Thumbnail.into();
    let asked = CreateAttachmentLinkRequest { variant, ..link_to(&stage.account, message) };
    let link = stage.program.query()?.create_attachment_link(asked).await?.into_inner().url;
    let file = &message.attachments[0].attachment_id;
    let named = format!(
        "/v1/attachments?account_id={}&message_id={}&attachment_id={file}&variant=thumbnail",
        stage.account, message.message_id
    );
    for url in [link, named] {
        let request = reqwest::Client::new().get(format!("{}{url}", stage.program.url()));
        let answer = request.bearer_auth(token(Role::Viewer)?).send().await?.error_for_status()?;
        assert_eq!(answer.headers()["content-type"], "image/jpeg");
        ensure!(answer.bytes().await? == bytes, "other bytes came");
    }
    Ok(())
}

async fn an_image_gets_a_small_picture_that_is_told_of_and_served_in_any_part(
    world: World,
) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let mut watcher = Watcher::start(stage.program.query()?, BTreeMap::new());
    watcher.until("the stream is open", |history| !history.frames.is_empty()).await?;
    let message =
        stage.until_small(&stage.image("image/jpeg", &photo(1280, 960, 1)).await?).await?;
    let told = message.attachments[0].thumbnail.clone().context("a small picture")?;
    assert_eq!((told.width, told.height, told.mime_type.as_str()), (320, 240, "image/jpeg"));
    assert_eq!((told.original_width, told.original_height), (1280, 960));
    assert_eq!(message.attachments[0].thumbnail_reason, "");
    stage.is_shown(&message).await?;
    let is_told = |history: &channel_tests::history::History| {
        let mut files = stage::told(history, &message.message_id);
        files.any(|file| file.thumbnail.is_none())
            && stage::told(history, &message.message_id)
                .any(|it| it.thumbnail.as_ref() == Some(&told))
    };
    watcher.until("the stream tells that it has come", is_told).await?;

    let whole = request(&stage.account, &message);
    let (header, bytes) = stage.read(whole.clone()).await?;
    is_served_over_http(&stage, &message, &bytes).await?;
    assert_eq!(header.safe_file_name, "file.jpg");
    assert_eq!(header.content_disposition, "inline; filename=\"file.jpg\"");
    let part = GetAttachmentRequest { offset: 100, length: 50, ..whole.clone() };
    let (part, piece) = stage.read(part).await?;
    assert_eq!((part.offset, part.length, part.total_bytes), (100, 50, told.size_bytes));
    ensure!(piece == bytes[100..150], "another part came");
    let same = GetAttachmentRequest { if_none_match: header.etag.clone(), ..whole.clone() };
    ensure!(stage.read(same).await?.0.not_modified, "it was sent again");
    let (original, _) = stage.bytes(&message, 0, 0).await?;
    ensure!(original.etag != header.etag && original.safe_file_name == "a.jpg", "{original:?}");
    let beyond = GetAttachmentRequest { offset: told.size_bytes + 1, ..whole };
    let refused = stage.refusal_of(beyond).await?;
    assert_eq!(refused, (Code::InvalidArgument, "RANGE_INVALID".into()));

    let message = stage.until_small(&stage.image("image/webp", &sticker()?).await?).await?;
    let shown = stage.is_shown(&message).await?;
    assert_eq!((shown.width(), shown.height(), shown.get_pixel(0, 0).0[3]), (320, 320, 0));
    stage.program.stop().await.map(drop)
}

async fn what_cannot_be_made_small_is_served_and_told_why(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let whole = photo(600, 600, 2);
    let png = picture(5_000, 3);
    for (bytes, reason) in [
        (bomb(), "THUMBNAIL_TOO_LARGE"),
        (whole[..whole.len() / 2].to_vec(), "THUMBNAIL_BROKEN"),
        (png, "THUMBNAIL_BROKEN"),
        (b"a text that is called a picture".to_vec(), "THUMBNAIL_NOT_AN_IMAGE"),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), "THUMBNAIL_NOT_AN_IMAGE"),
    ] {
        let id = stage.image("image/jpeg", &bytes).await?;
        let is_told = |file: &channel_proto::types::v1::Attachment| file.thumbnail_reason == reason;
        let message = stage.until_file(&id, reason, is_told).await?;
        let file = &message.attachments[0];
        assert_eq!((file.fetch_state(), &file.thumbnail), (FetchState::Stored, &None));
        let refused = stage.refusal_of(request(&stage.account, &message)).await?;
        assert_eq!(refused, (Code::NotFound, reason.to_owned()));
        ensure!(stage.bytes(&message, 0, 0).await?.1 == bytes, "other bytes came");
    }
    // What is not here yet says so, whichever of both is asked for.
    let empty = json!({ "kind": "other_bytes", "begins": "", "size": 0 });
    stage.upstream.next_fault("get_attachment", empty).await?;
    let id = stage.image("image/jpeg", &whole).await?;
    let message = stage.until_state(&id, FetchState::Retrying).await?;
    let refused = stage.refusal_of(request(&stage.account, &message)).await?;
    assert_eq!(refused, (Code::Unavailable, "ATTACHMENT_PENDING".into()));
    stage.is_shown(&stage.until_small(&id).await?).await?;
    stage.program.stop().await.map(drop)
}

async fn the_same_image_is_made_small_once(world: World) -> Result<()> {
    let stage = Stage::new(&world).await?;
    let bytes = photo(700, 500, 4);
    let mut tags = Vec::new();
    for _ in 0..3 {
        let message = stage.until_small(&stage.image("image/jpeg", &bytes).await?).await?;
        tags.push(stage.read(request(&stage.account, &message)).await?.0.etag);
    }
    ensure!(tags.iter().all(|tag| *tag == tags[0]), "{tags:?}");
    let metrics = stage.program.metrics().await?;
    for line in ["{outcome=\"made\"} 1", "{outcome=\"known\"} 2"] {
        let line = format!("channel_media_thumbnails_total{line}");
        ensure!(metrics.contains(&line), "{line} is not in {metrics}");
    }
    ensure!(metrics.contains("channel_media_thumbnail_seconds_count 1"), "{metrics}");
    stage.program.stop().await.map(drop)
}

/// With nothing but files of messages in a folder.
async fn lying_in(world: &World, folder: &Path) -> Result<Stage> {
    let path = folder.display().to_string();
    Stage::with(world, &[("MEDIA__PATH", &path), ("MEDIA__PICTURES__PER_MINUTE", "0")]).await
}

/// How many files lie there as a whole.
fn files(folder: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_whole = !entry.file_name().to_string_lossy().contains('#');
        let is_folder = entry.file_type()?.is_dir();
        count += if is_folder { files(&entry.path())? } else { is_whole.into() };
    }
    Ok(count)
}

async fn what_was_being_made_in_a_crash_is_made_by_the_next_program(world: World) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut stage = lying_in(&world, folder.path()).await?;
    let mut ids = Vec::new();
    for seed in 0..8 {
        ids.push(stage.image("image/jpeg", &photo(2400, 1800, seed)).await?);
    }
    // After each of the first ones another is being made.
    for id in &ids[..3] {
        stage
            .until_file(id, "one is made", |file| file.fetch_state() == FetchState::Stored)
            .await?;
        let Stage { program, upstream, account, chat } = stage;
        let program = program.kill().await?.start().await?;
        stage = Stage { program, upstream, account, chat };
    }
    for id in &ids {
        stage.is_shown(&stage.until_small(id).await?).await?;
    }
    assert_eq!(files(folder.path())?, 16, "each image, and one beside it");
    let Stage { program, .. } = stage;
    program.stop().await.map(drop)
}

async fn images_from_before_get_theirs_once_it_is_wanted(world: World) -> Result<()> {
    let off = ("MEDIA__THUMBNAILS__ENABLED", "false");
    let stage = Stage::with(&world, &[off]).await?;
    let id = stage.image("image/jpeg", &photo(640, 480, 5)).await?;
    let message = stage.until_state(&id, FetchState::Stored).await?;
    assert_eq!(message.attachments[0].thumbnail_reason, "");
    let refused = stage.refusal_of(request(&stage.account, &message)).await?;
    assert_eq!(refused, (Code::NotFound, "THUMBNAIL_OFF".into()));
    let Stage { program, upstream, account, chat } = stage;
    let setup = program.stop().await?.with(off.0, "true");
    let setup = setup.with("MEDIA__THUMBNAILS__LONGEST_SIDE", "64");
    let stage = Stage { program: setup.start().await?, upstream, account, chat };
    let message = stage.until_small(&id).await?;
    let shown = stage.is_shown(&message).await?;
    assert_eq!((shown.width(), shown.height()), (64, 48));
    stage.program.stop().await.map(drop)
}

async fn a_small_picture_is_erased_with_its_image(world: World) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let stage = lying_in(&world, folder.path()).await?;
    for seed in [6, 7] {
        stage.until_small(&stage.image("image/jpeg", &photo(500, 400, seed)).await?).await?;
    }
    assert_eq!(files(folder.path())?, 4);
    let account_id = stage.account.clone();
    let list = ListAttendeesRequest {
        account_ids: vec![account_id.clone()],
        ..ListAttendeesRequest::default()
    };
    let people = stage.program.query()?.list_attendees(list).await?.into_inner().attendees;
    let others = people.into_iter().filter(|person| !person.is_self);
    let attendee_ids = others.map(|person| person.attendee_id).collect();
    let request = EraseContactRequest { account_id, attendee_ids, request_id: String::new() };
    let mut managing = client::managing(&stage.program.url(), "default")?;
    let erasure = managing.erase_contact(request).await?.into_inner().erasure;
    let erasure_id = erasure.context("an erasure")?.erasure_id;
    until("the contact is erased", || async {
        let request = GetErasureRequest { erasure_id: erasure_id.clone() };
        let mut managing = client::managing(&stage.program.url(), "default").ok()?;
        managing.get_erasure(request).await.ok()?.into_inner().erasure?.ended_at
    })
    .await?;
    until("nothing lies there any more", || async {
        (files(folder.path()).ok()? == 0).then_some(())
    })
    .await?;
    stage.program.stop().await.map(drop)
}
