//! The single steps: each makes one thing happen, or finds that it cannot.

use jiff::Timestamp;

use super::{Action, Traffic};
use crate::dialogue::Speaker;
use crate::world::{
    AccountKey, AccountStatus, Attachment, Change, ChatKey, Content, Draft, Media, Message,
    MessageKey, Receipt, Who, World,
};

/// How far back people edit, delete, quote and react.
const RECENT: usize = 24;

const EMOJI: [&str; 8] = ["👍", "❤️", "😂", "😮", "🙏", "🎉", "😢", "👏"];
const AFTERTHOUGHTS: [&str; 5] = [" (typo, sorry)", " 🙂", " – thanks!", " 🙏", " (corrected)"];
const CAPTIONS: [&str; 5] =
    ["Like this one", "Here it is", "What do you think?", "Just arrived", "From this morning"];
const FILES: [&str; 4] = ["invoice.pdf", "menu-november.pdf", "floor-plan.pdf", "receipt.pdf"];

impl Traffic {
    pub(super) fn act(
        &mut self,
        action: Action,
        world: &mut World,
        at: Timestamp,
    ) -> Option<Change> {
        match action {
            Action::Text => self.say(world, at, |_| {}),
            Action::Forwarded => self.say(world, at, |draft| draft.forwarded = true),
            Action::Reply => self.reply(world, at),
            Action::Image => self.send_media(world, at, Media::Image, false),
            Action::Video => self.send_media(world, at, Media::Video, false),
            Action::Voice => self.send_media(world, at, Media::Voice, false),
            Action::Document => self.send_media(world, at, Media::Document, false),
            Action::MediaUnavailable => self.send_media(world, at, Media::Video, true),
            Action::Unsupported => self.send_empty(world, at),
            Action::Call => self.call(world, at),
            Action::System => self.group_notice(world, at),
            Action::UnknownNotice => self.notice(world, at, 0, None),
            Action::Delivered => self.receipt(world, Receipt::Delivered),
            Action::Read => self.receipt(world, Receipt::Read),
            Action::Edited => self.edit(world),
            Action::Deleted => self.delete(world),
            Action::Reaction => self.react(world),
            Action::ReactionRemoved => self.take_back(world),
            Action::AccountStatus => self.account_status(world, false),
            Action::AccountStatusFlat => self.account_status(world, true),
        }
    }

    /// The next line of the conversation in the next chat.
    fn say(
        &mut self,
        world: &mut World,
        at: Timestamp,
        adapt: impl FnOnce(&mut Draft),
    ) -> Option<Change> {
        let key = self.next_chat();
        let chat = world.chat(key)?;
        let thread = self.threads.get_mut(key.0)?;
        let (speaker, text) = self.bank.next(chat.is_group(), thread, &mut self.dice);
        let sender = match speaker {
            Speaker::Owner => Who::OWNER,
            Speaker::Other(nth) => nth_other(chat.others(), nth),
        };
        let mut draft = Draft::new(sender, Content::Text(text));
        adapt(&mut draft);
        world.post(key, draft, at)
    }

    fn reply(&mut self, world: &mut World, at: Timestamp) -> Option<Change> {
        let (key, _) = self.recent(world, |message| !message.deleted && !message.is_notice())?;
        // Stays in the chat of the message that it quotes.
        self.focus = key.chat.0;
        self.lines_left = self.lines_left.max(1);
        self.say(world, at, |draft| draft.quoted = Some(key))
    }

    fn send_media(
        &mut self,
        world: &mut World,
        at: Timestamp,
        media: Media,
        unavailable: bool,
    ) -> Option<Change> {
        let chat = self.next_chat();
        let sender = self.anybody(world, chat)?;
        let captioned = matches!(media, Media::Image | Media::Video) && self.dice.chance(0.6);
        let caption =
            if captioned { self.dice.pick(&CAPTIONS).map(|&c| c.to_owned()) } else { None };
        let name = if media == Media::Document { self.dice.pick(&FILES) } else { None };
        let name = name.map(|&name| name.into());
        let bytes = self.dice.between(9_000, 900_000);
        let id = world.ids().attachment();
        let attachment = Attachment { id, media, bytes, name, mimetype: None, unavailable };
        let content = Content::Media { attachments: vec![attachment], caption };
        world.post(chat, Draft::new(sender, content), at)
    }

    fn send_empty(&mut self, world: &mut World, at: Timestamp) -> Option<Change> {
        let chat = self.next_chat();
        let sender = nth_other(world.chat(chat)?.others(), 0);
        world.post(chat, Draft::new(sender, Content::Empty), at)
    }

