//! What a change means to a person: the state of a message, compared with how it was seen last.

use std::collections::HashMap;

use channel_proto::types::v1::{
    Account, ConnectionState, Message, MessageDirection, MessageStatus, SyncKind, SyncProgress,
    SyncState,
};
use jiff::tz::TimeZone;
use prost_types::Timestamp;

use crate::commands::sync::bar;

/// Messages remembered at most.
const MOST: usize = 10_000;
/// A change this long after its message was stored is about an old message, in seconds.
const OLD: i64 = 2;
/// How often it is told how far a synchronisation came, in seconds.
const SYNC_EVERY: i64 = 2;
/// How much of a message is repeated when something happens to it.
const EXCERPT: usize = 40;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Incoming,
    Outgoing,
    Edited,
    Sent,
    Delivered,
    Read,
    Reaction,
    Deleted,
    Failed,
    Account,
    Sync,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) time: String,
    pub(super) mark: Mark,
    pub(super) text: String,
}

/// How a message was seen last.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    deleted: bool,
    edited_at: Option<Timestamp>,
    reactions: Vec<String>,
    failed: bool,
    status: MessageStatus,
}

impl Seen {
    fn of(message: &Message) -> Self {
        let emoji = |reaction: &channel_proto::types::v1::Reaction| reaction.emoji.clone();
        Self {
            deleted: message.deleted,
            edited_at: message.edited_at,
            reactions: message.reactions.iter().map(emoji).collect(),
            failed: message.failure.is_some(),
            status: message.status(),
        }
    }

    /// A message that was there before the program was.
    const fn unknown() -> Self {
        Self {
            deleted: false,
            edited_at: None,
            reactions: Vec::new(),
            failed: false,
            status: MessageStatus::Unspecified,
        }
    }
}

/// Remembers messages and accounts, and tells what is new about them.
#[derive(Debug, Default)]
pub(super) struct Story {
    messages: HashMap<(String, String), Seen>,
    accounts: HashMap<String, ConnectionState>,
    /// Where a synchronisation stood when it was told last, and the second.
    syncs: HashMap<String, (SyncState, i64)>,
}

impl Story {
    /// What is new about a message; nothing when it is not for people.
    pub(super) fn of_message(&mut self, message: &Message, at: Option<Timestamp>) -> Option<Line> {
        if self.messages.len() >= MOST {
            self.messages.clear();
        }
        let key = (message.account_id.clone(), message.message_id.clone());
        let now = Seen::of(message);
        let before = self.messages.insert(key, now.clone());
        if message.hidden {
            return None;
        }
        let is_new = before.is_none() && !is_old(message, at);
        let (mark, text) = if is_new && !message.deleted {
            (if is_out(message) { Mark::Outgoing } else { Mark::Incoming }, message.preview.clone())
        } else {
            difference(message, &before.unwrap_or_else(Seen::unknown), &now)?
        };
        let time = clock(if is_new { message.sent_at } else { at });
        Some(Line { time, mark, text })
    }

    /// What is new about an account: its connection.
    pub(super) fn of_account(&mut self, account: &Account, at: Option<Timestamp>) -> Option<Line> {
        let state = account.connection.as_ref()?.state();
        let before = self.accounts.insert(account.account_id.clone(), state);
        if before == Some(state) {
            return None;
        }
        let name = state.as_str_name().trim_start_matches("CONNECTION_STATE_");
        Some(Line {
            time: clock(at),
            mark: Mark::Account,
            text: format!("account is {}", name.to_lowercase().replace('_', " ")),
        })
    }
}

impl Story {
    /// How far a synchronisation came: when it begins or ends, and now and then. A repair that finds nothing is
    /// none of a person's business.
    pub(super) fn of_sync(&mut self, sync: &SyncProgress, at: Option<Timestamp>) -> Option<Line> {
        let (state, second) = (sync.state(), at.map_or(0, |at| at.seconds));
        let quiet = sync.kind() == SyncKind::Repair
            && sync.messages_added == 0
            && !matches!(state, SyncState::Failed | SyncState::Paused);
        let before = self.syncs.get(&sync.sync_id).copied();
        let is_news = before.is_none_or(|(was, then)| was != state || second - then >= SYNC_EVERY);
        if quiet || !is_news {
            return None;
        }
        self.syncs.insert(sync.sync_id.clone(), (state, second));
        Some(Line { time: clock(at), mark: Mark::Sync, text: bar(sync) })
    }
}

fn difference(message: &Message, before: &Seen, now: &Seen) -> Option<(Mark, String)> {
    let excerpt = || format!("“{}”", excerpt(message));
    if now.deleted {
        return (!before.deleted).then(|| (Mark::Deleted, "deleted a message".to_owned()));
    }
    if now.failed && !before.failed {
        let reason = message.failure.as_ref().map_or("", |failure| &failure.reason);
        return Some((Mark::Failed, format!("not sent ({reason}): {}", excerpt())));
    }
    if now.edited_at.is_some() && now.edited_at != before.edited_at {
        return Some((Mark::Edited, message.preview.clone()));
    }
    if now.reactions != before.reactions {
        let emoji = now.reactions.join(" ");
        let what = if emoji.is_empty() { "no reaction any longer" } else { &emoji };
        return Some((Mark::Reaction, format!("{what} to {}", excerpt())));
    }
    if !is_out(message) || now.status <= before.status {
        return None;
    }
    let (mark, word) = match now.status {
        MessageStatus::Sent => (Mark::Sent, "sent"),
        MessageStatus::Delivered => (Mark::Delivered, "delivered"),
        MessageStatus::Read => (Mark::Read, "read"),
        MessageStatus::Played => (Mark::Read, "played"),
        MessageStatus::Pending | MessageStatus::Unspecified => return None,
    };
    Some((mark, format!("{word}: {}", excerpt())))
}

