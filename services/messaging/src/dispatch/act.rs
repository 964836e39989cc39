//! Doing something to a message or chat that exists.
//!
//! UniPile may answer success without effect, so each is looked at after. Doing one again is no harm, so whatever
//! is not known is tried again.

use channel_domain::send::{Act, Attempt, Refusal};
use channel_store::StoreError;
use channel_store::outbox::{ActBegun, ActEnd, Command, Done, DueAct};
use channel_unipile::upstream::{
    Answer, Chat, ChatAction, ChatReference, MessageState, UpstreamError,
};

use super::Shared;
use super::verdict::refusal;

impl Shared {
    /// Does what is due. Its end is written; if that fails, the lease lets it be done again.
    pub(super) async fn act(&self, due: &DueAct) -> Result<(), StoreError> {
        let done = self.command(&due.account, Command::BeginAct(due.id)).await?;
        let Done::ActBegun(begun) = done else { return Ok(()) };
        let end = self.done(due, &begun).await;
        let outcome = match &end {
            ActEnd::Applied => "applied",
            ActEnd::Refused(Refusal { attempt: Attempt::Never, .. }) => "not_applied",
            ActEnd::Refused(_) => "postponed",
        };
        metrics::counter!("channel_messaging_actions_total", "outcome" => outcome).increment(1);
        let end = Command::EndAct { id: due.id, end, jitter: rand::random() };
        self.command(&due.account, end).await.map(drop)
    }

    async fn done(&self, due: &DueAct, begun: &ActBegun) -> ActEnd {
        match self.attempt(due, begun).await {
            Ok(true) => ActEnd::Applied,
            Ok(false) => ActEnd::Refused(Refusal {
                reason: "NO_EFFECT".to_owned(),
                detail: "UniPile took it, and it had no effect.".to_owned(),
                attempt: Attempt::Never,
            }),
            Err(error) => ActEnd::Refused(refusal(&error)),
        }
    }

    /// Does it and looks. False: it had no effect.
    async fn attempt(&self, due: &DueAct, begun: &ActBegun) -> Result<bool, UpstreamError> {
        let (account, act) = (&due.account, &begun.action.act);
        if let Some(action) = change_of(act) {
            self.upstream.change_chat(account, &begun.chat, &action).await?;
            let reference = ChatReference::Id(begun.chat.clone());
            return Ok(is_so(act, &self.upstream.chat(account, &reference).await?));
        }
        let Some(message) = &begun.message else { return Ok(false) };
        match act {
            Act::Edit { text, .. } => self.upstream.edit(account, message, text).await?,
            Act::Delete { .. } => self.upstream.delete(account, message).await?,
            Act::React { emoji, .. } if !self.upstream.react(account, message, emoji).await? => {
                return Ok(false);
            }
            _ => {}
        }
        has_taken(act, self.upstream.message(account, message).await)
    }
}

const fn change_of(act: &Act) -> Option<ChatAction> {
    Some(match act {
        Act::Read { on, .. } => ChatAction::Read(*on),
        Act::Mute { on, .. } => ChatAction::Mute(*on),
        Act::Archive { on, .. } => ChatAction::Archive(*on),
        Act::Pin { on, .. } => ChatAction::Pin(*on),
        Act::Edit { .. } | Act::Delete { .. } | Act::React { .. } => return None,
    })
}

/// Whether the chat is as it should be; what UniPile does not tell is believed.
fn is_so(act: &Act, chat: &Chat) -> bool {
    match act {
        Act::Read { on: true, .. } => chat.unread.is_none_or(|unread| unread == 0),
        Act::Mute { on, .. } => chat.muted_until.is_some() == *on,
        Act::Archive { on, .. } => chat.archived.is_none_or(|archived| archived == *on),
        Act::Pin { on, .. } => chat.claim.pinned.is_none_or(|pinned| pinned == *on),
        _ => true,
    }
}

/// Whether the message is as it should be.
fn has_taken(act: &Act, answer: Answer<MessageState>) -> Result<bool, UpstreamError> {
    let state = match answer {
        Ok(state) => state,
        Err(error) if matches!(act, Act::Delete { .. }) && error.is_not_found() => return Ok(true),
        Err(error) => return Err(error),
    };
    Ok(match act {
        Act::Edit { text, .. } => state.received.text.as_deref() == Some(text),
        Act::Delete { .. } => state.deleted,
        Act::React { emoji, .. } => state.reactions.is_none_or(|reactions| {
            // Where UniPile does not tell whose they are, any with the emoji will do.
            let ours = |it: &&channel_unipile::upstream::ReactionState| it.is_own != Some(false);
            reactions.iter().filter(ours).any(|reaction| reaction.emoji == *emoji)
        }),
        _ => true,
    })
}