    fn call(&mut self, world: &mut World, at: Timestamp) -> Option<Change> {
        let (event_type, text) =
            if self.dice.chance(0.7) { (8, "Missed voice call") } else { (9, "Missed video call") };
        self.notice(world, at, event_type, Some(text.to_owned()))
    }

    fn notice(
        &mut self,
        world: &mut World,
        at: Timestamp,
        event_type: u8,
        text: Option<String>,
    ) -> Option<Change> {
        let chat = self.next_chat();
        let sender = nth_other(world.chat(chat)?.others(), 0);
        world.post(chat, Draft::new(sender, Content::Notice { event_type, text }), at)
    }

    fn edit(&mut self, world: &mut World) -> Option<Change> {
        let once = self.commutative;
        let (key, message) = self.recent(world, |message| {
            matches!(message.content, Content::Text(_))
                && !message.deleted
                && !(once && message.edited)
        })?;
        let text = message.content.text()?;
        let text = format!("{text}{}", self.dice.pick(&AFTERTHOUGHTS)?);
        world.edit(key, text)
    }

    /// Only messages without reactions, so that nobody has to know what becomes of those.
    fn delete(&mut self, world: &mut World) -> Option<Change> {
        let (key, _) = self.recent(world, |message| {
            !message.deleted && !message.is_notice() && message.reactions.is_empty()
        })?;
        world.delete(key)
    }

    fn react(&mut self, world: &mut World) -> Option<Change> {
        let (key, _) = self.recent(world, |message| !message.deleted && !message.is_notice())?;
        let by = self.anybody(world, key.chat)?;
        let reactions = &world.message(key)?.reactions;
        if self.commutative && reactions.iter().any(|(who, _)| *who == by) {
            return None;
        }
        let emoji = *self.dice.pick(&EMOJI)?;
        world.react(key, by, Some(emoji.into()))
    }

    fn take_back(&mut self, world: &mut World) -> Option<Change> {
        if self.commutative {
            return None;
        }
        let (key, message) = self.recent(world, |message| !message.reactions.is_empty())?;
        let by = message.reactions.first()?.0;
        world.react(key, by, None)
    }

    fn account_status(&mut self, world: &mut World, flat: bool) -> Option<Change> {
        let account = AccountKey(self.dice.below(world.accounts().len()));
        // Whoever brought an account down by hand decides when it comes back.
        if world.account(account)?.grounded {
            return None;
        }
        let status = if self.commutative { AccountStatus::Ok } else { self.trouble(account) };
        world.set_status(account, status, flat)
    }

    /// Something befalls an account; what follows until it runs again is queued.
    fn trouble(&mut self, account: AccountKey) -> AccountStatus {
        let (status, then): (_, &[AccountStatus]) = match self.dice.below(20) {
            0..14 => (AccountStatus::Connecting, &[AccountStatus::Ok]),
            14..16 => (AccountStatus::Error, &[AccountStatus::Ok]),
            16 => (AccountStatus::Stopped, &[AccountStatus::Ok]),
            17 => (AccountStatus::Permissions, &[AccountStatus::Ok]),
            _ => (AccountStatus::Credentials, &[AccountStatus::Reconnected, AccountStatus::Ok]),
        };
        self.statuses.extend(then.iter().map(|&status| (account, status)));
        status
    }

    /// One of a chat's people, the owner less often than the others together.
    pub(super) fn anybody(&mut self, world: &World, chat: ChatKey) -> Option<Who> {
        let others = world.chat(chat)?.others();
        if self.dice.chance(0.3) {
            return Some(Who::OWNER);
        }
        Some(self.dice.pick(others).copied().unwrap_or(Who::OWNER))
    }

    /// A recent message that suits, in the chat at hand or else in another one.
    fn recent<'w>(
        &mut self,
        world: &'w World,
        suits: impl Fn(&Message) -> bool,
    ) -> Option<(MessageKey, &'w Message)> {
        let elsewhere = self.dice.below(self.threads.len());
        let skip = self.dice.below(RECENT / 3);
        [self.focus, elsewhere].into_iter().find_map(|index| {
            let chat = ChatKey(index);
            let timeline = &world.chat(chat)?.timeline;
            let fitting = |(_, message): &(u64, &Message)| suits(message);
            let (number, message) = timeline
                .newest(RECENT)
                .skip(skip)
                .find(fitting)
                .or_else(|| timeline.newest(RECENT).find(fitting))?;
            Some((MessageKey { chat, number }, message))
        })
    }
}

/// The n-th of the others, counted round; the owner where there is nobody else.
pub(super) fn nth_other(others: &[Who], nth: usize) -> Who {
    others.get(nth % others.len().max(1)).copied().unwrap_or(Who::OWNER)
}
