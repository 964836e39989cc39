//! A program, the simulator that it looks for pictures at, and somebody who writes.

use crate::world::World;
use anyhow::{Context, Result};
use channel_proto::query::v1::get_attendee_picture_request::Subject;
use channel_proto::query::v1::watch_response::Frame;
use channel_proto::query::v1::{
    GetAttendeePictureRequest, GetAttendeePictureResponse, GetAttendeeRequest, GetChatRequest,
};
use channel_proto::types::v1::change::Entity;
use channel_proto::types::v1::{Attendee, Chat};
use channel_runtime::fault::reason_of;
use channel_tests::history::History;
use channel_tests::program::{Program, Setup};
use channel_tests::until::until;
use channel_tests::upstream::{Place, Upstream};
use serde_json::Value;
use tonic::Code;

/// The call that asks for a picture.
pub(super) const PICTURE: &str = "get_attendee_picture";

/// A program and the upstream that it asks.
pub(super) struct Stage {
    pub(super) program: Program,
    pub(super) upstream: Upstream,
    pub(super) account: String,
    /// A chat of two, of which the program knows.
    pub(super) chat: String,
    /// Who writes there.
    pub(super) person: String,
}

/// The tags of somebody's picture, as a stream told them.
pub(super) fn tags(history: &History, attendee: &str) -> Vec<String> {
    let changes = history.frames.iter().filter_map(|frame| match &frame.frame {
        Some(Frame::Changes(changes)) => Some(&changes.changes),
        _ => None,
    });
    let tags = changes.flatten().filter_map(|change| match &change.entity {
        Some(Entity::Attendee(told)) if told.attendee_id == attendee => {
            Some(told.picture_etag.clone())
        }
        _ => None,
    });
    tags.collect()
}

/// Programs that look at once and not at a person's pace.
fn setup(world: &World, settings: &[(&str, &str)]) -> Result<Setup> {
    let setup = Setup::whole(&world.backend)?.with("UNIPILE__TIMEOUT_SECONDS", "2");
    let setup = setup.with("MEDIA__LEASE_SECONDS", "2");
    let setup = setup.with("MEDIA__PICTURES__PER_MINUTE", "6000");
    Ok(settings.iter().fold(setup, |setup, (name, value)| setup.with(name, value)))
}

impl Stage {
    /// A stage on which a picture is old after a second.
    pub(super) async fn forgetful(world: &World) -> Result<Self> {
        let old = [("MEDIA__PICTURES__REFRESH_SECONDS", "1")];
        Self::begin(world, &old, None, false).await
    }

    /// A stage on which every call for a picture ends so from the beginning.
    pub(super) async fn failing(
        world: &World,
        settings: &[(&str, &str)],
        fault: Value,
    ) -> Result<Self> {
        Self::begin(world, settings, Some(fault), false).await
    }

    /// A stage whose chat is a group.
    pub(super) async fn in_a_group(world: &World) -> Result<Self> {
        Self::begin(world, &[], None, true).await
    }

    /// A stage of any kind.
    pub(super) async fn begin(
        world: &World,
        settings: &[(&str, &str)],
        fault: Option<Value>,
        in_a_group: bool,
    ) -> Result<Self> {
        let setup = setup(world, settings)?;
        let place = Place::beside(&setup)?.with_chats(1).with_groups(in_a_group.into());
        let program = place.known_to(setup).start().await?;
        let upstream = place.start().await?;
        if let Some(fault) = fault {
            upstream.route_fault(PICTURE, fault, None).await?;
        }
        let (account, person) = (upstream.account().await?, String::new());
        let mut chat = String::new();
        for id in upstream.chats().await? {
            if (upstream.chat(&id).await?["type"] == 1) == in_a_group {
                chat = id;
            }
        }
        let mut stage = Self { program, upstream, account, chat, person };
        stage.upstream.contact_writes(&stage.chat, "hello?").await?;
        stage.person = until("the message has come", || async {
            let chat = stage.chat().await.ok()?;
            let written = chat.last_message.is_some();
            written.then_some(chat.counterparty_attendee_id)
        })
        .await?;
        Ok(stage)
    }

    pub(super) async fn chat(&self) -> Result<Chat> {
        self.chat_of(&self.chat).await
    }

    pub(super) async fn chat_of(&self, id: &str) -> Result<Chat> {
        let request = GetChatRequest {
            account_id: self.account.clone(),
            chat_id: id.to_owned(),
            ..GetChatRequest::default()
        };
        let found = self.program.query()?.get_chat(request).await?.into_inner();
        found.chat.context("a chat")
    }

    pub(super) async fn attendee(&self) -> Result<Attendee> {
        let request = GetAttendeeRequest {
            account_id: self.account.clone(),
            attendee_id: self.person.clone(),
            ..GetAttendeeRequest::default()
        };
        let found = self.program.query()?.get_attendee(request).await?.into_inner();
        found.attendee.context("an attendee")
    }

    /// Waits until the person has a picture other than this one; returns its tag.
    pub(super) async fn until_another(&self, tag: &str) -> Result<String> {
        until("there is another picture", || async {
            let shown = self.attendee().await.ok()?.picture_etag;
            Some(shown).filter(|shown| shown != tag)
        })
        .await
    }

    /// Waits until so many looks ended so.
    pub(super) async fn until_looked(&self, outcome: &str, times: u64) -> Result<()> {
        let name = format!("channel_media_pictures_total{{outcome=\"{outcome}\"}} ");
        until(&format!("{times} looks ended as {outcome}"), || async {
            let metrics = self.program.metrics().await.ok()?;
            let count = metrics.lines().find_map(|line| line.strip_prefix(&name))?;
            (count.parse::<u64>().ok()? >= times).then_some(())
        })
        .await
    }

    pub(super) fn of_person(&self) -> GetAttendeePictureRequest {
        self.request(Subject::AttendeeId(self.person.clone()))
    }

    pub(super) fn request(&self, subject: Subject) -> GetAttendeePictureRequest {
        GetAttendeePictureRequest {
            account_id: self.account.clone(),
            subject: Some(subject),
            ..GetAttendeePictureRequest::default()
        }
    }

    pub(super) async fn picture(
        &self,
        request: GetAttendeePictureRequest,
    ) -> Result<GetAttendeePictureResponse> {
        Ok(self.program.query()?.get_attendee_picture(request).await?.into_inner())
    }

    /// Why a picture is not served.
    pub(super) async fn refusal(
        &self,
        request: GetAttendeePictureRequest,
    ) -> Result<(Code, String)> {
        let refused = self.program.query()?.get_attendee_picture(request).await;
        let status = refused.err().context("it is served")?;
        Ok((status.code(), reason_of(&status).unwrap_or_default()))
    }
}
