//! The routes of API v1 that WhatsApp needs.

use http::Method;

/// A route: method and path below `/api/v1`, with a name in braces for each id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    /// Method and template: the span's and the metrics' name too.
    pub(super) name: &'static str,
    pub(super) repeat: Repeat,
    pub(super) limit: Limit,
}

/// Whether a call may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It reads.
    Freely,
    /// It changes something, starts something, or WhatsApp counts it.
    Never,
}

/// Which time limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Json,
    Transfer,
}

const fn read(name: &'static str) -> Route {
    Route { name, repeat: Repeat::Freely, limit: Limit::Json }
}

const fn once(name: &'static str) -> Route {
    Route { name, repeat: Repeat::Never, limit: Limit::Json }
}

const fn download(name: &'static str) -> Route {
    Route { name, repeat: Repeat::Freely, limit: Limit::Transfer }
}

const fn upload(name: &'static str) -> Route {
    Route { name, repeat: Repeat::Never, limit: Limit::Transfer }
}

pub(super) const ACCOUNTS: Route = read("GET /accounts");
pub(super) const ACCOUNT: Route = read("GET /accounts/{id}");
pub(super) const CONNECT: Route = once("POST /accounts");
pub(super) const RECONNECT: Route = once("POST /accounts/{id}");
pub(super) const RESTART: Route = once("POST /accounts/{id}/restart");
pub(super) const DELETE_ACCOUNT: Route = once("DELETE /accounts/{id}");
/// Starts something although it is a GET.
pub(super) const SYNC_ACCOUNT: Route = once("GET /accounts/{id}/sync");
pub(super) const HOSTED_LINK: Route = once("POST /hosted/accounts/link");

pub(super) const CHATS: Route = read("GET /chats");
pub(super) const START_CHAT: Route = upload("POST /chats");
pub(super) const CHAT: Route = read("GET /chats/{id}");
pub(super) const CHANGE_CHAT: Route = once("PATCH /chats/{id}");
pub(super) const CHAT_MESSAGES: Route = read("GET /chats/{id}/messages");
pub(super) const SEND: Route = upload("POST /chats/{id}/messages");
pub(super) const CHAT_ATTENDEES: Route = read("GET /chats/{id}/attendees");
/// Starts something although it is a GET.
pub(super) const SYNC_CHAT: Route = once("GET /chats/{id}/sync");

pub(super) const MESSAGES: Route = read("GET /messages");
pub(super) const MESSAGE: Route = read("GET /messages/{id}");
pub(super) const EDIT: Route = once("PATCH /messages/{id}");
pub(super) const DELETE: Route = once("DELETE /messages/{id}");
pub(super) const REACT: Route = once("POST /messages/{id}/reaction");
/// Two sources disagree on the path.
pub(super) const REACT_PLURAL: Route = once("POST /messages/{id}/reactions");
pub(super) const FORWARD: Route = once("POST /messages/{id}/forward");
pub(super) const ATTACHMENT: Route = download("GET /messages/{id}/attachments/{attachment}");

pub(super) const ATTENDEES: Route = read("GET /chat_attendees");
pub(super) const ATTENDEE: Route = read("GET /chat_attendees/{id}");
pub(super) const PICTURE: Route = download("GET /chat_attendees/{id}/picture");
pub(super) const ATTENDEE_CHATS: Route = read("GET /chat_attendees/{id}/chats");
pub(super) const ATTENDEE_MESSAGES: Route = read("GET /chat_attendees/{id}/messages");
/// WhatsApp counts these.
pub(super) const USER: Route = once("GET /users/{identifier}");

pub(super) const WEBHOOKS: Route = read("GET /webhooks");
pub(super) const CREATE_WEBHOOK: Route = once("POST /webhooks");
pub(super) const DELETE_WEBHOOK: Route = once("DELETE /webhooks/{id}");

impl Route {
    pub(super) fn method(self) -> Method {
        match self.name.split_once(' ').map(|(method, _)| method) {
            Some("POST") => Method::POST,
            Some("PATCH") => Method::PATCH,
            Some("DELETE") => Method::DELETE,
            _ => Method::GET,
        }
    }

    pub(super) fn template(self) -> &'static str {
        self.name.split_once(' ').map_or(self.name, |(_, path)| path)
    }

    /// The path with the ids in their places; none if one of them cannot stand there.
    pub(super) fn path(self, ids: &[&str]) -> Option<String> {
        let mut ids = ids.iter();
        let mut path = String::from("/api/v1");
        for part in self.template().split('/').skip(1) {
            path.push('/');
            match part.strip_prefix('{') {
                Some(_) => path.push_str(&segment(ids.next()?)?),
                None => path.push_str(part),
            }
        }
        Some(path)
    }
}

/// An id as one segment of a path. An empty one, `.` or `..` would lead to another route, in whatever way
/// they were encoded.
fn segment(id: &str) -> Option<String> {
    if matches!(id, "" | "." | "..") {
        return None;
    }
    let mut encoded = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                encoded.push('%');
                encoded.extend([byte >> 4, byte & 0xf].map(hex));
            }
        }
    }
    Some(encoded)
}

fn hex(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment_whatever_it_holds() {
        let path = ATTACHMENT.path(&["a/b?c#d", "Zm9v+/=="]).unwrap();
        assert_eq!(path, "/api/v1/messages/a%2Fb%3Fc%23d/attachments/Zm9v%2B%2F%3D%3D");
        assert_eq!(USER.path(&["1@lid é"]).unwrap(), "/api/v1/users/1%40lid%20%C3%A9");
    }

    #[test]
    fn an_id_that_would_lead_to_another_route_is_refused() {
        for id in ["", ".", ".."] {
            assert_eq!(MESSAGE.path(&[id]), None, "{id:?}");
        }
        assert_eq!(ATTACHMENT.path(&["only one"]), None);
    }

    #[test]
    fn what_changes_something_is_never_repeated() {
        for route in [CONNECT, RESTART, SEND, START_CHAT, EDIT, DELETE, REACT, FORWARD] {
            assert_ne!(route.method(), Method::GET);
            assert_eq!(route.repeat, Repeat::Never, "{}", route.name);
        }
        for route in [SYNC_ACCOUNT, SYNC_CHAT, USER] {
            assert_eq!((route.method(), route.repeat), (Method::GET, Repeat::Never));
        }
    }
}
