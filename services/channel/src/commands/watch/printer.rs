//! Changes as lines: for people, or as JSON for programs. Everything beside the changes goes to standard
//! error.

use std::io::{self, Write};

use channel_proto::query::v1::{Reset, ResetReason};
use channel_proto::types::v1::change::Entity;
use channel_proto::types::v1::{Change, SyncKind, SyncProgress};
use prost_reflect::DynamicMessage;
use serde::Serialize;

use super::names::Names;
use super::story::{Line, Mark, Story};
use crate::client::{Client, json};
use crate::output::{Output, Style, tame};

/// The width of the column with the names of chats.
const CHAT_WIDTH: usize = 24;

/// One line for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    account_id: &'a str,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum What {
    Change(DynamicMessage),
    Reset(DynamicMessage),
}

/// Prints changes.
pub(super) struct Printer {
    out: Output,
    json: bool,
    names: Names,
    story: Story,
    told_live: bool,
}

impl Printer {
    pub(super) fn new(out: Output, json: bool, client: Client) -> Self {
        Self { out, json, names: Names::new(client), story: Story::default(), told_live: false }
    }

    /// Tells something beside the changes.
    #[expect(clippy::unused_self, reason = "a printer prints, wherever to")]
    pub(super) fn note(&self, text: &str) {
        // When nobody can be told, the changes still can.
        let _ = writeln!(io::stderr(), "· {}", tame(text));
    }

    /// Tells once that what follows is live.
    pub(super) fn caught_up(&mut self) {
        if !std::mem::replace(&mut self.told_live, true) {
            self.note("live");
        }
    }

    /// Prints one change of an account.
    pub(super) async fn change(&mut self, account: &str, change: Change) -> anyhow::Result<()> {
        if self.json {
            return self
                .object(account, What::Change(json::of("channel.types.v1.Change", &change)?));
        }
        let at = change.at;
        match change.entity {
            Some(Entity::Chat(chat)) => self.names.learn_chat(chat),
            Some(Entity::Attendee(attendee)) => self.names.learn_attendee(attendee),
            Some(Entity::Message(message)) => {
                if let Some(line) = self.story.of_message(&message, at) {
                    let chat = self.names.of_message(&message).await;
                    self.line(&chat, &line)?;
                }
            }
            Some(Entity::Account(account)) => {
                if let Some(line) = self.story.of_account(&account, at) {
                    self.line(&account.display_name, &line)?;
                }
            }
            Some(Entity::SyncProgress(sync)) => {
                if let Some(line) = self.story.of_sync(&sync, at) {
                    self.line(kind(&sync), &line)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Tells that an account goes on from another place.
    pub(super) fn reset(&mut self, reset: &Reset) -> anyhow::Result<()> {
        if self.json {
            let dynamic = json::of("channel.query.v1.Reset", reset)?;
            return self.object(&reset.account_id, What::Reset(dynamic));
        }
        let what = match reset.reason() {
            ResetReason::Access if reset.cursor.is_empty() => "is not to be seen any longer",
            ResetReason::Access => "is followed from now",
            ResetReason::TooFar | ResetReason::Compacted => "missed too much; it goes on from now",
            _ => "has another history now; it goes on from now",
        };
        self.note(&format!("account {} {what}", reset.account_id));
        Ok(())
    }

    fn object(&mut self, account_id: &str, what: What) -> anyhow::Result<()> {
        Ok(self.out.line(serde_json::to_string(&Object { account_id, what })?)?)
    }

    fn line(&mut self, chat: &str, line: &Line) -> anyhow::Result<()> {
        let chat: String = tame(chat).chars().take(CHAT_WIDTH).collect();
        let (mark, style) = look(line.mark);
        let time = self.out.styled(Style::Faint, &line.time);
        let mark = self.out.styled(style, mark);
        let text = tame(&line.text);
        let text = match line.mark {
            Mark::Incoming | Mark::Outgoing | Mark::Edited => text.into(),
            _ => self.out.styled(Style::Faint, &text),
        };
        let line = format!("{time}  {mark}  {chat:CHAT_WIDTH$}  {text}");
        Ok(self.out.line(line)?)
    }
}

fn kind(sync: &SyncProgress) -> &'static str {
    match sync.kind() {
        SyncKind::Repair => "repair",
        SyncKind::Chat => "history of a chat",
        SyncKind::History | SyncKind::Unspecified => "history",
    }
}

/// Two columns wide, all of them.
const fn look(mark: Mark) -> (&'static str, Style) {
    match mark {
        Mark::Incoming => ("← ", Style::Incoming),
        Mark::Outgoing => ("→ ", Style::Outgoing),
        Mark::Edited => ("✎ ", Style::Faint),
        Mark::Sent => ("✓ ", Style::Faint),
        Mark::Delivered => ("✓✓", Style::Faint),
        Mark::Read => ("✓✓", Style::Incoming),
        Mark::Reaction => ("♥ ", Style::Faint),
        Mark::Deleted => ("⌫ ", Style::Faint),
        Mark::Failed => ("✗ ", Style::Alarm),
        Mark::Account => ("● ", Style::Strong),
        Mark::Sync => ("⇊ ", Style::Faint),
    }
}
