//! From the contract's requests to questions of ours.

use super::fields::{self, HITS, LISTS};
use crate::page::Towards;
use crate::read::{AttendeesAsk, ChatsAsk, MessagesAsk, Point, SearchAsk};
use channel_domain::search;
use channel_proto::query::v1::{
    ListAttendeesRequest, ListChatsRequest, ListMessagesRequest, PageDirection,
    SearchMessagesRequest, list_messages_request as list_messages,
};
use channel_runtime::fault::FieldErrors;

impl TryFrom<ListChatsRequest> for ChatsAsk {
    type Error = FieldErrors;

    fn try_from(it: ListChatsRequest) -> Result<Self, FieldErrors> {
        let mut bad = FieldErrors::default();
        let ask = Self {
            accounts: fields::accounts(&mut bad, it.account_ids),
            unread: it.unread,
            archived: it.archived,
            text: fields::text(&mut bad, "text", it.text),
            paging: fields::paging(&mut bad, LISTS, it.page_size, it.page_token),
            at_least: fields::at_least(&mut bad, it.min_as_of),
        };
        bad.finish().map(|()| ask)
    }
}

impl TryFrom<ListAttendeesRequest> for AttendeesAsk {
    type Error = FieldErrors;

    fn try_from(it: ListAttendeesRequest) -> Result<Self, FieldErrors> {
        let mut bad = FieldErrors::default();
        let ask = Self {
            accounts: fields::accounts(&mut bad, it.account_ids),
            chat: fields::optional_id(&mut bad, "chat_id", it.chat_id),
            text: fields::text(&mut bad, "text", it.text),
            each_once: it.distinct_persons,
            paging: fields::paging(&mut bad, LISTS, it.page_size, it.page_token),
            at_least: fields::at_least(&mut bad, it.min_as_of),
        };
        bad.finish().map(|()| ask)
    }
}

impl TryFrom<SearchMessagesRequest> for SearchAsk {
    type Error = FieldErrors;

    fn try_from(it: SearchMessagesRequest) -> Result<Self, FieldErrors> {
        let mut bad = FieldErrors::default();
        let query = fields::text(&mut bad, "query", it.query);
        let words = search::query(&query);
        bad.ensure("query", !words.is_empty(), "must have a letter or digit");
        let ask = Self {
            words,
            accounts: fields::accounts(&mut bad, it.account_ids),
            chat: fields::optional_id(&mut bad, "chat_id", it.chat_id),
            sender: fields::optional_id(&mut bad, "sender_attendee_id", it.sender_attendee_id),
            from: fields::time(&mut bad, "sent_from", it.sent_from),
            before: fields::time(&mut bad, "sent_before", it.sent_before),
            paging: fields::paging(&mut bad, HITS, it.page_size, it.page_token),
            at_least: fields::at_least(&mut bad, it.min_as_of),
        };
        bad.finish().map(|()| ask)
    }
}

impl TryFrom<ListMessagesRequest> for MessagesAsk {
    type Error = FieldErrors;

    fn try_from(it: ListMessagesRequest) -> Result<Self, FieldErrors> {
        let mut bad = FieldErrors::default();
        let towards = direction(&mut bad, it.direction);
        let target = fields::target(&mut bad, it.account_id, it.min_as_of_seq);
        let chat = fields::id(&mut bad, "chat_id", it.chat_id);
        let point = point(&mut bad, it.point);
        let size = fields::page_size(&mut bad, LISTS, it.page_size);
        // What is missing has noted why.
        let (Some(chat), Some(point), true) = (chat, point, bad.is_empty()) else {
            return Err(bad);
        };
        let (include_point, include_hidden) = (it.include_point, it.include_hidden);
        Ok(Self { target, chat, towards, point, include_point, include_hidden, size })
    }
}

fn direction(bad: &mut FieldErrors, number: i32) -> Towards {
    match PageDirection::try_from(number) {
        Ok(PageDirection::Unspecified | PageDirection::Before) => Towards::Older,
        Ok(PageDirection::After) => Towards::Newer,
        Err(_) => {
            bad.add("direction", "is not a direction");
            Towards::Older
        }
    }
}

fn point(bad: &mut FieldErrors, point: Option<list_messages::Point>) -> Option<Point> {
    Some(match point {
        None => Point::End,
        // An empty token is the first page, as for every other list.
        Some(list_messages::Point::PageToken(token)) if token.is_empty() => Point::End,
        Some(list_messages::Point::PageToken(token)) => Point::Token(token),
        Some(list_messages::Point::MessageId(id)) => {
            Point::Message(fields::message_id(bad, "message_id", &id)?)
        }
        Some(list_messages::Point::Time(at)) => Point::Time(fields::time(bad, "time", Some(at))?),
    })
}
