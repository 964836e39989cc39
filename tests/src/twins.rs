//! Comparing two installations that have read the same account in.

use crate::client::Query;
use crate::truth;
use anyhow::{Context, Result, ensure};
use channel_proto::types::v1::{Chat, Message};

/// Checks that both show the same chats and messages in the same order. Only what an installation gives of its own
/// differs: its ids and numbers, and when it stored or fetched something.
pub async fn compare(one: &mut Query, other: &mut Query) -> Result<()> {
    let (chats, others) = (sorted(truth::chats(one).await?), sorted(truth::chats(other).await?));
    ensure!(chats.len() == others.len(), "{} and {} chats", chats.len(), others.len());
    for (chat, other_chat) in chats.into_iter().zip(others) {
        let id = chat.chat_id.clone();
        let messages = truth::messages(one, &chat).await?;
        let other_messages = truth::messages(other, &other_chat).await?;
        same(&lasting_chat(chat), &lasting_chat(other_chat))
            .with_context(|| format!("chat {id}"))?;
        ensure!(messages.len() == other_messages.len(), "chat {id} differs in length");
        for (message, other) in messages.into_iter().zip(other_messages) {
            same(&lasting(message), &lasting(other)).with_context(|| format!("chat {id}"))?;
        }
    }
    Ok(())
}

/// In the order in which they are shown, but those of the same second by their ids: an installation has its own order then.
fn sorted(mut chats: Vec<Chat>) -> Vec<Chat> {
    let at = |chat: &Chat| chat.last_activity_at.map(|at| (at.seconds, at.nanos));
    for same in chats.chunk_by_mut(|one, next| at(one) == at(next)) {
        same.sort_unstable_by(|one, next| one.chat_id.cmp(&next.chat_id));
    }
    chats
}

fn same<T: PartialEq + std::fmt::Debug>(one: &T, other: &T) -> Result<()> {
    ensure!(one == other, "{one:#?}\nis in the other\n{other:#?}");
    Ok(())
}

fn lasting_chat(mut chat: Chat) -> Chat {
    if let Some(last) = &mut chat.last_message {
        last.message_id.clear();
    }
    let own = Chat { revision: 0, members_revision: 0, complete_up_to: None, ..chat };
    Chat { sort_key: String::new(), picture_etag: String::new(), ..own }
}

fn lasting(mut message: Message) -> Message {
    for file in &mut message.attachments {
        // Whether it was fetched by now, and so whether it has a small picture.
        file.fetch_state = 0;
        file.fetch_reason.clear();
        file.thumbnail = None;
        file.thumbnail_reason.clear();
    }
    // What UniPile tells no time of has the time at which it was heard.
    let (delivered, read) = (&mut message.delivered_at, &mut message.read_at);
    let (edited, deleted) = (&mut message.edited_at, &mut message.deleted_at);
    for at in [delivered, read, edited, deleted].into_iter().flatten() {
        (at.seconds, at.nanos) = (0, 0);
    }
    let own = Message { message_id: String::new(), sort_key: String::new(), ..message };
    Message { stored_at: None, revision: 0, ..own }
}
