//! How far the files of messages are.

use super::book::Book;
use crate::media::{FetchEnd, FetchRow};
use crate::rows::WorkKind;
use crate::thumbnails::ThumbnailShown;
use channel_domain::attendee::Merged;
use channel_domain::ids::UpstreamMessageId;
use channel_domain::media::Fetch;

impl Book {
    /// Asks for the files of a message that are not here and can be had.
    pub(super) fn want_files(&mut self, id: &UpstreamMessageId) {
        let wanted = self.message(id).is_some_and(|message| {
            let mut files = message.content.attachments.iter();
            files.any(|file| !file.unavailable && file.fetch.as_ref().is_none_or(may_come))
        });
        if wanted {
            self.want(WorkKind::FetchMedia, id.as_str());
        }
    }

    /// A try has ended. An end that comes after somebody else took over says nothing.
    pub(super) fn end_fetch(&mut self, row: Option<FetchRow>, end: FetchEnd) {
        if row != Some(FetchRow { attempts: end.attempt, is_open: true }) {
            return;
        }
        self.change(&end.file.message, |entry| {
            let files = entry.entry.row.content.attachments.iter_mut();
            let file = files.into_iter().find(|file| file.id == end.file.attachment);
            let Some(file) = file.filter(|file| is_news(file.fetch.as_ref(), &end.fetch)) else {
                return Merged::NOTHING;
            };
            file.fetch = Some(end.fetch.clone());
            entry.files = true;
            Merged::SHOWN
        });
        self.fetched.push(end);
    }

    /// What came of making a small picture. If the message has other bytes by now, it says nothing.
    pub(super) fn show_thumbnail(&mut self, shown: ThumbnailShown) {
        let ThumbnailShown { file, sha256, thumbnail } = shown;
        self.change(&file.message, |entry| {
            let files = entry.entry.row.content.attachments.iter_mut();
            let same = files.into_iter().find(|it| it.id == file.attachment);
            let Some(Fetch::Stored(stored)) = same.and_then(|it| it.fetch.as_mut()) else {
                return Merged::NOTHING;
            };
            if stored.sha256 != sha256 || stored.thumbnail.as_ref() == Some(&thumbnail) {
                return Merged::NOTHING;
            }
            stored.thumbnail = Some(thumbnail);
            entry.files = true;
            Merged::SHOWN
        });
        self.looked_at.push(file);
    }
}

/// Whether it is worth asking again once the source offers it anew.
const fn may_come(fetch: &Fetch) -> bool {
    matches!(fetch, Fetch::Unavailable { .. })
}

/// One more failure of the same kind is no news to people; the journal counts it.
fn is_news(was: Option<&Fetch>, is: &Fetch) -> bool {
    match (was, is) {
        (Some(Fetch::Retrying { .. }), Fetch::Retrying { .. }) => false,
        (was, is) => was != Some(is),
    }
}