fn is_out(message: &Message) -> bool {
    message.direction() == MessageDirection::Out
}

fn is_old(message: &Message, at: Option<Timestamp>) -> bool {
    match (message.stored_at, at) {
        (Some(stored), Some(at)) => at.seconds - stored.seconds > OLD,
        _ => false,
    }
}

/// The beginning of a message.
fn excerpt(message: &Message) -> String {
    let line = &message.preview;
    if line.chars().count() <= EXCERPT {
        return line.clone();
    }
    line.chars().take(EXCERPT - 1).chain(['…']).collect()
}

/// The time of day where the program runs.
fn clock(at: Option<Timestamp>) -> String {
    let time = at.and_then(|at| jiff::Timestamp::new(at.seconds, at.nanos).ok());
    match time {
        Some(time) => time.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string(),
        None => "--:--:--".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use channel_proto::types::v1::{AccountConnection, MessageFailure, Reaction};

    use super::*;

    const fn second(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    fn message(direction: MessageDirection) -> Message {
        Message {
            message_id: "m".to_owned(),
            preview: "see you at five".to_owned(),
            direction: direction.into(),
            status: MessageStatus::Sent.into(),
            stored_at: Some(second(100)),
            ..Message::default()
        }
    }

    fn told(story: &mut Story, message: &Message) -> Option<(Mark, String)> {
        story.of_message(message, Some(second(100))).map(|line| (line.mark, line.text))
    }

    #[test]
    fn the_life_of_a_sent_message_is_told_step_by_step_and_nothing_twice() {
        let mut story = Story::default();
        let mut it = message(MessageDirection::Out);
        let mut lines = vec![told(&mut story, &it), told(&mut story, &it)];
        it.status = MessageStatus::Delivered.into();
        lines.push(told(&mut story, &it));
        it.status = MessageStatus::Read.into();
        lines.push(told(&mut story, &it));
        it.reactions = vec![Reaction { emoji: "👍".to_owned(), ..Reaction::default() }];
        lines.push(told(&mut story, &it));
        (it.preview, it.edited_at) = ("see you at six".to_owned(), Some(second(101)));
        lines.push(told(&mut story, &it));
        (it.preview, it.deleted) = (String::new(), true);
        lines.extend([told(&mut story, &it), told(&mut story, &it)]);
        let lines: Vec<String> = lines.into_iter().map(|line| format!("{line:?}")).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        Some((Outgoing, "see you at five"))
        None
        Some((Delivered, "delivered: “see you at five”"))
        Some((Read, "read: “see you at five”"))
        Some((Reaction, "👍 to “see you at five”"))
        Some((Edited, "see you at six"))
        Some((Deleted, "deleted a message"))
        None
        "#);
    }

    #[test]
    fn an_old_message_that_changes_is_not_told_as_new() {
        let mut it = message(MessageDirection::Out);
        (it.status, it.stored_at) = (MessageStatus::Read.into(), Some(second(10)));
        let line = told(&mut Story::default(), &it).unwrap();
        assert_eq!(line, (Mark::Read, "read: “see you at five”".to_owned()));
        it.direction = MessageDirection::In.into();
        assert_eq!(told(&mut Story::default(), &it), None);
    }

    #[test]
    fn what_is_hidden_is_not_told() {
        let mut it = message(MessageDirection::In);
        it.hidden = true;
        assert_eq!(told(&mut Story::default(), &it), None);
    }

    #[test]
    fn a_failure_is_told_with_its_reason() {
        let mut story = Story::default();
        let mut it = message(MessageDirection::Out);
        told(&mut story, &it);
        it.failure =
            Some(MessageFailure { reason: "EXPIRED".to_owned(), ..MessageFailure::default() });
        let line = told(&mut story, &it).unwrap();
        assert_eq!(line, (Mark::Failed, "not sent (EXPIRED): “see you at five”".to_owned()));
    }

    #[test]
    fn a_synchronisation_is_told_now_and_then_and_a_repair_only_if_it_finds_something() {
        let mut story = Story::default();
        let mut it = SyncProgress {
            kind: SyncKind::History.into(),
            state: SyncState::Running.into(),
            ..SyncProgress::default()
        };
        let mut told = |it: &SyncProgress, at| story.of_sync(it, Some(second(at))).is_some();
        assert!(told(&it, 100) && !told(&it, 101) && told(&it, 102));
        it.state = SyncState::Done.into();
        assert!(told(&it, 102));
        (it.kind, it.sync_id) = (SyncKind::Repair.into(), "repair".to_owned());
        assert!(!told(&it, 103));
        it.messages_added = 1;
        assert!(told(&it, 103));
    }

    #[test]
    fn an_account_is_told_when_its_connection_changes() {
        let mut story = Story::default();
        let account = |state: ConnectionState| Account {
            connection: Some(AccountConnection {
                state: state.into(),
                ..AccountConnection::default()
            }),
            ..Account::default()
        };
        let mut told = |state| story.of_account(&account(state), None).map(|line| line.text);
        assert_eq!(told(ConnectionState::Ok).as_deref(), Some("account is ok"));
        assert_eq!(told(ConnectionState::Ok), None);
        let failed = told(ConnectionState::CreationFailed);
        assert_eq!(failed.as_deref(), Some("account is creation failed"));
    }
}
