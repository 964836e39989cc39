use serde::{Deserialize, Serialize};

use super::Route;

/// What goes wrong, and with which calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The calls that it may befall; `None` means all.
    #[serde(default)]
    pub route: Option<Route>,
    /// Only those about this account.
    #[serde(default)]
    pub account_id: Option<String>,
    /// Only those about this chat.
    #[serde(default)]
    pub chat_id: Option<String>,
    /// The chance that it befalls a call.
    #[serde(default = "always")]
    pub probability: f64,
    /// How many calls it befalls before it is over; `None` means no end.
    #[serde(default)]
    pub times: Option<u32>,
    /// What goes wrong.
    pub fault: ApiFault,
}

/// What can go wrong with a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ApiFault {
    /// The call takes longer.
    Latency {
        /// At least so many milliseconds.
        ms: u64,
        /// And up to so many more.
        #[serde(default)]
        jitter_ms: u64,
    },
    /// There is never an answer.
    Timeout {
        /// Whether what was asked for is done all the same.
        accepted: bool,
    },
    /// The connection breaks before the answer.
    Reset {
        /// Whether what was asked for is done all the same.
        accepted: bool,
    },
    /// The answer is an error.
    Answer {
        /// Its HTTP status.
        status: u16,
        /// Its type after `errors/`; by default the usual one of the status.
        #[serde(default, rename = "type")]
        error: Option<String>,
        /// Whether what was asked for is done all the same.
        #[serde(default)]
        accepted: bool,
        /// Seconds for the header `Retry-After`.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The ids in a good answer are null.
    NullIds,
    /// The webhook of a sent message is acknowledged before the call is answered.
    EchoEarly,
    /// The webhook of a sent message comes later.
    EchoLate {
        /// By so many milliseconds.
        ms: u64,
    },
    /// There is no webhook of a sent message, or of one that somebody wrote by hand.
    EchoNever,
    /// The webhook of a sent message comes twice.
    EchoTwice,
    /// The webhook of a sent message has another text.
    EchoAltered {
        /// This one; by default the message's with a space at its end.
        #[serde(default)]
        text: Option<String>,
    },
    /// A list gives the cursor that it was asked with: it leads in circles from its second page on.
    SameCursor,
    /// Each listed object carries a raw message of so many bytes.
    Originals {
        /// How many.
        bytes: usize,
    },
    /// The answer is good, and nothing was done.
    WithoutEffect,
    /// The bytes of a good answer break off.
    Cut {
        /// After so many.
        after: u64,
    },
    /// The bytes of a good answer stop to come, and the connection stays.
    Stall {
        /// After so many.
        after: u64,
    },
    /// A good answer announces another length than it has.
    Length {
        /// This one.
        bytes: u64,
    },
    /// A good answer has other bytes.
    OtherBytes {
        /// It begins with these.
        begins: String,
        /// And is so long.
        size: usize,
    },
    /// The account loses its connection to WhatsApp just before the call.
    Disconnect,
}

impl FaultRule {
    /// A fault that befalls the next `times` calls.
    #[must_use]
    pub fn next(route: Route, times: u32, fault: ApiFault) -> Self {
        Self { times: Some(times), ..Self::each(route, fault) }
    }

    /// A fault that befalls every call.
    #[must_use]
    pub fn each(route: Route, fault: ApiFault) -> Self {
        let route = Some(route);
        Self { route, account_id: None, chat_id: None, probability: 1.0, times: None, fault }
    }

    pub(super) fn is_about(&self, route: Route, account: Option<&str>, chat: Option<&str>) -> bool {
        let same = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == is)
        };
        self.route.is_none_or(|wanted| wanted == route)
            && same(&self.account_id, account)
            && same(&self.chat_id, chat)
    }
}

/// A rule and how often it has struck.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleState {
    /// Names it.
    pub id: u64,
    /// Calls that it befell.
    pub struck: u32,
    /// The rule.
    pub rule: FaultRule,
}

fn always() -> f64 {
    1.0
}
