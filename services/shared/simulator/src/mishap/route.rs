use serde::{Deserialize, Serialize};

/// What a call of the API asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each name is that of a call of UniPile's API v1")]
pub enum Route {
    ListAccounts,
    GetAccount,
    ConnectAccount,
    ReconnectAccount,
    RestartAccount,
    DeleteAccount,
    SyncAccount,
    HostedLink,
    ListChats,
    GetChat,
    StartChat,
    PatchChat,
    SyncChat,
    ListChatAttendees,
    ListChatMessages,
    SendMessage,
    ListMessages,
    GetMessage,
    EditMessage,
    DeleteMessage,
    ReactToMessage,
    ForwardMessage,
    GetAttachment,
    ListAttendees,
    GetAttendee,
    GetAttendeePicture,
    ListAttendeeChats,
    ListAttendeeMessages,
    GetUser,
    ListWebhooks,
    CreateWebhook,
    DeleteWebhook,
    /// Not a call: the owner wrote on the phone.
    Phone,
    /// Not a call: a contact wrote.
    Contact,
}
