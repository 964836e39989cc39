//! Pictures of people and groups: whose are wanted, and what a look came to.

use super::book::{Book, Entry};
use super::command::{Clerk, Outcome};
use crate::media::FetchRow;
use crate::pictures::{LookEnd, PictureWanted};
use channel_domain::attendee::{Attendee, ClaimKind, Merged};
use channel_domain::chat::{Chat, ChatKind};
use channel_domain::ids::{AttendeeId, ChatId};
use channel_domain::media::StoredFile;
use channel_domain::picture::{Subject, names_another};
use channel_domain::send::is_provisional;
use channel_domain::time::Micros;

impl Clerk<'_> {
    /// A look has ended. An end that comes after somebody else took over says nothing.
    pub(super) fn end_look(&mut self, row: Option<FetchRow>, end: LookEnd) -> Outcome {
        self.book.end_look(row, end);
        Outcome::Nothing
    }
}

impl Book {
    /// A person was seen, and something about them is new: this happens once a day at least. Whom UniPile has not named
    /// it cannot be asked about.
    pub(super) fn want_picture_of_person(
        &mut self,
        id: &AttendeeId,
        link_was: Option<&str>,
        seen_at: Micros,
    ) {
        let Some(row) = self.attendees.get(id).map(|entry| &entry.row) else { return };
        if id.as_str().starts_with("jid:") {
            return;
        }
        let changed = names_another(link_was, row.claims.best(ClaimKind::PictureUrl));
        let wanted = PictureWanted { key: row.key, is_chat: false, seen_at, changed };
        self.want_picture(wanted);
    }

    /// A chat was seen: only groups have pictures of their own, once UniPile has named them.
    pub(super) fn want_picture_of_group(&mut self, key: i64, seen_at: Micros) {
        let is_group =
            |chat: &Entry<Chat>| chat.row.kind == ChatKind::Group && !is_provisional(&chat.row.id);
        if self.chats.get(&key).is_some_and(is_group) {
            self.want_picture(PictureWanted { key, is_chat: true, seen_at, changed: false });
        }
    }

    fn want_picture(&mut self, wanted: PictureWanted) {
        let known = self.pictures.entry(wanted.key).or_insert(wanted);
        known.seen_at = known.seen_at.max(wanted.seen_at);
        known.changed |= wanted.changed;
    }

    fn end_look(&mut self, row: Option<FetchRow>, end: LookEnd) {
        if row != Some(FetchRow { attempts: end.attempt, is_open: true }) {
            return;
        }
        if let Some(picture) = end.look.shown() {
            match &end.of {
                Subject::Attendee(id) => self.show_person(id, picture),
                Subject::Chat(id) => self.show_group(id, picture),
            }
        }
        self.looked.push(end);
    }

    fn show_person(&mut self, id: &AttendeeId, picture: Option<&StoredFile>) {
        let Some(entry) = self.attendees.get_mut(id) else { return };
        let key = entry.row.key;
        if show(entry, |row: &mut Attendee| &mut row.picture, picture) {
            self.touched.attendees.push(id.clone());
        }
        for chat in self.chats.values_mut() {
            let Some(person) = &mut chat.row.counterparty else { continue };
            if person.key != key || person.picture.as_ref() == picture {
                continue;
            }
            person.picture = picture.cloned();
            if chat.row.kind == ChatKind::Single {
                chat.note(Merged::SHOWN);
                self.touched.chats.push(chat.row.key);
            }
        }
    }

    fn show_group(&mut self, id: &ChatId, picture: Option<&StoredFile>) {
        let Some(key) = self.chat_keys.get(id).copied() else { return };
        let Some(entry) = self.chats.get_mut(&key) else { return };
        if show(entry, |row: &mut Chat| &mut row.picture, picture) {
            self.touched.chats.push(key);
        }
    }
}

/// Puts a picture into its place. Whether it is another one.
fn show<T>(
    entry: &mut Entry<T>,
    place: impl FnOnce(&mut T) -> &mut Option<StoredFile>,
    picture: Option<&StoredFile>,
) -> bool {
    let shown = place(&mut entry.row);
    if shown.as_ref() == picture {
        return false;
    }
    *shown = picture.cloned();
    entry.note(Merged::SHOWN);
    true
}
